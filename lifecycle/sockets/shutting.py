"""Ending a direction of a connection: the words for it, MFC's numbers, and the system's."""

from __future__ import annotations

import socket

from lifecycle.engine import settle_ahead, settled
from lifecycle.sockets.os_socket import OsSocket
from lifecycle.system.portable_calls import Direction, direction_of


def shut_down(subject: OsSocket, sock: socket.socket, how: Direction) -> None:
    """The handler of shut_down: `subject`'s state changes first, so that a call which this wakes finds out why.

    ValueError for what is no direction, before the system is asked.
    """
    word, number = direction_of(how)
    outcome, take_back = settle_ahead(subject, "shut_down", word)
    try:
        sock.shutdown(number)
    except BaseException:
        take_back()
        raise
    subject._wake_all()
    return settled(outcome, None)


class HalfClosing(OsSocket):
    """A connection, of which each direction can be ended by itself."""

    __slots__ = ()

    def shut_down(self, how: Direction = "sends") -> None:
        """End one direction of the connection, or both, without closing it.

        how: "sends" (the default), "receives" or "both", or MFC's numbers 1, 0 and 2. Raises IllegalCall where there is no
        connection, ValueError for another `how`, OSError (ENOTCONN) when the connection has ended unnoticed.
        """
        return shut_down(self, self._socket, how)

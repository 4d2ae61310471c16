"""Ending a direction of a connection: the words for it, MFC's numbers, and the system's."""

from __future__ import annotations

import socket
from typing import Any

from lifecycle.roles.words import SHUT_DOWN
from lifecycle.sockets.os_socket import OsSocket
from lifecycle.system.portable_calls import Direction, direction_of


def shut_down(subject: OsSocket, sock: socket.socket, how: Direction) -> None:
    """The handler of shut_down; the state has changed already, so that a call which this wakes finds out why."""
    sock.shutdown(direction_of(how)[1])
    subject._wake_all()


def direction(how: Direction = "sends") -> str:
    """The word for a direction; ValueError for any other value."""
    return direction_of(how)[0]


class HalfClosing(OsSocket):
    """A connection, of which each direction can be ended by itself."""

    __slots__ = ()

    def shut_down(self, how: Direction = "sends") -> None:
        """End one direction of the connection, or both, without closing it.

        how: "sends" (the default), "receives" or "both", or MFC's numbers 1, 0 and 2. Raises IllegalCall where there is no
        connection, ValueError for another `how`, OSError (ENOTCONN) when the connection has ended unnoticed.
        """
        shut_down(self, self._socket, how)

    def outcome_before(self, call: str, *arguments: Any, **keywords: Any) -> str:
        """What shut_down() ends is chosen by its argument."""
        return direction(*arguments, **keywords) if call == SHUT_DOWN.name else "ok"

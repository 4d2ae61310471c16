"""Ending a direction of a connection: the words for it, MFC's numbers, and the system's."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Literal

from lifecycle.engine import settle_ahead, settled
from lifecycle.sockets.os_socket import OsSocket

Direction = Literal["receives", "sends", "both", 0, 1, 2]

DIRECTIONS: Mapping[object, tuple[str, int]] = {
    name: (str(word), number)
    for word, mfc, number in (
        ("receives", 0, socket.SHUT_RD),
        ("sends", 1, socket.SHUT_WR),
        ("both", 2, socket.SHUT_RDWR),
    )
    for name in (word, mfc)
}
"""word or MFC's number -> (the word, the system's number)"""


def shut_down(subject: OsSocket, sock: socket.socket, how: Direction) -> None:
    """The handler of shut_down: `subject`'s state changes first, so that a call which this wakes finds out why.

    ValueError for what is no direction, before the system is asked.
    """
    if type(how) not in (int, str) or how not in DIRECTIONS:
        raise ValueError(f"shut_down() ends 'sends' (1), 'receives' (0) or 'both' (2), not {how!r}")
    word, number = DIRECTIONS[how]
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

"""Listening: what a server does that never waits."""

from __future__ import annotations

import socket

from lifecycle.sockets.bindable import Openable
from lifecycle.system.portable_calls import claim_address


class Listening(Openable):
    """A server's socket, but for what it waits for."""

    __slots__ = ()

    _kind = socket.SOCK_STREAM

    def listen(self, backlog: int | None = None) -> None:
        """Let connections queue up; listening again changes the queue's length only.

        backlog: how many may wait, the system's own default when None; a number that is out of the system's range is
        clamped by the system. Legal in `bound` and `listening` (on an unbound socket Winsock answers WSAEINVAL, and Linux
        would pick a port). Raises OSError (EADDRINUSE), TypeError.
        """
        if backlog is None:
            self._socket.listen()
        elif not isinstance(backlog, int) or isinstance(backlog, bool):
            raise TypeError(f"a backlog is an int, not {type(backlog).__name__}")
        else:
            self._socket.listen(max(0, min(backlog, 2**31 - 1)))

    def _before_bind(self, sock: socket.socket) -> None:
        """Let a restarted server have its port at once, and nobody else share it: each system spells that differently."""
        claim_address(sock)

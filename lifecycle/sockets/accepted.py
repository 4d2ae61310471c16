"""Accepted: the server's end of one connection."""

from __future__ import annotations

import socket

from lifecycle.roles import ACCEPTED
from lifecycle.sockets.os_socket import checked_timeout
from lifecycle.sockets.stream import Stream


class Accepted(Stream, role=ACCEPTED):
    """The server's end of one connection: constructed empty, then given to a server's accept(); never created.

    timeout: seconds that a blocking call may wait; None for ever, 0 not at all; when it is not given, accept() passes the
    server's on. engine: see Lifecycle.
    """

    __slots__ = ("_timeout_is_own",)

    def __init__(self, *, timeout: float | None = None, engine: str | None = None) -> None:
        super().__init__(timeout=timeout, engine=engine)
        self._timeout_is_own = timeout is not None

    @property
    def timeout(self) -> float | None:
        """As of every socket; accept() keeps one that was set here, and passes the server's on otherwise."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = checked_timeout(seconds)
        self._timeout_is_own = True

    def _install(self, connection: socket.socket, timeout: float | None) -> None:
        """Hold an accepted connection, with the server's time-out unless this object was given its own."""
        self._socket = connection
        if not self._timeout_is_own:
            self._timeout = timeout

"""Accepted: the server's end of one connection, awaited."""

from __future__ import annotations

import socket

from lifecycle.aio.stream import AsyncStream
from lifecycle.roles import ACCEPTED


class Accepted(AsyncStream, role=ACCEPTED):
    """The server's end of one connection: constructed empty, then given to a server's accept(); never created.

    engine: see Lifecycle.
    """

    __slots__ = ()

    def _install(self, connection: socket.socket) -> None:
        """Hold an accepted connection."""
        self._socket = connection

"""Accepted: the server's end of one connection, awaited."""

from __future__ import annotations

import socket

from lifecycle.aio.async_socket import AsyncSocket
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

    def _accepted_by(self, server: AsyncSocket) -> None:
        """Begin to notify, of what the server is notified of unless this object chose itself."""
        if self._notifier is not None:
            if server._notifier is not None:
                self._notifier.inherit(server._notifier.mask)
            self._notifier.ended("accepted", None, waited=False)

"""Accepted: the server's end of one connection, awaited."""

from __future__ import annotations

import socket

from lifecycle.aio.async_socket import AsyncSocket
from lifecycle.aio.stream import AsyncStream
from lifecycle.engine.calls import Governed
from lifecycle.roles import ACCEPTED


class Accepted(AsyncStream, role=ACCEPTED):
    """The server's end of one connection: constructed empty, then given to a server's accept(); never created.

    engine: see Lifecycle.
    """

    __slots__ = ()

    def _install(self, connection: socket.socket) -> None:
        """Hold an accepted connection."""
        self._socket = connection

    def _fired_by(self, firer: Governed) -> None:
        """Start notifications; use the server's events unless this object chose its own."""
        if self._notifier is not None:
            if isinstance(firer, AsyncSocket) and firer._notifier is not None:
                self._notifier.inherit(firer._notifier.mask)
            self._notifier.ended("accepted", None, waited=False)

"""AsyncBindable: getting a socket and a local address, which may be a name that is looked up."""

from __future__ import annotations

from lifecycle.aio.async_socket import AsyncSocket
from lifecycle.aio.resolving import resolve
from lifecycle.sockets.bindable import Openable, wanted_family
from lifecycle.system.addresses import any_address


class AsyncBindable(AsyncSocket, Openable):
    """An object that is created, rather than filled by an accept()."""

    __slots__ = ()

    async def create(self, port: int = 0, address: str | None = None, *, family: int | None = None) -> None:
        """Get a socket and bind it: open() and bind() in one (MFC's Create).

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. family: AF_INET
        (the default) or AF_INET6, where the address does not tell. If the bind fails, the socket is given back and the
        state stays `empty`. Raises IllegalCall in every state but `empty`; ValueError, TypeError; OSError (EADDRINUSE,
        EADDRNOTAVAIL).
        """
        wanted = wanted_family(family)
        local = any_address(wanted) if address is None else address
        self._socket = self._bound_socket(*await resolve(local, port, wanted, self._kind))

    async def bind(self, port: int = 0, address: str | None = None) -> None:
        """Give the socket its local address.

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. Raises IllegalCall in
        every state but `open`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT).
        """
        family = self._socket.family
        local = any_address(family) if address is None else address
        self._socket.bind((await resolve(local, port, family, self._kind))[1])

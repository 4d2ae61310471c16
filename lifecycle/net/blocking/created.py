"""Created: how a blocking client, server or datagram socket gets its socket and its address."""

from __future__ import annotations

from lifecycle.net.blocking.driver import BlockingSocket
from lifecycle.net.created import CreatedSocket
from lifecycle.roles import words
from lifecycle.system.local_sockets import Path


class Created(BlockingSocket, CreatedSocket):
    """An object that is created."""

    __slots__ = ()

    def create(
        self,
        port: int = 0,
        address: str | None = None,
        *,
        family: int | None = None,
        path: Path | None = None,
        mode: int | None = None,
    ) -> None:
        """Get a socket and bind it: open() and bind() in one (MFC's Create).

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. A server listens at
        every address that the name has here, on one port, and None means both families. family: AF_INET (the default) or
        AF_INET6, where the address does not say. path: a local path or an abstract name (Linux) in place of all of these, for
        a Unix-domain socket; a socket that nobody has open any more is removed there first, and close() removes what this
        bind has made. mode: the permissions of the path, as of os.chmod(); None for what the umask leaves. If the bind fails,
        the socket is closed and the state stays `empty`. A client for which none of them is given may use any address of a
        name in connect(), of either family, and its local port may be another one afterwards. Raises IllegalCall in every
        state but `empty`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL).
        """
        self._run(words.CREATE, self._creating_at(port, address, family, path, mode))

    def bind(self, port: int = 0, address: str | None = None, *, path: Path | None = None, mode: int | None = None) -> None:
        """Give the socket its local address.

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. path and mode: as
        for create(), of a socket that was opened for AF_UNIX. Raises IllegalCall in
        every state but `open`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT).
        """
        self._run(words.BIND, self._binding_at(port, address, path, mode))

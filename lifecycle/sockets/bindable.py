"""Bindable: the calls by which a server, a client or a datagram socket gets its socket and its local address."""

from __future__ import annotations

import socket

from lifecycle.sockets.addresses import any_address, resolve
from lifecycle.sockets.os_socket import INTERNET_FAMILIES, OsSocket, new_socket


class Bindable(OsSocket):
    """An object that is created, rather than filled by an accept()."""

    __slots__ = ()

    def create(self, port: int = 0, address: str | None = None, *, family: int | None = None) -> None:
        """Get a socket and bind it: open() and bind() in one (MFC's Create).

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. family: AF_INET
        (the default) or AF_INET6, where the address does not tell. If the bind fails, the socket is given back and the
        state stays `empty`. Raises IllegalCall in every state but `empty`; ValueError, TypeError; OSError (EADDRINUSE,
        EADDRNOTAVAIL).
        """
        wanted = socket.AF_UNSPEC if family is None else _checked(family)
        family, name = resolve(any_address(wanted) if address is None else address, port, wanted, self._kind)
        sock = new_socket(family, self._kind)
        try:
            self._before_bind(sock)
            sock.bind(name)
        except BaseException:
            sock.close()
            raise
        self._socket = sock

    def open(self, family: int = socket.AF_INET) -> None:
        """Get a socket without an address, so that options can be set before bind() (MFC's Socket).

        family: AF_INET or AF_INET6. Raises IllegalCall in every state but `empty`, ValueError for another family, OSError
        (EMFILE).
        """
        sock = new_socket(_checked(family), self._kind)
        try:
            self._before_bind(sock)
        except BaseException:
            sock.close()
            raise
        self._socket = sock

    def bind(self, port: int = 0, address: str | None = None) -> None:
        """Give the socket its local address.

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. Raises IllegalCall in
        every state but `open`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT).
        """
        family = self._socket.family
        _, name = resolve(any_address(family) if address is None else address, port, family, self._kind)
        self._socket.bind(name)

    def _before_bind(self, sock: socket.socket) -> None:
        """Set what must be set before the bind; nothing but for a server."""


def _checked(family: int) -> int:
    if family not in INTERNET_FAMILIES:
        raise ValueError(f"family {family!r} is neither AF_INET nor AF_INET6")
    return family

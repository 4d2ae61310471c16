"""The calls by which a server, a client or a datagram socket gets its socket and its local address."""

from __future__ import annotations

import socket
from typing import Any

from lifecycle.sockets.os_socket import OsSocket
from lifecycle.system.addresses import any_address, resolve
from lifecycle.system.handles import INTERNET_FAMILIES
from lifecycle.system.portable_calls import new_socket


class Openable(OsSocket):
    """An object that is created, rather than filled by an accept(): what needs no look-up of a name."""

    __slots__ = ()

    def open(self, family: int = socket.AF_INET) -> None:
        """Get a socket without an address, so that options can be set before bind() (MFC's Socket).

        family: AF_INET or AF_INET6. Raises IllegalCall in every state but `empty`, ValueError for another family, OSError
        (EMFILE).
        """
        self._socket = self._prepared_socket(checked_family(family))

    def _prepared_socket(self, family: int) -> socket.socket:
        """A new socket of the system, with the options that must be set before the bind."""
        sock = new_socket(family, self._kind)
        try:
            self._before_bind(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def _bound_socket(self, family: int, name: tuple[Any, ...]) -> socket.socket:
        """A new socket of the system, bound to an address."""
        sock = self._prepared_socket(family)
        try:
            sock.bind(name)
        except BaseException:
            sock.close()
            raise
        return sock

    def _before_bind(self, sock: socket.socket) -> None:
        """Set what must be set before the bind; nothing but for a server."""


class Bindable(Openable):
    """An object that is created: looks names up while the caller waits."""

    __slots__ = ()

    def create(self, port: int = 0, address: str | None = None, *, family: int | None = None) -> None:
        """Get a socket and bind it: open() and bind() in one (MFC's Create).

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. family: AF_INET
        (the default) or AF_INET6, where the address does not tell. If the bind fails, the socket is given back and the
        state stays `empty`. Raises IllegalCall in every state but `empty`; ValueError, TypeError; OSError (EADDRINUSE,
        EADDRNOTAVAIL).
        """
        wanted = wanted_family(family)
        self._socket = self._bound_socket(
            *resolve(any_address(wanted) if address is None else address, port, wanted, self._kind)
        )

    def bind(self, port: int = 0, address: str | None = None) -> None:
        """Give the socket its local address.

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. Raises IllegalCall in
        every state but `open`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT).
        """
        family = self._socket.family
        _, name = resolve(any_address(family) if address is None else address, port, family, self._kind)
        self._socket.bind(name)


def wanted_family(family: int | None) -> int:
    """The family to look an address up for: any one when it is None; ValueError for one that is none of the internet."""
    return socket.AF_UNSPEC if family is None else checked_family(family)


def checked_family(family: int) -> int:
    """`family` itself; ValueError for one that is none of the internet."""
    if family not in INTERNET_FAMILIES:
        raise ValueError(f"family {family!r} is neither AF_INET nor AF_INET6")
    return family

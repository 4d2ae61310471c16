"""Addresses and ports, checked before the operating system is asked."""

from __future__ import annotations

import errno
import os
import re
import socket
from functools import lru_cache
from typing import Any, NamedTuple

Found = tuple[int, tuple[Any, ...]]
"""(family, system address)"""

_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_MAPPED = "::ffff:"
_MAX_NAME = 253  # RFC 1035, section 2.3.4


class Address(NamedTuple):
    """A host, as a numeric address, and a port."""

    host: str
    port: int

    @property
    def path(self) -> str | None:
        """The path of a Unix-domain socket; None of any other."""
        return None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class LocalAddress(Address):
    """The path of a Unix-domain socket instead of a host, and port 0: "" without a path; an abstract name begins with a NUL."""

    __slots__ = ()

    @property
    def path(self) -> str:
        """The path; it can be given to connect(path=) again, unless it is ""."""
        return self.host

    def __str__(self) -> str:
        return "@" + self.host[1:] if self.host.startswith("\0") else self.host or "(unnamed)"


def from_system(address: Any) -> Address:
    """The Address in a tuple of the system's, which for IPv6 has four fields.

    An IPv4 peer of a listener of both families is shown as IPv4; the system writes it as an IPv6 address (RFC 4291, 2.5.5.2).
    """
    if isinstance(address, (str, bytes)) or address is None:
        return LocalAddress(os.fsdecode(address or ""), 0)
    host: str = address[0].removeprefix(_MAPPED)
    if len(address) == 4 and address[3] and "%" not in host:
        host = f"{host}%{address[3]}"  # the interface of a link-local address
    return Address(host, address[1])


def checked_port(port: object) -> int:
    """`port` itself; TypeError when it is not an int, ValueError when it is outside 0..65535 (MFC truncates it silently)."""
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"a port is an int, not {type(port).__name__}: create(port, address), connect(address, port)")
    if not 0 <= port <= 65535:
        raise ValueError(f"port {port} is outside 0..65535")
    return port


def numeric_address(host: object, port: object, family: int) -> Found | None:
    """(family, system address) of a numeric address, or None for a name; nothing is asked.

    family: AF_INET or AF_INET6 restricts the address, AF_UNSPEC does not. Raises TypeError and ValueError if it is neither
    an address nor a name; OSError (EAFNOSUPPORT) for an address of the other family.
    """
    number = checked_port(port)
    if not isinstance(host, str):
        raise TypeError(f"an address is a str, not {type(host).__name__}")
    for numeric in (socket.AF_INET, socket.AF_INET6):
        if _is_numeric(numeric, host):
            if family not in (numeric, socket.AF_UNSPEC):
                raise OSError(errno.EAFNOSUPPORT, f"the socket cannot use {host!r}: it was opened for another family")
            return numeric, (host, number)
    if not _is_name(host) and not _is_numeric(socket.AF_INET6, host.partition("%")[0]):
        raise ValueError(f"{host!r} is not an address: give dotted numbers, an IPv6 address, or a name")
    return None


def any_address(family: int) -> str:
    """The address that means every local interface."""
    return "::" if family == socket.AF_INET6 else "0.0.0.0"


def checked_peer(address: tuple[Any, ...]) -> tuple[Any, ...]:
    """A resolved address of a peer; OSError (EADDRNOTAVAIL), as in Winsock, for those with which Linux connects to itself."""
    if address[0] == "0.0.0.0" or (":" in address[0] and _packed(address[0]) in UNSPECIFIED):
        raise OSError(errno.EADDRNOTAVAIL, f"{address[0]} means every interface of a machine, and cannot be connected to")
    if not address[1]:
        raise OSError(errno.EADDRNOTAVAIL, "port 0 means any free port, and cannot be connected to")
    return address


@lru_cache(maxsize=32)
def numeric_peer(host: str, port: int) -> Found | None:
    """A numeric address that a peer can have, or None; remembered for the next connect."""
    try:
        found = numeric_address(host, port, socket.AF_UNSPEC)
        return None if found is None else (int(found[0]), checked_peer(found[1]))
    except (OSError, ValueError):
        return None


UNSPECIFIED = frozenset({bytes(16), bytes(10) + b"\xff\xff" + bytes(4)})
""":: and ::ffff:0.0.0.0, in every spelling; 0.0.0.0 has one"""


def _packed(host: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])


def _is_numeric(family: int, host: str) -> bool:
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        return False
    return True


def _is_name(host: str) -> bool:
    """Whether it can be a host's name: not if it ends in a number, which the resolver reads as an address (127.1, 0x7f.1)."""
    last_label = host.rstrip(".").rpartition(".")[2]
    plain = 0 < len(host) <= _MAX_NAME and host.isprintable() and not any(c.isspace() or c in ":%[]/" for c in host)
    return plain and last_label != "" and _NUMBER.fullmatch(last_label) is None

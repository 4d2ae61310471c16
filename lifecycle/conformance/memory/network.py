"""Who has which port."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.conformance.memory.memory_socket import MemorySocket

HOST = "127.0.0.1"
FIRST_FREE = 49152
EVERYBODY = "255.255.255.255"

Address = tuple[str, int]


def refusal(number: int) -> OSError:
    """The OSError of that number."""
    return OSError(number, os.strerror(number))


class Network:
    """The ports of one host."""

    def __init__(self) -> None:
        self._owners: dict[tuple[int, int], list[MemorySocket]] = {}
        self._free = count(FIRST_FREE)
        self._numbers = count(1)

    def number(self) -> int:
        """A number for a socket, as a descriptor is one."""
        return next(self._numbers)

    def take(self, sock: MemorySocket, port: int) -> int:
        """Give `sock` a port, any free one for 0; EADDRINUSE where somebody has it who does not share it."""
        number = port or next(self._free)
        owners = self._owners.setdefault((sock.kind, number), [])
        if any(not (owner.shares and sock.shares) or owner.listens for owner in owners):
            raise refusal(errno.EADDRINUSE)
        owners.append(sock)
        return number

    def give_back(self, sock: MemorySocket, port: int) -> None:
        """`sock` has no port any more."""
        owners = self._owners.get((sock.kind, port), [])
        if sock in owners:
            owners.remove(sock)

    def owners(self, kind: int, address: Address) -> Iterator[MemorySocket]:
        """The sockets at an address; OSError where there is no such address."""
        host, port = address
        if host == EVERYBODY:
            raise refusal(errno.EACCES)
        if ":" in host:
            raise refusal(errno.EAFNOSUPPORT)
        yield from self._owners.get((kind, port), [])

"""Sockets in memory, for tests without a network, and as the fake implementation that the suite is tested on.

They are made like `socket.socket` and have its methods. No call takes time: one that has to wait for another socket raises
TimeoutError at once if it has a time-out, since no other socket can act meanwhile.
"""

from __future__ import annotations

import errno
import socket

from lifecycle.conformance.adapters.effects import READABLE
from lifecycle.conformance.memory_stream import (
    HOST,
    LONGEST,
    Address,
    MemorySocket,
    MemoryStream,
    Network,
)
from lifecycle.system.outcomes import system_error

__all__ = ["MemoryDatagram", "MemorySockets", "MemoryStream", "Network"]


class MemoryDatagram(MemorySocket):
    """Sends and receives messages."""

    kind = int(socket.SOCK_DGRAM)

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.inbox: list[tuple[bytes, Address]] = []

    def connect(self, address: Address) -> None:
        """Set the peer."""
        self.must_be_open()
        if self.sends_ended or self.receives_ended:
            raise system_error(errno.ESHUTDOWN)
        self._take_any_port()
        list(self.network.owners(self.kind, address))  # no socket has to be there, but the address must be valid
        self.peer_address = address

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Send a message to the peer."""
        self.must_be_open()
        if self.peer_address is None:
            raise system_error(errno.EDESTADDRREQ)
        if self.sends_ended:
            raise system_error(errno.EPIPE)
        return self._deliver(bytes(data), self.peer_address)

    def sendto(self, data: bytes | memoryview, address: Address) -> int:
        """Send a message to an address."""
        self.must_be_open()
        if self.peer_address is not None:
            raise system_error(errno.EISCONN)
        self._take_any_port()
        return self._deliver(bytes(data), address)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive a message."""
        return self.recvfrom(size, flags)[0]

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Address]:
        """Receive a message, and the sender's address."""
        self.must_be_open()
        if not self.port or self.receives_ended:
            raise system_error(errno.ESHUTDOWN if self.port else errno.EINVAL)
        self._raise_pending()
        if not self.inbox:
            raise self.would_wait()
        data, sender = self.inbox.pop(0)
        return data[:size], sender

    def shutdown(self, how: int) -> None:
        """End a direction, or both."""
        self.getpeername()
        self._end(how)

    def listen(self, backlog: int = 8) -> None:
        """Refused: datagram sockets have no connections."""
        self.must_be_open()
        raise system_error(errno.EOPNOTSUPP)

    def accept(self) -> tuple[MemoryDatagram, Address]:
        """Refused: datagram sockets have no connections."""
        self.must_be_open()
        raise system_error(errno.EOPNOTSUPP)

    def becomes(self, what: str, seconds: float) -> bool:
        """Whether it is readable, writable and so on. Nothing here takes time."""
        return what != READABLE or bool(self.inbox) or bool(self.pending_error)

    def _deliver(self, data: bytes, address: Address) -> int:
        if len(data) > LONGEST:
            raise system_error(errno.EMSGSIZE)
        self._raise_pending()
        for owner in self.network.owners(self.kind, address):
            owner.inbox.append((data, (HOST, self.port)))
            return len(data)
        if self.peer_address is not None:
            self.pending_error = errno.ECONNREFUSED
        return len(data)

    def _raise_pending(self) -> None:
        number, self.pending_error = self.pending_error, 0
        if number:
            raise system_error(number)


class MemorySockets:
    """Makes sockets of its own network; called like `socket.socket`.

    stream, datagram: the classes to use, by default this module's.
    """

    def __init__(self, stream: type[MemoryStream] = MemoryStream, datagram: type[MemoryDatagram] = MemoryDatagram) -> None:
        self._network = Network()
        self._classes: dict[int, type[MemoryStream] | type[MemoryDatagram]] = {stream.kind: stream, datagram.kind: datagram}

    def __call__(self, family: int, kind: int) -> MemoryStream | MemoryDatagram:
        """A new socket."""
        return self._classes[kind](self._network)

"""A message socket in memory."""

from __future__ import annotations

import errno
import socket

from lifecycle.conformance.memory.memory_socket import MemorySocket
from lifecycle.conformance.memory.network import HOST, Address, Network, refusal

LONGEST = 65507  # bytes of a message over IPv4


class MemoryDatagram(MemorySocket):
    """Sends and receives messages."""

    kind = int(socket.SOCK_DGRAM)

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.inbox: list[tuple[bytes, Address]] = []
        self.sends_ended = self.receives_ended = False

    def connect(self, address: Address) -> None:
        """Set the peer."""
        self.must_be_open()
        if self.sends_ended or self.receives_ended:
            raise refusal(errno.ESHUTDOWN)
        self._must_have_port()
        list(self.network.owners(self.kind, address))  # nobody need be there, but it must be an address
        self.peer_address = address

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Send a message to the peer."""
        self.must_be_open()
        if self.peer_address is None:
            raise refusal(errno.EDESTADDRREQ)
        if self.sends_ended:
            raise refusal(errno.EPIPE)
        return self._deliver(bytes(data), self.peer_address)

    def sendto(self, data: bytes | memoryview, address: Address) -> int:
        """Send a message to an address."""
        self.must_be_open()
        if self.peer_address is not None:
            raise refusal(errno.EISCONN)
        self._must_have_port()
        return self._deliver(bytes(data), address)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive a message."""
        return self.recvfrom(size, flags)[0]

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Address]:
        """Receive a message, and the sender's address."""
        self.must_be_open()
        if not self.port:
            raise refusal(errno.EINVAL)
        if self.receives_ended:
            raise refusal(errno.ESHUTDOWN)
        self.raise_pending()
        if not self.inbox:
            raise self.would_wait()
        data, sender = self.inbox.pop(0)
        return data[:size], sender

    def shutdown(self, how: int) -> None:
        """End a direction, or both."""
        self.must_be_open()
        if self.peer_address is None:
            raise refusal(errno.ENOTCONN)
        self.receives_ended = self.receives_ended or how in (socket.SHUT_RD, socket.SHUT_RDWR)
        self.sends_ended = self.sends_ended or how in (socket.SHUT_WR, socket.SHUT_RDWR)

    def listen(self, backlog: int = 8) -> None:
        """Messages need no connections."""
        self.must_be_open()
        raise refusal(errno.EOPNOTSUPP)

    def accept(self) -> tuple[MemoryDatagram, Address]:
        """Messages need no connections."""
        self.must_be_open()
        raise refusal(errno.EOPNOTSUPP)

    def is_ready(self, writing: bool) -> bool:
        """As select() would tell."""
        return writing or bool(self.inbox) or bool(self.pending_error)

    def _deliver(self, data: bytes, address: Address) -> int:
        if len(data) > LONGEST:
            raise refusal(errno.EMSGSIZE)
        self.raise_pending()
        for owner in self.network.owners(self.kind, address):
            if isinstance(owner, MemoryDatagram):
                owner.inbox.append((data, (HOST, self.port)))
                return len(data)
        if self.peer_address is not None:
            self.pending_error = errno.ECONNREFUSED
        return len(data)

    def _must_have_port(self) -> None:
        if not self.port:
            self.port = self.network.take(self, 0)

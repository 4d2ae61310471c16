"""A stream socket in memory."""

from __future__ import annotations

import errno
import socket
import struct

from lifecycle.conformance.memory.memory_socket import MemorySocket
from lifecycle.conformance.memory.network import HOST, Address, Network, refusal

CAPACITY = 1 << 16  # bytes that one direction of a connection holds


class MemoryStream(MemorySocket):
    """One end of a connection, or a listener."""

    kind = int(socket.SOCK_STREAM)

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.other: MemoryStream | None = None
        self.inbox = bytearray()
        self.sends_ended = self.receives_ended = self.peer_ended = self.was_reset = self.told_of_reset = False
        self.queue: list[MemoryStream] = []
        self._has_seen_end = False
        self._room = 0
        self._sought: Address | None = None
        self.early = bytearray()
        """what was sent before the connection was accepted"""

    # -- connections ---------------------------------------------------------------------------------------------------------

    def listen(self, backlog: int = 8) -> None:
        """Let connections queue up."""
        self.must_be_open()
        if not self.port or self._sought or self.peer_address:
            raise refusal(errno.EINVAL)
        if any(owner is not self and owner.listens for owner in self.network.owners(self.kind, self.getsockname())):
            raise refusal(errno.EADDRINUSE)
        self.listens, self._room = True, backlog + 1

    def accept(self) -> tuple[MemoryStream, Address]:
        """Take the first queued connection: (its end here, the address of its other end)."""
        self.must_be_open()
        if not self.listens:
            raise refusal(errno.EINVAL)
        if not self.queue:
            raise self.would_wait()
        seeker = self.queue.pop(0)
        accepted = type(self)(self.network)
        address = HOST, seeker.port
        accepted.port, accepted.peer_address, accepted.other = self.port, address, seeker
        seeker.other = accepted
        accepted.inbox, seeker.early = seeker.early, bytearray()
        accepted.was_reset = seeker.fileno() == -1
        accepted.peer_ended = seeker.sends_ended or accepted.was_reset
        seeker._come_through()
        return accepted, address

    def connect(self, address: Address) -> None:
        """Seek a connection; it is made as soon as it stands in the listener's queue."""
        self.must_be_open()
        if self.listens:
            raise refusal(errno.EINVAL)
        if self.peer_address is not None:
            raise refusal(errno.EISCONN)
        if self._sought is not None:
            raise refusal(errno.EALREADY)
        listener = next((owner for owner in self.network.owners(self.kind, address) if owner.listens), None)
        if not isinstance(listener, MemoryStream) and self.gettimeout() != 0:
            raise refusal(errno.ECONNREFUSED)
        if not self.port:
            self.port = self.network.take(self, 0)
        if not isinstance(listener, MemoryStream):
            self._sought, self.pending_error = address, errno.ECONNREFUSED
            raise refusal(errno.EINPROGRESS)
        if len(listener.queue) >= listener._room:
            self._sought = address
            raise self.would_wait(errno.EINPROGRESS)
        listener.queue.append(self)
        self._sought = address
        if self.gettimeout() == 0:
            raise refusal(errno.EINPROGRESS)
        self._come_through()

    @property
    def is_over(self) -> bool:
        """Whether both streams have ended, and the peer has been told of this one's end, or the peer's end was received."""
        waits_for_room = self.other is not None and len(self.other.inbox) >= CAPACITY
        has_ended = self._has_seen_end and not self.receives_ended
        return self.sends_ended and self.peer_ended and (has_ended or not waits_for_room)

    def is_ready(self, writing: bool) -> bool:
        """As select() would tell."""
        if self.listens:
            return bool(self.queue) and not writing
        if writing:
            return not self._is_sought_in_vain() and (self.other is None or len(self.other.inbox) < CAPACITY)
        return bool(self.inbox) or self.peer_ended or self.was_reset

    # -- data ----------------------------------------------------------------------------------------------------------------

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Send what there is room for."""
        self._must_be_connected()
        self._raise_reset()
        if self.sends_ended:
            raise refusal(errno.EPIPE)
        box = self.early if self.other is None else self.other.inbox
        room = CAPACITY - len(box)
        if room <= 0 and len(data):
            raise self.would_wait()
        if self.other is not None and self.other.fileno() == -1:
            self.was_reset = True
            return len(data)
        box += bytes(data[:room])
        return min(room, len(data))

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        sent = 0
        while sent < len(data):
            sent += self.send(data[sent:])

    def sendto(self, data: bytes | memoryview, address: Address) -> int:
        """Send; the address is ignored."""
        return self.send(data)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive what has come; b"" at the end of the stream."""
        self._must_be_connected()
        if self.receives_ended and not self.told_of_reset:
            raise refusal(errno.ESHUTDOWN)
        if flags & socket.MSG_OOB:
            raise refusal(errno.EINVAL)
        if not size:
            return b""
        if self.inbox:
            taken = bytes(self.inbox[:size])
            if not flags & socket.MSG_PEEK:
                del self.inbox[:size]
            return taken
        if self.peer_ended and not self.told_of_reset:
            self._has_seen_end = True
            return b""
        self._raise_reset()
        raise self.would_wait()

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, None]:
        """(what recv() gives, None)."""
        return self.recv(size, flags), None

    def shutdown(self, how: int) -> None:
        """End a direction, or both."""
        self._must_be_connected()
        if self.was_reset or self.is_over:
            raise refusal(errno.ENOTCONN)
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self.receives_ended = True
        if how in (socket.SHUT_WR, socket.SHUT_RDWR):
            self.sends_ended = True
            if self.other is not None:
                self.other.peer_ended = True

    def getpeername(self) -> Address:
        """The peer's address, as long as there is a connection."""
        self.must_be_open()
        self._must_be_connected()
        if self.was_reset or self.is_over:
            raise refusal(errno.ENOTCONN)
        return super().getpeername()

    def getsockopt(self, level: int, option: int) -> object:
        """Read an option; SO_ERROR also tells how a connect has come out."""
        value: object = super().getsockopt(level, option)
        if option == socket.SO_ERROR and self._sought is not None:
            if value:
                self._sought = None
            elif not self._is_sought_in_vain():
                self._come_through()
        return value

    def _come_through(self) -> None:
        if self._sought is not None:
            self.peer_address, self._sought = self._sought, None

    def _raise_reset(self) -> None:
        if self.was_reset:
            self.told_of_reset = True
            raise refusal(errno.ECONNRESET)

    def _is_sought_in_vain(self) -> bool:
        """Whether a connect is under way that nobody answers."""
        if self._sought is None or self.pending_error:
            return False
        return (
            not any(
                isinstance(owner, MemoryStream) and self in owner.queue
                for owner in self.network.owners(self.kind, self._sought)
            )
            and self.other is None
        )

    def _must_be_connected(self) -> None:
        self.must_be_open()
        if self.peer_address is None:
            raise refusal(errno.ENOTCONN)

    def _leave(self) -> None:
        linger = self._options.get(socket.SO_LINGER)
        resets = bool(self.inbox) or (isinstance(linger, bytes) and struct.unpack("ii", linger) == (1, 0))
        if self.other is not None and self.other.other is self:
            if not resets:
                self.other.peer_ended = True
            elif not self.other.is_over:
                self.other.was_reset = True
        for seeker in self.queue:
            seeker.was_reset = True

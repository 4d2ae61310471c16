"""The network in memory, and its stream sockets; see memory.py."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar, Self

from lifecycle.conformance.adapters.effects import READABLE, WRITABLE
from lifecycle.system.outcomes import system_error

HOST = "127.0.0.1"
FIRST_FREE = 49152
EVERYBODY = "255.255.255.255"
CAPACITY = 1 << 16  # bytes that one direction of a connection holds
LONGEST = 65507  # bytes of a message over IPv4
OPTIONS = frozenset(
    {socket.SO_REUSEADDR, socket.SO_RCVBUF, socket.SO_SNDBUF, socket.SO_LINGER, socket.SO_ERROR, socket.SO_TYPE}
)

Address = tuple[str, int]

RESETTING = (struct.pack("ii", 1, 0), struct.pack("hh", 1, 0))
"""SO_LINGER for a reset by close(): of POSIX, of Winsock"""


class Network:
    """The ports of one host."""

    def __init__(self) -> None:
        self._owners: dict[tuple[int, int], list[MemorySocket]] = {}
        self._free = count(FIRST_FREE)
        self._numbers = count(1)

    def number(self) -> int:
        """A number for a socket, instead of a descriptor."""
        return next(self._numbers)

    def take(self, sock: MemorySocket, port: int) -> int:
        """Give `sock` a port, any free one for 0; EADDRINUSE if another socket has it and does not share it."""
        number = port or next(self._free)
        owners = self._owners.setdefault((sock.kind, number), [])
        if any(not (owner.shares and sock.shares) or owner.listens for owner in owners):
            raise system_error(errno.EADDRINUSE)
        owners.append(sock)
        return number

    def give_back(self, sock: MemorySocket, port: int) -> None:
        """Release the port of `sock`."""
        owners = self._owners.get((sock.kind, port), [])
        if sock in owners:
            owners.remove(sock)

    def owners(self, kind: int, address: Address) -> Iterator[Any]:
        """The sockets at an address; OSError where there is no such address."""
        host, port = address
        if host == EVERYBODY:
            raise system_error(errno.EACCES)
        if ":" in host:
            raise system_error(errno.EAFNOSUPPORT)
        yield from self._owners.get((kind, port), [])


class MemorySocket:
    """One socket of a Network: a port, options, a time-out, an end."""

    kind: ClassVar[int]

    def __init__(self, network: Network) -> None:
        self.network = network
        self.port = 0
        self.listens = self.sends_ended = self.receives_ended = False
        self.peer_address: Address | None = None
        self.pending_error = 0
        self._number = network.number()
        self._timeout: float | None = None
        self._options: dict[int, Any] = {socket.SO_TYPE: self.kind, socket.SO_RCVBUF: 0}

    @property
    def shares(self) -> bool:
        """Whether other sockets may use its port, too, as long as none of them listens."""
        return bool(self._options.get(socket.SO_REUSEADDR))

    def fileno(self) -> int:
        """A number, or -1 if it is closed. It is not a descriptor of the system."""
        return self._number

    def settimeout(self, seconds: float | None) -> None:
        """Seconds that a call may wait; None for ever."""
        self.must_be_open()
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """Seconds that a call may wait."""
        return self._timeout

    def setblocking(self, wait: bool) -> None:
        """Wait for ever, or not at all."""
        self.settimeout(None if wait else 0)

    def setsockopt(self, level: int, option: int, value: object) -> None:
        """Set an option of level SOL_SOCKET; ENOPROTOOPT for an unknown one."""
        self._must_know(level, option)
        self._options[option] = value

    def getsockopt(self, level: int, option: int) -> Any:
        """Read an option; SO_ERROR forgets the error."""
        self._must_know(level, option)
        if option == socket.SO_ERROR:
            error, self.pending_error = self.pending_error, 0
            return error
        return self._options.get(option, 0)

    def bind(self, address: Address) -> None:
        """Take a port."""
        self.must_be_open()
        if self.port or self.peer_address:
            raise system_error(errno.EINVAL)
        self.port = self.network.take(self, address[1])

    def getsockname(self) -> Address:
        """The host and port."""
        self.must_be_open()
        if not self.port:
            raise system_error(errno.EINVAL)
        return HOST, self.port

    def getpeername(self) -> Address:
        """The peer's host and port."""
        self.must_be_open()
        if self.peer_address is None:
            raise system_error(errno.ENOTCONN)
        return self.peer_address

    def connect_ex(self, address: Address) -> int:
        """Like connect(), but returns the error's number."""
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def connect(self, address: Address) -> None:
        """Connect, or set the peer."""
        raise NotImplementedError

    def close(self) -> None:
        """Release everything; closing again does nothing."""
        if self._number != -1:
            self._leave()
            self.network.give_back(self, self.port)
            self._number = -1

    def becomes(self, what: str, seconds: float) -> bool:
        """Whether it is readable, writable and so on. Nothing here takes time."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def must_be_open(self) -> None:
        """Raise EBADF if it is closed."""
        if self._number == -1:
            raise system_error(errno.EBADF)

    def would_wait(self, number: int = errno.EAGAIN) -> OSError:
        """The error of a call that would have to wait."""
        return system_error(number) if self._timeout == 0 else TimeoutError("timed out")

    def _leave(self) -> None:
        """Notify other sockets that this one is closed."""

    def _must_know(self, level: int, option: int) -> None:
        self.must_be_open()
        if level != socket.SOL_SOCKET or option not in OPTIONS:
            raise system_error(errno.ENOPROTOOPT)

    def _take_any_port(self) -> None:
        if not self.port:
            self.port = self.network.take(self, 0)

    def _end(self, how: int) -> None:
        self.receives_ended = self.receives_ended or how in (socket.SHUT_RD, socket.SHUT_RDWR)
        self.sends_ended = self.sends_ended or how in (socket.SHUT_WR, socket.SHUT_RDWR)


class MemoryStream(MemorySocket):
    """One end of a connection, or a listener."""

    kind = int(socket.SOCK_STREAM)

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.other: MemoryStream | None = None
        self.inbox = bytearray()
        self.early = bytearray()
        """data sent before the connection was accepted"""
        self.peer_ended = self.was_reset = self.reset_reported = self._has_seen_end = False
        self.queue: list[MemoryStream] = []
        self._room = 0
        self._sought: Address | None = None

    def listen(self, backlog: int = 8) -> None:
        """Let connections queue up."""
        self.must_be_open()
        if not self.port or self._sought or self.peer_address:
            raise system_error(errno.EINVAL)
        if any(owner is not self and owner.listens for owner in self.network.owners(self.kind, self.getsockname())):
            raise system_error(errno.EADDRINUSE)
        self.listens, self._room = True, backlog + 1

    def accept(self) -> tuple[MemoryStream, Address]:
        """Take the first queued connection: (its end here, the address of its other end)."""
        self.must_be_open()
        if not self.listens:
            raise system_error(errno.EINVAL)
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
        seeker._be_connected()
        return accepted, address

    def connect(self, address: Address) -> None:
        """Connect; the connection is made as soon as it is in the listener's queue."""
        self.must_be_open()
        if self.listens or self.peer_address or self._sought:
            raise system_error(errno.EINVAL if self.listens else errno.EISCONN if self.peer_address else errno.EALREADY)
        listener = next((owner for owner in self.network.owners(self.kind, address) if owner.listens), None)
        if listener is None and self.gettimeout() != 0:
            raise system_error(errno.ECONNREFUSED)
        self._take_any_port()
        self._sought = address
        if listener is None:
            self.pending_error = errno.ECONNREFUSED
            raise system_error(errno.EINPROGRESS)
        if len(listener.queue) >= listener._room:
            raise self.would_wait(errno.EINPROGRESS)
        listener.queue.append(self)
        if self.gettimeout() == 0:
            raise system_error(errno.EINPROGRESS)
        self._be_connected()

    @property
    def is_over(self) -> bool:
        """Whether both streams have ended, and the peer has seen this one's end, or the peer's end was received."""
        waits_for_room = self.other is not None and len(self.other.inbox) >= CAPACITY
        has_ended = self._has_seen_end and not self.receives_ended
        return self.sends_ended and self.peer_ended and (has_ended or not waits_for_room)

    def becomes(self, what: str, seconds: float) -> bool:
        """Whether it is readable, writable and so on. Nothing here takes time."""
        if what == WRITABLE:
            return not self._is_sought_in_vain() and (self.other is None or len(self.other.inbox) < CAPACITY)
        return what != READABLE or bool(self.queue if self.listens else self.inbox or self.peer_ended or self.was_reset)

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Send as much as there is room for."""
        self._must_be_connected()
        if self.sends_ended:
            raise system_error(errno.EPIPE)
        self._raise_reset()
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
        """Receive what has arrived; b"" at the end of the stream."""
        self._must_be_connected()
        if self.receives_ended and not self.reset_reported:
            raise system_error(errno.ESHUTDOWN)
        if flags & socket.MSG_OOB:
            raise system_error(errno.EINVAL)
        if not size:
            return b""
        if self.inbox:
            taken = bytes(self.inbox[:size])
            if not flags & socket.MSG_PEEK:
                del self.inbox[:size]
            return taken
        if self.peer_ended and not self.reset_reported:
            self._has_seen_end = True
            return b""
        self._raise_reset()
        raise self.would_wait()

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, None]:
        """(what recv() gives, None)."""
        return self.recv(size, flags), None

    def shutdown(self, how: int) -> None:
        """End a direction, or both."""
        self.getpeername()
        self._end(how)
        if self.other is not None and self.sends_ended:
            self.other.peer_ended = True

    def getpeername(self) -> Address:
        """The peer's address while there is a connection."""
        address = super().getpeername()
        if self.was_reset or self.is_over:
            raise system_error(errno.ENOTCONN)
        return address

    def getsockopt(self, level: int, option: int) -> object:
        """Read an option; SO_ERROR also reports how a connect has ended."""
        value: object = super().getsockopt(level, option)
        if option == socket.SO_ERROR and self._sought is not None:
            if value:
                self._sought = None
            elif not self._is_sought_in_vain():
                self._be_connected()
        return value

    def _be_connected(self) -> None:
        if self._sought is not None:
            self.peer_address, self._sought = self._sought, None

    def _raise_reset(self) -> None:
        if self.was_reset:
            self.reset_reported = True
            raise system_error(errno.ECONNRESET)

    def _is_sought_in_vain(self) -> bool:
        """Whether a connect without an answering listener is under way."""
        if self._sought is None or self.pending_error or self.other is not None:
            return False
        return not any(self in owner.queue for owner in self.network.owners(self.kind, self._sought))

    def _must_be_connected(self) -> None:
        self.must_be_open()
        if self.peer_address is None:
            raise system_error(errno.ENOTCONN)

    def _leave(self) -> None:
        linger = self._options.get(socket.SO_LINGER)
        resets = bool(self.inbox) or linger in RESETTING
        if self.other is not None and self.other.other is self:
            if not resets:
                self.other.peer_ended = True
            elif not self.other.is_over:
                self.other.was_reset = True
        for seeker in self.queue:
            seeker.was_reset = True

"""Fakes as one writes them first: few methods, numbers that are made up, and some faults; each is a factory of sockets."""

from __future__ import annotations

import errno
import os
import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from lifecycle.conformance.memory import MemoryDatagram, MemorySockets, MemoryStream

FEW = (
    *("bind", "listen", "accept", "connect", "send", "recv", "sendto", "recvfrom"),
    *("shutdown", "getsockname", "getpeername", "setblocking", "close"),
)
MANY = (*FEW, "settimeout", "gettimeout", "fileno", "setsockopt", "getsockopt", "connect_ex")


class Thin:
    """Hands a few methods on to a socket in memory."""

    methods: ClassVar[tuple[str, ...]] = MANY

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        if name not in self.methods:
            raise AttributeError(name)
        return getattr(self._inner, name)

    def accept(self) -> tuple[Any, Any]:
        inner, address = self._inner.accept()
        return type(self)(inner), address


class FewMethods(Thin):
    methods = FEW


class NoMessages(Thin):
    methods = tuple(each for each in MANY if each not in ("sendto", "recvfrom"))


class NoFlags(Thin):
    def recv(self, size: int) -> bytes:
        data: bytes = self._inner.recv(size)
        return data

    def recvfrom(self, size: int) -> Any:
        return self._inner.recvfrom(size)


class NoDescriptor(Thin):
    def fileno(self) -> int:
        return -1


class MadeUpNumber(Thin):
    def fileno(self) -> int:
        return -1 if self._inner.fileno() == -1 else 10_000


class OverAPair(Thin):
    """Its descriptor is one end of a pair, and always readable."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._pair = socket.socketpair()
        self._pair[1].send(b"x")

    def fileno(self) -> int:
        return -1 if self._inner.fileno() == -1 else self._pair[0].fileno()

    def __del__(self) -> None:
        for end in self._pair:
            end.close()


class AnothersNumber(Thin):
    """Gives the number of a pipe of the program, which must not be touched, wherever a descriptor is asked for."""

    pipe: ClassVar[tuple[int, int]] = (-1, -1)

    def fileno(self) -> int:
        return -1 if self._inner.fileno() == -1 else self.pipe[0]

    def detach(self) -> int:
        self._inner.close()
        return self.pipe[0]


class Endless(MemoryStream):
    """A listener whose queue never fills."""

    def listen(self, backlog: int = 8) -> None:
        super().listen(10**9)


def over(kind: Callable[[Any], Any], stream: type[MemoryStream] = MemoryStream) -> Callable[[int, int], Any]:
    """Makes sockets of that kind over some in memory."""
    sockets = MemorySockets(stream, MemoryDatagram)
    return lambda family, number: kind(sockets(family, number))


# -- three of some thirty lines --------------------------------------------------------------------------------------------


class InMemory:
    """A connection as two queues of bytes."""

    ports: ClassVar[dict[int, Any]] = {}

    def __init__(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> None:
        if kind != socket.SOCK_STREAM:
            raise OSError(errno.EPROTONOSUPPORT, "streams only")
        self.port, self.inbox, self.queue, self.other = 0, bytearray(), [], None
        self.is_closed = self.listens = self.sent_end = self.seen_end = False

    def _check(self, *, number: int, unless: Any) -> None:
        if self.is_closed or not unless:
            raise OSError(errno.EBADF if self.is_closed else number, "not now")

    def setblocking(self, wait: bool) -> None:
        self._check(number=0, unless=True)

    def bind(self, address: Any) -> None:
        self._check(number=errno.EINVAL, unless=not self.port)
        if address[1] in self.ports:
            raise OSError(errno.EADDRINUSE, "taken")
        self.port = address[1] or 5000 + len(self.ports)
        self.ports[self.port] = self

    def listen(self, backlog: int = 8) -> None:
        self._check(number=errno.EINVAL, unless=self.port and self.other is None)
        self.listens = True

    def accept(self) -> tuple[Any, Any]:
        self._check(number=errno.EINVAL, unless=self.listens)
        if not self.queue:
            raise BlockingIOError(errno.EAGAIN, "nobody")
        accepted = self.queue.pop(0)
        return accepted, accepted.getpeername()

    def connect(self, address: Any) -> None:
        self._check(number=errno.EISCONN, unless=self.other is None and not self.listens)
        listener = self.ports.get(address[1])
        if listener is None or not listener.listens:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody listens")
        if not self.port:
            self.bind(("", 0))
        end = type(self)()
        end.port, end.other, self.other = address[1], self, end
        listener.queue.append(end)

    def send(self, data: Any) -> int:
        self._check(number=errno.ENOTCONN, unless=self.other is not None)
        self._check(number=errno.EPIPE, unless=not self.sent_end)
        if len(self.other.inbox) >= 1 << 18:
            raise BlockingIOError(errno.EAGAIN, "full")
        self.other.inbox += data
        return len(data)

    def recv(self, size: int) -> bytes:
        self._check(number=errno.ENOTCONN, unless=self.other is not None)
        if size and not self.inbox and not (self.other.sent_end or self.other.is_closed):
            raise BlockingIOError(errno.EAGAIN, "nothing")
        data, self.inbox = bytes(self.inbox[:size]), self.inbox[size:]
        return data

    def shutdown(self, how: int) -> None:
        self._check(number=errno.ENOTCONN, unless=self.other is not None)
        self.sent_end = self.sent_end or how != socket.SHUT_RD

    def getsockname(self) -> Any:
        self._check(number=errno.EINVAL, unless=self.port)
        return "127.0.0.1", self.port

    def getpeername(self) -> Any:
        self._check(number=errno.ENOTCONN, unless=self.other is not None)
        return "127.0.0.1", self.other.port

    def close(self) -> None:
        self.is_closed, self.listens = True, False
        if self.ports.get(self.port) is self:
            del self.ports[self.port]


class LosesTheEnd(InMemory):
    """The same with a fault: what was sent before a shutdown is lost."""

    def shutdown(self, how: int) -> None:
        super().shutdown(how)
        self.other.inbox.clear()


class OverPair:
    """Connections are pairs of the system; a port is a place in a table."""

    ports: ClassVar[dict[int, Any]] = {}

    def __init__(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, end: Any = None, port: int = 0) -> None:
        self.end, self.port, self.peer_port, self.queue, self.wait = end, port, 0, None, True
        self.is_closed = kind != socket.SOCK_STREAM
        if self.is_closed:
            raise OSError(errno.EPROTONOSUPPORT, "streams only")

    def _connected(self) -> Any:
        if self.is_closed or self.end is None:
            raise OSError(errno.EBADF if self.is_closed else errno.ENOTCONN, "not now")
        return self.end

    def setblocking(self, wait: bool) -> None:
        self.wait = wait
        if self.end is not None:
            self.end.setblocking(wait)

    def bind(self, address: Any) -> None:
        if self.is_closed or self.port or address[1] in self.ports:
            raise OSError(errno.EADDRINUSE if address[1] in self.ports else errno.EINVAL, "not now")
        self.port = address[1] or max([6000, *self.ports]) + 1
        self.ports[self.port] = self

    def listen(self, backlog: int = 8) -> None:
        if self.is_closed or not self.port or self.end is not None:
            raise OSError(errno.EINVAL, "not now")
        self.queue = self.queue or []

    def accept(self) -> tuple[Any, Any]:
        if self.is_closed or self.queue is None:
            raise OSError(errno.EINVAL, "not now")
        if not self.queue:
            raise BlockingIOError(errno.EAGAIN, "nobody")
        accepted = self.queue.pop(0)
        return accepted, accepted.getpeername()

    def connect(self, address: Any) -> None:
        if self.is_closed or self.end is not None or self.queue is not None:
            raise OSError(errno.EISCONN, "not now")
        listener = self.ports.get(address[1])
        if listener is None or listener.queue is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody listens")
        if not self.port:
            self.bind(("", 0))
        self.end, other = socket.socketpair()
        self.end.setblocking(self.wait)
        accepted = type(self)(end=other, port=address[1])
        self.peer_port, accepted.peer_port = address[1], self.port
        listener.queue.append(accepted)

    def send(self, data: Any) -> int:
        return int(self._connected().send(data))

    def recv(self, size: int) -> bytes:
        return bytes(self._connected().recv(size))

    def shutdown(self, how: int) -> None:
        self._connected().shutdown(how)

    def getsockname(self) -> Any:
        return "127.0.0.1", self.port

    def getpeername(self) -> Any:
        self._connected()
        return "127.0.0.1", self.peer_port

    def close(self) -> None:
        self.is_closed = True
        self.ports.pop(self.port, None) if self.ports.get(self.port) is self else None
        for thing in (self.end, *(self.queue or ())):
            if thing is not None:
                thing.close()

    def __del__(self) -> None:
        if self.end is not None:
            self.end.close()


class Late(InMemory):
    """What is sent is carried by a thread, and arrives some milliseconds later."""

    line: ClassVar[queue.Queue[tuple[Any, bytes] | None]] = queue.Queue()

    def send(self, data: Any) -> int:
        self._check(number=errno.ENOTCONN, unless=self.other is not None)
        self._check(number=errno.EPIPE, unless=not self.sent_end)
        if len(self.other.inbox) >= 1 << 18:
            raise BlockingIOError(errno.EAGAIN, "full")
        self.line.put((self.other.inbox, bytes(data)))
        return len(data)

    @classmethod
    def carry(cls) -> None:
        """Runs in a thread."""
        while (carried := cls.line.get()) is not None:
            time.sleep(0.003)
            inbox, data = carried
            inbox += data


class Flaky(socket.socket):
    """Cannot bind, now and then."""

    chance = random.Random(1)

    def bind(self, address: Any) -> None:
        if self.chance.random() < 0.3:
            raise OSError(errno.EADDRINUSE, "in use")
        super().bind(address)


class Later:
    """An asynchronous socket."""

    def __init__(self, family: int = 0, kind: int = 0) -> None: ...

    async def recv(self, size: int) -> bytes:
        return b""

    def close(self) -> None: ...


@contextmanager
def carried() -> Iterator[type[Late]]:
    """Late, with its thread running."""
    thread = threading.Thread(target=Late.carry, daemon=True)
    thread.start()
    try:
        yield Late
    finally:
        Late.line.put(None)
        thread.join()


def open_pipe() -> tuple[int, int]:
    """The pipe of AnothersNumber."""
    AnothersNumber.pipe = os.pipe()
    return AnothersNumber.pipe

"""What stages share on the loopback interface: somebody who listens, nobody, silence, and a port that is taken.

Everything is made by the factory of the implementation under test where that is no kernel's, and by `socket.socket` else.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from typing import Any

from lifecycle.conformance.adapters.arriving import await_arrival
from lifecycle.conformance.adapters.filling import keep_full
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.model.environment import Facts
from lifecycle.system.polling import is_ready

HOST = "127.0.0.1"
FULL = "full"  # the fact that nothing more can be sent
PATIENCE = 2.0  # seconds that a peer waits for what must come
DELIVERED_WITHIN = 0.5  # seconds in which a busy system has delivered what somebody sent
IMPATIENCE = 0.05  # seconds, once something did not come: what is broken is tried again and again, to be shrunk
TRIES = 8  # of a peer's socket that says it is ready, and then would block all the same
SILENT_FOR = 0.03  # seconds after which somebody who has not answered is taken to be silent
MAX_FILLERS = 16
LITTLE = 4096  # bytes
RESETTING = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

Factory = Callable[[int, int], Any]
"""(family, kind) -> a new socket with the methods of socket.socket"""


class Loopback:
    """The surroundings that are made once and serve all stages; close() gives them back."""

    def __init__(self, new: Factory = socket.socket) -> None:
        self._new = new
        self._stack = ExitStack()
        self._come: dict[tuple[Any, ...], Any] = {}
        self._patience = DELIVERED_WITHIN

    def patiently(self, sock: Any, call: Callable[..., Any], *arguments: Any) -> Any:
        """What `call` of a peer's socket gives, waiting for it where it has not come yet; Mismatch when it never does."""
        for _ in range(TRIES):
            if not would_wait(sock):
                with suppress(BlockingIOError):
                    return call(*arguments)
            if not becomes_ready(sock, writing=False, within=self._patience):
                self._patience = IMPATIENCE
                break
        raise Mismatch("something comes to the peer", "nothing")

    def settle(self, fileno: int, facts: Facts) -> None:
        """Wait until what these facts tell of has come to a socket; where it never does, its next call shows it."""
        if FULL in facts and fileno != -1:
            keep_full(fileno)
        if not await_arrival(fileno, facts, seconds=self._patience):
            self._patience = IMPATIENCE

    def new(self, kind: int) -> Any:
        """A new socket that does not wait; one of a stream buffers little of what it receives, so that it is soon full."""
        sock = self._new(socket.AF_INET, kind)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        sock.setblocking(False)
        return sock

    def sharing(self, kind: int) -> Any:
        """A new socket whose address others may share, as long as nobody listens."""
        sock = self.new(kind)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return sock

    def bound(self, kind: int) -> Any:
        """The same, with an address."""
        sock = self.sharing(kind)
        sock.bind((HOST, 0))
        return sock

    def accept(self, wanted: Any) -> Any:
        """The connection that comes to the listener from the address `wanted`; those of others are kept for them."""
        while tuple(wanted) not in self._come:
            connection, address = self.patiently(self.listener, self.listener.accept)
            connection.setblocking(False)
            self._come[tuple(address)] = connection
        return self._come.pop(tuple(wanted))

    def accept_if_come(self, wanted: Any, *, is_due: bool) -> Any:
        """The same if it has come, or None. is_due: whether it must come, and may be waited for."""
        self._accept_all()
        if is_due and tuple(wanted) not in self._come and becomes_ready(self.listener, writing=False, within=PATIENCE):
            self._accept_all()
        return self._come.pop(tuple(wanted), None)

    def forget_ended(self) -> None:
        """Throw away the connections that have come and ended, and that nobody has asked for."""
        self._accept_all()
        for address, connection in list(self._come.items()):
            if would_wait(connection):
                continue
            with suppress(BlockingIOError):
                try:
                    is_open = connection.recv(1, socket.MSG_PEEK) != b""
                except ConnectionError:
                    is_open = False
                if not is_open:
                    reset(self._come.pop(address))

    def _accept_all(self) -> None:
        with suppress(BlockingIOError):
            while not would_wait(self.listener):
                connection, address = self.listener.accept()
                connection.setblocking(False)
                self._come[tuple(address)] = connection

    def close(self) -> None:
        """Close everything."""
        while self._come:
            reset(self._come.popitem()[1])
        self._stack.close()

    @cached_property
    def listener(self) -> Any:
        """Somebody who listens."""
        return self._kept(self._listening(128))

    @cached_property
    def mailbox(self) -> Any:
        """Somebody to whom messages can be sent."""
        sock = self.new(socket.SOCK_DGRAM)
        sock.bind((HOST, 0))
        return self._kept(sock)

    @cached_property
    def nobody(self) -> tuple[str, int]:
        """An address that is somebody's, who does not listen."""
        sock = self.new(socket.SOCK_STREAM)
        sock.bind((HOST, 0))
        return address_of(self._kept(sock))

    @cached_property
    def silence(self) -> tuple[str, int]:
        """An address at which a connect neither succeeds nor fails: somebody whose queue is full."""
        address = address_of(self._kept(self._listening(0)))
        for _ in range(MAX_FILLERS):
            filler = self._kept(self.new(socket.SOCK_STREAM))
            filler.connect_ex(address)
            if not becomes_ready(filler, writing=True, within=SILENT_FOR):
                return address
        raise OSError("the queue of a listener never fills here, so that nobody can be made silent")

    def taken(self, kind: int) -> int:
        """A port that somebody uses."""
        return address_of(self._taken_stream if kind == socket.SOCK_STREAM else self._taken_datagram)[1]

    @cached_property
    def _taken_stream(self) -> Any:
        return self._kept(self._listening(8))

    @cached_property
    def _taken_datagram(self) -> Any:
        sock = self.new(socket.SOCK_DGRAM)
        sock.bind((HOST, 0))
        return self._kept(sock)

    def _listening(self, backlog: int) -> Any:
        sock = self.bound(socket.SOCK_STREAM)
        sock.listen(backlog)
        return sock

    def _kept(self, sock: Any) -> Any:
        self._stack.callback(_close_somehow, sock)
        return sock


def address_of(sock: Any) -> tuple[str, int]:
    """The address of a peer's socket."""
    host, port = sock.getsockname()[:2]
    return host, port


def becomes_ready(sock: Any, *, writing: bool, within: float) -> bool:
    """Whether the socket is ready within so many seconds. One that is no descriptor of the system tells at once."""
    if hasattr(sock, "is_ready"):
        return bool(sock.is_ready(writing))
    if is_ready(sock.fileno(), writing=writing):
        return True
    import select

    reading, sending = ([], [sock]) if writing else ([sock], [])
    return any(select.select(reading, sending, [], within))


def would_wait(sock: Any) -> bool:
    """Whether a socket that is none of the system's has nothing to give: asked for it, a broken one may wait for ever."""
    return hasattr(sock, "is_ready") and not sock.is_ready(False)


def reset(sock: Any) -> None:
    """Close a connection so that its other end is reset and no port is left waiting."""
    if sock.fileno() != -1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
        sock.close()


def close_once(sock: Any) -> None:
    """Close a socket that may be closed already, and may not take that twice."""
    if sock is not None and sock.fileno() != -1:
        sock.close()


def _close_somehow(sock: Any) -> None:
    """Close a peer's socket at the very end: whatever it raises then, the call close() has cells of its own."""
    with suppress(Exception, SystemExit):
        sock.close()


CAN_BE_SCARCE = sys.platform != "win32"
"""Whether this system lets a process forbid itself new descriptors."""


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    """Nobody in this process can open a descriptor."""
    if sys.platform == "win32":
        raise OSError("this system sets no limit to descriptors")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

"""The surroundings that all sessions of an adapter share on the loopback interface, and its peers' patience.

Everything is made by the factory of the implementation under test where its sockets are not the system's, and by
`socket.socket` otherwise.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

from lifecycle.conformance.adapters.effects import await_effects, keep_full
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.adapters.setup_states import Factory, Sockets, address_of, begin_connect, reset, shows
from lifecycle.conformance.model.environment import Facts

HOST = "127.0.0.1"
FULL = "full"  # the fact that nothing more can be sent
PATIENCE = 2.0  # seconds that a peer waits for what must arrive
DELIVERED_WITHIN = 0.5  # seconds in which a busy system has delivered what was sent
IMPATIENCE = 0.05  # seconds, once something did not arrive: what is broken is tried again and again, to be shrunk
TRIES = 8  # of a peer's socket that says it is ready, and then would block
LITTLE = 4096  # bytes


class Loopback(Sockets):
    """The surroundings that are made once and serve all sessions; close() gives them back."""

    def __init__(self, new: Factory = socket.socket) -> None:
        super().__init__(new)
        self._arrived: dict[tuple[Any, ...], Any] = {}
        self._patience = DELIVERED_WITHIN

    def new(self, kind: int) -> Any:
        """A new socket that does not wait; one of a stream buffers little of what it receives, so that it is soon full."""
        sock = super().new(kind)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        return sock

    def unbound(self, kind: int) -> Any:
        """A new socket whose address others may share, as long as none listens."""
        sock = self.new(kind)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return sock

    def pair(self, kind: int = socket.SOCK_STREAM) -> tuple[Any, Any]:
        """A connection to the listener that is shared: (its seeker, the accepted end); or two sockets for messages."""
        if kind == socket.SOCK_DGRAM:
            return super().pair(kind)
        seeker = self.new(kind)
        begin_connect(seeker, address_of(self.listener))
        return seeker, self.accept(address_of(seeker))

    @cached_property
    def listener(self) -> Any:
        """A socket that listens."""
        return self.keep(self.listening(128))

    @cached_property
    def mailbox(self) -> Any:
        """A socket to which messages can be sent."""
        return self.keep(self.bound(socket.SOCK_DGRAM))

    @cached_property
    def _rival(self) -> Any:
        return self.keep(self.listening())

    def taken(self, kind: int) -> int:
        """A port that another socket uses."""
        port: int = address_of(self._rival if kind == socket.SOCK_STREAM else self.mailbox)[1]
        return port

    def patiently(self, sock: Any, call: Callable[..., Any], *arguments: Any) -> Any:
        """What `call` of a peer's socket returns, waiting until something has arrived; Mismatch when nothing does."""
        for _ in range(TRIES):
            if not would_wait(sock):
                with suppress(BlockingIOError):
                    return call(*arguments)
            if not shows(sock, within=self._patience):
                self._patience = IMPATIENCE
                break
        raise Mismatch("something comes to the peer", "nothing")

    def settle(self, fileno: int, facts: Facts) -> None:
        """Wait until the effects of these facts have arrived at a socket; where they do not, its next call shows it."""
        if FULL in facts and fileno != -1:
            keep_full(fileno)
        if not await_effects(fileno, facts, seconds=self._patience):
            self._patience = IMPATIENCE

    def accept(self, wanted: Any) -> Any:
        """The connection that arrives at the listener from the address `wanted`; others are kept."""
        while tuple(wanted) not in self._arrived:
            self._take(*self.patiently(self.listener, self.listener.accept))
        return self._arrived.pop(tuple(wanted))

    def accept_if_arrived(self, wanted: Any, *, is_due: bool) -> Any:
        """The same, or None. is_due: whether it must arrive, and may be waited for."""
        self._accept_all()
        if is_due and tuple(wanted) not in self._arrived and shows(self.listener, within=PATIENCE):
            self._accept_all()
        return self._arrived.pop(tuple(wanted), None)

    def forget_ended(self) -> None:
        """Drop the connections that have arrived and ended without being asked for."""
        self._accept_all()
        for address, connection in list(self._arrived.items()):
            if would_wait(connection):
                continue
            with suppress(BlockingIOError):
                try:
                    is_open = connection.recv(1, socket.MSG_PEEK) != b""
                except ConnectionError:
                    is_open = False
                if not is_open:
                    reset(self._arrived.pop(address))

    def close(self) -> None:
        """Close everything."""
        while self._arrived:
            reset(self._arrived.popitem()[1])
        super().close()

    def _accept_all(self) -> None:
        with suppress(BlockingIOError):
            while not would_wait(self.listener):
                self._take(*self.listener.accept())

    def _take(self, connection: Any, address: Any) -> None:
        connection.setblocking(False)
        self._arrived[tuple(address)] = connection


def would_wait(sock: Any) -> bool:
    """Whether a socket in memory has nothing to give: asked for it, a broken one may wait for ever."""
    return hasattr(sock, "is_ready") and not sock.is_ready(False)


def close_once(sock: Any) -> None:
    """Close a socket that may be closed already, and may not take that twice."""
    if sock is not None and sock.fileno() != -1:
        sock.close()


CAN_BE_SCARCE = sys.platform != "win32"
"""Whether this system lets a process forbid itself new descriptors."""


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    """No descriptor can be opened in this process."""
    if sys.platform == "win32":
        raise OSError("this system sets no limit to descriptors")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

"""The peers and listeners that all sessions of an adapter share on the loopback interface, and how long peers wait.

They are made by the factory of the implementation under test if its sockets are not the system's, and by `socket.socket`
otherwise.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from lifecycle.conformance.adapters.effects import READABLE, SHOWS, await_effects, keep_full
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.adapters.setup_states import (
    Factory,
    Sockets,
    accept_from,
    address_of,
    begin_connect,
    descriptor_of,
    reset,
    set_timeout,
    shows,
)
from lifecycle.conformance.model.environment import Facts
from lifecycle.system.local_sockets import LOCAL_FAMILY

HOST = "127.0.0.1"
FULL = "full"  # the fact that nothing more can be sent
ARRIVES = frozenset({*SHOWS, FULL})  # the facts for which settle() does something
PATIENCE = 2.0  # seconds that a peer waits for what must arrive
DELIVERED_WITHIN = 0.5  # seconds in which a busy system has delivered what was sent
IMPATIENCE = (
    0.05  # seconds after something did not arrive: a broken implementation is tried again and again while failures are shrunk
)
ASKED_AGAIN = 0.001  # seconds until a socket that does not say when it is ready is asked again
TRIES = 8  # of a peer's socket that says it is ready, and then would block
LITTLE = 4096  # bytes


def no_loopback() -> str:
    """Why nothing can be connected on this machine, as a sentence's part; "" where that can be done."""
    try:
        with socket.socket() as listener, socket.socket() as seeker:
            listener.bind((HOST, 0))
            listener.listen()
            seeker.settimeout(PATIENCE)
            seeker.connect(listener.getsockname())
    except OSError as error:
        return f"no connection goes through the loopback interface of this machine ({HOST}: {error})"
    return ""


class Loopback(Sockets):
    """The surroundings that are made once and serve all sessions; close() gives them back."""

    def __init__(
        self, new: Factory = socket.socket, *, patience: float = DELIVERED_WITHIN, host: str = HOST, folder: Path | None = None
    ) -> None:
        super().__init__(new, socket.AF_INET if folder is None else LOCAL_FAMILY, folder)
        self.host = host
        self._arrived: dict[tuple[Any, ...], Any] = {}
        self.patience = patience
        self.delay = 0.0
        """seconds in which sent data arrives, if nothing shows when it has"""

    def new(self, kind: int) -> Any:
        """A new non-blocking socket; a stream socket has a small receive buffer, so that it is soon full."""
        sock = super().new(kind)
        try:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        except (OSError, AttributeError):  # it has no such option
            return sock
        return sock

    def unbound(self, kind: int) -> Any:
        """A new socket whose address others may share, as long as none listens."""
        sock = self.new(kind)
        if kind == socket.SOCK_STREAM:
            with suppress(OSError, AttributeError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return sock

    def pair(self, kind: int = socket.SOCK_STREAM) -> tuple[Any, Any]:
        """A connection to the shared listener: (the connecting end, the accepted end); or two sockets for messages."""
        if kind == socket.SOCK_DGRAM or self.is_local:
            return super().pair(kind)
        seeker = self.new(kind)
        begin_connect(seeker, self.listener_address)
        return seeker, self.accept(address_of(seeker))

    @cached_property
    def listener(self) -> Any:
        """A socket that listens."""
        return self.keep(self.listening(128))

    @cached_property
    def listener_address(self) -> Any:
        """The address of the shared listener."""
        return address_of(self.listener)

    @cached_property
    def mailbox(self) -> Any:
        """A socket to which messages can be sent."""
        return self.keep(self.bound(socket.SOCK_DGRAM))

    @cached_property
    def _rival(self) -> Any:
        return self.keep(self.listening())

    def taken(self, kind: int) -> Any:
        """An address that another socket uses."""
        return address_of(self._rival if kind == socket.SOCK_STREAM else self.mailbox)

    def patiently(self, sock: Any, call: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a peer's call, waiting until something has arrived; Mismatch if nothing does."""
        deadline = time.monotonic() + self.patience
        for tries in count(1):
            if not would_wait(sock):
                try:
                    return call(*arguments)
                except BlockingIOError:
                    pass
            says_when = can_say(sock)
            left = deadline - time.monotonic()
            if left <= 0 or not shows(sock, within=left) or (says_when and tries == TRIES):
                break
            if not says_when:
                time.sleep(ASKED_AGAIN)
        self.patience = min(self.patience, IMPATIENCE)
        raise Mismatch("data at the peer", "nothing")

    def settle(self, sock: Any, facts: Facts) -> None:
        """Wait until the effects of these facts have arrived at a socket; if they do not, its next call shows it.

        sock: a socket, or a descriptor of the system.
        """
        if ARRIVES.isdisjoint(facts):
            return
        own = None if isinstance(sock, int) else getattr(sock, "becomes", None)
        if own is not None:
            has_come = all(own(SHOWS[fact], self.patience) for fact in facts if fact in SHOWS)
        else:
            number = sock if isinstance(sock, int) else descriptor_of(sock)
            if number == -1 and self.delay and any(fact in SHOWS for fact in facts):
                time.sleep(self.delay)
            if FULL in facts and number != -1:
                keep_full(number)
            has_come = await_effects(number, facts, seconds=self.patience)
        if not has_come:
            self.patience = min(self.patience, IMPATIENCE)

    def accept(self, wanted: Any) -> Any:
        """The connection that arrives at the shared listener from the address `wanted`; others are kept."""
        key = _key(wanted)
        while key not in self._arrived:
            self._take(*self.patiently(self.listener, accept_from, self.listener))
        return self._arrived.pop(key)

    def accept_if_arrived(self, wanted: Any, *, is_due: bool) -> Any:
        """The same, or None. is_due: whether it must arrive, and may be waited for."""
        self._accept_all()
        if is_due and _key(wanted) not in self._arrived and shows(self.listener, within=PATIENCE):
            self._accept_all()
        return self._arrived.pop(_key(wanted), None)

    def drop(self, address: Any) -> None:
        """Reset the connection that has arrived from this address, if there is one."""
        self._accept_all()
        connection = self._arrived.pop(_key(address), None)
        if connection is not None:
            reset(connection)

    def drop_all(self) -> None:
        """Reset all connections that have arrived and were not accepted."""
        self._accept_all()
        while self._arrived:
            reset(self._arrived.popitem()[1])

    def close(self) -> None:
        """Close everything."""
        while self._arrived:
            reset(self._arrived.popitem()[1])
        super().close()

    def _accept_all(self) -> None:
        with suppress(BlockingIOError):
            while not would_wait(self.listener):
                self._take(*accept_from(self.listener))

    def _take(self, connection: Any, address: Any) -> None:
        set_timeout(connection, 0)
        self._arrived[_key(address)] = connection


def _key(address: Any) -> Any:
    """The host and port, or the path, of an address as accept() returns it or an object reports it."""
    return getattr(address, "path", None) or (address if isinstance(address, str) else tuple(address[:2]))


def would_wait(sock: Any) -> bool:
    """Whether a socket itself reports that it has nothing to read: a receive of a broken one could wait for ever."""
    return hasattr(sock, "becomes") and not sock.becomes(READABLE, 0)


def can_say(sock: Any) -> bool:
    """Whether a socket shows when it becomes ready, by a method or by its descriptor."""
    return hasattr(sock, "becomes") or descriptor_of(sock) != -1


def close_once(sock: Any) -> None:
    """Close a socket that may be closed already, in implementations that refuse a second close()."""
    if sock is not None and (getattr(sock, "fileno", int)() != -1 or descriptor_of(sock) == -1):
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

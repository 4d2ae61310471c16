"""Real sockets on the loopback interface, arranged for a test: pairs, peers that misbehave, and what the kernel says."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from kernel import acknowledged, on_the_way, queue_is_full, shows

from lifecycle import Accepted, Client, Datagram, Server
from lifecycle.conformance.adapters.effects import keep_full
from lifecycle.system.polling import wakers

HOST = "127.0.0.1"
SHORT = 0.05  # seconds that a test lets pass to see that nothing happens
LONG = 20.0  # seconds after which a test that waits for an event fails
PROGRAM_ENDS = 50.0  # seconds within which a program that a test starts ends, also on a busy machine

DESCRIPTORS = Path("/proc/self/fd") if Path("/proc/self/fd").exists() else Path("/dev/fd")


def open_descriptors() -> set[int]:
    """The descriptors of this process that are open, but for the wakers that the package keeps to use again."""
    kept = {end.fileno() for waker in wakers for end in (waker._reader, waker._writer)}
    found = set()
    for name in os.listdir(DESCRIPTORS):
        with suppress(OSError):
            os.fstat(int(name))
            found.add(int(name))
    return found - kept


@contextmanager
def listening(**options: Any) -> Iterator[Server]:
    """A server that listens on a free port of the loopback interface."""
    with Server(**options) as server:
        server.create(0, HOST)
        server.listen()
        yield server


@contextmanager
def connected_pair(**options: Any) -> Iterator[tuple[Client, Accepted]]:
    """A client and the accepted end of its connection."""
    with listening() as server, Client(**options) as client:
        client.create(0, HOST)
        assert server.local_address is not None
        client.connect(*server.local_address)
        with server.accept() as accepted:
            accepted.timeout = options.get("timeout")
            yield client, accepted


@contextmanager
def raw_listener(backlog: int = 8) -> Iterator[socket.socket]:
    """A plain listening socket of the standard library."""
    with socket.create_server((HOST, 0), backlog=backlog) as listener:
        listener.settimeout(LONG)
        yield listener


def peer_of(listener: socket.socket) -> Any:
    """The address from which the first connection of the queue was made."""
    connection, address = listener.accept()
    connection.close()
    return address


@contextmanager
def client_and_raw_peer(**options: Any) -> Iterator[tuple[Client, socket.socket]]:
    """A client connected to a plain socket of the standard library."""
    with raw_listener() as listener, Client(**options) as client:
        client.create(0, HOST)
        client.connect(*listener.getsockname())
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(LONG)
            yield client, peer


@contextmanager
def accepted_and_raw_peer(**options: Any) -> Iterator[tuple[Accepted, socket.socket]]:
    """An accepted connection whose other end is a plain socket of the standard library."""
    with listening() as server, socket.create_connection(server.get_sock_name(), LONG) as peer, Accepted(**options) as accepted:
        server.accept(accepted)
        yield accepted, peer


@contextmanager
def datagram_pair(**options: Any) -> Iterator[tuple[Datagram, Datagram]]:
    """Two bound datagram sockets."""
    with Datagram(**options) as one, Datagram(**options) as other:
        one.create(0, HOST)
        other.create(0, HOST)
        yield one, other


def reset(peer: socket.socket) -> None:
    """Close a connection so that its other end is reset, if only a little later."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def unused_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of the loopback interface on which nobody listens."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


def crowd(listener: Any, stack: ExitStack) -> None:
    """Fill the queue of a listener that has the least backlog with connections that the stack closes."""
    for _ in range(8):
        filler = stack.enter_context(socket.socket())
        filler.settimeout(LONG if sys.platform == "linux" else SHORT)
        try:
            filler.connect(listener.getsockname())
        except (TimeoutError, ConnectionRefusedError):
            return
        if sys.platform == "linux":
            until(lambda: queue_is_full(listener), "a full queue")
            return
    raise AssertionError("the queue of this system never fills")


@contextmanager
def unanswering_listener() -> Iterator[tuple[str, int]]:
    """An address at which a connect neither succeeds nor fails: a listener whose queue is full."""
    with raw_listener(backlog=0) as listener, ExitStack() as stack:
        crowd(listener, stack)
        yield listener.getsockname()


def fill(sock: Client | Accepted) -> int:
    """Send until the buffers of both ends are full, and stay so as nobody reads; how many bytes went."""
    before, sock.timeout = sock.timeout, 0
    try:
        sent = more = _send_what_fits(sock)
        while more:
            until(lambda: not on_the_way(sock, 2 * SHORT), "the delivery of what was sent")
            more = _send_what_fits(sock)
            sent += more
        keep_full(sock.fileno())
    finally:
        sock.timeout = before
    return sent


def _send_what_fits(sock: Client | Accepted) -> int:
    sent = 0
    try:
        while True:
            sent += sock.send(bytes(1 << 16))
    except BlockingIOError as full:
        return sent + getattr(full, "sent", 0)


class Background:
    """A call in a thread of its own; `result()` returns or raises what it did, and fails when it does not end."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._value: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # handed to result()
            self._error = error

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join(LONG)
        assert not self._thread.is_alive(), "the call hangs"
        if self._error is not None:
            raise self._error
        return self._value


def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Poll until `condition()` is true; fails when that takes too long."""
    tick = threading.Event()
    for _ in range(int(LONG / 0.002)):
        if condition():
            return
        tick.wait(0.002)
    raise AssertionError(f"{what} never came true")


def until_shows(sock: Any, what: str) -> None:
    """Wait until what others did has reached a socket: kernel.DATA, END or ERROR."""
    until(lambda: shows(sock, what), what)


def until_acknowledged(sock: Any) -> None:
    """Wait until the peer's system has all that was sent, the end of the stream included."""
    until(lambda: acknowledged(sock), "the acknowledgement")

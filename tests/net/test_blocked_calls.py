"""A call that waits, and what ends it: a close in another thread or in a signal handler, and cancel_blocking_call()."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest
from loopback import (
    HOST,
    LONG,
    Background,
    accepted_and_raw_peer,
    client_and_raw_peer,
    fill,
    listening,
    unanswering_listener,
    until,
)
from racing import frequent_switches, race

from lifecycle import Accepted, BlockingCallCancelled, Client, ClosedDuringCall, Datagram, IllegalCall
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket

Blocked = tuple[OsSocket, Callable[[], Any]]


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    with frequent_switches():
        yield


@contextmanager
def blocked_accept() -> Iterator[Blocked]:
    with listening() as server:
        yield server, server.accept


@contextmanager
def blocked_receive() -> Iterator[Blocked]:
    with client_and_raw_peer() as (client, _):
        yield client, client.receive


@contextmanager
def blocked_send() -> Iterator[Blocked]:
    with accepted_and_raw_peer() as (accepted, _):
        fill(accepted)
        yield accepted, lambda: accepted.send(bytes(1 << 20))


@contextmanager
def blocked_connect() -> Iterator[Blocked]:
    with unanswering_listener() as address, Client() as client:
        client.create(0, HOST)
        yield client, lambda: client.connect(*address)


@contextmanager
def blocked_finish_connect() -> Iterator[Blocked]:
    with unanswering_listener() as address, Client(timeout=0) as client:
        client.create(0, HOST)
        with pytest.raises(BlockingIOError):
            client.connect(*address)
        client.timeout = None
        yield client, client.finish_connect


@contextmanager
def blocked_datagram_receive() -> Iterator[Blocked]:
    with Datagram() as datagram:
        datagram.create(0, HOST)
        yield datagram, datagram.receive


@contextmanager
def blocked_datagram_receive_from() -> Iterator[Blocked]:
    with Datagram() as datagram:
        datagram.create(0, HOST)
        yield datagram, datagram.receive_from


Arrangement = Callable[[], AbstractContextManager[Blocked]]

BLOCKED: tuple[Arrangement, ...] = (
    blocked_accept,
    blocked_receive,
    blocked_send,
    blocked_connect,
    blocked_finish_connect,
    blocked_datagram_receive,
    blocked_datagram_receive_from,
)
every_blocked_call = pytest.mark.parametrize("blocked", BLOCKED, ids=lambda each: each.__name__)


@every_blocked_call
def test_close_ends_a_blocked_call(blocked: Arrangement) -> None:
    """close() in another thread ends a call that waits, with ClosedDuringCall that names it and the state."""
    for _ in range(5):
        with blocked() as (sock, call):
            waiting = Background(call)
            until(lambda sock=sock: sock.is_blocking)  # type: ignore[misc]
            sock.close()
            with pytest.raises(ClosedDuringCall) as ended:
                waiting.result()
            assert ended.value.state == sock.state == "closed"
            assert blocked.__name__.endswith(ended.value.call)
            assert not sock.is_blocking


@every_blocked_call
def test_close_by_many_threads_ends_a_blocked_call(blocked: Arrangement) -> None:
    """16 threads may close an object at once; it is closed, and the call that waited ends."""
    with blocked() as (sock, call):
        waiting = Background(call)
        until(lambda: sock.is_blocking)
        race(*[sock.close] * 16)
        with pytest.raises(ClosedDuringCall):
            waiting.result()
        assert (sock.state, sock.fileno()) == ("closed", -1)


@every_blocked_call
def test_close_races_the_begin_of_a_call(blocked: Arrangement) -> None:
    """A close at the very moment when a call begins to wait ends it too: no wake-up is lost."""
    for _ in range(25 if blocked not in (blocked_connect, blocked_finish_connect) else 4):
        with blocked() as (sock, call):
            waiting = Background(call)
            sock.close()
            with pytest.raises(IllegalCall):
                waiting.result()


@every_blocked_call
def test_cancel_ends_a_blocked_call(blocked: Arrangement) -> None:
    """cancel_blocking_call() in another thread ends a call that waits and leaves the object as it is, or connecting."""
    with blocked() as (sock, call):
        before = sock.state
        for _ in range(3):
            waiting = Background(call)
            until(lambda: sock.is_blocking)
            sock.cancel_blocking_call()
            with pytest.raises(BlockingCallCancelled):
                waiting.result()
            assert not sock.is_blocking
            if blocked is blocked_connect:
                assert sock.state == "connecting"
                break
            assert sock.state == before


@every_blocked_call
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_close_in_a_signal_handler(blocked: Arrangement) -> None:
    """A signal handler may close the object on which it interrupted the main thread's own call: that call ends."""
    with blocked() as (sock, call):

        def close(*_: object) -> None:
            if sock.is_blocking:
                sock.close()

        before = signal.signal(signal.SIGALRM, close)
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
        try:
            with pytest.raises(ClosedDuringCall):
                call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert sock.state == "closed"


def test_iteration_ends_when_the_server_is_closed() -> None:
    """`for accepted in server` ends without an error when another thread closes the server while it waits."""
    with listening() as server, ExitStack() as stack:
        taken: list[Accepted] = []

        def serve() -> str:
            taken.extend(stack.enter_context(accepted) for accepted in server)
            return server.state

        serving = Background(serve)
        for number in range(1, 4):
            stack.enter_context(socket.create_connection(server.get_sock_name(), LONG))
            until(lambda number=number: len(taken) == number)  # type: ignore[misc]
        until(lambda: server.is_blocking)
        server.close()
        assert serving.result() == "closed"
        assert [accepted.state for accepted in taken] == ["connected"] * 3

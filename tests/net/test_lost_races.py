"""Races that were lost once: each of these was a bug, found by threads, interrupts or a lack of descriptors."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from descriptors import no_descriptors_left
from long_form import part
from loopback import (
    HOST,
    LONG,
    SHORT,
    Background,
    client_and_raw_peer,
    fill,
    listening,
    raw_listener,
    reset,
    unanswering_listener,
    until,
)
from racing import frequent_switches, race, tolerant

from lifecycle import Client, ClosedDuringCall, Datagram, IllegalCall, StateChangedDuringCall
from lifecycle.net.blocking.driver import BlockingSocket
from lifecycle.system import threads
from lifecycle.system.handles import SystemSocket, facts_of
from lifecycle.system.polling import Wait, _leave_wakers


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    with frequent_switches():
        sys.setswitchinterval(1e-6)
        yield


def test_detach_ends_blocked_calls_and_keeps_the_connection() -> None:
    """detach() in another thread ends the calls that wait; the connection it hands out lives on."""
    for _ in range(60):
        with client_and_raw_peer(timeout=LONG) as (client, peer):
            receiving = [Background(client.receive) for _ in range(8)]
            until(lambda client=client: len(client._waits) == 8)  # type: ignore[misc]
            number = client.detach()
            with socket.socket(fileno=number) as sock:
                for each in receiving:
                    with pytest.raises(ClosedDuringCall):
                        each.result()
                sock.sendall(b"alive")
                assert peer.recv(5) == b"alive"
            assert client.state == "closed"


def test_a_call_that_is_about_to_ask_the_system_does_not_find_a_blocking_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """detach() lets a call that has the descriptor's number already, and not the GIL, be over before it makes that blocking."""
    monkeypatch.setattr(threads, "PATIENCE", LONG)
    namespace: dict[str, Any] = {"__name__": "lifecycle.net.held"}  # as if it were a handler
    exec("def hold(self, gate):\n    gate.acquire()", namespace)
    with client_and_raw_peer(timeout=LONG) as (client, _):
        number, gate, modes = client.fileno(), threading.Lock(), []
        gate.acquire()
        held = Background(lambda: namespace["hold"](client, gate))
        until(lambda: any(each.f_code.co_name == "hold" for each in threads.frames_of_threads().values()))

        def let_go() -> None:
            until(lambda: client.fileno() == -1)
            modes.append(os.get_blocking(number))
            gate.release()

        letting_go = Background(let_go)
        with socket.socket(fileno=client.detach()) as sock:
            modes.append(os.get_blocking(sock.fileno()))
        held.result()
        letting_go.result()
        assert modes == [False, True]


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_full_stack_leaves_what_is_true(engine: str) -> None:
    """A RecursionError at any depth of a call leaves a state that is true of the socket, and no claim."""

    def deep(frames: int, act: Callable[[], object]) -> object:
        return act() if frames <= 0 else deep(frames - 1, act)

    for frames in range(sys.getrecursionlimit() - 100, sys.getrecursionlimit(), 2):
        with Datagram(engine=engine) as datagram:
            with suppress(RecursionError, IllegalCall):
                deep(frames, lambda sock=datagram: sock.create(0, HOST))  # type: ignore[misc]
            assert datagram.facts.handle == (datagram.fileno() != -1), frames
            assert datagram._claim is None


def test_sends_ended_under_a_blocked_send() -> None:
    """shut_down() of sends in another thread ends a send that waits; the connection is not broken, and receiving goes on."""
    for _ in range(60):
        with client_and_raw_peer(timeout=LONG) as (client, peer):
            fill(client)
            sending = [Background(tolerant(client, "send", bytes(1 << 17))) for _ in range(4)]
            until(lambda client=client: len(client._waits) == 4)  # type: ignore[misc]
            client.shut_down("sends")
            for each in sending:
                assert each.result() in ("IllegalCall", "StateChangedDuringCall", "broken", "failed")
            assert client.state == "send_shut"
            peer.sendall(b"x")
            assert client.receive() == b"x"


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize(("ending", "error"), [("close", ClosedDuringCall), ("shut_down", StateChangedDuringCall)])
def test_a_send_that_another_call_ends_says_how_much_was_sent(
    ending: str, error: type[StateChangedDuringCall], engine: str
) -> None:
    """The error of a send that a close() or shut_down() of another thread has ended has `sent`: what the peer gets is that."""
    with listening(timeout=LONG) as server, Client(timeout=LONG, engine=engine) as client:
        client.open()
        client.connect(*server.get_sock_name())
        with server.accept() as peer:
            sending = Background(lambda: client.send(bytes(1 << 26)))
            until(lambda: client.is_blocking)
            getattr(client, ending)()
            with pytest.raises(error) as raised:
                sending.result()
            received = sum(len(piece) for piece in iter(lambda: peer.receive(1 << 20), b""))
            assert raised.value.sent == received > 0  # type: ignore[attr-defined]


def test_a_state_that_is_taken_back_ends_the_calls_that_it_refuses_with_an_error_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the system refuses a shut_down(), and the state is taken back, a receive that saw it raises no EBADF."""
    seen, taken_back = threading.Event(), threading.Event()
    look = BlockingSocket._look

    def slow_look(self: BlockingSocket, *arguments: Any) -> None:
        try:
            look(self, *arguments)
        except Exception:
            seen.set()
            assert taken_back.wait(LONG)
            raise

    def failing_shut_down(_: SystemSocket, how: object) -> None:
        client._wake_all()
        assert seen.wait(LONG)
        raise OSError(errno.ENOTCONN, "not connected")

    monkeypatch.setattr(BlockingSocket, "_look", slow_look)
    monkeypatch.setattr(SystemSocket, "shutdown", failing_shut_down)
    with client_and_raw_peer(timeout=LONG) as (client, _):
        receiving = Background(client.receive)
        until(lambda: bool(client._waits) and isinstance(client._waits[0], Wait))
        with pytest.raises(OSError, match="not connected"):
            client.shut_down("receives")
        assert client.is_legal("receive")
        taken_back.set()
        with pytest.raises(StateChangedDuringCall, match="receive_shut"):
            receiving.result()


def test_an_interrupt_after_a_refusal_leaves_what_the_next_call_finds_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refused socket of an open client is bound: until it has another one the client is `connecting`, and not `open`."""

    def interrupted(_: object, new: socket.socket) -> None:
        new.close()
        raise KeyboardInterrupt

    with socket.socket() as nobody, Client(timeout=LONG) as client:
        nobody.bind((HOST, 0))
        client.open()
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Client, "_exchange_socket", interrupted)
            client.connect(*nobody.getsockname())
        assert client.state == "connecting"
        with pytest.raises(ConnectionRefusedError):
            client.finish_connect()


def test_receives_ended_under_a_blocked_receive() -> None:
    """shut_down() of receives in another thread ends a receive that waits; that is not an end of the peer's stream."""
    for _ in range(100):
        with client_and_raw_peer(timeout=LONG) as (client, _):
            client.shut_down("sends")
            receiving = Background(tolerant(client, "receive"))
            until(lambda client=client: client.is_blocking)  # type: ignore[misc]
            client.shut_down("receives")
            receiving.result()
            assert client.state == "shut"


def test_legal_calls_are_not_refused_while_a_reset_spreads() -> None:
    """When several threads find a reset, none of them is told that a call is illegal which is legal."""
    for _ in range(part(300, 80)):
        with client_and_raw_peer(timeout=LONG) as (client, peer):

            def use(call: Callable[[], object]) -> str:
                while True:
                    try:
                        if call() == b"":
                            return "end of stream"
                    except IllegalCall as refusal:
                        return "wrongly refused" if refusal.call in refusal.legal or refusal.call == "receive" else "refused"
                    except ConnectionError:
                        return "reset"

            using = [Background(lambda: use(lambda: client.send(b"x"))) for _ in range(2)]
            using += [Background(lambda: use(client.receive)) for _ in range(2)]
            reset(peer)
            ended = [each.result() for each in using]
            assert "wrongly refused" not in ended
            assert "end of stream" not in ended, "a reset that another thread's send was given is not an end of the stream"


def test_iteration_that_has_accepted_nothing_yet_ends() -> None:
    """`for accepted in server` ends without an error also when the server is closed before the first connection."""
    with listening() as server:
        serving = Background(lambda: list(server))
        until(lambda: server.is_blocking)
        server.close()
        assert serving.result() == []


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_a_handler_that_closes_and_exits(interrupt: type[BaseException]) -> None:
    """A signal handler that closes the object and then exits the program is not overruled by ClosedDuringCall."""
    with listening() as server:

        def handle(*_: object) -> None:
            if server.is_blocking:
                server.close()
                raise interrupt

        before = signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        try:
            with pytest.raises(interrupt):
                server.accept()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def test_connect_waits_without_descriptors() -> None:
    """A connect waits, and times out, even if there is no descriptor left to wait with."""
    with unanswering_listener() as address, Client(timeout=SHORT) as client:
        client.create(0, HOST)
        _leave_wakers()
        with no_descriptors_left(), pytest.raises(TimeoutError):
            client.connect(*address)
        assert client.state == client.role.state_of(facts_of(client._socket)) == "connecting"


def test_first_send_to_by_many_threads() -> None:
    """Of many threads whose send_to() may bind the socket, all succeed."""
    with Datagram() as there:
        there.create(0, HOST)
        address = there.get_sock_name()
        for _ in range(200):
            with Datagram(timeout=LONG) as datagram:
                datagram.open()
                assert race(*[tolerant(datagram, "send_to", b"x", *address)] * 8) == ["done"] * 8


@pytest.mark.parametrize(
    ("arguments", "error"),
    [((b"x", HOST, 0), OSError), ((b"x", HOST, 9, socket.MSG_OOB), OSError), (("text", HOST, 9), TypeError)],
)
def test_send_to_that_failed_tells_the_truth(arguments: tuple[Any, ...], error: type[Exception]) -> None:
    """After a first send_to() that failed, the state is the one that the socket is in."""
    with Datagram(timeout=0) as datagram:
        datagram.open()
        with pytest.raises(error):
            datagram.send_to(*arguments)
        assert datagram.state == datagram.role.state_of(facts_of(datagram._socket))


def test_attach_by_many_threads_loses_no_descriptor() -> None:
    """Of many threads that attach a handle to one object one succeeds, and the others keep theirs."""
    for _ in range(300):
        with Datagram() as datagram:
            handles = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach() for _ in range(8)]
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ResourceWarning)
                    results = race(*[tolerant(datagram, "attach", handle) for handle in handles])
                assert results.count("done") == 1
                assert datagram.fileno() == handles[results.index("done")]
                for handle in handles:
                    os.fstat(handle)
            finally:
                kept = datagram.fileno()
                for handle in handles:
                    if handle != kept:
                        with suppress(OSError):
                            os.close(handle)


@pytest.mark.parametrize("how", ["refused", "timed out", "would block"])
def test_an_error_leaves_no_reference_cycle(how: str) -> None:
    """An object whose call was refused, or failed, is gone when nobody holds it, without the collector."""
    with raw_listener() as listener:
        client = Client()
        if how != "refused":
            client.open()
            client.connect(*listener.getsockname())
        client.timeout = 0.001 if how == "timed out" else 0
        gc.collect()
        gc.disable()
        try:
            with suppress(IllegalCall, TimeoutError, BlockingIOError):
                client.receive()
            client.close()
            left = weakref.ref(client)
            del client
            assert left() is None
        finally:
            gc.enable()


@pytest.mark.parametrize("timeout", [float("inf"), 3e6])
def test_long_timeouts(timeout: float) -> None:
    """A time-out of any length waits."""
    with Datagram(timeout=timeout) as datagram:
        datagram.create(0, HOST)
        waiting = Background(datagram.receive)
        until(lambda: datagram.is_blocking or not waiting.is_running())
        datagram.close()
        with pytest.raises(ClosedDuringCall):
            waiting.result()


def test_the_collector_may_close_the_object_that_waits() -> None:
    """A finalizer that the collector runs in the middle of a call never finds the lock held: it can close the object."""
    held = []

    class Session:
        """Garbage in a cycle, whose finalizer would close a socket."""

        def __init__(self, sock: Datagram) -> None:
            self.sock, self.me = sock, self

        def __del__(self) -> None:
            held.append(self.sock._lock.locked())

    others = tuple(Wait() for _ in range(25))
    before = gc.get_threshold()
    gc.collect()
    for number in range(1, 120):
        with Datagram(timeout=0.0005) as datagram:
            datagram.create(0, HOST)
            datagram._waits = others
            gc.collect()
            Session(datagram)
            gc.set_threshold(number, 1000, 1000)
            try:
                with suppress(TimeoutError):
                    datagram.receive()
            finally:
                gc.set_threshold(*before)
            datagram._waits = ()
    for each in others:
        each.finish()
    assert not any(held)


def test_a_close_overtakes_a_receive_of_a_broken_connection() -> None:
    """A receive that finds nothing more while another thread closes the object ends with ClosedDuringCall."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        reset(peer)
        with pytest.raises(ConnectionResetError):
            client.receive()
        own = client._socket

        class ClosedMeanwhile:
            def recv(self, size: int, flags: int = 0) -> bytes:
                client.close()
                return b""

            def close(self) -> None:
                own.close()

        client._socket = ClosedMeanwhile()  # type: ignore[assignment]
        with pytest.raises(ClosedDuringCall):
            client.receive()

"""checked_sockets(): what it takes up, what it says, and when."""

from __future__ import annotations

import _socket
import json
import os
import socket
import sys
import threading
import warnings
from asyncio.trsock import TransportSocket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from loopback import LONG, Background

from lifecycle import IllegalCall
from lifecycle.checking import Finding, LifecycleWarning, checked_sockets, registry
from lifecycle.checking.findings import grouped
from lifecycle.checking.inspecting import corrected
from lifecycle.checking.registry import track_of
from lifecycle.checking.report import summary

HOST = "127.0.0.1"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listener that is older than any check."""
    with socket.create_server((HOST, 0)) as sock:
        sock.settimeout(LONG)
        yield sock


def test_finding_tells_everything() -> None:
    """A finding has role, state, call, place, what was legal, the remedy, the reason, the answers and the history."""
    with checked_sockets() as findings, socket.socket() as sock:
        sock.bind((HOST, 0))
        with pytest.raises(OSError, match="Invalid argument"):
            sock.accept()
    (found,) = findings
    assert (found.kind, found.role, found.state, found.call) == ("order", "stream", "bound", "accept")
    assert found.file == __file__
    assert found.place.function == "test_finding_tells_everything"
    assert found.legal[:2] == ("listen", "connect")
    assert found.remedy == ("listen",)
    assert found.answer == "EINVAL"
    assert found.platform_errors["winsock"] == "WSAEINVAL"
    assert [event.call for event in found.history] == ["socket", "bind", "accept"]
    assert [event.place.line for event in found.history] == [found.line - 3, found.line - 2, found.line]
    assert f"{__file__}:{found.line}" in str(found)
    assert "Call listen() first." in str(found)


@pytest.mark.parametrize("timeout", [0, 0.01])
def test_socket_that_does_not_wait_is_not_said_to_wait_for_ever(timeout: float) -> None:
    """What nothing can come to is told after the call where it has a time-out, once, and once in the history."""
    with checked_sockets() as findings, socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        with suppress(BlockingIOError, TimeoutError):
            sock.recvfrom(9)
    (found,) = findings
    assert (found.kind, found.call, found.answer) == ("order", "recvfrom", "that nothing has arrived; nothing can")
    assert [event.call for event in found.history] == ["socket", "settimeout", "recvfrom"]


def test_summary_counts_in_the_plural() -> None:
    """Two of a kind are told as two; what is not portable has no plural."""
    kinds = ["order", "order", "portability", "portability", "leak"]
    where = dict.fromkeys(("text", "role", "state", "call", "file", "line", "library"), "")
    findings = [{"kind": kind, **where} for kind in kinds]
    assert "(2 order errors, 2 not portable, 1 leak)" in next(summary(findings))


def test_finding_as_data_is_json() -> None:
    """as_data() is what a report has: all keys that are promised, in types that JSON knows."""
    with checked_sockets() as findings:
        socket.socket().close()
        closed = socket.socket()
        closed.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            closed.send(b"x")
    data = json.loads(json.dumps([found.as_data() for found in findings]))
    assert {"kind", "role", "state", "call", "file", "line", "legal", "remedy", "history"} <= data[0].keys()
    assert data[0]["remedy"] is None
    assert data[0]["history"][-1]["call"] == "send"


def test_same_mistake_at_the_same_place_is_one_finding_for_a_socket() -> None:
    """A loop that repeats a mistake on one socket makes one finding; another socket makes another, in the same group."""
    with checked_sockets() as findings:
        for _ in range(2):
            with socket.socket() as sock:
                for _ in range(50):
                    sock.getsockname()
    assert len(findings) == 2
    assert len(grouped([found.as_data() for found in findings])) == 1


def test_unknown_mode_is_refused() -> None:
    """A mode that there is not is a ValueError, and nothing is checked."""
    with pytest.raises(ValueError, match="shout"), checked_sockets("shout"):
        pass
    assert "recv" not in vars(socket.socket)


def test_warn_mode_warns_at_the_line() -> None:
    """In warn mode each finding is a LifecycleWarning at the program's line."""
    with warnings.catch_warnings(record=True) as caught, checked_sockets("warn") as findings, socket.socket() as sock:
        warnings.simplefilter("always")
        sock.getsockname()
    (warning,) = caught
    assert warning.category is LifecycleWarning
    assert (warning.filename, warning.lineno) == (__file__, findings[0].line)


def test_enforce_mode_refuses_before_the_system_is_asked() -> None:
    """An illegal call raises IllegalCall; nothing was sent, and the socket stays usable."""
    left, right = socket.socketpair()
    with left, right, checked_sockets("enforce") as findings:
        left.shutdown(socket.SHUT_WR)
        with pytest.raises(IllegalCall, match="send_shut") as caught:
            left.send(b"late")
        right.sendall(b"still")
        assert left.recv(10) == b"still"
        assert right.recv(10) == b""
    assert caught.value.call == "send"
    assert [found.call for found in findings] == ["send"]


def test_enforce_mode_stops_what_the_system_would_accept() -> None:
    """A call that only this system accepts is refused too, has no effect, and is told as not portable, as observing does."""
    with checked_sockets("enforce") as findings, socket.socket() as sock:
        with pytest.raises(IllegalCall) as caught:
            sock.listen()
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0
        assert caught.value.remedy == ("bind",)
        assert caught.value.platform_errors["winsock"] == "WSAEINVAL"
    assert [found.kind for found in findings] == ["portability"]


def test_closed_socket_with_an_open_file_is_no_leak() -> None:
    """A socket that was closed is none, although a file over it is still open when the block ends."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        file = left.makefile("rb")
        left.close()
        right.close()
    assert findings == []
    file.close()


def test_showing_a_socket_is_no_call() -> None:
    """What repr() asks the system for is not in the history, although its names are got by calls."""
    with checked_sockets() as findings:
        sock = socket.socket()
        repr(sock)
        repr(TransportSocket(sock))
        sock.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            sock.listen()
    assert [event.call for event in findings[0].history] == ["socket", "close", "listen"]


def test_older_socket_is_taken_up_as_it_is(listener: socket.socket) -> None:
    """A socket that was made before is taken up in its real state, and is nobody's leak."""
    client = socket.create_connection(listener.getsockname())
    unbound = socket.socket()
    with checked_sockets() as findings:
        listener.accept()[0].close()
        client.sendall(b"hello")
        with pytest.raises(OSError, match="Invalid argument"):
            unbound.accept()
    assert [(found.kind, found.state, found.call) for found in findings] == [("order", "open", "accept")]
    client.close()
    unbound.close()


def test_checks_may_nest() -> None:
    """Both an outer and an inner check get what happens in the inner one; the inner mode holds."""
    with checked_sockets() as outer, socket.socket() as sock:
        with checked_sockets("enforce") as inner, pytest.raises(IllegalCall):
            sock.listen()
        sock.getsockname()
    assert [found.call for found in inner] == ["listen"]
    assert [found.call for found in outer] == ["listen", "getsockname"]


def test_open_socket_is_a_leak_of_the_block_that_made_it() -> None:
    """What a block made and left open is its leak, at the line that made it; `open_is_leak=False` waits for the collector."""
    with checked_sockets() as findings:
        sock = socket.socket()
    assert [(found.kind, found.state, found.place.function) for found in findings] == [
        ("leak", "open", "test_open_socket_is_a_leak_of_the_block_that_made_it")
    ]
    sock.close()
    with checked_sockets(open_is_leak=False) as findings:
        sock = socket.socket()
    assert findings == []
    sock.close()


def test_block_that_is_left_by_an_error_leaks_nothing() -> None:
    """Who leaves by an exception is not told of what is open."""
    with pytest.raises(KeyError), checked_sockets() as findings:
        sock = socket.socket()
        raise KeyError
    assert findings == []
    sock.close()


def test_leak_is_told_once_to_each_block() -> None:
    """What an inner block has left open is the inner block's leak, and the outer one hears of it once."""
    with checked_sockets() as outer, checked_sockets() as inner:
        sock = socket.socket()
    assert [found.kind for found in inner] == [found.kind for found in outer] == ["leak"]
    sock.close()


def test_leak_is_no_error_of_the_call_in_which_it_is_noticed() -> None:
    """Where warnings are errors, a leak is told as Python tells of an unclosed socket, and raised nowhere."""
    caught: list[object] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda args: caught.append(args.exc_type)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", LifecycleWarning)
            with checked_sockets("warn"):
                sock = socket.socket()
    finally:
        sys.unraisablehook = hook
    assert caught == [LifecycleWarning]
    sock.close()


def test_what_the_program_puts_into_the_class_stays_there() -> None:
    """A method that the program exchanges while it is checked is left alone, and one from before is called."""
    calls = []

    def listen(self: socket.socket, *arguments: int) -> None:
        calls.append(arguments)

    before = dict(vars(socket.socket))
    try:
        socket.socket.listen = listen  # type: ignore[method-assign]
        with checked_sockets() as findings, socket.socket() as sock:
            sock.listen(3)
            socket.socket.bind = listen  # type: ignore[method-assign,assignment]
        assert calls == [(3,)]
        assert [found.call for found in findings] == ["listen"]
        assert socket.socket.listen is listen
        assert socket.socket.bind is listen
    finally:
        for name in ("listen", "bind"):
            if name not in before:
                delattr(socket.socket, name)
    assert dict(vars(socket.socket)) == before


def test_collected_socket_is_a_leak() -> None:
    """A socket that is collected and was never closed is a leak, also without looking at those that are open."""
    with warnings.catch_warnings(), checked_sockets(open_is_leak=False) as findings:
        warnings.simplefilter("ignore", ResourceWarning)
        socket.socket()
    assert [found.kind for found in findings] == ["leak"]


def test_detached_socket_is_no_leak() -> None:
    """A descriptor that was handed out is its new owner's."""
    with checked_sockets() as findings:
        number = socket.socket().detach()
    assert findings == []
    os.close(number)


def test_library_line_and_program_line_are_both_told(listener: socket.socket) -> None:
    """Of a call that the standard library makes for the program, the program's line is the place, and the library's is told."""
    import http.client

    with warnings.catch_warnings(), checked_sockets() as findings:
        warnings.simplefilter("ignore", ResourceWarning)
        connection = http.client.HTTPConnection(*listener.getsockname())
        connection.connect()
        del connection
    (found,) = findings
    assert (found.kind, found.file) == ("leak", __file__)
    assert found.place.library.startswith("http/client.py:")


INSTALLED = """
import socket, threading

def ask():
    with socket.socket() as sock:
        sock.listen()

def ask_in_a_thread():
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()

def peer(sock):
    return sock.getpeername()

def peer_or_none(sock):
    try:
        return peer(sock)
    except OSError:
        return None
"""


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An installed package."""
    package = tmp_path / "site-packages" / "asking.py"
    package.parent.mkdir()
    package.write_text(INSTALLED, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.delitem(sys.modules, "asking", raising=False)
    return import_module("asking")


def test_line_of_the_program_and_not_of_a_package(asking: Any) -> None:
    """Of a call that an installed package makes, the line is the program's; where a thread is in between, the package's."""
    with checked_sockets() as findings:
        asking.ask()
        asking.ask_in_a_thread()
    first, second = findings
    assert (first.file, first.place.library) == (__file__, "asking.py:6 ask")
    assert (second.file, second.line, second.place.library) == (asking.__file__, 6, "")


def test_question_of_a_careful_package_is_no_finding(asking: Any) -> None:
    """A package may ask a socket for what it may not have, also by a function in between, when it is ready for an error."""
    with checked_sockets() as findings, socket.socket() as sock:
        assert asking.peer_or_none(sock) is None
        with pytest.raises(OSError, match="not connected"):
            asking.peer(sock)
    assert [found.call for found in findings] == ["getpeername"]


def test_race_is_told_apart_from_an_order_error(listener: socket.socket) -> None:
    """A call that was inside the system when another thread closed is a race; one that begins afterwards is an order error."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        waiting = Background(lambda: left.recv(1))
        _until_it_waits(left)
        left.close()
        right.close()
        waiting.result()
        with pytest.raises(OSError, match="Bad file descriptor"):
            left.recv(1)
    assert [(found.kind, found.state, found.call) for found in findings] == [
        ("race", "connected", "recv"),
        ("order", "closed", "recv"),
    ]
    assert findings[0].thread == "background"


def test_call_that_was_woken_by_a_shutdown_is_no_race() -> None:
    """Who shuts down before closing wakes whoever waits, and races with nobody."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        waiting = Background(lambda: left.recv(1))
        _until_it_waits(left)
        left.shutdown(socket.SHUT_RDWR)
        left.close()
        assert waiting.result() == b""
        right.close()
    assert findings == []


def test_call_that_never_comes_back_is_a_race() -> None:
    """A thread that still waits on a closed socket when the check ends is told of."""
    with checked_sockets() as findings:
        sock = socket.create_server((HOST, 0))
        address = sock.getsockname()
        waiting = Background(sock.accept)
        _until_it_waits(sock)
        sock.close()
    assert [(found.kind, found.call) for found in findings] == [("race", "accept")]
    with suppress(OSError):
        socket.create_connection(address).close()
    with suppress(OSError):
        waiting.result()[0].close()


def test_phase_is_what_the_system_says_after_a_talk(listener: socket.socket) -> None:
    """After every step of a conversation the phase of each end is the one that the system would tell."""
    with checked_sockets() as findings, socket.socket() as client:
        assert _state(client) == "open"
        client.bind((HOST, 0))
        assert _state(client) == "bound"
        client.connect(listener.getsockname())
        assert _state(client) == "connected"
        peer, _ = listener.accept()
        with peer:
            assert _state(peer) == "connected"
            peer.shutdown(socket.SHUT_WR)
            assert _state(peer) == "send_shut"
            assert client.recv(1) == b""
            assert _state(client) == "peer_closed"
            client.shutdown(socket.SHUT_WR)
            assert _state(client) == "ended"
            assert peer.recv(1) == b""
            assert _state(peer) == "ended"
        assert _state(peer) == "closed"
    assert findings == []


def test_socket_led_on_by_code_in_c_is_not_misjudged() -> None:
    """What was done to the socket behind the methods' back is seen before anything is said."""
    import _socket

    with checked_sockets() as findings, socket.socket() as sock, socket.socket() as client:
        _socket.socket.bind(sock, (HOST, 0))
        _socket.socket.listen(sock)
        client.connect(sock.getsockname())
        sock.accept()[0].close()
    assert findings == []


def test_socket_from_a_descriptor_costs_the_same_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each socket made from a descriptor asks the system for a few inodes, however many sockets there are."""
    asked: list[int] = []
    fstat = os.fstat
    monkeypatch.setattr(os, "fstat", lambda number: (asked.append(number), fstat(number))[1])
    with checked_sockets() as findings, ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.socket(fileno=_socket.socket().detach()))
    assert findings == []
    assert 100 <= len(asked) <= 300
    assert registry._by_inode == {}


def test_child_that_was_forked_does_not_leak_what_is_its_parents() -> None:
    """A forked child may leave its parent's sockets alone."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork()")
    with checked_sockets() as findings, socket.socket():
        child = os.fork()
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert findings == []


def test_findings_of_all_threads_are_gathered() -> None:
    """A check holds for all threads, whatever thread began it."""

    def ask() -> None:
        with socket.socket() as sock:
            sock.getsockname()

    with checked_sockets() as findings:
        threads = [threading.Thread(target=ask, name=f"asker {number}") for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
    assert sorted(found.thread for found in findings) == [f"asker {number}" for number in range(4)]


def _state(sock: socket.socket) -> str:
    track = track_of(sock)
    assert track is not None
    return corrected(track, sock).name


def _until_it_waits(sock: socket.socket) -> None:
    """Return when another thread waits inside a call on `sock`."""
    from lifecycle.checking.concurrent_close import in_flight, is_in_kernel

    tick = threading.Event()
    for _ in range(int(LONG / 0.01)):
        if any(is_in_kernel(call) in (True, None) for call in in_flight(sock)):
            tick.wait(0.01)
            return
        tick.wait(0.01)
    raise AssertionError("no call waits")


def test_finding_is_importable_by_name() -> None:
    """The class of findings is public, for annotations."""
    assert Finding.__name__ == "Finding"

"""checked_sockets(): which sockets it follows, what it reports, and when."""

from __future__ import annotations

import _socket
import asyncio
import errno
import json
import os
import pickle
import socket
import sys
import threading
import warnings
from asyncio.trsock import TransportSocket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from loopback import LONG

from lifecycle import IllegalCall
from lifecycle.checking import Finding, LifecycleWarning, Mode, checked_sockets, registry, session
from lifecycle.checking.checkers import Checker
from lifecycle.checking.findings import grouped, history_lines
from lifecycle.checking.observed import corrected
from lifecycle.checking.registry import track_of
from lifecycle.checking.run_text import summary

HOST = "127.0.0.1"


def test_finding_has_everything() -> None:
    """A finding has role, state, call, place, the legal calls, the remedy, the reason, the answers and the history."""
    with checked_sockets() as findings, socket.socket() as sock:
        sock.bind((HOST, 0))
        with pytest.raises(OSError, match="Invalid argument"):
            sock.accept()
    (found,) = findings
    assert (found.kind, found.role, found.state, found.call) == ("order", "stream", "bound", "accept")
    assert found.file == __file__
    assert found.place.function == "test_finding_has_everything"
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
    """A call to which nothing can arrive is reported after it where it has a timeout, once, and once in the history."""
    with checked_sockets() as findings, socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        with suppress(BlockingIOError, TimeoutError):
            sock.recvfrom(9)
    (found,) = findings
    assert (found.kind, found.call, found.answer) == ("order", "recvfrom", "that nothing has arrived; nothing can")
    assert [event.call for event in found.history] == ["socket", "settimeout", "recvfrom"]


def test_summary_counts_in_the_plural() -> None:
    """Two findings of a kind are counted as two; `not portable` has no plural."""
    kinds = ["order", "order", "portability", "portability", "leak"]
    where = dict.fromkeys(("text", "role", "state", "call", "file", "line", "library"), "")
    findings = [{"kind": kind, **where} for kind in kinds]
    assert "(2 order errors, 2 not portable, 1 leak)" in next(summary(findings))


@pytest.mark.parametrize(("calls", "marker"), [(3, ""), (9, " ...")])
def test_printed_history_says_whether_it_is_complete(calls: int, marker: str) -> None:
    """A long history is printed from its eighth last call on, with a mark that something is missing."""
    event = {
        "call": "send",
        "state": "connected",
        "outcome": "ok",
        "next_state": "connected",
        "file": "f",
        "line": 1,
        "error": "",
    }
    head, *lines = history_lines({"socket": "stream#1", "history": [event] * calls})
    assert head == f"History of stream#1:{marker}"
    assert lines == ["  f:1  send()"] * min(calls, 8)


def test_finding_as_data_is_json() -> None:
    """as_data() has the keys that a report promises, in types that JSON has."""
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
    """An unknown mode is a ValueError, and nothing is checked."""
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


@pytest.mark.parametrize(
    ("calls", "number"),
    [("close send", errno.EBADF), ("getpeername", errno.ENOTCONN), ("listen", errno.EINVAL), ("shutdown send", errno.EPIPE)],
)
def test_enforced_error_is_what_the_system_would_have_raised(calls: str, number: int) -> None:
    """The error is an IllegalCall and an OSError of the class and number that the program's own guards know, and pickles."""
    *first, last = calls.split()
    arguments = {"send": (b"x",), "shutdown": (socket.SHUT_WR,)}
    left, right = socket.socketpair() if "send" in calls else (socket.socket(), socket.socket())
    with left, right, checked_sockets("enforce"):
        for call in first:
            getattr(left, call)(*arguments.get(call, ()))
        with pytest.raises(type(OSError(number, ""))) as caught:
            getattr(left, last)(*arguments.get(last, ()))
    assert isinstance(caught.value, IllegalCall)
    assert (caught.value.errno, caught.value.strerror, caught.value.call) == (number, os.strerror(number), last)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.errno) == (str(caught.value), number)


def test_enforce_mode_stops_what_the_system_would_accept() -> None:
    """A call that only this system accepts is refused too, has no effect, and is reported as in observe mode."""
    with checked_sockets("enforce") as findings, socket.socket() as sock:
        with pytest.raises(IllegalCall) as caught:
            sock.listen()
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0
        assert caught.value.remedy == ("bind",)
        assert caught.value.platform_errors["winsock"] == "WSAEINVAL"
    assert [found.kind for found in findings] == ["portability"]


def test_repr_of_a_socket_is_not_a_call() -> None:
    """The calls that repr() makes are not in the history."""
    with checked_sockets() as findings:
        sock = socket.socket()
        repr(sock)
        repr(TransportSocket(sock))
        sock.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            sock.listen()
    assert [event.call for event in findings[0].history] == ["socket", "close", "listen"]


def test_older_socket_is_followed_from_its_real_state(listener: socket.socket) -> None:
    """A socket that is older than the check is followed from its real state, and is never a leak."""
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
    """The findings of an inner check go to the outer one too; the inner mode applies."""
    with checked_sockets() as outer, socket.socket() as sock:
        with checked_sockets("enforce") as inner, pytest.raises(IllegalCall):
            sock.listen()
        sock.getsockname()
    assert [found.call for found in inner] == ["listen"]
    assert [found.call for found in outer] == ["listen", "getsockname"]


def test_method_that_the_program_replaces_stays() -> None:
    """A method that the program replaces during the check is kept, and one that it replaced before is called."""
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


def test_finding_has_the_line_of_the_program_and_of_the_library(listener: socket.socket) -> None:
    """Where the standard library makes the call, the place is the program's line, with the library's beside it."""
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
    """Where an installed package makes the call, the line is the program's; if a thread lies between them, the package's."""
    with checked_sockets() as findings:
        asking.ask()
        asking.ask_in_a_thread()
    first, second = findings
    assert (first.file, first.place.library) == (__file__, "asking.py:6 ask")
    assert (second.file, second.line, second.place.library) == (asking.__file__, 6, "")


def test_question_of_a_careful_package_is_not_a_finding(asking: Any) -> None:
    """A package may ask for the peer in a `try`, also through another function; without one it is a finding."""
    with checked_sockets() as findings, socket.socket() as sock:
        assert asking.peer_or_none(sock) is None
        with pytest.raises(OSError, match="not connected"):
            asking.peer(sock)
    assert [found.call for found in findings] == ["getpeername"]


@pytest.mark.parametrize(
    "receive",
    [
        lambda sock: sock.recv(0),
        lambda sock: sock.recvfrom(0),
        lambda sock: sock.recvmsg(0),
        lambda sock: sock.recv_into(bytearray()),
        lambda sock: sock.recvfrom_into(bytearray()),
        lambda sock: sock.recvmsg_into([bytearray()]),
    ],
)
def test_receiving_nothing_is_not_the_end_of_the_stream(receive: Callable[[socket.socket], object]) -> None:
    """A receive of 0 bytes says nothing about the stream."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        with left, right:
            right.sendall(b"x")
            receive(left)
            assert _state(left) == "connected"
    assert findings == []


@pytest.mark.parametrize(
    "receive",
    [
        lambda sock: sock.recv(9),
        lambda sock: sock.recvfrom(9),
        lambda sock: sock.recvmsg(9),
        lambda sock: sock.recv_into(bytearray(9)),
        lambda sock: sock.recv_into(buffer=bytearray(9)),
        lambda sock: sock.recvfrom_into(bytearray(9), 3),
        lambda sock: sock.recvmsg_into([bytearray(), bytearray(9)]),
    ],
)
def test_each_way_to_receive_sees_the_end_of_the_stream(receive: Callable[[socket.socket], object]) -> None:
    """Data leaves the stream connected; a receive of no data, although some were asked for, is the peer's end."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        with left, right:
            right.sendall(b"x")
            receive(left)
            assert _state(left) == "connected"
            right.shutdown(socket.SHUT_WR)
            receive(left)
            assert _state(left) == "peer_closed"
    assert findings == []


def test_frequent_call_that_fails_is_recorded() -> None:
    """The error of a call that has often succeeded changes the state as the first one's would."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        for _ in range(3):
            left.send(b"x")
        right.close()
        with pytest.raises(OSError, match="Broken pipe"):
            left.send(b"x")
        assert _state(left) == "broken"
        left.close()
    assert findings == []


def test_call_that_changes_nothing_is_recorded_once() -> None:
    """A call that is repeated in one state is in the history once."""
    with checked_sockets() as findings, socket.socket() as sock:
        for _ in range(5):
            sock.settimeout(1)
        sock.listen()
    assert [event.call for event in findings[0].history] == ["socket", "settimeout", "listen"]


def test_listener_that_c_code_shuts_down_may_connect(listener: socket.socket) -> None:
    """A listener that listens no more, which bypassed the methods, is judged by the state that it is in."""
    with checked_sockets() as findings, socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.listen()
        _socket.socket.shutdown(sock, socket.SHUT_RDWR)
        sock.connect(listener.getsockname())
        listener.accept()[0].close()
    assert findings == []


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no local sockets")
def test_rule_for_other_systems_does_not_apply_to_a_family_that_they_lack() -> None:
    """Enforcing refuses no call on a local socket that is only illegal for the sake of systems without local sockets."""
    with checked_sockets("enforce") as findings, socket.socket(socket.AF_UNIX) as sock:
        assert sock.getsockname() == ""
    assert findings == []


def test_long_history_keeps_its_begin_and_its_end() -> None:
    """Of a long history the first and the last events are kept, and the number of the others is in the finding."""
    with checked_sockets() as findings, socket.socket() as sock:
        sock.settimeout(1)
        for _ in range(200):
            sock.getsockname()
        sock.listen()
    history = findings[-1].history
    assert [event.call for event in history[:3]] == ["socket", "settimeout", "getsockname"]
    assert history[-1].call == "listen"
    assert len(history) == 64
    assert findings[-1].left_out == 203 - 64


def test_findings_of_one_cause_at_one_place_are_limited() -> None:
    """The first hundred findings of a cause at a place are kept, and the others are counted."""
    checker = Checker(Mode.OBSERVE)
    session.start(checker)
    try:
        for _ in range(105):
            with socket.socket() as sock:
                sock.getsockname()
        with socket.socket() as sock:
            sock.getsockname()
    finally:
        session.stop(checker)
    assert len(checker.findings) == 101
    assert checker.left_out == 5
    assert "and 5 more of the same" in next(summary([found.as_data() for found in checker.findings], checker.left_out))


def test_descriptor_that_is_reused_is_another_socket() -> None:
    """A detached descriptor that is closed, and whose number another socket gets, does not pass its state on."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        number = left.detach()
        os.close(number)
        other = _socket.socket()
        assert other.fileno() == number
        with socket.socket(fileno=other.detach()) as sock:
            assert _state(sock) == "open"
        right.close()
    assert findings == []


def test_callback_of_an_event_loop_is_not_guarded_by_the_loop(asking: Any) -> None:
    """The `try` in which an event loop runs a callback does not make the callback's call a question."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        failed = loop.create_future()
        loop.set_exception_handler(lambda loop, context: failed.set_result(context["exception"]))
        loop.call_soon(asking.peer, sock)
        assert isinstance(await failed, OSError)

    with checked_sockets() as findings, socket.socket() as sock:
        asyncio.run(main())
    assert [(found.call, found.file) for found in findings] == [("getpeername", asking.__file__)]


def test_state_is_the_real_one_after_each_step(listener: socket.socket) -> None:
    """After every step of a conversation the state of each end is the one that the system is in."""
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


def test_socket_that_c_code_changes_is_not_misjudged() -> None:
    """Calls that bypass the methods are noticed before anything is reported."""
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


def test_findings_of_all_threads_are_collected() -> None:
    """A check covers all threads, whichever thread began it."""

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
    return corrected(track.state, sock).name


def test_finding_is_importable_by_name() -> None:
    """The class of findings is public, for annotations."""
    assert Finding.__name__ == "Finding"

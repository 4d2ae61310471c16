"""What a finding of checked_sockets() has: its place, its history and its answers, as text and as data."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import warnings
from asyncio.trsock import TransportSocket
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from loopback import HOST

from lifecycle.checking import Finding, Mode, checked_sockets, session
from lifecycle.checking.checkers import Checker
from lifecycle.checking.findings import grouped, history_lines
from lifecycle.checking.run_text import summary


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


def test_call_that_changes_nothing_is_recorded_once() -> None:
    """A call that is repeated in one state is in the history once."""
    with checked_sockets() as findings, socket.socket() as sock:
        for _ in range(5):
            sock.settimeout(1)
        sock.listen()
    assert [event.call for event in findings[0].history] == ["socket", "settimeout", "listen"]


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


def test_finding_is_importable_by_name() -> None:
    """The class of findings is public, for annotations."""
    assert Finding.__name__ == "Finding"

"""checked_sockets(): which sockets it follows, what it reports, and when."""

from __future__ import annotations

import _socket
import errno
import os
import pickle
import socket
import threading
import warnings
from contextlib import ExitStack

import pytest
from loopback import LONG

from lifecycle import IllegalCall
from lifecycle.checking import LifecycleWarning, checked_sockets, registry


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


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no local sockets")
def test_rule_for_other_systems_does_not_apply_to_a_family_that_they_lack() -> None:
    """Enforcing refuses no call on a local socket that is only illegal for the sake of systems without local sockets."""
    with checked_sockets("enforce") as findings, socket.socket(socket.AF_UNIX) as sock:
        assert sock.getsockname() == ""
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

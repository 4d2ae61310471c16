"""Calls that are in flight while another thread closes their socket: which of them are races."""

from __future__ import annotations

import os
import platform
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from loopback import LONG, Background

from lifecycle.checking import checked_sockets, concurrent_close
from lifecycle.checking.concurrent_close import InFlight, call_ended, in_flight, is_in_kernel, judge_in_flight, socket_closed
from lifecycle.checking.registry import track_of
from lifecycle.checking.track import SocketTrack

HOST = "127.0.0.1"


def test_race_differs_from_an_order_error() -> None:
    """A call that was in the kernel when another thread closed is a race; one that begins afterwards is an order error."""
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


def test_call_that_a_shutdown_woke_is_not_a_race() -> None:
    """A shutdown() before the close() wakes the waiting call, so that there is no race."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        waiting = Background(lambda: left.recv(1))
        _until_it_waits(left)
        left.shutdown(socket.SHUT_RDWR)
        left.close()
        assert waiting.result() == b""
        right.close()
    assert findings == []


def test_call_that_never_returns_is_a_race() -> None:
    """A thread that still waits on a closed socket when the check ends is reported."""
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


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in concurrent_close._FUTEX or not os.path.exists("/proc/self/syscall"),
    reason="the kernel does not say where a thread waits",
)
def test_waiting_call_is_reported_at_the_close() -> None:
    """Where the kernel says that the call waits in it, the race is reported by close(), before the call ends."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        waiting = Background(lambda: left.recv(1))
        _until_it_waits(left)
        assert [is_in_kernel(call) for call in in_flight(left)] == [True]
        left.close()
        assert [found.kind for found in findings] == ["race"]
        right.close()
        waiting.result()


@pytest.fixture
def suspect(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SocketTrack, list[float]]]:
    """The track of a socket during a call of this thread that the kernel says nothing about, and the time, as a list of one."""
    now = [100.0]
    monkeypatch.setattr(concurrent_close, "clock", lambda: now[0])
    monkeypatch.setattr(concurrent_close, "is_in_kernel", lambda call: None)
    with checked_sockets() as findings, socket.socket() as sock:
        track = track_of(sock)
        assert track is not None
        socket_closed(track, track.state, InFlight("recv", sys._getframe(), threading.get_ident()))
        assert findings == []
        yield track, now


@pytest.mark.parametrize(("seconds", "races"), [(0.01, 0), (1.0, 1)])
def test_call_that_ends_at_once_is_not_a_race(
    suspect: tuple[SocketTrack, list[float]], monkeypatch: pytest.MonkeyPatch, seconds: float, races: int
) -> None:
    """A call that ends just after the close had returned from the kernel; one that goes on was waiting there."""
    track, now = suspect
    now[0] += seconds
    with checked_sockets() as findings:
        call_ended(track, None)
        judge_in_flight()
    assert [found.kind for found in findings] == ["race"] * races


def test_call_that_loses_its_descriptor_is_a_race(suspect: tuple[SocketTrack, list[float]]) -> None:
    """A call that fails just after the close because its descriptor is gone was in the kernel."""
    track, _ = suspect
    with checked_sockets() as findings:
        call_ended(track, OSError(9, "Bad file descriptor"))
    assert [found.kind for found in findings] == ["race"]


def test_call_that_has_ended_unseen_is_not_a_race(suspect: tuple[SocketTrack, list[float]]) -> None:
    """At the end of a check, a call whose thread is no longer in it is not reported."""
    _, now = suspect
    now[0] += 1.0
    with checked_sockets() as findings:
        judge_in_flight()
    assert findings == []


def test_call_that_still_waits_at_the_end_is_a_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of a check, a call that is still in flight is reported, also where the kernel says nothing."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        waiting = Background(lambda: left.recv(1))
        _until_it_waits(left)
        monkeypatch.setattr(concurrent_close, "is_in_kernel", lambda call: None)
        left.close()
        assert findings == []
        judge_in_flight()
        assert [(found.kind, found.call) for found in findings] == [("race", "recv")]
        right.close()
        waiting.result()


def _until_it_waits(sock: socket.socket) -> None:
    """Return when another thread waits inside a call on `sock`."""
    tick = threading.Event()
    for _ in range(int(LONG / 0.01)):
        if any(is_in_kernel(call) in (True, None) for call in in_flight(sock)):
            tick.wait(0.01)
            return
        tick.wait(0.01)
    raise AssertionError("no call waits")

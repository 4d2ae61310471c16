"""Threads that wait for a socket, in each way: which of their waits another thread sees when it closes the socket."""

from __future__ import annotations

import linecache
import platform
import select
import selectors
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from checking.layers import asked
from loopback import LONG, Background

from lifecycle.checking import checked_sockets
from lifecycle.checking.concurrent_close import _FUTEX, in_flight, is_in_kernel
from lifecycle.checking.guards import Standing
from lifecycle.checking.waiting import _standing, waits_for
from lifecycle.system.threads import frames_of_threads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the ways to wait are Linux's")

Wait = Callable[[socket.socket, socket.socket, Any], Any]
"""waits for a socket, or for the one that wakes it, with a time-out or None"""


def polled(*options: Any, by_number: bool = False, kind: str = "poll") -> Wait:
    """A wait by a poll object; options: behind the descriptor that is registered."""

    def wait(sock: socket.socket, waker: socket.socket, timeout: Any) -> Any:
        poll = getattr(select, kind)()
        poll.register(sock.fileno() if by_number else sock, *options)
        poll.register(waker, select.EPOLLIN)
        return poll.poll(*(() if timeout is None else (timeout,)))

    return wait


def selected(kind: str, *, by_number: bool = False, events: int = selectors.EVENT_READ) -> Wait:
    """A wait by a selector."""

    def wait(sock: socket.socket, waker: socket.socket, timeout: Any) -> Any:
        with getattr(selectors, kind)() as selector:
            selector.register(sock.fileno() if by_number else sock, events)
            selector.register(waker, selectors.EVENT_READ)
            return selector.select(timeout)

    return wait


def unregistered(sock: socket.socket, waker: socket.socket, timeout: Any) -> Any:
    """A wait by a poll object that has the socket no more."""
    poll = select.poll()
    poll.register(sock)
    poll.register(waker, select.POLLIN)
    poll.unregister(sock)
    return poll.poll()


READ = select.POLLIN
WAITS: dict[str, tuple[Wait, Any, str]] = {
    "select, to read": (lambda s, w, t: select.select([s, w], [], [], t), None, "select"),
    "select, in a tuple": (lambda s, w, t: select.select((w, s), (), ()), None, "select"),
    "select, in a set": (lambda s, w, t: select.select([w], [], {s}), None, "select"),
    "select, by its number": (lambda s, w, t: select.select([w], [], [s.fileno()], t), None, "select"),
    "select, for a time": (lambda s, w, t: select.select([s, w], [], [], t), LONG, ""),
    "select, of another": (lambda s, w, t: select.select([w], [], [], t), None, ""),
    "select, of a number that is no descriptor of it": (lambda s, w, t: select.select([w.fileno()], [], []), None, ""),
    "poll": (polled(READ), None, "poll"),
    "poll, by its number": (polled(READ, by_number=True), None, "poll"),
    "poll, with a negative time": (polled(READ), -1, "poll"),
    "poll, for a time": (polled(READ), LONG * 1000, ""),
    "poll, when it is unregistered": (unregistered, None, ""),
    "epoll": (polled(READ, kind="epoll"), None, "poll"),
    "epoll, for one event": (polled(READ | select.EPOLLONESHOT, kind="epoll"), None, "poll"),
    "epoll, for no event": (polled(select.EPOLLONESHOT, kind="epoll"), None, ""),
    "epoll, for a time": (polled(READ, kind="epoll"), LONG, ""),
    "SelectSelector": (selected("SelectSelector"), None, "select"),
    "PollSelector": (selected("PollSelector"), None, "select"),
    "EpollSelector": (selected("EpollSelector"), None, "select"),
    "EpollSelector, by its number": (selected("EpollSelector", by_number=True), None, "select"),
    "EpollSelector, for a time": (selected("EpollSelector"), LONG, ""),
    "SelectSelector, for a time": (selected("SelectSelector"), LONG, ""),
    "a receive": (lambda s, w, t: s.recv(1), None, "recv"),
    "a receive of another": (lambda s, w, t: w.recv(1), None, ""),
    "an accept": (lambda s, w, t: s.accept(), None, "accept"),
}  # fmt: skip
"""how a thread waits, with which time-out -> the call that is seen"""


@pytest.mark.parametrize("name", WAITS)
def test_wait_of_another_thread_is_seen(name: str) -> None:
    """A call on the socket is seen, and a wait for it that has no time-out; a wait for another, or for a time, is not."""
    wait, timeout, seen = WAITS[name]
    with checked_sockets(open_is_leak=False):
        left, right = socket.socketpair()
        waker, waking = socket.socketpair()
        sock = socket.create_server(("127.0.0.1", 0)) if "accept" in name else left
        thread = Background(lambda: wait(sock, waker, timeout))
        found = None
        end = time.monotonic() + LONG
        while not _sleeps(thread):
            assert time.monotonic() < end
            time.sleep(0.0005)
        found = [(each.call, each.is_wait) for each in in_flight(sock)]
        kernel = [is_in_kernel(each) for each in in_flight(sock) if not each.is_wait]
        top = frames_of_threads()[thread._thread.ident or 0]
        names = [frame.f_code.co_name for frame in waits_for(top, sock.fileno(), sock)]
        waking.send(b"x")
        right.send(b"x")
        if "accept" in name:
            socket.create_connection(sock.getsockname()).close()
            thread.result()[0].close()
        thread.result()
        for each in {left, right, waker, waking, sock}:
            each.close()
    is_call = seen in ("recv", "accept")
    assert found == ([(seen, not is_call)] if seen else [])
    assert names == ([seen] if seen and not is_call else [])
    assert kernel == ([True] if is_call else [])


def _sleeps(thread: Background) -> bool:
    """Whether the thread is in one system call for two milliseconds, and does not wait for the interpreter's lock."""
    numbers = set()
    for _ in range(3):
        try:
            with open(f"/proc/self/task/{thread._thread.native_id}/syscall", encoding="ascii") as file:
                numbers.add(file.read().split()[0])
        except OSError:
            return False
        time.sleep(0.001)
    return len(numbers) == 1 and numbers.isdisjoint({"running", _FUTEX.get(platform.machine())})


MAKERS = ("select.poll", "select.epoll", "selectors.SelectSelector", "selectors.PollSelector", "selectors.EpollSelector")
CLOSED = """\
import contextlib, select, selectors, socket
a, b = socket.socketpair()
waiter = {maker}()
waiter.register(b, 1)
waiter.register(a, 1)
number = a.fileno()
{before}
a.close()
{behind}
with contextlib.suppress(OSError):
    waiter.{wait}(0)
with contextlib.suppress(OSError):
    waiter.{wait}(0)
b.close()
"""
ENDS = {
    "it stays registered": ("", "", True),
    "it is unregistered before": ("waiter.unregister(a)", "", False),
    "it is unregistered behind": ("", "with contextlib.suppress(OSError):\n    waiter.unregister(number)", False),
    "it is modified before": ("waiter.modify(a, 1)", "", True),
    "another has its number": ("", "c = socket.socket(fileno=None)\nassert c.fileno() == number\nwaiter.register(c, 1)", True),
}


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("end", ENDS)
def test_socket_that_is_closed_while_it_is_registered(maker: str, end: str) -> None:
    """It is reported when the selector is used again, once, at the line that closed it, unless the program unregisters it."""
    before, behind, is_reported = ENDS[end]
    if "another" in end and "Selector" not in maker:
        is_reported = False  # it takes the place of the first
    scope: dict[str, Any] = {}
    with checked_sockets(open_is_leak=False) as findings:
        wait = "select" if maker.endswith("Selector") else "poll"
        source = CLOSED.format(maker=maker, before=before, behind=behind, wait=wait)
        file = f"/work/waits/{maker} {end}.py"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        with suppress(KeyError):  # a selector that has the number already refuses another with it
            exec(compile(source, file, "exec"), scope)
        for name in ("b", "c", "waiter"):
            getattr(scope.pop(name, None), "close", str)()
    closed = [each for each in findings if each.code == "LC121"]
    assert [(each.line, each.call, each.history[-1].call) for each in closed] == [(8, "close", "close")] * is_reported
    assert len(findings) == len(closed)


PREENS = "try:\n    CALL()\nexcept OSError as error:\n    if error.errno != 9:\n        raise"
"""a reactor that looks, when a wait has failed, for the descriptors that are gone"""


@pytest.mark.parametrize(
    ("layers", "standing"),
    [
        ((("program", "CALL()"), ("package", PREENS)), Standing.QUESTION),
        ((("program", PREENS), ("package", "CALL()")), Standing.MISTAKE),
        ((("program", PREENS),), Standing.MISTAKE),
        ((("program", "try:\n    CALL()\nexcept OSError:\n    pass"),), Standing.NOTE),
        ((("program", "CALL()"),), Standing.MISTAKE),
    ],
)
def test_select_that_fails_is_a_query_of_the_library_that_takes_its_error(layers: Any, standing: Standing) -> None:
    """A reactor learns by it which descriptors are gone; a program's own select() for a closed socket stays a mistake."""
    assert asked(layers, lambda frame: _standing(frame, "select", OSError)) is standing

"""Which threads' calls are waited for before a descriptor is changed, and how long."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import pytest
from loopback import LONG

from lifecycle.system import polling, threads
from lifecycle.system.threads import DEPTH, until_calls_have_ended

pytestmark = pytest.mark.skipif(not threads.IS_ONE_STEP, reason="without the GIL nobody reads the variables of other threads")


def in_module(name: str, function: Callable[..., Any]) -> Any:
    """The function as if it were in the module of that name."""
    return FunctionType(function.__code__, {"__name__": name, "__builtins__": __builtins__})


def waiting(thing: object, entered: threading.Event, leave: threading.Event) -> None:
    """Wait in a frame that has the thing."""
    entered.set()
    leave.wait()


@contextmanager
def thread_in(module: str, thing: object) -> Iterator[threading.Event]:
    """A thread that waits in a function of that module; the event lets it go."""
    function = in_module(module, waiting)
    entered, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=function, args=(thing, entered, leave))
    thread.start()
    try:
        assert entered.wait(LONG)
        yield leave
    finally:
        leave.set()
        thread.join()


@pytest.mark.parametrize(
    ("module", "is_waited_for"),
    [
        ("lifecycle.net.fake", True),
        ("lifecycle.system.portable_calls", True),
        ("lifecycle.aio", True),
        ("lifecycle.system.polling", False),  # what waits there is woken
        ("lifecycles.fake", False),
        ("lifecycle", False),
        ("program", False),
    ],
)
def test_a_call_of_the_package_is_waited_for(module: str, is_waited_for: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads are looked at again until PATIENCE is over, but only if a call has one of the things."""
    monkeypatch.setattr(threads, "PATIENCE", 0.02)
    frames, looks = threads.frames_of_threads, []

    def frames_in_the_module() -> Any:
        """The frames that wait, as if what they call were in C."""
        looks.append(time.monotonic())
        found = frames()
        for thread, frame in found.items():
            at: Any = frame
            while at is not None and at.f_code is not waiting.__code__:
                at = at.f_back
            found[thread] = at or frame
        return found

    monkeypatch.setattr(threads, "frames_of_threads", frames_in_the_module)
    thing, other = object(), object()
    with thread_in(module, thing):
        for things, counts in (((other, thing), True), ((thing,), True), ((other,), False), ((), False)):
            looks.clear()
            until_calls_have_ended(*things)
            assert (len(looks) > 1) == (is_waited_for and counts)
            assert not looks[1:] or looks[-1] - looks[0] >= 0.01  # the last pause is 0.01 s at most


TAKING = """
def take(thing, depth):
    return take(None, depth - 1) if depth else frame()
"""


@pytest.mark.parametrize(
    ("depth", "is_concerned"), [(0, True), (1, True), (DEPTH - 1, True), (DEPTH, False), (DEPTH + 1, False)]
)
def test_a_thing_is_looked_for_in_some_frames(depth: int, is_concerned: bool) -> None:
    """In the current frame and the five above; a call of an object is not deeper than that."""
    module: dict[str, Any] = {"__name__": "lifecycle.fake", "frame": sys._getframe}
    exec(TAKING, module)
    thing = object()
    assert threads._is_concerned(module["take"](thing, depth), (object(), thing)) is is_concerned
    assert not threads._is_concerned(module["take"](thing, depth), (object(),))
    assert DEPTH == 6


def test_the_end_of_a_call_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends when the thread has left the call, or is in another one; one's own call is not waited for."""
    frame = sys._getframe()
    monkeypatch.setattr(threads, "_is_concerned", lambda each, things: each is frame)
    monkeypatch.setattr(threads, "frames_of_threads", lambda: looks.pop(0))
    mine, other = threading.get_ident(), 7
    for looks in (
        [{mine: frame}],
        [{other: frame}, {other: frame}, {}],
        [{other: frame}, {other: frame}, {other: sys._getframe(1)}],
        [{other: sys._getframe(1)}],
    ):
        until_calls_have_ended(frame)
        assert not looks
    assert threads.PATIENCE == 1


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(is_enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is off while the frames are made, and afterwards as before."""
    seen: list[bool] = []
    monkeypatch.setattr(sys, "_current_frames", lambda: seen.append(gc.isenabled()) or {})
    before = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        assert threads.frames_of_threads() == {}
        assert (seen, gc.isenabled()) == ([False], is_enabled)
    finally:
        (gc.enable if before else gc.disable)()


def test_waits_are_not_waited_for() -> None:
    """The name of the module whose calls are woken is the one of polling."""
    assert polling.__name__ == "lifecycle.system.polling"

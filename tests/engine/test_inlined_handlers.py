"""Handlers that run in the frame of their checked method: they behave as others do, and tools see them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import unwrap
from types import FrameType
from typing import Any
from unittest import mock

import pytest
from door import DOOR, door_class

from lifecycle import Accepted, Client, IllegalCall, Journal, Lifecycle, Server, aio
from lifecycle.engine import inlined, settled, usually_zero


def doubled(number: int) -> int:
    """What the inlined handler calls, by its module's name for it."""
    return 2 * number


class Inlined(Lifecycle, role=DOOR):
    """Its push() is one frame."""

    @inlined
    def push(self, number: int = 1, *, why: str = "") -> int:
        """Push it."""
        if why == "settled":
            return settled("failed", number)
        if why:
            raise ValueError(why)
        twice = doubled(number)
        return twice  # noqa: RET504 - a name is returned as it is

    def pull(self) -> None:
        """Pull it."""

    def remove(self) -> None:
        """Remove it."""


@inlined
@usually_zero("flags")
def push(self: Any, number: int, flags: int = 0) -> int:
    """Is one frame where `flags` is 0."""
    if not flags:
        return doubled(number) or settled("failed", -1)
    return flags


def frames_of(call: Callable[[], object]) -> list[tuple[str, str]]:
    """(file, function) of the Python frames that a call runs in."""
    found = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            found.append((frame.f_code.co_filename, frame.f_code.co_name))

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found[1:]


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_an_inlined_handler_behaves_as_any_other(engine: str) -> None:
    """Its signature, its values, its outcomes, its exceptions and its refusals are those of a handler in its own frame."""
    with Inlined(engine=engine) as door:
        assert door.push(3) == 6
        assert door.push(3, why="settled") == 3
        with pytest.raises(ValueError, match="no reason"):
            door.push(why="no reason")
        assert door.state == "open"
    with pytest.raises(IllegalCall):
        door.push()


def test_profilers_and_patches_see_an_inlined_handler() -> None:
    """The call is one frame, of the handler's own file and name, and looks names up in the handler's module."""
    with Inlined(engine="compiled") as door:
        assert frames_of(lambda: door.push(1)) == [(__file__, "push"), (__file__, "doubled")]
        with mock.patch(f"{__name__}.doubled", lambda number: -number):
            assert door.push(4) == -4


def test_a_parameter_that_is_usually_zero_takes_a_frame_where_it_is_not() -> None:
    """It makes no other difference, and what stands behind `or` may be settled, under both engines."""
    kind = door_class(push)
    for engine in ("compiled", "reference"):
        with kind(engine=engine) as door:
            assert (door.push(3), door.push(0), door.push(3, 5), door.push(3, flags=False)) == (6, -1, 5, 6)
    with kind(engine="compiled") as door:
        assert frames_of(lambda: door.push(1)) == [(__file__, "push"), (__file__, "doubled")]
        assert frames_of(lambda: door.push(1, 5)).count((__file__, "push")) == 2


def test_every_inlined_handler_of_the_sockets_is() -> None:
    """Its checked method has its file, and not one of generated code."""
    kinds: list[type[Lifecycle]] = [Client, Accepted, Server, aio.Client, aio.Accepted]
    for kind in kinds:
        kind()  # compiles the methods
    methods = [getattr(kind, call.name) for kind in kinds for call in kind.role.calls if call.fired_by is None]
    found = [method.__code__.co_filename for method in methods if hasattr(method.__handler__, "__inlined__")]
    assert len(found) > len(kinds)
    assert not [name for name in found if name.startswith("<")]
    checked = [unwrap(method, stop=lambda each: each.__wrapped__ is each.__handler__) for method in methods]
    assert not [method for method in checked if "_lc_handler" in method.__code__.co_varnames], "a frame of its own"


def test_a_breakpoint_in_an_inlined_handler_is_reached() -> None:
    """The lines of the handler's file run: a debugger that stops at one of them does."""
    lines = set()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_name == "push":
            lines.add(frame.f_lineno)
        return trace

    handler = Inlined.push.__handler__  # type: ignore[attr-defined]
    with Inlined(engine="compiled") as door:
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            door.push(1)
        finally:
            sys.settrace(before)
    own = {line for _, _, line in handler.__code__.co_lines() if line is not None}
    assert lines & own, "no line of the handler ran"
    assert max(lines) in own


def test_an_observed_inlined_call_is_recorded_at_the_callers_line() -> None:
    """The record of an inlined call names the line of its caller, and not of the handler."""
    with Journal() as journal, Inlined() as door:
        door.push(1)
    assert journal.records[0].line == sys._getframe().f_lineno - 1
    assert journal.records[0].call == "push"


def test_an_inlined_handler_without_its_source_has_a_frame_of_its_own() -> None:
    """Where the source of the handler is not available the call works the same."""
    namespace: dict[str, Any] = {}
    exec("def push(self, number): return number + 1", namespace)
    with door_class(inlined(namespace["push"]))() as door:
        assert door.push(1) == 2


def test_a_closure_cannot_be_inlined() -> None:
    """A handler that uses a variable around it, or super(), is refused when it is to be inlined."""
    secret = 5

    def push(self: Any) -> int:
        return secret

    with pytest.raises(TypeError, match="is inlined, so it cannot use a closure"):
        door_class(inlined(push))

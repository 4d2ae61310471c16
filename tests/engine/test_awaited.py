"""Calls whose handlers are coroutines: settled when the coroutine ends, whatever ends it."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from lifecycle import CallInProgress, ClosedDuringCall, IllegalCall, Journal, Lifecycle, Role
from lifecycle.engine import STANDARD_OUTCOMES, Call, Outcome, State, UnlistedOutcome, inlined, settled

LIFT = Role(
    name="lift",
    doc="Goes up and down, and takes its time.",
    states=(State("down", "At the bottom."), State("up", "At the top."), State("stuck", "Between."), State("gone", "Removed.")),
    calls=(
        Call("rise", "Go up.", exclusive=True),
        Call("sink", "Go down."),
        Call("ring", "Ring the bell."),
        Call("look", "Look at the display."),
        Call("remove", "Take it away.", settles="before"),
    ),
    outcomes=(*STANDARD_OUTCOMES, Outcome("full", "There is no room.")),
    rows=(
        ("down", "rise", {"ok": "up", "failed": "stuck"}),
        ("up", "sink", {"ok": "down", "full": "up", "failed": "up"}),
        ("down", "ring", {"ok": "down", "failed": "down"}),
        ("up", "ring", {"ok": "up", "failed": "up"}),
        ("stuck", "ring", {"ok": "stuck"}),
        *((state, "look", {"ok": state}) for state in ("down", "up", "stuck")),
        *((state, "remove", {"ok": "gone"}) for state in ("down", "up", "stuck", "gone")),
    ),
    initial="down",
    final=frozenset({"gone"}),
    closes="remove",
)


class Pause:
    """Something to await that ends when a test sends into it."""

    def __await__(self) -> Generator[str, object, object]:
        return (yield "pause")


async def _ring_long(times: int) -> int:
    await Pause()
    return settled("failed", -1) if times > 9 else times


class Lift(Lifecycle, role=LIFT):
    """Pauses wherever it moves."""

    released = 0

    async def rise(self, floors: int = 1, *, fast: bool = False) -> int:
        """Go up."""
        await Pause()
        if floors < 0:
            raise ValueError("down is the other way")
        return floors

    async def sink(self) -> str:
        await Pause()
        return settled("full", "nobody else")

    @inlined
    async def ring(self, times: int) -> int:
        if times < 3:
            return times
        return await _ring_long(times)

    def look(self) -> str:
        return self.state

    async def remove(self) -> None:
        await Pause()

    def _release(self) -> None:
        type(self).released += 1


def begun(call: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
    """A call that waits at its first pause."""
    assert call.send(None) == "pause"
    return call


def ended(call: Coroutine[Any, Any, Any]) -> Any:
    """What a call that waits returns when it may go on."""
    with pytest.raises(StopIteration) as end:
        call.send(None)
    return end.value.value


def closed(lift: Lift) -> None:
    """Take it away."""
    if lift.state != "gone":
        ended(begun(lift.remove()))


@pytest.fixture
def lift() -> Any:
    made = Lift()
    yield made
    closed(made)


def test_a_method_is_a_coroutine_function_with_the_handlers_signature() -> None:
    """The generated method is a coroutine function where the handler is one, and a plain one where it is not."""
    assert inspect.iscoroutinefunction(Lift.rise)
    assert not inspect.iscoroutinefunction(Lift.look)
    assert str(inspect.signature(Lift.rise)) == "(self, floors: 'int' = 1, *, fast: 'bool' = False) -> 'int'"
    assert Lift.rise.__doc__ == "Go up."


def test_the_state_changes_when_the_coroutine_ends(lift: Lift) -> None:
    """While it waits the state is the old one; the caller gets the handler's value, and the table its outcome."""
    call = begun(lift.rise(3))
    assert lift.state == "down"
    assert ended(call) == 3
    assert lift.state == "up"
    assert ended(begun(lift.sink())) == "nobody else"
    assert lift.state == "up"


def test_a_call_that_is_not_awaited_does_nothing(lift: Lift) -> None:
    """A coroutine that is never begun has checked and changed nothing, also where the call is illegal."""
    lift.sink().close()
    lift.rise().close()
    assert lift.state == "down"
    assert ended(begun(lift.rise())) == 1


def test_an_illegal_call_is_refused_when_it_is_awaited(lift: Lift) -> None:
    """IllegalCall is raised by the await, before the handler runs."""
    with pytest.raises(IllegalCall, match=r"Lift.sink\(\) is not legal in state 'down'"):
        lift.sink().send(None)


@pytest.mark.parametrize("thrown", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit(), RuntimeError("bug")])
def test_whatever_is_thrown_at_an_await_is_an_ending(lift: Lift, thrown: BaseException) -> None:
    """A cancellation is classified like any exception: the state is one that the table names, and the call can be repeated."""
    call = begun(lift.rise())
    with pytest.raises(type(thrown)):
        call.throw(thrown)
    assert lift.state == "stuck"
    assert lift._claim is None
    call = begun(lift.ring(5))
    with pytest.raises(type(thrown)):
        call.throw(thrown)
    assert lift.state == "stuck", "its row does not list the outcome"
    assert ended(begun(lift.ring(5))) == 5


def test_an_exclusive_call_is_claimed_while_it_waits(lift: Lift) -> None:
    """A second exclusive call is refused while the first one waits, and others are not."""
    call = begun(lift.rise())
    with pytest.raises(CallInProgress) as refusal:
        lift.rise().send(None)
    assert refusal.value.running == "rise"
    assert lift.look() == "down"
    assert ended(call) == 1


def test_an_inlined_handler_awaits_only_what_it_has_to() -> None:
    """A name that an inlined handler returns ends the coroutine at its first step; what it awaits may say how it ended."""
    lift = Lift(engine="compiled")
    with pytest.raises(StopIteration) as end:
        lift.ring(2).send(None)
    assert end.value.value == 2
    assert ended(begun(lift.ring(3))) == 3
    assert ended(begun(lift.ring(10))) == -1
    closed(lift)


def test_a_call_that_was_overtaken_says_so(lift: Lift) -> None:
    """What ends after the object was closed gets ClosedDuringCall, unless the program was told to stop."""
    call = begun(lift.rise())
    other = begun(lift.ring(4))
    ended(begun(lift.remove()))
    with pytest.raises(ClosedDuringCall):
        call.send(None)
    with pytest.raises(asyncio.CancelledError):
        other.throw(asyncio.CancelledError())
    assert lift.state == "gone"


def test_what_settles_before_changes_the_state_before_the_wait(lift: Lift) -> None:
    """A call that settles before its handler has its state while its coroutine waits."""
    call = begun(lift.remove())
    assert lift.state == "gone"
    ended(call)


def test_an_unlisted_outcome_is_an_error() -> None:
    """A result whose outcome the row does not list raises UnlistedOutcome from the await."""

    class Odd(Lift):
        async def ring(self, times: int) -> int:
            await Pause()
            return settled("full", times)

    odd = Odd()
    with pytest.raises(UnlistedOutcome):
        begun(odd.ring(1)).send(None)
    closed(odd)


def test_a_journal_records_begin_and_end(lift: Lift) -> None:
    """A record is made when the call is awaited, and completed when its coroutine ends, or is cancelled."""
    with Journal(lift) as journal:
        call = begun(lift.rise(2))
        (record,) = journal.records
        assert (record.call, record.state, record.outcome, record.arguments) == ("rise", "down", None, "2, fast=False")
        assert record.file == __file__
        ended(call)
        assert (record.outcome, record.next_state) == ("ok", "up")
        call = begun(lift.sink())
        with pytest.raises(asyncio.CancelledError):
            call.throw(asyncio.CancelledError("enough"))
        assert journal.records[-1].outcome == "failed"
        assert journal.records[-1].error == "CancelledError: enough"
        with pytest.raises(IllegalCall):
            lift.rise().send(None)
        assert journal.records[-1].outcome == "illegal"


def test_overrides_are_awaited() -> None:
    """An override is settled when it ends, be it a coroutine function or a plain one that hands an awaitable on."""

    class Express(Lift):
        async def rise(self, floors: int = 1, *, fast: bool = True) -> int:
            return 2 * await super().rise(floors, fast=fast)

        def ring(self, times: int) -> Any:
            return super().ring(times + 1)

        async def look(self) -> str:  # type: ignore[override]
            await Pause()
            return "seen"

    express = Express()
    assert inspect.iscoroutinefunction(Express.ring)
    assert ended(begun(express.rise(4))) == 8
    assert express.state == "up"
    assert ended(begun(express.ring(4))) == 5
    assert ended(begun(express.look())) == "seen"
    with pytest.raises(IllegalCall):
        express.rise().send(None)
    call = begun(express.sink())
    with pytest.raises(asyncio.CancelledError):
        call.throw(asyncio.CancelledError())
    assert express.state == "up"
    closed(express)


def test_async_with_awaits_the_closing() -> None:
    """`async with` awaits a closing call that is awaited, also after an error; `with` says that it cannot."""

    async def main() -> Lift:
        async with Quick() as quick:
            await quick.rise()
        return quick

    class Quick(Lift):
        async def rise(self, floors: int = 1, *, fast: bool = False) -> int:
            return settled("ok", floors)

        async def remove(self) -> None:
            await asyncio.sleep(0)
            self._release()

    before = Quick.released
    quick = asyncio.run(main())
    assert quick.state == "gone"
    assert Quick.released == before + 1
    with pytest.raises(TypeError, match="async with"), Quick():
        pass


def test_async_with_of_a_plain_closing() -> None:
    """`async with` also closes an object whose closing call is a plain one, as `with` does."""

    class Plain(Lifecycle, role=LIFT):
        def rise(self) -> None: ...
        def sink(self) -> None: ...
        def ring(self) -> None: ...
        def look(self) -> None: ...
        def remove(self) -> None: ...

    async def main() -> Plain:
        async with Plain() as plain:
            plain.rise()
        return plain

    assert asyncio.run(main()).state == "gone"
    with Plain() as plain:
        pass
    assert plain.state == "gone"


def test_a_plain_override_may_give_a_value() -> None:
    """A plain override of an awaited call is awaited too: callers need not know."""

    class Stairs(Lift):
        def rise(self, floors: int = 1, *, fast: bool = False) -> int:  # type: ignore[override]
            return floors

    stairs = Stairs()
    with pytest.raises(StopIteration) as end:
        stairs.rise(7).send(None)  # type: ignore[attr-defined]
    assert (end.value.value, stairs.state) == (7, "up")
    closed(stairs)


def test_a_forgotten_object_is_released() -> None:
    """One that is forgotten warns, and gives back what it holds, since nobody is there to await its closing call."""
    lift = Lift()
    ended(begun(lift.rise()))
    before = Lift.released
    with pytest.warns(ResourceWarning, match="unclosed"):
        del lift
    assert Lift.released == before + 1


def test_a_traceback_shows_the_generated_method() -> None:
    """The lines of the generated coroutine are in the traceback of what its handler raises."""
    lift = Lift(engine="compiled")
    call = begun(lift.rise(-1))
    with pytest.raises(ValueError, match="other way") as failure:
        call.send(None)
    assert "_lc_result = await _lc_handler(self, floors, fast=fast)" in "".join(traceback.format_exception(failure.value))
    closed(lift)


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_both_engines_await(engine: str) -> None:
    """Under either engine a call is settled at its end, and a claim lasts until then."""
    lift = Lift(engine=engine)
    call = begun(lift.rise())
    with pytest.raises(CallInProgress):
        lift.rise().send(None)
    assert ended(call) == 1
    assert lift.state == "up"
    closed(lift)

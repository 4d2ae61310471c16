"""The campaigns, in short; each module's docstring says how to run it at length."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Iterator

import pytest
from campaigns import cancellations, forks, interrupts, interrupts_awaited, threads
from event_loops import INSTALLED

from lifecycle import Journal
from lifecycle.system.polling import provide_waker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Objects that are dropped by an interrupt close themselves, and warn; so does a coroutine that it keeps from its await."""
    provide_waker()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        yield


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger or coverage traces already")
@pytest.mark.parametrize("name", interrupts.CASES)
def test_an_exception_at_any_instruction_leaves_what_is_true(name: str) -> None:
    """An exception of a signal handler at any instruction leaves a true state, no claim, and every descriptor."""
    engine = ("compiled", "reference")[len(name) % 2]
    step = 151 if name.endswith("that_waits") else 41  # each of those takes its time
    first = sum(map(ord, name)) % step + 1  # each case tries other instructions
    assert interrupts.every_instruction(name, engine, step=step, first=first)[1] == []


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger or coverage traces already")
@pytest.mark.parametrize("name", interrupts_awaited.CASES)
def test_an_exception_or_a_cancellation_of_an_awaited_call_leaves_what_is_true(name: str) -> None:
    """The same for an awaited call, over TLS too; and it ends, and so it does when it is cancelled at any await."""
    engine = ("compiled", "reference")[len(name) % 2]
    first = sum(map(ord, name)) % 300 + 1
    assert asyncio.run(interrupts_awaited.tried(name, engine, step=300, first=first))[2] == []


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger or coverage traces already")
def test_an_exception_over_tls_leaves_what_is_true() -> None:
    """The same over TLS: the peer understands what the state lets one do, and exactly what was sent has come."""
    for number, name in enumerate(interrupts_awaited.TLS):
        assert interrupts_awaited.tried_over_tls(name, "compiled", step=400, first=40 * number + 1)[1] == []


def test_an_exception_while_observed_leaves_what_is_true() -> None:
    """The same while a journal is kept, which takes another way through the engine."""
    with Journal():
        for name in ("listen", "shut_down_sends", "detach"):
            assert interrupts.every_instruction(name, "compiled", step=11)[1] == []


def test_an_exception_by_a_timer_leaves_what_is_true() -> None:
    """The same by real signals, at times that differ."""
    for name in ("bind", "accept", "connect", "disconnect", "shut_down_both", "attach_socket", "close", "send_much"):
        assert interrupts.by_a_timer(name, "compiled", 12, seed=len(name))[1] == []


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_every_call_against_every_other(engine: str) -> None:
    """64 threads that make every call on shared objects see no foreign error, hang nowhere, and lose no descriptor."""
    _, findings, more = threads.run(0.1, engine)  # one round
    assert not findings.foreign, findings.samples
    assert not more


def test_forked_children_can_go_on() -> None:
    """A child that is forked while threads make calls holds nothing of theirs, and can use and close the objects."""
    forked, wrong = forks.run(0.5)
    assert forked
    assert not wrong


@pytest.mark.parametrize("loop", [loop for loop in cancellations.LOOPS if INSTALLED[loop]])
def test_cancelled_calls_lose_nothing(loop: str) -> None:
    """Sends, receives, accepts and connects that are cancelled at any time lose and repeat no byte, and leave nothing."""
    assert cancellations.run(300, loop).wrong == []

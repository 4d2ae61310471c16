"""Generated methods compare what an object holds, and set it, in one step for all threads."""

from __future__ import annotations

import dis
import linecache
import re
from collections.abc import Iterator
from types import CodeType, FunctionType

import pytest

from lifecycle import Client, Lifecycle, Server
from lifecycle.engine import steps as engine_steps
from lifecycle.engine.steps import IS_ONE_STEP
from lifecycle.net.blocking.driver import BlockingSocket

INTERRUPTS = ("BEFORE_WITH", "CALL", "FOR_ITER", "JUMP_BACKWARD", "PRECALL", "RESUME", "SEND", "YIELD")
"""The instructions, by their beginnings, at which CPython may run another thread, a signal handler or the collector"""

COMPARES = re.compile(r"\s*if self\._node is _lc_node")
SETS = re.compile(r"\s*self\._(node|claim) = ")


def steps(code: CodeType) -> Iterator[set[str]]:
    """The instructions of each comparison with the store that follows it."""
    begins = 0
    for number, line in enumerate(linecache.getlines(code.co_filename), 1):
        if COMPARES.match(line):
            begins = number
        elif begins and SETS.match(line):
            within = range(begins, number + 1)
            begins = 0
            yield {
                each.opname
                for each in dis.get_instructions(code)
                if each.positions is not None and each.positions.lineno in within
            }


@pytest.mark.skipif(not IS_ONE_STEP, reason="the methods take the lock here")
@pytest.mark.parametrize(
    ("kind", "call"),
    [(Server, "listen"), (Client, "open"), (Client, "close"), (Client, "shut_down"), (Client, "detach")],
)
def test_nothing_comes_between(kind: type[Lifecycle], call: str) -> None:
    """Between a comparison and its store there is no instruction at which CPython runs anything else."""
    method = getattr(kind, call)
    while not method.__code__.co_filename.startswith("<lifecycle"):
        method = method.__wrapped__  # what gives a descriptor back after an interrupt
    found = list(steps(method.__code__))
    assert found
    for names in found:
        assert {"STORE_ATTR"} <= names
        assert not [name for name in names if name.startswith(INTERRUPTS)]


@pytest.mark.skipif(not IS_ONE_STEP, reason="the functions take the lock here")
@pytest.mark.parametrize("step", [Lifecycle._claims, Lifecycle._moves, Lifecycle._give_up, BlockingSocket._exchange_waits])
def test_a_step_calls_nothing(step: FunctionType) -> None:
    """A function that is one step has, behind its beginning, no instruction at which CPython runs anything else."""
    _, *names = [each.opname for each in dis.get_instructions(step) if each.opname not in ("CACHE", "COPY_FREE_VARS")]
    assert "STORE_ATTR" in names
    assert not [name for name in names if name.startswith(INTERRUPTS)]


def test_without_the_gil_a_step_takes_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a comparison and a store are not one step, a function that is one holds the lock of all objects."""
    monkeypatch.setattr(engine_steps, "IS_ONE_STEP", False)
    assert engine_steps.one_step(engine_steps.LOCK.locked)()
    assert not engine_steps.LOCK.locked()

"""Generated methods compare what an object holds, and set it, in one step for all threads."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType

import pytest

from lifecycle import Client, Lifecycle, Server
from lifecycle.engine import steps as engine_steps
from lifecycle.engine.steps import IS_ONE_STEP
from lifecycle.net.blocking.driver import BlockingSocket

INTERRUPTS = ("BEFORE_WITH", "CALL", "FOR_ITER", "JUMP_BACKWARD", "PRECALL", "RESUME", "SEND", "YIELD")
"""The instructions, by their beginnings, at which CPython may run another thread, a signal handler or the collector"""


def steps(code: CodeType) -> Iterator[list[str]]:
    """The instructions from where an object's node, or its claim alone, is read, to the store that follows it.

    A call that gives its claim up stores None, and needs no comparison: no other call can have taken it.
    """
    names: list[str] = []
    for each in dis.get_instructions(code):
        if each.opname == "LOAD_ATTR" and (each.argval == "_node" or (each.argval == "_claim" and may_be_interrupted(names))):
            names = []
        names.append(each.opname)
        if each.opname == "STORE_ATTR" and each.argval in ("_node", "_claim"):
            if each.argval == "_node" or names[-3] != "LOAD_CONST":
                yield names
            names = []


def may_be_interrupted(names: list[str]) -> bool:
    return any(name.startswith(INTERRUPTS) for name in names)


@pytest.mark.skipif(not IS_ONE_STEP, reason="the methods take the lock here")
@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (Server, "listen"),
        (Server, "accept"),
        (Client, "open"),
        (Client, "bind"),
        (Client, "close"),
        (Client, "shut_down"),
        (Client, "detach"),
    ],
)
def test_nothing_comes_between(kind: type[Lifecycle], call: str) -> None:
    """Between a comparison and its store there is no instruction at which CPython runs anything else."""
    kind()  # compiles the methods
    method = getattr(kind, call)
    while hasattr(method, "__wrapped__") and method.__wrapped__ is not method.__handler__:
        method = method.__wrapped__  # what gives a descriptor back after an interrupt
    found = list(steps(method.__code__))
    assert found
    for names in found:
        assert not may_be_interrupted(names), names


@pytest.mark.skipif(not IS_ONE_STEP, reason="the functions take the lock here")
@pytest.mark.parametrize("step", [Lifecycle._claims, Lifecycle._moves, Lifecycle._give_up, BlockingSocket._exchange_waits])
def test_a_step_calls_nothing(step: FunctionType) -> None:
    """A function that is one step has, behind its beginning, no instruction at which CPython runs anything else."""
    _, *names = [each.opname for each in dis.get_instructions(step) if each.opname not in ("CACHE", "COPY_FREE_VARS")]
    assert "STORE_ATTR" in names
    assert not may_be_interrupted(names)


def test_without_the_gil_a_step_takes_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a comparison and a store are not one step, a function that is one holds the lock of all objects."""
    monkeypatch.setattr(engine_steps, "IS_ONE_STEP", False)
    assert engine_steps.one_step(engine_steps.LOCK.locked)()
    assert not engine_steps.LOCK.locked()

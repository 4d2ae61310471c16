"""Generated methods compare what an object holds, and set it, in one step for all threads."""

from __future__ import annotations

import dis
import linecache
import re
from collections.abc import Iterator
from types import CodeType

import pytest

from lifecycle import Client, Lifecycle, Server
from lifecycle.engine.steps import IS_ONE_STEP

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
    found = list(steps(getattr(kind, call).__code__))
    assert found
    for names in found:
        assert {"STORE_ATTR"} <= names
        assert not [name for name in names if name.startswith(INTERRUPTS)]

"""Measures cases side by side, so that a noisy machine disturbs all of them alike.

All cases run in every round, in shuffled order; each round gives one ratio, and the figure is the median of these ratios.
Each case has code of its own: CPython specialises code where it runs, so that a loop shared by several cases would be
specialised for none of them.
"""

from __future__ import annotations

import gc
import random
import statistics
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

Loop = Callable[[int], tuple[int, Any]]
"""(count) -> (nanoseconds for all of them, what the last one left in `last`)"""

Batch = Callable[[], Sequence[float]]
"""Runs one case once; nanoseconds per call for each of its phases."""

_LOOP = """\
def loop(count, repeat=repeat, clock=clock{names}):
    last = None
    begin = clock()
    for _ in repeat(None, count):
{statement}
    return clock() - begin, last
"""


def timed_loop(statement: str, **names: object) -> Loop:
    """A function, with code of its own, that repeats `statement` and times it.

    names: what the statement uses; they are local variables to it. It may leave a value in `last`.
    """
    source = _LOOP.format(names="".join(f", {name}={name}" for name in names), statement=textwrap.indent(statement, " " * 8))
    namespace: dict[str, Any] = {"repeat": repeat, "clock": time.perf_counter_ns, **names}
    exec(compile(source, f"<timed {statement.strip().splitlines()[0]}>", "exec"), namespace)
    loop: Loop = namespace["loop"]
    return loop


def batch_of(loop: Loop, count: int) -> Batch:
    """The case that runs `loop` `count` times: one phase."""
    return lambda: (loop(count)[0] / count,)


class Spread(NamedTuple):
    """A median with the quartiles around it."""

    median: float
    low: float
    high: float


class Series:
    """What the rounds measured: for each case and round, nanoseconds per call for each phase; None where it sat out."""

    def __init__(self, names: Iterable[str]) -> None:
        self._rounds: dict[str, list[Sequence[float] | None]] = {name: [] for name in names}

    def add(self, results: Mapping[str, Sequence[float]]) -> None:
        """Add a round."""
        for name, rounds in self._rounds.items():
            rounds.append(results.get(name))

    def nanoseconds(self, case: str, phase: int = 0) -> float:
        """The median time of one call."""
        return statistics.median(each[phase] for each in self._rounds[case] if each is not None)

    def spread(self, case: str, phase: int = 0) -> Spread:
        """The median time of one call, with its quartiles."""
        return spread([each[phase] for each in self._rounds[case] if each is not None])

    def ratio(self, case: str, baseline: str, phase: int = 0) -> Spread:
        """How many times as long as `baseline` the case takes: of the ratio of each round, the median."""
        pairs = zip(self._rounds[case], self._rounds[baseline], strict=True)
        return spread([one[phase] / other[phase] for one, other in pairs if one is not None and other is not None])


def interleave(cases: Mapping[str, Batch], rounds: Iterable[int], *, every: Mapping[str, int] | None = None) -> Series:
    """Run every case once per round, in shuffled order.

    every: for a case that shall not take part in every round, in which ones it does (10: in every tenth).
    """
    series = Series(cases)
    sparse = every or {}
    shuffled = random.Random(0)
    for batch in cases.values():
        batch()
    gc.collect()
    gc.disable()
    try:
        for number in rounds:
            present = [name for name in cases if number % sparse.get(name, 1) == 0]
            shuffled.shuffle(present)
            series.add({name: cases[name]() for name in present})
    finally:
        gc.enable()
    return series


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles of `values`."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def duration(nanoseconds: float) -> str:
    """A time in words, to three digits."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{digits(nanoseconds / size)} {unit}"
    return f"{digits(nanoseconds)} ns"


def digits(value: float, wanted: int = 3) -> str:
    """A number rounded to so many digits, never in powers of ten."""
    before_point = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:,.{max(0, wanted - before_point)}f}"

"""What a benchmark hands over: figures with their limits, and who else was measured in the same run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.effort import Effort
from benchmarks.interleaved import Series, Spread, duration


@dataclass(frozen=True)
class Figure:
    """One measured number and its limit.

    unit: "x" for a ratio, "B", "us", "s", or "" for a count. limit: None for a figure that is only reported. at_least: whether
    the limit is a lower one. timed: whether it depends on the clock (a short run does not judge it then). baseline: what
    it was measured against, in words. others: the same number for other libraries, None for one that is not installed.
    nanoseconds: the median time of each case, where there is one.
    """

    name: str
    measured: Spread
    unit: str
    limit: float | None = None
    at_least: bool = False
    timed: bool = True
    baseline: str = ""
    others: Mapping[str, float | None] = field(default_factory=dict)
    nanoseconds: Mapping[str, float] = field(default_factory=dict)

    def verdict(self, quick: bool = False) -> str:
        """ "within", "missed", "reported" (no limit), or "not judged" (a time in the short form)."""
        if self.limit is None:
            return "reported"
        if quick and self.timed:
            return "not judged"
        value = self.measured.median
        return "within" if (value >= self.limit if self.at_least else value <= self.limit) else "missed"


@dataclass(frozen=True)
class Claim:
    """One row of the budgets: its name on the command line, its words, and how it is measured."""

    name: str
    words: str
    measure: Callable[[Effort], list[Figure]]


def exactly(value: float) -> Spread:
    """The spread of a number that does not vary."""
    return Spread(value, value, value)


def against_raw(
    name: str,
    series: Series,
    rivals: Mapping[str, object],
    *,
    phase: int = 0,
    limit: float | None = None,
    baseline: str = "raw",
) -> Figure:
    """The figure "how many times as long as `raw`"."""
    cases = ["raw", "lifecycle", *(rival for rival, present in rivals.items() if present is not None)]
    times = {case: series.nanoseconds(case, phase) for case in cases}
    return Figure(
        name,
        series.ratio("lifecycle", "raw", phase),
        "x",
        limit,
        baseline=f"{baseline} {duration(times['raw'])}",
        others={
            rival: None if present is None else series.ratio(rival, "raw", phase).median for rival, present in rivals.items()
        },
        nanoseconds=times,
    )

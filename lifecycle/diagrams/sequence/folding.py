"""Folding: a run of repeated calls that keep the state becomes one step, so that a long conversation stays readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lifecycle.engine import Record


@dataclass(frozen=True, slots=True)
class CallRun:
    """Consecutive records of one object."""

    records: tuple[Record, ...]

    @property
    def first(self) -> Record:
        """The record that began first."""
        return self.records[0]

    @property
    def last(self) -> Record:
        """The record that began last."""
        return self.records[-1]

    def counts(self, outcome: Callable[[Record], str]) -> list[tuple[tuple[str, str], int]]:
        """((call, outcome), count), in order of first appearance."""
        return list(Counter((record.call, outcome(record)) for record in self.records).items())


def folded(
    records: Sequence[Record], least: int, stands_apart: Callable[[Record], bool] = lambda record: False
) -> list[CallRun]:
    """The records as runs, in order of their begins; a record that is not folded is a run of one.

    A run is folded if one of its calls is repeated at least `least` times with the same outcome; 0 folds nothing.
    stands_apart: whether a record is never folded.
    """
    runs: list[CallRun] = []
    for alike in _alike(records, stands_apart):
        often = max(Counter((record.call, record.outcome) for record in alike).values())
        if least and often >= least:
            runs.append(CallRun(tuple(alike)))
        else:
            runs.extend(CallRun((record,)) for record in alike)
    return sorted(runs, key=lambda run: run.first.began)


def _alike(records: Sequence[Record], stands_apart: Callable[[Record], bool]) -> Iterator[list[Record]]:
    """For each object, the longest sequences of consecutive records that could be one step."""
    lanes: dict[str, list[Record]] = {}
    for record in records:
        lanes.setdefault(record.subject, []).append(record)
    for lane in lanes.values():
        alike: list[Record] = []
        for record in lane:
            if alike and (stands_apart(alike[-1]) or stands_apart(record) or not _belong_together(alike[-1], record)):
                yield alike
                alike = []
            alike.append(record)
        yield alike


def _belong_together(before: Record, after: Record) -> bool:
    """Whether two consecutive calls both ended, kept the same state, and were both legal or refused in the same way."""
    if any(
        record.next_state != before.state or record.state != before.state or record.ended is None for record in (before, after)
    ):
        return False
    if "illegal" in (before.outcome, after.outcome):
        return (before.call, before.outcome) == (after.call, after.outcome)
    return True

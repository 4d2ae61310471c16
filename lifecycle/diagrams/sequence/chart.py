"""The model of a chart: lanes, steps, and the moments at which steps begin and end.

A step is one call, or a run of repeated calls that is folded into one. It has one row if nothing else happened between
its begin and its end, and two otherwise: between the two it blocks its lane, which every renderer shows.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush

from lifecycle.diagrams.lettering import visible
from lifecycle.diagrams.sequence.folding import CallRun, folded
from lifecycle.engine import STANDARD_OUTCOMES, Kind, Record, Role
from lifecycle.roles import ROLES
from lifecycle.system.output import printable

LONG = 0.01
"""A call that takes at least that many seconds is drawn as blocking its object, even if nothing else happened meanwhile."""

MOST_COLUMNS, AT_ONCE = 12, 64
"""The maximum number of columns: a new object takes the column of one that has ended; further ones share the last column."""

LONGEST = 1000
"""The maximum number of characters shown of a name, an argument or an error"""

FOLD = 3
"""The default number of repetitions from which a run of calls is folded."""

_OBJECT = re.compile(r"<(?:class ')?(?:\w+\.)+(\w+)(\.\.\.)?[^,]*>")
_KINDS = {outcome.name: outcome.kind for outcome in STANDARD_OUTCOMES}


class Tone(StrEnum):
    """The kind of a step, for readers."""

    DONE = "done"
    FAILED = "failed"
    ILLEGAL = "illegal"
    RUNNING = "running"


class Part(StrEnum):
    """The part of a step that a row shows."""

    WHOLE = "whole"
    BEGIN = "begin"
    END = "end"


@dataclass(frozen=True, slots=True)
class Lane:
    """One object. `name` is unique in the chart; `state` is its state before its first call."""

    name: str
    role: str
    state: str


@dataclass(frozen=True, slots=True)
class ChartStep:
    """One call on one lane, or a folded run of them. Times are seconds since the chart's begin.

    count: the number of its calls. label: the call with its arguments, or the folded calls with their numbers.
    short: without arguments. outcome: "" where it is `ok`. before: the state it began in. state: the state it led to, or ""
    if it kept the state. reason: why it was refused, one sentence per item. fired_by: the lane whose running call fired
    this one. ended is None for a call that had not ended when the journal did.
    """

    lane: int
    count: int
    label: str
    short: str
    outcome: str
    before: str
    state: str
    tone: Tone
    began: float
    ended: float | None
    reason: tuple[str, ...] = ()
    fired_by: int | None = None

    @property
    def is_long(self) -> bool:
        """Whether it took so long that its duration is shown."""
        return self.ended is not None and self.ended - self.began >= LONG


@dataclass(frozen=True, slots=True)
class Moment:
    """One row of the chart."""

    time: float
    step: ChartStep
    part: Part


@dataclass(frozen=True, slots=True)
class Chart:
    """A run, ready to be drawn: its lanes from left to right, its rows from first to last."""

    lanes: tuple[Lane, ...]
    moments: tuple[Moment, ...]

    def clock(self, seconds: float) -> str:
        """A time of this chart as text, without its unit."""
        return f"{seconds:.2f}" if self.unit == "s" else f"{seconds * 1000:.2f}"

    @property
    def unit(self) -> str:
        """The unit of clock(): "ms", or "s" if the run took more than ten seconds."""
        return "s" if self.moments and self.moments[-1].time >= 10 else "ms"

    def columns(self) -> list[int]:
        """lane -> its column: a new one, or the leftmost that an earlier lane has left."""
        if len(self.lanes) <= MOST_COLUMNS:
            return list(range(len(self.lanes)))
        first, last = self.spans()
        in_use: list[tuple[int, int]] = []  # a heap of (last row of the lane, its column)
        free: list[int] = []  # a heap of columns
        columns = []
        for lane in range(len(self.lanes)):
            while in_use and in_use[0][0] < first[lane]:
                heappush(free, heappop(in_use)[1])
            column = heappop(free) if free else len(in_use)
            heappush(in_use, (last[lane], column))
            columns.append(min(column, AT_ONCE - 1))
        return columns

    def spans(self) -> tuple[dict[int, int], dict[int, int]]:
        """lane -> its first row, lane -> its last row; a call that still runs keeps its lane to the end."""
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for number, moment in enumerate(self.moments):
            lane = moment.step.lane
            first.setdefault(lane, number)
            last[lane] = len(self.moments) if moment.step.ended is None else max(number, last.get(lane, 0))
        return first, last

    def lasted(self, step: ChartStep) -> str:
        """The duration of a step, with its unit."""
        return "" if step.ended is None else f"{self.clock(step.ended - step.began)} {self.unit}"

    def headline(self, moment: Moment) -> str:
        """The call of a row and its outcome; a blocking call has its begin in its first row and its end in its second."""
        step = moment.step
        outcome = f"ILLEGAL in {step.before}" if step.tone is Tone.ILLEGAL else f"[{step.outcome}]" if step.outcome else ""
        fired = f"(by {self.lanes[step.fired_by].name})" if step.fired_by is not None else ""
        parts: tuple[str, ...]
        match moment.part:
            case Part.BEGIN:
                parts = (step.label, fired, "...")
            case Part.END:
                parts = (step.short, outcome or "ok", f"after {self.lasted(step)}")
            case Part.WHOLE:
                parts = (step.label, outcome, fired, f"after {self.lasted(step)}" if step.is_long else "")
        return " ".join(part for part in parts if part)


def chart_of(records: Iterable[Record], *, fold: int = FOLD, roles: Mapping[str, Role] = ROLES) -> Chart:
    """The chart of recorded calls.

    records: as in Journal.records, in any order; some calls may still be running. fold: a run of calls on
    one object that keep its state is drawn as one step when one of them is repeated at least that often; 0 folds nothing.
    roles: name -> role, for the meaning of outcomes; an outcome of an unknown role is looked up by its standard name.
    """
    ordered = sorted(records, key=lambda record: record.began)
    start = ordered[0].began if ordered else 0.0
    lanes: dict[str, Lane] = {}
    for record in ordered:
        lanes.setdefault(record.subject, Lane(_shown(record.subject), _shown(record.role), _shown(record.state)))
    numbers = {subject: number for number, subject in enumerate(lanes)}
    firing = _firing_lanes(ordered, numbers, roles)
    steps = [
        _step(run, numbers[run.first.subject], start, roles, firing[id(run.first)])
        for run in folded(ordered, fold, lambda record: firing[id(record)] is not None)
    ]
    return Chart(tuple(lanes.values()), tuple(_moments(steps)))


def _shown(name: str) -> str:
    return visible(name if len(name) <= LONGEST else f"{name[:LONGEST]}...")


def _step(run: CallRun, lane: int, start: float, roles: Mapping[str, Role], fired_by: int | None) -> ChartStep:
    first, last = run.first, run.last
    failures = [record for record in run.records if _kind(record, roles) is Kind.FAILURE or _has_refused_arguments(record)]
    tone = Tone.FAILED if failures else Tone.DONE
    if last.outcome == "illegal":
        tone = Tone.ILLEGAL
    elif last.ended is None:
        tone = Tone.RUNNING
    if len(run.records) == 1:
        short = f"{_shown(first.call)}()"
        label = f"{_shown(first.call)}({_shown_arguments(first.arguments)})"
        outcome = _shown_outcome(first)
    else:
        short = label = ", ".join(
            f"{_shown(call)}{f' [{outcome}]' if outcome else ''}{f' x{count}' if count > 1 else ''}"
            for (call, outcome), count in run.counts(_shown_outcome)
        )
        outcome = ""
    ends = [record.ended for record in run.records]
    return ChartStep(
        lane=lane,
        count=len(run.records),
        label=label,
        short=short,
        outcome=outcome,
        before=_shown(first.state),
        state=_shown(last.next_state) if last.next_state is not None and last.next_state != first.state else "",
        tone=tone,
        began=first.began - start,
        ended=None if last.ended is None else max(first.began, *(end for end in ends if end is not None)) - start,
        reason=_reason(failures[-1].error if failures and tone is Tone.FAILED else last.error, tone),
        fired_by=fired_by,
    )


def _moments(steps: Sequence[ChartStep]) -> Iterator[Moment]:
    """The rows in order of time; a step whose begin and end are neighbours has one."""
    points = [(step.began, number, Part.BEGIN) for number, step in enumerate(steps)]
    points += [(step.ended, number, Part.END) for number, step in enumerate(steps) if step.ended is not None]
    points.sort(key=lambda point: (point[0], point[1], point[2] is Part.END))
    for place, (time, number, part) in enumerate(points):
        before, after = points[place - 1 : place], points[place + 1 : place + 2]
        if part is Part.BEGIN:
            is_whole = bool(after) and after[0][1:] == (number, Part.END)
            yield Moment(time, steps[number], Part.WHOLE if is_whole else Part.BEGIN)
        elif not before or before[0][1:] != (number, Part.BEGIN):
            yield Moment(time, steps[number], Part.END)


def _firing_lanes(ordered: Sequence[Record], numbers: Mapping[str, int], roles: Mapping[str, Role]) -> dict[int, int | None]:
    """id of a record -> the lane of the call that fired it: one that runs around it in the same thread."""
    running: dict[tuple[str, str], deque[Record]] = defaultdict(deque)  # (thread, role.call) -> calls in order of their begins
    found: dict[int, int | None] = {}
    begun = 0
    for record in ordered:
        while begun < len(ordered) and ordered[begun].began <= record.began:
            other = ordered[begun]
            running[other.thread, f"{other.role}.{other.call}"].append(other)
            begun += 1
        fired_by = _fired_by(record, roles)
        around = running[record.thread, fired_by] if fired_by else deque[Record]()
        while around and around[0].ended is not None and around[0].ended < record.began:
            around.popleft()
        found[id(record)] = numbers[around[0].subject] if around else None
    return found


def _fired_by(record: Record, roles: Mapping[str, Role]) -> str | None:
    """The call that fires this one, as "role.call"; None if the role is not known, or the object's owner calls it."""
    try:
        return roles[record.role].call(record.call).fired_by
    except KeyError:
        return None


def _kind(record: Record, roles: Mapping[str, Role]) -> Kind | None:
    if record.outcome is None or record.outcome == "illegal":
        return None
    try:
        return roles[record.role].outcome(record.outcome).kind
    except KeyError:
        return _KINDS.get(record.outcome, Kind.SUCCESS)


def _has_refused_arguments(record: Record) -> bool:
    return record.ended is not None and record.outcome is None


def _shown_outcome(record: Record) -> str:
    if _has_refused_arguments(record):
        return _shown(record.error.partition(":")[0]) or "no outcome"
    return "" if record.outcome in ("ok", None) else _shown(record.outcome)


def _shown_arguments(arguments: str) -> str:
    """Objects by name only; arguments that are None are omitted."""
    given = printable(_OBJECT.sub(r"\1\2", arguments[:LONGEST])).split(", ")
    return ", ".join(each for each in given if each != "None" and not each.endswith("=None"))


def _reason(error: str, tone: Tone) -> tuple[str, ...]:
    """The error without the name of the call; for a refusal, the reason and what to call first."""
    lines = [printable(line.strip()) for line in error[:LONGEST].split("\n")]
    if tone is not Tone.ILLEGAL:
        return tuple(line for line in lines[:1] if line)
    if len(lines) == 1:
        return (lines[0].partition(": ")[2] or lines[0],)
    advice = [line.partition(" Legal here:")[0] for line in lines[1:]]
    return tuple(line for line in advice if line and " would " not in line)

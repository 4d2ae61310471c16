"""The results of a run: the cells reached, clusters of differences with one cause, programs that reproduce a difference."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from lifecycle.conformance.adapters.abilities import LeftOut
from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.driving.run import RAISED, Divergence, Run
from lifecycle.conformance.model.graph import ILLEGAL, Cell, Edge


class Tally(NamedTuple):
    """The numbers of cells: reached, explained and not reached, possible in this implementation, and in the table."""

    reached: int
    explained: int
    offered: int
    listed: int


Trail = tuple[tuple[str, ...], ...]
"""the sequences that were run on one instance, each as its role and its steps"""

LONGEST_TRAIL = 400
GONE = "EBADF"
ERROR = re.compile(r"\bE[A-Z]{3,}\b")
ALIKE = 3
"""the number of calls in one state from which on equal errors count as one cause"""


@dataclass(slots=True)
class RoleResult:
    """The result of running one role.

    cells: those that the table has. offered: those that can be provoked in this implementation. reached: how often each was
    reached. divergences: the first difference of each sequence that had one. behind: cells that no sequence reached because of
    an explained difference on the way.
    """

    role: str
    cells: tuple[Cell, ...]
    offered: frozenset[Cell]
    reached: Counter[Cell] = field(default_factory=Counter)
    divergences: list[Divergence] = field(default_factory=list)
    behind: set[Cell] = field(default_factory=set)
    data: dict[str, bool] = field(default_factory=dict)
    """label of a data cell -> whether it passed"""
    left_out: list[LeftOut] = field(default_factory=list)
    """the data cells that were not tried, each with its reason"""
    trails: dict[tuple[str, ...], Trail] = field(default_factory=dict)
    """line of a difference -> the sequences that were run on the same instance before it first showed"""
    recent: deque[tuple[str, ...]] = field(default_factory=lambda: deque(maxlen=LONGEST_TRAIL), repr=False)
    sequences: int = 0
    steps: int = 0
    seconds: float = 0.0

    @property
    def legal(self) -> Tally:
        """The outcomes of legal calls."""
        return self._tally([cell for cell in self.cells if cell[2] != ILLEGAL])

    @property
    def illegal(self) -> Tally:
        """The calls that must be refused."""
        return self._tally([cell for cell in self.cells if cell[2] == ILLEGAL])

    @property
    def unexplained(self) -> list[Divergence]:
        """The unexplained differences."""
        return [each for each in self.divergences if not each.explanation]

    @property
    def explained_cells(self) -> frozenset[Cell]:
        """The cells with an explained difference."""
        return frozenset(each.cell for each in self.divergences if each.explanation and each.cell is not None)

    @property
    def missing(self) -> list[Cell]:
        """The offered cells that were neither reached nor explained."""
        known = self.explained_cells | self.behind
        return [cell for cell in self.cells if cell in self.offered and cell not in self.reached and cell not in known]

    def merge(self, other: RoleResult) -> None:
        """Add the result of another run of the same role."""
        self.offered |= other.offered
        self.reached.update(other.reached)
        self.behind |= other.behind
        self.data.update(other.data)
        self.divergences.extend(other.divergences)
        self.sequences += other.sequences
        self.steps += other.steps
        self.seconds += other.seconds

    def add(self, run: Run, divergence: Divergence | None, goal: Edge | None = None) -> None:
        """Count a run that has ended; `goal` is the edge that it was to reach."""
        self.sequences += 1
        self.steps += len(run.steps)
        self.reached.update(run.reached)
        if divergence is not None:
            if not divergence.explanation and divergence.line not in self.trails:
                self.trails[divergence.line] = tuple(self.recent)
            self.divergences.append(divergence)
            if divergence.explanation and goal is not None and goal.is_call and goal.cell != divergence.cell:
                self.behind.add(goal.cell)
        self.recent.append((self.role, *run.steps))

    def _tally(self, cells: list[Cell]) -> Tally:
        known = self.explained_cells | self.behind
        offered = [cell for cell in cells if cell in self.offered]
        reached = [cell for cell in offered if cell in self.reached]
        explained = [cell for cell in offered if cell not in self.reached and cell in known]
        return Tally(len(reached), len(explained), len(offered), len(cells))


@dataclass(frozen=True, slots=True)
class Cluster:
    """All sequences whose first difference has the same cause, in any roles.

    name: the explanation, or "" if there is none. shortest: the shortest of the sequences. calls: those that differ.
    """

    name: str
    count: int
    states: tuple[str, ...]
    shortest: Divergence
    roles: tuple[str, ...]
    calls: tuple[str, ...] = ()


def clusters(divergences: Iterable[Divergence]) -> list[Cluster]:
    """The clusters, those with most sequences first. Differences that are explained alike are one cluster."""
    groups: dict[tuple[str, ...], list[Divergence]] = {}
    for each in divergences:
        groups.setdefault(each.line, []).append(each)
    _join(groups)
    found = [
        Cluster(
            group[0].explanation,
            len(group),
            tuple(sorted({each.state for each in group})),
            min(group, key=lambda each: len(each.steps)),
            tuple(dict.fromkeys(each.role for each in group)),
            tuple(dict.fromkeys(each.call for each in group)),
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda cluster: -cluster.count)


def _join(groups: dict[tuple[str, ...], list[Divergence]]) -> None:
    """Merge the groups in which many calls fail, or succeed, in one state in the same way: then the state is wrong."""
    alike: dict[tuple[str, str, str], dict[tuple[str, ...], str]] = {}
    for line, group in groups.items():
        for each in group:
            kind = _kind(each)
            if kind and not each.explanation:
                alike.setdefault((each.role, each.state, kind), {})[line] = each.call
    joined = {line: line for line in groups}
    for lines in alike.values():
        if len(set(lines.values())) >= ALIKE:
            first, *others = dict.fromkeys(joined[line] for line in lines)
            for other in others:
                groups[first] += groups.pop(other)
            joined = {line: first if into in others else into for line, into in joined.items()}


def _kind(each: Divergence) -> str:
    if each.got.startswith(RAISED):
        return each.got.partition(" (")[0]
    if each.got.strip(")").endswith(GONE):
        return GONE
    if each.cell is not None and each.cell[2] == ILLEGAL and (each.expected.startswith("a refusal") or not _fails(each.got)):
        return ILLEGAL
    return each.got if each.got.startswith("failed") else ""


def _fails(got: str) -> bool:
    """Whether an answer is an error, except one that means that no data has arrived yet."""
    return ERROR.search(got) is not None and not got.strip(")").endswith("EAGAIN")


def snippet(target: str | Callable[[], Adapter], divergence: Divergence) -> str:
    """A program that repeats the failing sequence.

    target: as for `lifecycle conform`, or a function that makes the adapter; a function that cannot be imported by name, such
    as a lambda, is called `adapter` in the program.
    """
    name = target if isinstance(target, str) else _importable(target)
    steps = "".join(f",\n    {step!r}" for step in divergence.steps) + (",\n    local=True" if divergence.local else "")
    which = repr(name) if name else "adapter"
    note = "" if name else "# adapter: what was handed to the suite\n"
    return f"from lifecycle.conformance import replay\n\n{note}replay(\n    {which}, {divergence.role!r}{steps},\n)\n"


def _importable(make: Callable[[], Adapter]) -> str | None:
    module, name = getattr(make, "__module__", None), getattr(make, "__qualname__", "<nothing>")
    return f"{module}:{name}" if module and "<" not in name else None

"""The exhaustive driver: every cell by its shortest sequence, then every step from every node, then every pair of steps.

Depth 1 reaches each (state, call, outcome) and each illegal call once. Depth 2 takes every edge of the graph: each call under
every set of facts. Depth 3 lets every cell be followed by every step, so that an implementation which tells no state is
caught in a wrong one by what it does next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.model.environment import PeerAction
from lifecycle.conformance.model.graph import ILLEGAL, Cell, Edge, Model
from lifecycle.conformance.running.divergence import Divergence
from lifecycle.conformance.running.run import Run
from lifecycle.engine import Role

DEPTHS = (1, 2, 3)

Sequence = tuple[Edge, ...]


@dataclass(slots=True)
class RoleResult:
    """What came of one role.

    cells: those that the table has. offered: those of them that can be provoked in this implementation. reached: how often
    each was. divergences: the first difference of each sequence that had one.
    """

    role: str
    cells: tuple[Cell, ...]
    offered: frozenset[Cell]
    reached: Counter[Cell] = field(default_factory=Counter)
    divergences: list[Divergence] = field(default_factory=list)
    sequences: int = 0
    steps: int = 0

    @property
    def unexplained(self) -> list[Divergence]:
        """The differences that no table names."""
        return [each for each in self.divergences if not each.explanation]

    @property
    def explained_cells(self) -> frozenset[Cell]:
        """The cells at which a difference showed that is explained."""
        return frozenset(each.cell for each in self.divergences if each.explanation and each.cell is not None)

    @property
    def missing(self) -> list[Cell]:
        """The cells that were offered, and neither reached nor explained."""
        known = self.explained_cells
        return [cell for cell in self.cells if cell in self.offered and cell not in self.reached and cell not in known]

    def merge(self, other: RoleResult) -> None:
        """Add what another run of the same role has found."""
        self.offered |= other.offered
        self.reached.update(other.reached)
        self.divergences.extend(other.divergences)
        self.sequences += other.sequences
        self.steps += other.steps

    def add(self, run: Run, divergence: Divergence | None) -> None:
        """Count a run that has ended."""
        self.sequences += 1
        self.steps += len(run.steps)
        self.reached.update(run.reached)
        if divergence is not None:
            self.divergences.append(divergence)


def model_for(adapter: Adapter, role: Role) -> Model:
    """The graph of `role` with what the implementation offers."""
    return Model(role, adapter.environment(role), lambda provocation, legal: adapter.offers(role, provocation, legal=legal))


def sequences(model: Model, depth: int, *, governed: bool = True) -> Iterator[Sequence]:
    """The sequences of that depth, the shorter ones first. governed: whether a refused call can be followed by others."""
    for edge in model.first_edges.values():
        yield (*model.way_to(edge.source), edge)
    if depth >= 2:
        first = set(model.first_edges.values())
        for node in model.nodes:
            way = model.way_to(node)
            yield from ((*way, edge) for edge in node.edges if edge not in first and not _is_slow(edge))
    if depth >= 3:
        for edge in model.first_edges.values():
            if edge.outcome == ILLEGAL and not governed:
                continue  # what a system has refused may have changed it all the same
            if not _is_slow(edge) and model.way_to(edge.target) != (way := (*model.way_to(edge.source), edge)):
                yield from ((*way, after) for after in edge.target.edges if not _is_slow(after))


def exhaust(
    adapter: Adapter, model: Model, *, depth: int = 1, progress: Callable[[int, int], None] = lambda done, total: None
) -> RoleResult:
    """Run every sequence of that depth on new objects. progress: told (how many are done, of how many)."""
    result = RoleResult(model.role.name, model.cells, frozenset(model.first_edges))
    plan = list(sequences(model, depth, governed=adapter.governed))
    for number, sequence in enumerate(plan):
        with Run(adapter, model) as run:
            result.add(run, run.follow(sequence))
        if number % 64 == 63:
            progress(number + 1, len(plan))
    progress(len(plan), len(plan))
    return result


def _is_slow(edge: Edge) -> bool:
    return not isinstance(edge.step, PeerAction) and edge.step.is_slow

"""The exhaustive driver: every cell by its shortest sequence, then every step from every node, then every pair of steps.

Depth 1 reaches each (state, call, outcome) and each illegal call once. Depth 2 takes every edge of the graph: each call under
every set of facts. Depth 3 lets every cell be followed by every step, so that an implementation which tells no state is
caught in a wrong one by what it does next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.model.graph import ILLEGAL, Edge, Model
from lifecycle.conformance.running.hanging import WATCH
from lifecycle.conformance.running.result import RoleResult
from lifecycle.conformance.running.run import Run
from lifecycle.engine import Role

DEPTHS = (1, 2, 3)

Sequence = tuple[Edge, ...]


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
            yield from ((*way, edge) for edge in node.edges if edge not in first and not edge.is_slow)
    if depth >= 3:
        for edge in model.first_edges.values():
            if edge.outcome == ILLEGAL and not governed:
                continue  # what a system has refused may have changed it all the same
            if not edge.is_slow and model.way_to(edge.target) != (way := (*model.way_to(edge.source), edge)):
                yield from ((*way, after) for after in edge.target.edges if not after.is_slow)


def exhaust(
    adapter: Adapter, model: Model, *, depth: int = 1, progress: Callable[[int, int], None] = lambda done, total: None
) -> RoleResult:
    """Run every sequence of that depth on new objects. progress: told (how many are done, of how many)."""
    result = RoleResult(model.role.name, model.cells, frozenset(model.first_edges))
    plan = list(sequences(model, depth, governed=adapter.governed))
    cells = len(model.first_edges)
    for number, sequence in enumerate(plan):
        if WATCH.has_given_up:
            break
        last = sequence[-1]
        looks = number < cells or last.moves  # else it was seen when the state was reached
        with Run(adapter, model) as run:
            result.add(run, run.follow(sequence, looks=looks), last)
        if number % 64 == 63:
            progress(number + 1, len(plan))
    progress(len(plan), len(plan))
    return result

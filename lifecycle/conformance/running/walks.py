"""Long random walks along the graph of a role: what the shortest sequences do not combine. They can be had again by seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.model.environment import PeerAction
from lifecycle.conformance.model.graph import ILLEGAL, Edge, Model, Node
from lifecycle.conformance.running.hanging import WATCH
from lifecycle.conformance.running.result import RoleResult
from lifecycle.conformance.running.run import Run
from lifecycle.conformance.running.shrinking import shrunk

LENGTH = 24
MAY_CHANGE = (ILLEGAL, "failed")
"""outcomes after which a socket of the system may not be as it was"""
LEADING_ON = 3
"""how much likelier a step that leads to another node is than one that stays"""


class Choices:
    """What a walk may do at each node: anything quick, but rather what leads on than what stays or ends.

    governed: whether a refused call, or one that failed, can be followed by others: a raw socket may have been changed by it.
    """

    def __init__(self, *, governed: bool) -> None:
        self._governed = governed
        self._at: dict[Node, tuple[Edge, ...]] = {}

    def at(self, node: Node) -> tuple[Edge, ...]:
        """The edges to choose from, repeated as often as they weigh."""
        choices = self._at.get(node)
        if choices is None:
            choices = self._at[node] = tuple(self._weighed(node))
        return choices

    def _weighed(self, node: Node) -> Iterator[Edge]:
        for edge in node.edges:
            if isinstance(edge.step, PeerAction):
                yield from (edge,) * LEADING_ON
            elif not edge.step.is_slow and (self._governed or edge.outcome not in MAY_CHANGE):
                stays = edge.target is node or edge.target.is_final
                yield from (edge,) * (1 if stays else LEADING_ON)


def walk(
    adapter: Adapter,
    model: Model,
    *,
    walks: int,
    length: int = LENGTH,
    seed: int = 0,
    into: RoleResult | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RoleResult:
    """Take so many walks, each on a new object, which ends where the object does; failing ones are shrunk.

    into: the result to add to; a new one when it is None. progress: told (how many are done, of how many).
    """
    result = RoleResult(model.role.name, model.cells, frozenset(model.first_edges)) if into is None else into
    choices, chance = Choices(governed=adapter.governed), random.Random(seed)
    for number in range(walks):
        if WATCH.has_given_up:
            break
        with Run(adapter, model) as run:
            divergence = None
            for _ in range(length):
                if run.node.is_final and chance.random() < 0.5:
                    break
                edge = chance.choice(choices.at(run.node))
                divergence = run.take(edge) or (run.look(edge) if edge.moves else None)
                if divergence is not None:
                    break
        result.add(run, divergence if divergence is None else shrunk(adapter, model, divergence))
        if number % 64 == 63:
            progress(number + 1, walks)
    progress(walks, walks)
    return result

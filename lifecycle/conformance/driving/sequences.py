"""The sequences that are run on an implementation: exhaustive ones by depth, and seeded random walks, shrunk if they fail.

Depth 1 reaches each (state, call, outcome) and each illegal call once. Depth 2 takes every edge of the graph: each call under
every set of facts. At depth 3 every step follows every cell, so that the next step shows a wrong state of an implementation
which reports none. Walks combine steps that the shortest sequences do not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache

from lifecycle.conformance.adapters.abilities import LeftOut
from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.driving.results import RoleResult
from lifecycle.conformance.driving.run import Divergence, Run
from lifecycle.conformance.driving.watchdog import WATCHDOG
from lifecycle.conformance.model.environment import ANYTHING
from lifecycle.conformance.model.environments import ENVIRONMENTS
from lifecycle.conformance.model.graph import ILLEGAL, Cell, Edge, Model, Node
from lifecycle.conformance.model.local_environments import LOCAL_ENVIRONMENTS
from lifecycle.engine import Role
from lifecycle.roles import ROLES

DEPTHS = (1, 2, 3)
WALK_LENGTH = 24
MAY_CHANGE = (ILLEGAL, "failed")
"""outcomes after which a socket of the system may have changed"""
LEADING_ON = 3
"""how many times likelier a step to another node is than one that stays"""
KEEPING_ALL = 10
"""how many times likelier a deep walk takes a step that keeps as many nodes within reach, and one that moves data"""
ENDING = 0.1
"""the probability that a deep walk ends at a node from which fewer nodes are within reach than before"""

Sequence = tuple[Edge, ...]

Progress = Callable[[int, int], None]
"""Is called with (how many are done, of how many)"""


def _ignored(done: int, total: int) -> None: ...


def unprovoked_cells(adapter: Adapter, role: Role) -> list[Cell]:
    """The cells that the role's environment cannot provoke in any implementation."""
    if role.name not in ENVIRONMENTS or ROLES.get(role.name) is not role:
        return list(Model(role, adapter.environment(role)).unprovoked)
    return list(_unprovoked_anywhere(role.name))


@cache
def _unprovoked_anywhere(role: str) -> tuple[Cell, ...]:
    """The same for a role of the package, whose environment never changes."""
    found = Model(ROLES[role], ENVIRONMENTS[role]).unprovoked
    if role in LOCAL_ENVIRONMENTS:
        over_a_path = set(Model(ROLES[role], LOCAL_ENVIRONMENTS[role]).unprovoked)
        found = tuple(cell for cell in found if cell in over_a_path)
    return found


WAITS_THERE = "it would wait here, and there are no calls without waiting"


def model_for(adapter: Adapter, role: Role) -> Model:
    """The graph of `role`, with the calls and actions that the implementation offers."""
    would_wait: Callable[[Edge], bool] = getattr(adapter, "would_wait", _never)
    return Model(
        role, adapter.environment(role), lambda provocation, legal: adapter.offers(role, provocation, legal=legal), would_wait
    )


def _never(edge: Edge) -> bool:
    return False


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
                continue  # a refused call may change a socket of the system
            if not edge.is_slow and model.way_to(edge.target) != (way := (*model.way_to(edge.source), edge)):
                yield from ((*way, after) for after in edge.target.edges if not after.is_slow)


def exhaust(adapter: Adapter, model: Model, *, depth: int = 1, progress: Progress = _ignored) -> RoleResult:
    """Run every sequence of that depth, each on a new object."""
    result = RoleResult(model.role.name, model.cells, frozenset(model.first_edges))
    result.left_out.extend(LeftOut(each, WAITS_THERE, model.role.name) for each in model.waiting)
    plan = list(sequences(model, depth, governed=adapter.governed))
    for number, sequence in enumerate(plan):
        if WATCHDOG.has_given_up:
            break
        last = sequence[-1]
        looks = number < len(model.first_edges) or last.moves  # otherwise it was checked when the state was reached
        with Run(adapter, model) as run:
            result.add(run, run.follow(sequence, looks=looks), last)
        if number % 64 == 63:
            progress(number + 1, len(plan))
    progress(len(plan), len(plan))
    return result


class Choices:
    """The steps of walks at each node of a graph: all quick ones, weighted in favour of those that lead on.

    governed: whether a walk may continue after a refused or failed call, which may have changed a raw socket. deep: whether
    steps that end the object are left out.
    """

    def __init__(self, model: Model, *, governed: bool, deep: bool = False) -> None:
        self._governed = governed
        self._deep = deep
        self._at = model.choices.setdefault((governed, deep), {})

    def at(self, node: Node) -> tuple[Edge, ...]:
        """The edges to choose from, repeated by weight."""
        choices = self._at.get(node)
        if choices is None:
            choices = self._at[node] = tuple(self._weighed(node))
        return choices

    def bar(self, edge: Edge) -> None:
        """Leave this edge out from now on: its difference is explained, and would end every walk."""
        others = tuple(each for each in self.at(edge.source) if each is not edge)
        self._at = {**self._at, edge.source: others}  # the model's own are shared

    def _weighed(self, node: Node) -> Iterator[Edge]:
        for edge in node.edges:
            may_change = edge.outcome in MAY_CHANGE
            if edge.is_slow or (may_change and not self._governed):
                continue
            if not self._deep:
                stays = edge.is_call and (edge.target is node or edge.target.is_final)
                yield from (edge,) * (1 if stays else LEADING_ON)
            elif node.is_final or not edge.target.is_final:
                keeps_all = not may_change and _room(edge.target) >= _room(node)
                does_much = edge.target is not node or edge.gives is not ANYTHING
                yield from (edge,) * (KEEPING_ALL ** (keeps_all + does_much) // KEEPING_ALL or 1)


@cache
def _ahead(node: Node) -> frozenset[Node]:
    """The nodes that can be reached from there."""
    found, left = {node}, [node]
    while left:
        new = {edge.target for edge in left.pop().edges} - found
        found |= new
        left.extend(new)
    return frozenset(found)


@cache
def _room(node: Node) -> int:
    """The number of nodes that can be reached from there, and from which it can be reached again."""
    return sum(node in _ahead(each) for each in _ahead(node))


def walk(
    adapter: Adapter,
    model: Model,
    *,
    walks: int,
    length: int = WALK_LENGTH,
    seed: int = 0,
    into: RoleResult | None = None,
    progress: Progress = _ignored,
    known: frozenset[tuple[str, ...]] = frozenset(),
    deep: bool = False,
) -> RoleResult:
    """Take so many walks, each on a new object and up to its end; failing ones are shrunk.

    into: the result to add to; a new one when it is None. known: lines of causes that are not shrunk again. deep: whether steps
    that end an object are left out, so that walks are long.
    """
    result = RoleResult(model.role.name, model.cells, frozenset(model.first_edges)) if into is None else into
    choices, chance = Choices(model, governed=adapter.governed, deep=deep), random.Random(seed)
    bits = chance.getrandbits
    for number in range(walks):
        if WATCHDOG.has_given_up:
            break
        with Run(adapter, model) as run:
            divergence, most = None, 0
            for _ in range(length):
                node = run.node
                if deep:
                    most = max(most, room := _room(node))
                    if room < most and chance.random() < ENDING:
                        break
                possible = choices.at(node)
                if not possible or (node.is_final and chance.random() < 0.5):
                    break
                drawn = bits(possible_bits := len(possible).bit_length())
                while drawn >= len(possible):  # inlines choice()
                    drawn = bits(possible_bits)
                edge = possible[drawn]
                divergence = run.take(edge) or (run.look(edge) if edge.moves else None)
                if divergence is not None:
                    if deep and divergence.explanation:
                        choices.bar(edge)
                    break
        is_new = divergence is not None and divergence.line not in known
        result.add(run, shrunk(adapter, model, divergence) if divergence is not None and is_new else divergence)
        if number % 64 == 63:
            progress(number + 1, walks)
    progress(walks, walks)
    return result


def shrunk(adapter: Adapter, model: Model, divergence: Divergence) -> Divergence:
    """The shortest sequence with the same failure: the shortest way to the failing step, or a part of the sequence."""
    shortest = divergence
    edges = model.follow(divergence.steps)
    if edges:
        direct = replayed(adapter, model, (*(edge.label for edge in model.way_to(edges[-1].source)), edges[-1].label))
        if direct is not None and direct.cause == divergence.cause and len(direct.steps) < len(divergence.steps):
            shortest = direct
    width = len(shortest.steps) // 2
    while width:
        begin = 0
        while begin < len(shortest.steps) - 1:
            steps = shortest.steps[:begin] + shortest.steps[begin + width :]
            found = replayed(adapter, model, steps) if len(steps) < len(shortest.steps) else None
            if found is not None and found.cause == shortest.cause:
                shortest = found
            else:
                begin += width
        width //= 2
    return shortest


def replayed(adapter: Adapter, model: Model, steps: tuple[str, ...]) -> Divergence | None:
    """The first difference along these steps; None if there is none, or if they are not a walk of the graph."""
    edges = model.follow(steps)
    if edges is None:
        return None
    with Run(adapter, model) as run:
        return run.follow(edges)

"""The graph of a role in its environment: nodes (state, facts) and edges (calls with expected results, and peer actions).

It is derived: the table says which calls are legal and where each outcome leads, the environment which outcome is expected. The
shortest way to every cell is found by breadth-first search.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TypeVar

from lifecycle.conformance.model.environment import ANYTHING, Environment, Facts, Provocation, Step
from lifecycle.engine import Role

ILLEGAL = "illegal"

Cell = tuple[str, str, str]
"""(state, call, outcome), the outcome being "illegal" where the table forbids the call"""


Shared = TypeVar("Shared", Facts, Cell)


@cache
def _one_of(equal: Shared) -> Shared:
    """One object for all equal ones: a graph has thousands of edges, and walks are faster if these take little memory."""
    return equal


@dataclass(slots=True, eq=False)
class Edge:
    """One step from a node: a call with its expected outcome, or a peer action, which has none."""

    step: Step
    outcome: str | None
    gives: object
    role: str
    source: Node
    target: Node
    label: str = field(init=False)
    name: str = field(init=False)
    """the label of the call or the peer action"""
    expected: str = field(init=False)
    """the outcome, or words if there is none"""
    cell: Cell = field(init=False)
    """the cell that a call's edge covers; a peer action's has none"""
    brings: Facts = field(init=False)
    """the facts that it adds"""
    moves: bool = field(init=False)
    """whether it changes the state"""

    def __post_init__(self) -> None:
        self.label = self.step.label
        self.name = self.step.call if isinstance(self.step, Provocation) else self.step.name
        self.expected = self.outcome or "the peer can do so"
        self.moves = self.source.state != self.target.state
        self.brings = _one_of(self.target.effects - self.source.facts)
        if self.outcome is not None and isinstance(self.step, Provocation):
            self.cell = _one_of((self.source.state, self.step.call, self.outcome))

    @property
    def is_call(self) -> bool:
        return self.outcome is not None

    @property
    def is_slow(self) -> bool:
        """Whether it takes long enough that walks leave it out."""
        return isinstance(self.step, Provocation) and self.step.is_slow


@dataclass(slots=True, eq=False)
class Node:
    """A state of the role, with facts.

    surroundings: the facts that peers and calls have caused. facts: these, those of the state, and those that follow from both.
    effects: the facts without those of the state.
    """

    state: str
    surroundings: Facts
    facts: Facts
    effects: Facts
    legal: tuple[str, ...]
    is_final: bool
    number: int
    edges: list[Edge] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Node {self.state} {' '.join(sorted(self.facts))}>"

    def edge(self, label: str) -> Edge | None:
        """The edge of the step with that label; None if it is not possible here."""
        return next((edge for edge in self.edges if edge.label == label), None)


class UnlistedEnding(ValueError):
    """The environment expects an outcome that the role's table does not list there: one of them is wrong."""


class Model:
    """The graph of `role` in `environment`.

    offers: (provocation, whether it is legal there) -> whether the implementation under test has it; by default all. waits:
    (edge of an illegal call) -> whether the call would wait there for ever, and so is left out; by default none. Raises
    UnlistedEnding, naming the cell, if an outcome is not listed in the table.
    """

    def __init__(
        self,
        role: Role,
        environment: Environment,
        offers: Callable[[Provocation, bool], bool] = lambda provocation, legal: True,
        waits: Callable[[Edge], bool] = lambda edge: False,
    ) -> None:
        self.role = role
        self._waits = waits
        self.waiting: dict[str, None] = {}
        """the illegal calls that are left out because they would wait, each with its state"""
        self.environment = environment
        self._offered = {
            legal: tuple(each for each in environment.provocations if offers(each, legal)) for legal in (True, False)
        }
        self.hanging: dict[tuple[str, str, str], str] = {}
        """(state, step, outcome) of steps in which the implementation hung, which are not tried again -> the answer"""
        self.tardy: dict[tuple[str, str, str], tuple[str, str]] = {}
        """the same for steps that differed after a long time -> (expected, got)"""
        self.choices: dict[tuple[bool, bool], dict[Node, tuple[Edge, ...]]] = {}
        """the choices of walks at each node, by the kind of walk"""
        self._nodes: dict[tuple[str, Facts], Node] = {}
        self._ways: dict[Node, Edge | None] = {}
        self.start = self._node(role.initial, frozenset())
        self._explore()

    @property
    def offered(self) -> tuple[Provocation, ...]:
        """The provocations that the implementation offers."""
        return self._offered[True]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every reachable node, the nearest first."""
        return tuple(self._ways)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell that the table has, legal ones with each outcome, then the illegal ones."""
        return cells_of(self.role)

    @cached_property
    def first_edges(self) -> dict[Cell, Edge]:
        """For each cell that can be provoked: the edge that covers it after the fewest steps."""
        found: dict[Cell, Edge] = {}
        for node in self._ways:
            for edge in node.edges:
                if edge.is_call:
                    found.setdefault(edge.cell, edge)
        return found

    @property
    def unprovoked(self) -> tuple[Cell, ...]:
        """The cells that no offered step of the environment leads to."""
        return tuple(cell for cell in self.cells if cell not in self.first_edges)

    def way_to(self, node: Node) -> tuple[Edge, ...]:
        """The fewest steps from a new object to `node`."""
        way: list[Edge] = []
        last = self._ways[node]
        while last is not None:
            way.append(last)
            last = self._ways[last.source]
        return tuple(reversed(way))

    def sequence_for(self, cell: Cell) -> tuple[Edge, ...]:
        """The fewest steps from a new object through `cell`; KeyError if it cannot be provoked."""
        edge = self.first_edges[cell]
        return (*self.way_to(edge.source), edge)

    def follow(self, labels: tuple[str, ...]) -> tuple[Edge, ...] | None:
        """The edges of these steps from a new object; None if one of them is not possible."""
        node, edges = self.start, []
        for label in labels:
            edge = node.edge(label)
            if edge is None:
                return None
            edges.append(edge)
            node = edge.target
        return tuple(edges)

    def _explore(self) -> None:
        self._ways[self.start] = None
        queue = deque([self.start])
        while queue:
            node = queue.popleft()
            node.edges.extend(self._edges(node))
            for edge in node.edges:
                if edge.target not in self._ways:
                    self._ways[edge.target] = edge
                    queue.append(edge.target)

    def _edges(self, node: Node) -> Iterator[Edge]:
        calls = self.role.table[node.state]
        unlisted = {call.name for call in self.role.calls} - set(calls)
        for provocation in self._offered[False]:
            if provocation.call in unlisted:
                edge = Edge(provocation, ILLEGAL, ANYTHING, self.role.name, node, node)
                if self._waits(edge):
                    self.waiting[f"{provocation.label} in {node.state!r}"] = None
                    continue
                unlisted.remove(provocation.call)
                yield edge
        for provocation in self._offered[True]:
            row = calls.get(provocation.call)
            if row is None:
                continue
            ending = provocation.ending(node.facts)
            if ending is None:
                continue
            if ending.outcome not in row:
                raise UnlistedEnding(
                    f"{self.role.name}: {provocation.label!r} ends in {ending.outcome!r} in {node.state!r} with"
                    f" {' '.join(sorted(node.facts)) or 'nothing'}, and its row lists {', '.join(row)}"
                )
            after = row[ending.outcome]
            around = frozenset() if after in self.role.final else ending.changed(node.surroundings)
            yield Edge(provocation, ending.outcome, ending.gives, self.role.name, node, self._node(after, around))
        if not node.is_final:
            for action in self.environment.peer_actions:
                if action.is_possible(node.facts):
                    target = self._node(node.state, action.changed(node.surroundings))
                    yield Edge(action, None, ANYTHING, self.role.name, node, target)

    def _node(self, state: str, surroundings: Facts) -> Node:
        node = self._nodes.get((state, surroundings))
        if node is None:
            words = self.environment.words_of(self.role.state(state).facts)
            facts = self.environment.following(surroundings | words)
            legal, is_final = self.role.legal(state), state in self.role.final
            node = Node(state, surroundings, facts, facts - (words - surroundings), legal, is_final, len(self._nodes))
            self._nodes[state, surroundings] = node
        return node


def case_id(role: str, cell: Cell) -> str:
    """The name of a cell in reports and of its test, as in "server[bound]-accept-illegal"."""
    state, call, outcome = cell
    return f"{role}[{state}]-{call}-{outcome}"


def cells_of(role: Role) -> tuple[Cell, ...]:
    """Every cell of a role: legal ones with each outcome, in the table's order, then the illegal ones."""
    legal = tuple((state, call, outcome) for state, call, outcome, _ in role.cells())
    illegal = tuple(
        (state.name, call.name, ILLEGAL)
        for state in role.states
        for call in role.calls
        if call.name not in role.table[state.name]
    )
    return legal + illegal

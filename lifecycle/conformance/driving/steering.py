"""Chooses the cell that a rule of a Hypothesis machine should reach next, and counts those that were reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from math import ceil

from lifecycle.conformance.adapters.loopback import FULL
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.model.graph import Cell, Edge, Model, Node

EXAMPLES = 4
"""The number of examples in which a rule has to reach all its cells, since Hypothesis may choose it in few."""

AGAIN = 8
"""One of this number of examples reaches the least reached quick cells again; the others are long histories."""

NEAR = 2
"""The maximum distance, in steps, of a node in which an object begins again: nodes behind a handshake are farther."""

Goals = Mapping[Cell, Edge]
"""the cells of one call, and the edge that covers each first"""


class Coverage:
    """The cells that the objects of a machine have reached."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.possible = {(model.role.name, *cell) for model in models for cell in model.first_edges}
        self.states = {(model.role.name, state.name) for model in models for state in model.role.states}
        self.reached: Counter[tuple[str, str, str, str]] = Counter()
        self.explained: Counter[tuple[str, str, str, str]] = Counter()
        self._missing = set(self.possible)

    @property
    def is_complete(self) -> bool:
        """Whether every cell was reached, or is known to differ."""
        return not self._missing

    @property
    def reached_states(self) -> set[tuple[str, str]]:
        """Every (role, state) in which a call was made."""
        return {(role, state) for role, state, _, _ in (*self.reached, *self.explained)}

    def count(self, edge: Edge, divergence: Divergence | None) -> None:
        """Count a call along an edge that did not differ, or whose difference is explained."""
        cell = (edge.role, *edge.cell)
        (self.reached if divergence is None else self.explained)[cell] += 1
        self._missing.discard(cell)

    def has(self, edge: Edge) -> bool:
        """Whether the cell of an edge was reached, or is known to differ."""
        return (edge.role, *edge.cell) not in self._missing

    def table(self) -> str:
        """One line for each role: cells and states reached, of how many."""
        return "\n".join(self._line(role) for role in dict.fromkeys(role for role, _ in sorted(self.states)))

    def _line(self, role: str) -> str:
        cells = [cell for cell in self.possible if cell[0] == role]
        states = [state for state in self.states if state[0] == role]
        reached = sum(cell in self.reached for cell in cells)
        explained = sum(cell in self.explained and cell not in self.reached for cell in cells)
        seen = sum(state in self.reached_states for state in states)
        note = f", {explained} differ as explained" if explained else ""
        return f"{role:12} {reached}/{len(cells)} cells ({reached / max(len(cells), 1):.1%}){note}, {seen}/{len(states)} states"


class Plan:
    """The plan of an example.

    goals: (object, call) -> the cells that the first use of its rule should reach. homes: (object, whether it begins again) ->
    the node where it begins when its rules continue from its position.
    """

    def __init__(self) -> None:
        self.goals: dict[tuple[int, str], tuple[Cell, ...]] = {}
        self.homes: dict[tuple[int, bool], Node] = {}


class Nearby:
    """The surroundings of a node within two steps: each cell with the way to it, and the edges of each call."""

    def __init__(self, node: Node) -> None:
        self.ways: dict[Cell, tuple[Edge, ...]] = {}
        self.calls: dict[str, list[Edge]] = {}
        quick = [edge for edge in node.edges if not edge.is_slow]
        for edge in quick:
            if edge.is_call:
                self.ways.setdefault(edge.cell, (edge,))
                self.calls.setdefault(edge.cell[1], []).append(edge)
        for edge in quick:
            if edge.target is not node:
                for after in edge.target.edges:
                    if after.is_call and not after.is_slow:
                        self.ways.setdefault(after.cell, (edge, after))


class Steering:
    """Chooses the cells that the rules of an example should reach: those that were not reached so far.

    coverage: the cells reached. subjects: the number of objects at once. A decision for the number of a plan is kept:
    Hypothesis must see the same choices lead to the same calls.
    """

    def __init__(self, coverage: Coverage, subjects: int) -> None:
        self._coverage = coverage
        self._subjects = subjects
        self._times: Counter[tuple[int, Cell]] = Counter()
        self._plans: dict[int, Plan] = {}
        self._failed: Plan | None = None
        self._nearby: dict[Node, Nearby] = {}
        self._homes: dict[tuple[int, bool], Iterator[Node]] = {}

    def nearby(self, node: Node) -> Nearby:
        """The surroundings of `node` within two steps."""
        found = self._nearby.get(node)
        if found is None:
            found = self._nearby[node] = Nearby(node)
        return found

    def plan(self, number: int) -> Plan:
        """The plan with that number; after a failure, as while shrinking, the plan that has failed."""
        if number not in self._plans:
            self._plans[number] = self._failed or Plan()
        return self._plans[number]

    def goals(self, plan: Plan, subject: int, call: str, goals: Goals) -> tuple[Cell, ...]:
        """The cells of `goals` that this rule should reach by this plan."""
        chosen = plan.goals.get((subject, call))
        if chosen is None:
            chosen = plan.goals[subject, call] = self._chosen(subject, goals)
            self._times.update((subject, goal) for goal in chosen)
        return chosen

    def home(self, plan: Plan, subject: int, model: Model, *, again: bool) -> Node:
        """The node where the object begins, or begins again, by this plan."""
        which = subject, again
        home = plan.homes.get(which)
        if home is None:
            if which not in self._homes:
                self._homes[which] = _homes(model, again=again)
            home = plan.homes[which] = next(self._homes[which])
        return home

    def failed(self, plan: Plan) -> None:
        """Note that an example with this plan has failed."""
        self._failed = self._failed or plan

    def _chosen(self, subject: int, goals: Goals) -> tuple[Cell, ...]:
        at_a_time = ceil(len(goals) * self._subjects / EXAMPLES)
        missing = () if self._coverage.is_complete else (goal for goal, edge in goals.items() if not self._coverage.has(edge))
        unreached = tuple(islice(missing, at_a_time))
        if unreached or len(self._plans) % AGAIN:
            return unreached
        quick = [goal for goal in goals if not goals[goal].is_slow]
        return (min(quick, key=lambda goal: self._times[subject, goal]),) if quick else ()


def _homes(model: Model, *, again: bool) -> Iterator[Node]:
    """The nodes that are reached quickly, in an endless cycle: every state in turn, and every node of a state in turn.

    again: whether an object begins again there. Nodes with full buffers are then left out: data in flight makes room when it is
    acknowledged, which is likelier the longer the object stays.
    """
    by_state: dict[str, list[Node]] = {}
    for node in model.nodes:
        way = model.way_to(node)
        is_near = not again or (len(way) <= NEAR and FULL not in node.facts)
        if is_near and not node.is_final and not any(edge.is_slow for edge in way):
            by_state.setdefault(node.state, []).append(node)
    in_turn = [cycle(nodes) for nodes in by_state.values()]
    for nodes in cycle(in_turn):
        yield next(nodes)

"""What the rules of a machine mean: which cell each use of a rule is to reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from math import ceil

from lifecycle.conformance.model.graph import Cell, Edge, Node

EXAMPLES = 4
"""A rule is to reach all its cells in so many examples, since Hypothesis may choose it in few."""

AGAIN = 4
"""In one example of so many, the cells that were reached least are reached again; the others are left to long histories."""

SLOWNESS = 8
"""a cell that takes milliseconds counts as if it had been reached so many times"""

Goals = Mapping[Cell, Edge]
"""the cells of one call, and the edge that covers each first"""

Plan = dict[tuple[int, str], tuple[Cell, ...]]
"""(which object, call) -> the cells that the first use of its rule is to reach"""


class Nearby:
    """What can be reached from a node in one step or two: each cell with the way there."""

    def __init__(self, node: Node) -> None:
        self.ways: dict[Cell, tuple[Edge, ...]] = {}
        quick = [edge for edge in node.edges if not edge.is_slow]
        for edge in quick:
            if edge.is_call:
                self.ways.setdefault(edge.cell, (edge,))
        for edge in quick:
            if edge.target is not node:
                for after in edge.target.edges:
                    if after.is_call and not after.is_slow:
                        self.ways.setdefault(after.cell, (edge, after))
        self._by_call: dict[str, list[Cell]] = {}
        for cell in self.ways:
            self._by_call.setdefault(cell[1], []).append(cell)

    def cells_of(self, call: str) -> Sequence[Cell]:
        """The cells of one call, those first that it reaches at once."""
        return self._by_call.get(call, ())


class Steering:
    """Which cells the rules of an example are to reach: those that were reached least so far. subjects: how many objects.

    What was decided once for the number of a plan stays so: Hypothesis must see the same choices lead to the same calls.
    """

    def __init__(self, subjects: int) -> None:
        self._subjects = subjects
        self._times: Counter[tuple[int, Cell]] = Counter()
        self._plans: dict[int, Plan] = {}
        self._failed: Plan | None = None
        self._nearby: dict[Node, Nearby] = {}

    def nearby(self, node: Node) -> Nearby:
        """What can be reached from `node` in a step or two."""
        found = self._nearby.get(node)
        if found is None:
            found = self._nearby[node] = Nearby(node)
        return found

    def plan(self, number: int) -> Plan:
        """The plan of that number. One that is drawn after a failure, as shrinking does, is the plan that has failed."""
        if number not in self._plans:
            self._plans[number] = {} if self._failed is None else self._failed
        return self._plans[number]

    def goals(self, plan: Plan, subject: int, call: str, goals: Goals) -> tuple[Cell, ...]:
        """The cells of `goals` that this rule is to reach by this plan."""
        chosen = plan.get((subject, call))
        if chosen is None:
            chosen = plan[subject, call] = self._chosen(subject, goals)
            for goal in chosen:
                self._times[subject, goal] += SLOWNESS if goals[goal].is_slow else 1
        return chosen

    def _chosen(self, subject: int, goals: Goals) -> tuple[Cell, ...]:
        at_a_time = ceil(len(goals) * self._subjects / EXAMPLES)
        unreached = tuple(islice((goal for goal in goals if not self._times[subject, goal]), at_a_time))
        if unreached or len(self._plans) % AGAIN:
            return unreached
        return (min(goals, key=lambda goal: self._times[subject, goal]),)

    def failed(self, plan: Plan) -> None:
        """An example with this plan has failed."""
        if self._failed is None:
            self._failed = plan

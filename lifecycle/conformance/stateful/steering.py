"""What the rules of a machine mean: which cell each use of a rule is to reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from lifecycle.conformance.model.graph import Cell, Edge, Node

HERE_SHARE = 6
"""one use of a rule in so many is made in the present situation"""

SLOWNESS = 8
"""a cell that takes milliseconds counts as if it had been reached so many times"""

Goals = Mapping[Cell, Edge]
"""the cells of one call, and the edge that covers each first"""

Meanings = dict[tuple[int, str, int], tuple[Cell, ...]]
"""(which object, call, which use of its rule in an example) -> the cells that are meant; none for the present situation"""

AT_A_TIME = 2
"""so many cells that were never reached are meant by one use: Hypothesis may choose a rule seldom in a whole run"""


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
    """Which cell a rule is to reach."""

    def __init__(self) -> None:
        self._times: Counter[tuple[int, Cell]] = Counter()
        self._unreached: dict[tuple[int, str], dict[Cell, None]] = {}
        self._frozen: Meanings | None = None
        self._nearby: dict[Node, Nearby] = {}

    def nearby(self, node: Node) -> Nearby:
        """What can be reached from `node` in a step or two."""
        found = self._nearby.get(node)
        if found is None:
            found = self._nearby[node] = Nearby(node)
        return found

    def goals(self, meanings: Meanings, subject: int, call: str, use: int, goals: Goals, node: Node) -> tuple[Cell, ...]:
        """The cells of `goals` that this use of the rule means, in an example that has these meanings so far.

        They are ones that were never reached, rather those near `node`, where the object is; where there are none, the one
        that was reached least of those near it, so that histories grow long.
        """
        meanings = meanings if self._frozen is None else self._frozen
        key = (subject, call, use)
        if key not in meanings:
            here = use % HERE_SHARE == HERE_SHARE - 1
            meanings[key] = () if here else self._chosen(subject, call, goals, node)
        return meanings[key]

    def _chosen(self, subject: int, call: str, goals: Goals, node: Node) -> tuple[Cell, ...]:
        near = self.nearby(node).cells_of(call)
        unreached = self._unreached.setdefault((subject, call), dict.fromkeys(goals))
        if unreached:
            first = [cell for cell in near if cell in unreached]
            chosen = tuple(islice(dict.fromkeys([*first, *unreached]), AT_A_TIME))
        else:
            pool = goals if node.is_final or not near else near
            chosen = (min(pool, key=lambda cell: self._times[subject, cell]),)
        for goal in chosen:
            unreached.pop(goal, None)
            self._times[subject, goal] += SLOWNESS if goals[goal].is_slow else 1
        return chosen

    def freeze(self, meanings: Meanings) -> None:
        """From now on every use means what it meant in this example, which has failed."""
        if self._frozen is None:
            self._frozen = meanings

"""Which cells the objects of a machine have reached, of those there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lifecycle.conformance.model.graph import Edge, Model
from lifecycle.conformance.running.divergence import Divergence


class Coverage:
    """Which cells the objects of a machine have reached, of those there are."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.possible = {(model.role.name, *cell) for model in models for cell in model.first_edges}
        self.states = {(model.role.name, state.name) for model in models for state in model.role.states}
        self.reached: Counter[tuple[str, str, str, str]] = Counter()
        self.explained: Counter[tuple[str, str, str, str]] = Counter()

    @property
    def reached_states(self) -> set[tuple[str, str]]:
        """Every (role, state) in which a call was made."""
        return {(role, state) for role, state, _, _ in (*self.reached, *self.explained)}

    def count(self, edge: Edge, divergence: Divergence | None) -> None:
        """A call was made along an edge, and went as it should, or otherwise in a way that is explained."""
        (self.reached if divergence is None else self.explained)[edge.role, *edge.cell] += 1

    def has(self, edge: Edge) -> bool:
        """Whether the cell of an edge was reached, or is known to differ."""
        cell = (edge.role, *edge.cell)
        return cell in self.reached or cell in self.explained

    def table(self) -> str:
        """One line a role: cells and states reached, of how many."""
        return "\n".join(self._line(role) for role in dict.fromkeys(role for role, _ in sorted(self.states)))

    def _line(self, role: str) -> str:
        cells = [cell for cell in self.possible if cell[0] == role]
        states = [state for state in self.states if state[0] == role]
        reached = sum(cell in self.reached for cell in cells)
        explained = sum(cell in self.explained and cell not in self.reached for cell in cells)
        seen = sum(state in self.reached_states for state in states)
        note = f", {explained} differ as explained" if explained else ""
        return f"{role:12} {reached}/{len(cells)} cells ({reached / max(len(cells), 1):.1%}){note}, {seen}/{len(states)} states"

"""The table that objects really run, opened so that one row of it can be changed: the compiled one, or the machine's own.

It is the table of a copy of the role: nobody else's objects run it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from lifecycle.engine import Role, machine_of
from lifecycle.engine.journal import OBSERVERS
from lifecycle.engine.table import StateNode, initial_node


class RunningTable(Protocol):
    """What one engine runs for one role."""

    def replace(self, state: str, call: str, outcomes: Mapping[str, str] | None) -> None:
        """Let `call` end so in `state`; None makes it illegal there."""
        ...


class CompiledTable:
    """The rows that objects of a role hold under the compiled engine."""

    def __init__(self, role: Role) -> None:
        self.rows: dict[str, StateNode] = {}
        self._collect(initial_node(role, "compiled"))

    def replace(self, state: str, call: str, outcomes: Mapping[str, str] | None) -> None:
        """As RunningTable says."""
        row = self.rows[state]
        cells = {name: dict(after) for name, after in row._cells.items()}
        cells.pop(call, None)
        if outcomes is not None:
            cells[call] = {outcome: self.rows[after] for outcome, after in outcomes.items()}
        row._cells = cells
        row._arm(observed=bool(OBSERVERS.present))

    def _collect(self, row: StateNode) -> None:
        if row._state not in self.rows:
            self.rows[row._state] = row
            for outcomes in row._cells.values():
                for after in outcomes.values():
                    self._collect(after)


class ReferenceTable:
    """The transitions.Machine that objects of a role ask under the reference engine."""

    def __init__(self, role: Role) -> None:
        self._machine = machine_of(role)
        self._outcomes = [outcome.name for outcome in role.outcomes]

    def replace(self, state: str, call: str, outcomes: Mapping[str, str] | None) -> None:
        """As RunningTable says."""
        for outcome in self._outcomes:
            event = self._machine.events.get(f"{call}.{outcome}")
            if event is not None:
                event.transitions.pop(state, None)
        for outcome, after in (outcomes or {}).items():
            self._machine.add_transition(f"{call}.{outcome}", state, None if after == state else after)


TABLES: Mapping[str, type[CompiledTable] | type[ReferenceTable]] = {"compiled": CompiledTable, "reference": ReferenceTable}


@contextmanager
def changed(table: RunningTable, role: Role, state: str, call: str, outcomes: Mapping[str, str] | None) -> Iterator[None]:
    """Let objects of `role` run with one row changed, as long as the block runs."""
    table.replace(state, call, outcomes)
    try:
        yield
    finally:
        table.replace(state, call, role.table[state].get(call))

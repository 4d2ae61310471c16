"""A role as its objects run it: one Row per state, shared by all objects of the role, linked to the rows it leads to.

An object holds its present row and nothing else of its state. There are two engines, and a row belongs to one of them: the
compiled rows answer from the table that was read back from the role's transitions.Machine; the reference rows ask that
machine itself at every step. Both are kept, so that the one can be checked against the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from threading import RLock
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from transitions import Machine

from lifecycle.engine.journal import OBSERVERS
from lifecycle.engine.machine import compiled_table, fire, machine_of
from lifecycle.engine.role import Role


class Row:
    """One state of a role.

    A subclass made for the role adds two slots per call, for the generated methods: `<call>` is the row that the outcome
    `ok` leads to (or this one, where the call has no `ok`), or None where it must go the long way (illegal, observed, or
    reference); and `_keeps_<call>` says whether `ok` keeps this row.
    """

    __slots__ = ("_calls", "_cells", "_final", "_state")

    _engine: ClassVar[str] = "compiled"
    _state: str
    _final: bool
    _calls: tuple[str, ...]
    _cells: Mapping[str, Mapping[str, Row]]

    @property
    def _legal(self) -> tuple[str, ...]:
        return tuple(call for call in self._calls if self._allows(call))

    def _allows(self, call: str) -> bool:
        return call in self._cells

    def _after(self, call: str, outcome: str) -> Row | None:
        """The row that this ending of `call` leads to; None when the table does not list it."""
        return self._cells[call].get(outcome) if call in self._cells else None

    def _arm(self, observed: bool) -> None:
        """Fill the slots that the generated methods read."""
        for call in _slot_calls(type(self)):
            outcomes = None if observed else self._cells.get(call)
            setattr(self, call, None if outcomes is None else outcomes.get("ok", self))
            setattr(self, f"_keeps_{call}", outcomes is not None and outcomes.get("ok") is self)


class ReferenceRow(Row):
    """A row whose every answer comes from transitions."""

    __slots__ = ("_machine", "_rows")

    _engine = "reference"
    _machine: Machine
    _rows: Mapping[str, Row]

    def _allows(self, call: str) -> bool:
        return any(trigger.rsplit(".", 1)[0] == call for trigger in self._machine.get_triggers(self._state))

    def _after(self, call: str, outcome: str) -> Row | None:
        if f"{call}.{outcome}" not in self._machine.get_triggers(self._state):
            return None
        return self._rows[fire(self._machine, self._state, call, outcome)]

    def _arm(self, observed: bool) -> None:
        super()._arm(observed=True)


ENGINES: Mapping[str, type[Row]] = {rows._engine: rows for rows in (Row, ReferenceRow)}

_rows: dict[str, WeakKeyDictionary[Role, dict[str, Row]]] = {engine: WeakKeyDictionary() for engine in ENGINES}

_building = RLock()

_default_engine = os.environ.get("LIFECYCLE_ENGINE", "compiled")


def default_engine() -> str:
    """The engine of objects that were not given one: $LIFECYCLE_ENGINE, or "compiled"."""
    return _default_engine


def set_default_engine(engine: str) -> None:
    """Choose the engine of objects made from now on; ValueError for an unknown name."""
    global _default_engine
    _default_engine = _known(engine)


def initial_row(role: Role, engine: str | None) -> Row:
    """The row in which a new object of `role` begins, under `engine` or the default one; ValueError if unknown."""
    name = _known(_default_engine if engine is None else engine)
    with _building:
        rows = _rows[name].get(role)
        if rows is None:
            rows = _rows[name][role] = _build(role, ENGINES[name])
            for row in rows.values():  # once more: an observer may have come before they were registered
                row._arm(observed=bool(OBSERVERS.present))
    return rows[role.initial]


def _known(engine: str) -> str:
    if engine not in ENGINES:
        raise ValueError(f"no engine {engine!r}; known: {', '.join(ENGINES)}")
    return engine


def _build(role: Role, base: type[Row]) -> dict[str, Row]:
    calls = [call.name for call in role.calls]
    slots = [*calls, *(f"_keeps_{call}" for call in calls)]
    row_class: Any = type(f"{role.name.title()}{base.__name__}", (base,), {"__slots__": slots, "__doc__": base.__doc__})
    table = compiled_table(role)
    rows: dict[str, Row] = {state: row_class() for state in table}
    for state, row in rows.items():
        row._state = state
        row._final = state in role.final
        row._calls = tuple(call.name for call in role.calls if call.fired_by is None)
        row._cells = {
            call: {outcome: rows[after] for outcome, after in outcomes.items()} for call, outcomes in table[state].items()
        }
        if isinstance(row, ReferenceRow):
            row._machine = machine_of(role)
            row._rows = rows
    return rows


def _slot_calls(row_class: type[Row]) -> list[str]:
    slots: list[str] = row_class.__dict__["__slots__"]
    return [slot for slot in slots if not slot.startswith("_")]


def _arm_all(observed: bool) -> None:
    for rows in list(_rows["compiled"].values()):
        for row in rows.values():
            row._arm(observed)


OBSERVERS.on_switch(_arm_all)

"""The reference engine: one transitions.Machine per role, and the table that is compiled by reading that machine back.

The machine has no model: it is shared by all objects of the role, which hold only their state. `add_model` would be
quadratic and would keep every model alive; a machine per object would cost 23 KB each. It is made with the first object, and
transitions is imported then: a program that only imports a class, or reads a table, does without.
"""

from __future__ import annotations

from sys import intern
from types import MappingProxyType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from lifecycle.engine.role import Role, Table

if TYPE_CHECKING:
    from transitions import Machine

_machines: WeakKeyDictionary[Role, Machine] = WeakKeyDictionary()
_tables: WeakKeyDictionary[Role, Table] = WeakKeyDictionary()


class Cursor:
    """The smallest model that transitions can move: an object with a state."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


def machine_of(role: Role) -> Machine:
    """The machine of `role`: a trigger per "call.outcome"; a row that keeps its state is an internal transition."""
    machine = _machines.get(role)
    if machine is None:
        from transitions import Machine

        machine = Machine(
            model=None,
            states=[state.name for state in role.states],
            initial=role.initial,
            auto_transitions=False,
            queued=False,
            name=role.name,
        )
        for state, call, outcome, after in role.cells():
            machine.add_transition(f"{call}.{outcome}", state, None if after == state else after)
        _machines[role] = machine
    return machine


def compiled_table(role: Role) -> Table:
    """state -> call -> outcome -> next state, read back from the machine of `role` and never from the declaration."""
    table = _tables.get(role)
    if table is None:
        cells: dict[str, dict[str, dict[str, str]]] = {state: {} for state in machine_of(role).states}
        for trigger, event in machine_of(role).events.items():
            call, outcome = map(intern, trigger.rsplit(".", 1))  # else a lookup without the GIL takes the dict's lock
            for source, transitions in event.transitions.items():
                (transition,) = transitions
                cells[source].setdefault(call, {})[outcome] = source if transition.dest is None else transition.dest
        order = [call.name for call in role.calls]
        table = MappingProxyType(
            {
                state: MappingProxyType({call: MappingProxyType(row[call]) for call in order if call in row})
                for state, row in cells.items()
            }
        )
        _tables[role] = table
    return table


def fire(machine: Machine, state: str, call: str, outcome: str) -> str:
    """Run "call.outcome" through `machine` from `state`; the next state.

    Raises transitions.MachineError when the machine has no such transition.
    """
    trigger = f"{call}.{outcome}"
    event = machine.events.get(trigger)
    if event is None:
        from transitions import MachineError

        raise MachineError(f"no trigger {trigger!r}")
    cursor = Cursor(state)
    event.trigger(cursor)
    return cursor.state

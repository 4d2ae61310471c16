"""The knowledge about an object at one place of a program: the points (role, state) in which it may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from lifecycle.checking.observed import ObservedStates
from lifecycle.engine import Kind, Role
from lifecycle.roles.python.words import ASKED, CONFIRMED, CONNECTING, RETURNS_ERROR, WATCHED

_RETURNS = frozenset({Kind.SUCCESS, Kind.ENDING})
_LEARNED = frozenset({WATCHED.name, ASKED.name, CONFIRMED.name})


@dataclass(frozen=True, eq=False)
class Machine:
    """A role as a flow checker reads it.

    role: the law. observed: for Python's own sockets, the states that the system really goes through, else None.
    """

    role: Role
    observed: ObservedStates | None = None
    _cells: dict[tuple[str, str], Endings] = field(default_factory=dict, repr=False)

    def initial(self) -> Points:
        """The points of a new object."""
        return self.at(self.role.initial)

    def at(self, *states: str) -> Points:
        """The points of these states."""
        return frozenset(Point(self, state) for state in states)

    def final(self) -> Points:
        """The points of an object that is used up."""
        return self.at(*self.role.final)

    def knows(self, call: str) -> bool:
        """Whether `call` is a call of the role."""
        return call in _names(self.role)

    def endings(self, state: str, call: str) -> Endings | None:
        """The states after `call`, or None if it is illegal and no system accepts it."""
        found = self._cells.get((state, call))
        if found is None:
            cell = self._cell(state, call)
            if cell is None:
                return None
            found = self._cells[state, call] = _endings(self, call, cell)
        return found

    def is_legal(self, state: str, call: str) -> bool:
        """Whether the role allows `call` in `state`."""
        if self.observed is not None:
            return call in self.observed[state].legal
        return call in self.role.table[state]

    def is_accepted(self, state: str, call: str) -> bool:
        """Whether an illegal `call` still works on this system, so that it is only not portable."""
        return self.observed is not None and self.observed[state].accepts(call)

    def can_be_closed(self, state: str, call: str | None = None) -> bool:
        """Whether nothing illegal in `state` becomes legal when another holder closes the object, by `call` if it is given."""
        if self.role.closes is None or call not in (None, self.role.closes):
            return False
        return all(self.is_legal(state, each) for final in self.role.final for each in self.legal(final))

    def reason(self, state: str, call: str) -> str:
        """Why `call` is illegal in `state`, or ""."""
        return self.observed[state].reason(call) if self.observed is not None else self.role.reason(state, call)

    def remedy(self, state: str, call: str) -> tuple[str, ...] | None:
        """The shortest path of calls that makes `call` legal, or None."""
        return self.observed[state].remedy(call) if self.observed is not None else self.role.remedy(state, call)

    def facts(self, state: str) -> object:
        """The facts of `state`."""
        return self.observed[state].facts if self.observed is not None else self.role.state(state).facts

    def legal(self, state: str) -> tuple[str, ...]:
        """The legal calls of `state`, in the table's order."""
        return self.observed[state].legal_calls() if self.observed is not None else self.role.legal(state)

    def _cell(self, state: str, call: str) -> Mapping[str, str] | None:
        if self.observed is None:
            return self.role.table[state].get(call)
        here = self.observed[state]
        if call not in here.legal and not here.accepts(call):
            return None
        names = (outcome.name for outcome in self.role.outcomes)
        return {name: here.after(call, name).name for name in names if here.lists(call, name)} or {"ok": state}


class Point(NamedTuple):
    """A state of a role."""

    machine: Machine
    state: str


Points = frozenset[Point]


class Endings(NamedTuple):
    """The states after a call: where it returned, by outcome, and where it raised."""

    returned: Mapping[str, str]
    raised: frozenset[str]

    def after(self, outcome: str | None) -> Iterable[str]:
        """The states after it returned; outcome: the one that an argument chose."""
        return self.returned.values() if outcome is None or outcome not in self.returned else (self.returned[outcome],)


@cache
def _names(role: Role) -> frozenset[str]:
    return frozenset(call.name for call in role.calls)


def _endings(machine: Machine, call: str, cell: Mapping[str, str]) -> Endings:
    kinds = {outcome: machine.role.outcome(outcome).kind for outcome in cell}
    returned = {
        outcome: after
        for outcome, after in cell.items()
        if kinds[outcome] in _RETURNS or call in RETURNS_ERROR or (outcome in _LEARNED and call not in CONNECTING)
    }
    raised = frozenset(after for outcome, after in cell.items() if outcome not in returned)
    return Endings(returned or dict(cell), raised)

"""Highlighting in the diagram of a role: an object's current state, and the path that it took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lifecycle.diagrams.graph import Mark
from lifecycle.engine import Lifecycle, LifecycleError, Record, Role


class WrongHighlight(LifecycleError, ValueError):
    """The object, state or records to highlight do not belong to the role, as the message explains."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """The current state ("" for none), and the cells that were taken: (state, call, outcome)."""

    present: str = ""
    taken: frozenset[tuple[str, str, str]] = frozenset()
    visited: frozenset[str] = frozenset()

    def mark(self, state: str) -> Mark:
        """How a state is drawn."""
        return Mark.PRESENT if state == self.present else Mark.VISITED if state in self.visited else Mark.NONE

    def has_taken(self, state: str, pairs: Iterable[tuple[str, str]]) -> bool:
        """Whether one of the (call, outcome) was taken in `state`."""
        return any((state, call, outcome) in self.taken for call, outcome in pairs)


NOTHING = Highlight()

Highlighted = Lifecycle | str | Iterable[Record]
"""An object, the name of a state, or the records of one object"""


def highlight_of(role: Role, what: Highlighted | None) -> Highlight:
    """The highlighting of `what` in the picture of `role`. Raises WrongHighlight.

    what: an object, for its current state; the name of a state; or records of one object, for its path and last state.
    Records of several objects are refused unless only one of them is of this role.
    """
    match what:
        case None:
            return NOTHING
        case Lifecycle():
            if what.role is not role:
                raise WrongHighlight(f"{what!r} is of the role {what.role.name!r}, not {role.name!r}")
            return Highlight(what.state)
        case str():
            if what not in role.table:
                raise WrongHighlight(f"no state {what!r} in the role {role.name!r}; known: {', '.join(role.table)}")
            return Highlight(what)
    return _path(role, what)


def _path(role: Role, records: Iterable[Record]) -> Highlight:
    mine = sorted((record for record in records if record.role == role.name), key=lambda record: record.began)
    subjects = list(dict.fromkeys(record.subject for record in mine))
    if not subjects:
        raise WrongHighlight(f"no call on an object of the role {role.name!r} was recorded")
    if len(subjects) > 1:
        raise WrongHighlight(f"the records are of several objects: {', '.join(subjects)}; give those of one")
    present, taken, visited = mine[0].state, set(), {mine[0].state}
    for record in mine:
        after = role.table.get(record.state, {}).get(record.call, {}).get(record.outcome or "")
        if after is not None:
            taken.add((record.state, record.call, record.outcome or ""))
            visited.add(after)
            present = after
    unknown = visited - set(role.table)
    if unknown:
        raise WrongHighlight(f"no state {min(unknown)!r} in the role {role.name!r}: the records are of another one")
    return Highlight(present, frozenset(taken), frozenset(visited))

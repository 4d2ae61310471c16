"""The checks of a role's declaration: what contradicts itself is refused when the role is made, and the row is named."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lifecycle.engine.errors import RoleError

if TYPE_CHECKING:
    from lifecycle.engine.role import Call, Outcome, Role, Row, State, Table

RESERVED_BY_TRANSITIONS = frozenset({"*", "="})


def checked_row(role: Role, row: Any) -> Row:
    """The row with its outcomes frozen, or RoleError for what has not the form of a row."""
    if not (isinstance(row, tuple) and len(row) == 3 and isinstance(row[2], Mapping)):
        raise RoleError(f"role {role.name!r}, row {row!r}: a row is (state, call, {{outcome: next state}})")
    return row[0], row[1], MappingProxyType(dict(row[2]))


def checked_table(role: Role) -> Table:
    """The rows of `role` as a table in the order of its declarations, or RoleError naming the first row that is wrong."""
    known = {
        "state": _unique_names(role, "state", role.states),
        "call": _unique_names(role, "call", role.calls),
        "outcome": _unique_names(role, "outcome", role.outcomes),
    }

    def check(what: str, name: str, where: str) -> None:
        if name not in known[what]:
            import difflib  # only a wrong declaration needs it

            near = difflib.get_close_matches(name, known[what], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known[what])}"
            raise RoleError(f"role {role.name!r}, {where}: no {what} {name!r}{hint}")

    if not role.name:
        raise RoleError("a role needs a name")
    check("state", role.initial, "initial")
    for final in role.final:
        check("state", final, "final")
    if role.closes is not None:
        check("call", role.closes, "closes")
    for state, call in role.reasons:
        check("state", state, f"reason for {state}.{call}")
        check("call", call, f"reason for {state}.{call}")

    cells: dict[str, dict[str, Mapping[str, str]]] = {state: {} for state in known["state"]}
    for state, call, outcomes in role.rows:
        where = f"row {state}.{call}"
        check("state", state, where)
        check("call", call, where)
        if call in cells[state]:
            raise RoleError(f"role {role.name!r}, {where}: a duplicate cell; each (state, call) has one row")
        if not outcomes:
            raise RoleError(f"role {role.name!r}, {where}: no outcome")
        for outcome, after in outcomes.items():
            check("outcome", outcome, f"{where}.{outcome}")
            check("state", after, f"{where}.{outcome} -> {after}")
            if state in role.final and after != state:
                raise RoleError(f"role {role.name!r}, {where}.{outcome} -> {after}: {state!r} is final and never left")
        if role.call(call).at_once and set(outcomes) != {"ok"}:
            raise RoleError(f"role {role.name!r}, {where}: a call taken at once can only end in 'ok'")
        if (state, call) in role.reasons:
            raise RoleError(f"role {role.name!r}, {where}: is legal, yet has a reason for being illegal")
        cells[state][call] = MappingProxyType(dict(outcomes))

    for each in role.calls:
        if each.fired_by is not None:
            if len(each.fired_by.split(".")) != 2:
                raise RoleError(
                    f"role {role.name!r}, call {each.name!r}: fired_by {each.fired_by!r} is not of the form role.call"
                )
            for state, row in cells.items():
                if set(row.get(each.name, {"ok"})) != {"ok"}:
                    raise RoleError(
                        f"role {role.name!r}, row {state}.{each.name}: a call that another one fires can only end in 'ok'"
                    )
        if not each.reason and not any(each.name in row for row in cells.values()):
            raise RoleError(f"role {role.name!r}, call {each.name!r}: no row takes it, and no reason says why")
    _refuse_strays(role, cells)
    return MappingProxyType(
        {state: MappingProxyType({call: row[call] for call in known["call"] if call in row}) for state, row in cells.items()}
    )


def _unique_names(role: Role, what: str, things: Iterable[State | Call | Outcome]) -> dict[str, None]:
    names: dict[str, None] = {}
    for thing in things:
        if not thing.name:
            raise RoleError(f"role {role.name!r}: a {what} with an empty name")
        if thing.name in names:
            raise RoleError(f"role {role.name!r}: {what} {thing.name!r} is declared twice")
        if thing.name in RESERVED_BY_TRANSITIONS:
            raise RoleError(f"role {role.name!r}: {what} {thing.name!r} is a wildcard of transitions, not a name")
        if what == "outcome" and "." in thing.name:
            raise RoleError(f"role {role.name!r}: outcome {thing.name!r} has a dot, which separates call from outcome")
        names[thing.name] = None
    return names


def _refuse_strays(role: Role, cells: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
    forward = {state: {after for row in calls.values() for after in row.values()} for state, calls in cells.items()}
    backward: dict[str, set[str]] = {state: set() for state in cells}
    for state, afters in forward.items():
        for after in afters:
            backward[after].add(state)
    for state in cells:
        if state not in _closure({role.initial}, forward):
            raise RoleError(f"role {role.name!r}, state {state!r}: no path from {role.initial!r} leads to it")
        if state not in _closure(role.final, backward):
            raise RoleError(f"role {role.name!r}, state {state!r}: no path from it leads to a final state")


def _closure(start: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    seen = set(start)
    queue = deque(seen)
    while queue:
        for after in edges[queue.popleft()] - seen:
            seen.add(after)
            queue.append(after)
    return seen

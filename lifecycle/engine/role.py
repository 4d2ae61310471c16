"""The declaration of a role: frozen data that is checked when it is made.

A role says which calls an object of some kind takes, in which states, how each may end, and where each ending leads.
The unit of truth is the triple (state, call, outcome) and the next state it leads to. Outcomes include failures,
because a failing call can change the state of the world.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from lifecycle.engine.vocabulary import STANDARD_OUTCOMES, Call, Kind, Outcome, State


class LifecycleError(Exception):
    """Base class of the engine's errors; never an OSError."""


class RoleError(LifecycleError, ValueError):
    """A role's declaration contradicts itself; the text names the row."""


class UnlistedOutcome(LifecycleError):
    """The table does not list this outcome for this call in this state."""


Row = tuple[str, str, Mapping[str, str]]
"""(state, call, {outcome: next state}): all the ways in which one call can end in one state."""

Table = Mapping[str, Mapping[str, Mapping[str, str]]]
"""state -> call -> outcome -> next state"""

Named = TypeVar("Named", State, Call, Outcome)


def stays(state: str, *outcomes: str) -> dict[str, str]:
    """The cells of a call that leaves the object in `state` however it ends."""
    return dict.fromkeys(outcomes, state)


@dataclass(frozen=True, eq=False)
class Role:
    """One role, as plain data.

    name: as in "server". doc: one line. initial: the state of a new object. final: states that are never left
    for another one. closes: the call that ends the object's life (a `with` block and the collector make it).
    reasons: (state, call) -> why that cell is illegal.

    Raises RoleError, naming the row, for an unknown or empty name, a duplicate cell, two states with the same facts, a state
    that cannot be reached, or one from which no final state can be reached.
    """

    name: str
    doc: str
    states: tuple[State, ...]
    calls: tuple[Call, ...]
    rows: tuple[Row, ...]
    initial: str
    final: frozenset[str]
    closes: str | None = None
    outcomes: tuple[Outcome, ...] = STANDARD_OUTCOMES
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    table: Table = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _set = object.__setattr__
        for name, kind in (("states", State), ("calls", Call), ("outcomes", Outcome)):
            _set(self, name, tuple(getattr(self, name)))
            for each in getattr(self, name):
                if not isinstance(each, kind):
                    raise RoleError(f"role {self.name!r}, {name}: {each!r} is not a {kind.__name__}")
        _set(self, "rows", tuple(_checked_row(self, row) for row in self.rows))
        if isinstance(self.final, str):
            raise RoleError(f"role {self.name!r}, final: expected a set of state names, not the text {self.final!r}")
        _set(self, "final", frozenset(self.final))
        _set(self, "reasons", MappingProxyType(dict(self.reasons)))
        _set(self, "table", _checked_table(self))
        _set(self, "calls", tuple(_with_exclusive(self, call) for call in self.calls))

    def __repr__(self) -> str:
        return f"<Role {self.name}: {len(self.states)} states, {len(self.calls)} calls>"

    def __reduce__(self) -> tuple[type[Role], tuple[Any, ...]]:
        return type(self), (
            self.name, self.doc, self.states, self.calls, tuple((s, c, dict(o)) for s, c, o in self.rows), self.initial,
            self.final, self.closes, self.outcomes, dict(self.reasons),
        )  # fmt: skip

    def state(self, name: str) -> State:
        """The state of that name; KeyError when there is none."""
        return _named(self.states, name)

    def call(self, name: str) -> Call:
        """The call of that name; KeyError when there is none."""
        return self._call_of[name]

    @cached_property
    def _call_of(self) -> Mapping[str, Call]:
        return {call.name: call for call in self.calls}

    def outcome(self, name: str) -> Outcome:
        """The outcome of that name; KeyError when there is none."""
        return self._outcome_of[name]

    @cached_property
    def _outcome_of(self) -> Mapping[str, Outcome]:
        return {outcome.name: outcome for outcome in self.outcomes}

    def next(self, state: str, call: str, outcome: str) -> str:
        """The state to which `outcome` of `call` leads from `state`: the whole of a role, as a pure function.

        Raises UnlistedOutcome when `call` is not legal in `state` or cannot end so; KeyError for an unknown state.
        """
        endings = self.table[state].get(call)
        if endings is None:
            raise UnlistedOutcome(f"{self.name}: {call} is not legal in state {state!r}")
        if outcome not in endings:
            where = f"{self.name}: {call} cannot end in {outcome!r} in state {state!r}"
            raise UnlistedOutcome(f"{where}; its row lists {', '.join(endings)}")
        return endings[outcome]

    def state_of(self, facts: object) -> str | None:
        """The name of the state with these facts, or None when the role has no such state."""
        for state in self.states:
            if state.facts == facts:
                return state.name
        return None

    def legal(self, state: str) -> tuple[str, ...]:
        """The calls a user may make in `state`, in the table's order."""
        cells = self.table[state]
        return tuple(call.name for call in self.calls if call.name in cells and call.fired_by is None)

    def illegal(self, state: str) -> tuple[str, ...]:
        """The calls that are refused in `state`, in the table's order."""
        cells = self.table[state]
        return tuple(call.name for call in self.calls if call.name not in cells and call.fired_by is None)

    def events(self, state: str) -> frozenset[str]:
        """The names of the notifications that may be delivered in `state`."""
        return frozenset(event for call in self.calls if call.name in self.table[state] for event in call.announced_by)

    def cells(self) -> tuple[tuple[str, str, str, str], ...]:
        """Every (state, call, outcome, next state), in the table's order."""
        return tuple(
            (state, call, outcome, after)
            for state, calls in self.table.items()
            for call, outcomes in calls.items()
            for outcome, after in outcomes.items()
        )

    def never_legal(self, call: str) -> bool:
        """Whether no state of this role takes `call`."""
        return not any(call in calls for calls in self.table.values())

    def reason(self, state: str, call: str) -> str:
        """Why `call` is illegal in `state`, or "" where the table does not say: the nearest reason wins.

        The cell's own comes first; then, of a call that is never legal, the call's; then the state's where life has not
        begun or has ended, and else the call's before the state's.
        """
        if (state, call) in self.reasons:
            return self.reasons[state, call]
        of_call, of_state = self.call(call).reason, self.state(state).reason
        state_first = (state == self.initial or state in self.final) and not self.never_legal(call)
        return (of_state or of_call) if state_first else (of_call or of_state)

    def remedy(self, state: str, call: str) -> tuple[str, ...] | None:
        """The shortest path of calls from `state` to a state where `call` is legal, or None when there is none.

        It counts on success; where success alone leads nowhere, also on waiting (a connect that is pending), and last on
        endings (a receive() that is repeated until the stream ends). A step that another role's call fires is written with
        that role, as in "server.accept".
        """
        steps = self.steps_to(state, call)
        return None if steps is None else tuple(step for step, _ in steps)

    def steps_to(self, state: str, call: str) -> tuple[tuple[str, Kind], ...] | None:
        """The steps of the remedy, each with the kind of outcome that it counts on."""
        for kinds in ({Kind.SUCCESS}, {Kind.SUCCESS, Kind.WAITING}, {Kind.SUCCESS, Kind.ENDING}):
            path = self._path(state, call, kinds)
            if path is not None:
                return path
        return None

    def _path(self, state: str, goal: str, kinds: set[Kind]) -> tuple[tuple[str, Kind], ...] | None:
        paths: dict[str, tuple[tuple[str, Kind], ...]] = {state: ()}
        queue = deque([state])
        while queue:
            here = queue.popleft()
            if goal in self.table[here]:
                return paths[here]
            for kind, step, after in self._steps[here]:
                if after not in paths and kind in kinds and not step.external:
                    paths[after] = (*paths[here], (step.fired_by or step.name, kind))
                    queue.append(after)
        return None

    @cached_property
    def _steps(self) -> Mapping[str, Sequence[tuple[Kind, Call, str]]]:
        """state -> (kind of the outcome, call, next state) of all that can happen there, successes first."""
        return {
            state: sorted(
                (
                    (self.outcome(outcome).kind, self.call(name), after)
                    for name, outcomes in calls.items()
                    for outcome, after in outcomes.items()
                ),
                key=lambda each: each[0] is not Kind.SUCCESS,
            )
            for state, calls in self.table.items()
        }


def checked_role(thing: object) -> Role:
    """`thing`, if it is a Role; TypeError for what is often given instead: a role's name, or a class that has one."""
    if not isinstance(thing, Role):
        raise TypeError(f"{thing!r} is not a Role: give the role itself, not its name or a class that has it")
    return thing


def _named(things: Iterable[Named], name: str) -> Named:
    for thing in things:
        if thing.name == name:
            return thing
    raise KeyError(name)


# -- the checks of a declaration ------------------------------------------------------------------------------------------

RESERVED_BY_TRANSITIONS = frozenset({"*", "="})


def _checked_row(role: Role, row: Any) -> Row:
    """The row with its outcomes frozen, or RoleError if it is not of the form of a row."""
    if not (isinstance(row, tuple) and len(row) == 3 and isinstance(row[2], Mapping)):
        raise RoleError(f"role {role.name!r}, row {row!r}: a row is (state, call, {{outcome: next state}})")
    return row[0], row[1], MappingProxyType(dict(row[2]))


def _checked_table(role: Role) -> Table:
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
        where = f"reason for {state}.{call}"
        check("state", state, where)
        check("call", call, where)
    _refuse_shared_facts(role)

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
            if outcome not in known["outcome"] or after not in known["state"]:  # there are thousands of texts to be made else
                check("outcome", outcome, f"{where}.{outcome}")
                check("state", after, f"{where}.{outcome} -> {after}")
            if after != state and state in role.final:
                raise RoleError(f"role {role.name!r}, {where}.{outcome} -> {after}: {state!r} is final and never left")
        if (state, call) in role.reasons:
            raise RoleError(f"role {role.name!r}, {where}: is legal, yet has a reason for being illegal")
        cells[state][call] = outcomes

    for each in role.calls:
        _check_call(role, each, cells, known["outcome"])
    _refuse_strays(role, cells)
    return MappingProxyType(
        {state: MappingProxyType({call: row[call] for call in known["call"] if call in row}) for state, row in cells.items()}
    )


def _with_exclusive(role: Role, call: Call) -> Call:
    """The call with `exclusive` decided: whether success changes the state after the handler, unless it closes the object."""
    if call.exclusive is not None:
        return call
    changes = any(
        after != state and role.outcome(outcome).kind is Kind.SUCCESS
        for state, row in role.table.items()
        for outcome, after in row.get(call.name, {}).items()
    )
    return replace(call, exclusive=changes and not call.settles_before and call.name != role.closes)


def _check_call(
    role: Role, call: Call, cells: Mapping[str, Mapping[str, Mapping[str, str]]], outcomes: Mapping[str, None]
) -> None:
    where = f"role {role.name!r}, call {call.name!r}"
    if call.settles not in ("before", "after"):
        raise RoleError(f'{where}: settles {call.settles!r} is neither "before" nor "after"')
    for outcome in call.errors:
        if outcome not in outcomes:
            raise RoleError(f"{where}: errors for an unknown outcome {outcome!r}")
    if call.fired_by is not None:
        if len(call.fired_by.split(".")) != 2:
            raise RoleError(f"{where}: fired_by {call.fired_by!r} is not of the form role.call")
        for state, row in cells.items():
            if set(row.get(call.name, {"ok"})) != {"ok"}:
                raise RoleError(
                    f"role {role.name!r}, row {state}.{call.name}: a call that another one fires can only end in 'ok'"
                )
    if not call.reason and not any(call.name in row for row in cells.values()):
        raise RoleError(f"{where}: it is legal in no state; add a row, or a reason that says why not")


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


def _refuse_shared_facts(role: Role) -> None:
    names: dict[object, str] = {}
    for state in role.states:
        if state.facts is not None and names.setdefault(state.facts, state.name) != state.name:
            raise RoleError(f"role {role.name!r}: states {names[state.facts]!r} and {state.name!r} have the same facts")


def _refuse_strays(role: Role, cells: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
    forward = {state: {after for row in calls.values() for after in row.values()} for state, calls in cells.items()}
    backward: dict[str, set[str]] = {state: set() for state in cells}
    for state, afters in forward.items():
        for after in afters:
            backward[after].add(state)
    reached, ending = _closure({role.initial}, forward), _closure(role.final, backward)
    for state in cells:
        if state not in reached:
            raise RoleError(f"role {role.name!r}, state {state!r}: no path from {role.initial!r} leads to it")
        if state not in ending:
            raise RoleError(f"role {role.name!r}, state {state!r}: no path from it leads to a final state")


def _closure(start: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    seen = set(start)
    queue = deque(seen)
    while queue:
        for after in edges[queue.popleft()] - seen:
            seen.add(after)
            queue.append(after)
    return seen


for _public in (LifecycleError, RoleError):
    _public.__module__ = "lifecycle"  # a traceback names them as the user imports them

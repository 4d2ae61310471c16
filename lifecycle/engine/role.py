"""The declaration of a role: frozen data that is checked when it is made.

A role says which calls an object of some kind takes, in which states, how each may end, and where each ending leads.
The unit of truth is the triple (state, call, outcome) and the next state it leads to. Outcomes include failures,
because a failing call can change the state of the world.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from lifecycle.engine.errors import RoleError
from lifecycle.engine.role_checks import checked_row, checked_table


class Kind(StrEnum):
    """What an outcome means to the caller; remedies count on successes, diagrams draw failures apart."""

    SUCCESS = "success"
    WAITING = "waiting"
    ENDING = "ending"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which a call can end."""

    name: str
    doc: str
    kind: Kind = Kind.SUCCESS


OK = Outcome("ok", "The call did what it is for.")
PENDING = Outcome("pending", "The call would have to wait, and the object does not wait.", Kind.WAITING)
TIMED_OUT = Outcome("timed_out", "The object's time-out passed while the call waited.", Kind.WAITING)
EOF = Outcome("eof", "The peer has ended its side: nothing more will come.", Kind.ENDING)
REFUSED = Outcome("refused", "The other side did not take it: nobody listens, or nobody is there.", Kind.FAILURE)
BROKEN = Outcome("broken", "The connection is gone: reset, aborted, broken pipe.", Kind.FAILURE)
FAILED = Outcome("failed", "Any other error.", Kind.FAILURE)

STANDARD_OUTCOMES = (OK, PENDING, TIMED_OUT, EOF, REFUSED, BROKEN, FAILED)


@dataclass(frozen=True, slots=True)
class State:
    """A named phase of the object's life; `reason` says why a call is illegal here when no nearer reason is given."""

    name: str
    doc: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the vocabulary.

    reason: why the call is illegal wherever no nearer reason is given.
    exclusive: at most one such call runs on an object at a time, since it installs or replaces what the object holds.
    at_once: its `ok` row is taken before the handler runs, so that no other call starts while the object goes away.
    external: what it leads to is decided outside the object, so that it is never offered as a remedy.
    fired_by: "role.call", the call of another role that fires this one; users never make it themselves.
    """

    name: str
    doc: str
    reason: str = ""
    exclusive: bool = False
    at_once: bool = False
    external: bool = False
    fired_by: str | None = None


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

    Raises RoleError, naming the row, for an unknown or empty name, a duplicate cell, a state that cannot be reached, or
    one from which no final state can be reached.
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
                    raise RoleError(f"role {self.name!r}, {name}: {each!r} is no {kind.__name__}")
        _set(self, "rows", tuple(checked_row(self, row) for row in self.rows))
        if isinstance(self.final, str):
            raise RoleError(f"role {self.name!r}, final: a set of states' names, not the text {self.final!r}")
        _set(self, "final", frozenset(self.final))
        _set(self, "reasons", MappingProxyType(dict(self.reasons)))
        _set(self, "table", checked_table(self))

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
        return _named(self.calls, name)

    def outcome(self, name: str) -> Outcome:
        """The outcome of that name; KeyError when there is none."""
        return _named(self.outcomes, name)

    def legal(self, state: str) -> tuple[str, ...]:
        """The calls a user may make in `state`, in the table's order."""
        cells = self.table[state]
        return tuple(call.name for call in self.calls if call.name in cells and call.fired_by is None)

    def illegal(self, state: str) -> tuple[str, ...]:
        """The calls that are refused in `state`, in the table's order."""
        cells = self.table[state]
        return tuple(call.name for call in self.calls if call.name not in cells and call.fired_by is None)

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

        It counts on success; where success alone leads nowhere, also on waiting (a connect that is pending). A step that
        another role's call fires is written with that role, as in "server.accept".
        """
        for kinds in ({Kind.SUCCESS}, {Kind.SUCCESS, Kind.WAITING}):
            path = self._path(state, call, kinds)
            if path is not None:
                return path
        return None

    def _path(self, state: str, goal: str, kinds: set[Kind]) -> tuple[str, ...] | None:
        paths: dict[str, tuple[str, ...]] = {state: ()}
        queue = deque([state])
        while queue:
            here = queue.popleft()
            if goal in self.table[here]:
                return paths[here]
            for name, outcomes in self.table[here].items():
                step = self.call(name)
                if step.external:
                    continue
                for outcome, after in outcomes.items():
                    if after not in paths and self.outcome(outcome).kind in kinds:
                        paths[after] = (*paths[here], step.fired_by or name)
                        queue.append(after)
        return None


def checked_role(thing: object) -> Role:
    """It, where it is a role. Raises TypeError for what is often given in its place: a role's name, or a class that has one."""
    if not isinstance(thing, Role):
        raise TypeError(f"{thing!r} is no Role: give the role itself, not its name or a class that has it")
    return thing


def _named(things: Iterable[Named], name: str) -> Named:
    for thing in things:
        if thing.name == name:
            return thing
    raise KeyError(name)

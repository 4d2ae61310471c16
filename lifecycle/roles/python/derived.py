"""Derives the roles of Python's own sockets from the package's: states, rows, calls and reasons, with Python's names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from lifecycle.engine import Call, Role, Row, Rule, State, stay
from lifecycle.roles.facts import Facts
from lifecycle.roles.python.words import CALLS, METHODS, OF_A_CLOSED_OBJECT, OF_A_HANDLE, PACKAGE_CALLS


@dataclass(frozen=True, slots=True)
class PythonFacts(Facts):
    """The facts of a socket, and what the program has done with it.

    waited: during a connect the program has asked for the descriptor, so it may have waited for the result. checked: SO_ERROR
    was read when there was a connection. failed: a connect was refused. early: shutdown() was called before there was a peer.
    stopped: it is a listener that was shut down. The last two can only be reached by an illegal call.
    """

    waited: bool = False
    checked: bool = False
    failed: bool = False
    early: bool = False
    stopped: bool = False

    @property
    def socket(self) -> Facts:
        """The facts of the system's socket alone."""
        return Facts(*(getattr(self, each.name) for each in fields(Facts)))


def python_facts(at: Facts) -> PythonFacts:
    """The facts of a socket at `at` with which the program has done nothing else."""
    return PythonFacts(*(getattr(at, each.name) for each in fields(Facts)))


def python_state(state: State) -> State:
    """A state of the package's tables, with Python's names."""
    return State(state.name, python_words(state.doc), python_words(state.reason), python_facts(state.facts))


def python_calls(role: Role, *others: Role, **reasons: str) -> tuple[Call, ...]:
    """The methods as calls, each with the errors of the package's call that it makes.

    A method that no role takes has the reason of `role` for that. reasons: for methods that are not a call of `role` at all.
    """
    calls = []
    for call in CALLS:
        package_call = PACKAGE_CALLS.get(call.name, "")
        known = [(each, each.call(package_call)) for each in (role, *others) if package_call in _names(each)]
        never = all(each.never_legal(package_call) for each, _ in known)
        reason = python_words(known[0][1].reason) if known and never else call.reason
        errors = next((_plain_errors(each, of) for each, of in known if of.errors), {})
        calls.append(replace(call, reason=reasons.get(call.name, reason), errors=errors))
    return tuple(calls)


def _plain_errors(role: Role, call: Call) -> Mapping[str, tuple[str, ...]]:
    """The errors of a call, except those that mean an outcome of TLS, which the system's sockets do not have."""
    plain = {outcome for state in role.states if state.facts.is_plain for outcome in role.table[state.name].get(call.name, ())}
    return {outcome: names for outcome, names in call.errors.items() if outcome in plain}


def python_rows(*roles: Role, states: Iterable[State]) -> tuple[Row, ...]:
    """The rows of `roles` for those states, with Python's names: a call that one role allows is allowed."""
    rows = [
        (state.name, method, outcomes)
        for state in states
        for role in roles
        for call, outcomes in role.table.get(state.name, {}).items()
        for method in METHODS.get(call, ())
    ]
    return merged(rows)


def merged(rows: Iterable[Row]) -> tuple[Row, ...]:
    """One row for each cell, with the outcomes of all its rows; the last of several for one outcome counts."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for state, call, outcomes in rows:
        cells.setdefault((state, call), {}).update(outcomes)
    return tuple((state, call, outcomes) for (state, call), outcomes in cells.items())


EVERY_OBJECT = (
    Rule(" ".join(OF_A_HANDLE), lambda at: at.handle, {"ok": stay, "failed": stay}),
    Rule(" ".join(OF_A_CLOSED_OBJECT), lambda at: at.over, {"ok": stay}),
)
"""what Python adds to every role"""


def python_reasons(*roles: Role, rows: Iterable[Row], states: Iterable[State]) -> dict[tuple[str, str], str]:
    """The reasons for the illegal cells: those of the first role that allows the call in other states.

    A call that no row takes at all has its reason with the call.
    """
    legal = {(state, call) for state, call, _ in rows}
    sometimes = {call for _, call in legal}
    reasons: dict[tuple[str, str], str] = {}
    for state in states:
        for method, call in PACKAGE_CALLS.items():
            having = [role for role in roles if state.name in role.table and call in _names(role)]
            speaking = sorted(having, key=lambda role: role.never_legal(call))
            if (state.name, method) not in legal and method in sometimes and speaking:
                reason = speaking[0].reason(state.name, call)
                if reason:
                    reasons[state.name, method] = python_words(reason)
    return reasons


def _names(role: Role) -> set[str]:
    return {call.name for call in role.calls}


_PACKAGE_CALL = re.compile(r"\b([a-z_]+)\(\)")
_OBJECTS: Mapping[str, str] = {
    "an Accepted": "the socket",
    "the Accepted": "the socket",
    "a Server": "a server",
    "a Client": "a client",
}


def python_words(text: str) -> str:
    """A text of the package's tables with the names of Python's sockets."""
    text = _PACKAGE_CALL.sub(lambda found: f"{METHODS.get(found[1], (found[1],))[0]}()", text)
    for package, python in _OBJECTS.items():
        text = text.replace(package, python)
    return text

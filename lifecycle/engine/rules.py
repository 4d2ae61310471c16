"""Rules over facts, and the rows that follow from them.

A state is a point in a few facts. A rule says once in which of these points some calls are legal, and how each outcome moves
the point; the rows of a role are expanded from its rules, so that a reader still sees a table.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Facts:
...     lit: bool
>>> states = (State("dark", "Off.", facts=Facts(lit=False)), State("bright", "On.", facts=Facts(lit=True)))
>>> expand((Rule("switch_on", lambda at: not at.lit, {"ok": to(lit=True), "failed": stay}),), states)
(('dark', 'switch_on', {'ok': 'bright', 'failed': 'dark'}),)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from lifecycle.engine.role import RoleError, Row
from lifecycle.engine.vocabulary import State

Where = Callable[[Any], bool]
"""Whether a rule holds of a point"""

Change = Callable[[Any], Any]
"""A point -> the point that an outcome leads to"""


class Rule(NamedTuple):
    """These calls (names, separated by spaces) are legal where this holds, and each outcome changes the facts so."""

    calls: str
    where: Where
    outcomes: Mapping[str, Change]


class Reason(NamedTuple):
    """Why these calls (names, separated by spaces) are illegal where this holds; the first reason that fits is given."""

    calls: str
    where: Where
    text: str


def stay(facts: Any) -> Any:
    """The change of an outcome that changes nothing."""
    return facts


def to(**changes: object) -> Change:
    """The change of an outcome that changes these facts."""
    return lambda facts: replace(facts, **changes)


def becomes(facts: object) -> Change:
    """The change of an outcome that leads to one point, from wherever."""
    return lambda _: facts


def always(facts: object) -> bool:
    """Holds of every point."""
    return True


def expand(rules: Iterable[Rule], states: Sequence[State]) -> tuple[Row, ...]:
    """The rows of `rules` over `states`, each of which has facts.

    Raises RoleError, naming the call and the outcome, if an outcome leads to facts that no state has.
    """
    names = {state.facts: state.name for state in states}
    return tuple(
        (state.name, call, cells)
        for state in states
        for rule in rules
        if rule.where(state.facts)
        for cells in [_cells(rule, state, names)]
        for call in rule.calls.split()
    )


def _cells(rule: Rule, state: State, names: Mapping[Any, str]) -> dict[str, str]:
    cells = {}
    for outcome, change in rule.outcomes.items():
        facts = change(state.facts)
        if change is not stay and facts not in names:
            raise RoleError(f"rule for {rule.calls}, state {state.name}: {outcome} leads to {facts!r}, which no state has")
        cells[outcome] = state.name if change is stay else names[facts]
    return cells


def expand_reasons(reasons: Iterable[Reason], rows: Iterable[Row], states: Sequence[State]) -> dict[tuple[str, str], str]:
    """(state, call) -> the first reason that fits, for the cells that no row has."""
    legal = {(state, call) for state, call, _ in rows}
    found: dict[tuple[str, str], str] = {}
    for state in states:
        for reason in reasons:
            if reason.where(state.facts):
                for call in reason.calls.split():
                    if (state.name, call) not in legal:
                        found.setdefault((state.name, call), reason.text)
    return found

"""The claim: comparing the compiled table with transitions, cell by cell, for all roles takes less than a second."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable

from transitions import MachineError

from benchmarks.claim import Claim, Figure, exactly
from benchmarks.effort import Effort
from benchmarks.interleaved import spread
from lifecycle import ROLES, Role
from lifecycle.engine import compiled_table, machine_of
from lifecycle.engine.reference import fire

LIMIT_SECONDS = 1


def measure(effort: Effort) -> list[Figure]:
    """Every (state, call, outcome) of every role, the impossible ones included, with machines and tables built anew."""
    seconds: list[float] = []
    triples = differences = 0
    for _ in effort.rounds(7, 1):
        roles = [copy.deepcopy(role) for role in ROLES.values()]
        begin = time.perf_counter()
        results = [differences_of(role) for role in roles]
        seconds.append(time.perf_counter() - begin)
        triples, differences = (sum(column) for column in zip(*results, strict=True))
    return [
        Figure(f"all {len(ROLES)} roles, {triples} triples", spread(seconds), "s", LIMIT_SECONDS),
        Figure("triples that differ", exactly(differences), "", 0, timed=False),
    ]


def differences_of(role: Role) -> tuple[int, int]:
    """(how many triples there are, in how many of them the table and the machine disagree)."""
    table, machine = compiled_table(role), machine_of(role)
    triples = differences = 0
    for state, call, outcome in _triples(role):
        listed = table[state].get(call, {}).get(outcome)
        try:
            reached = fire(machine, state, call, outcome)
        except MachineError:
            reached = None
        triples += 1
        differences += listed != reached
    return triples, differences


def _triples(role: Role) -> Iterable[tuple[str, str, str]]:
    for state in role.states:
        for call in role.calls:
            for outcome in role.outcomes:
                yield state.name, call.name, outcome.name


CLAIM = Claim("exhaustive-check", "exhaustive check that the compiled table is what transitions says", measure)

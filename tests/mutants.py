"""Breaks the tables one cell at a time, and counts how many of the broken tables the suite catches.

`python tests/mutants.py` tries every mutant of every role: each row deleted, each row led to each other state, each
(state, call, outcome) that is not in the table added with each next state. A mutant is caught when the Role refuses it at
construction, when its class cannot be made, or when one of the checks that tests/roles/test_rows.py makes of that cell fails.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from evidence import Cell, ending_is_listed, evidence, legality_is_portable, stated_endings_hold
from provocations import PROVOKE
from states import SOCKET_ROLES

from lifecycle.engine import Role


@dataclass(frozen=True)
class Mutant:
    """One change to one cell: `to` is the next state, or None where the row is deleted."""

    role: Role
    kind: str
    cell: Cell
    to: str | None

    def __str__(self) -> str:
        return f"{self.role.name}: {self.kind} {'.'.join(self.cell)} -> {self.to}"


def mutants(role: Role) -> Iterator[Mutant]:
    """Every mutant of `role`."""
    states = [state.name for state in role.states]
    present = {(state, call, outcome): after for state, call, outcome, after in role.cells()}
    for cell, after in present.items():
        yield Mutant(role, "delete", cell, None)
        for other in states:
            if other != after:
                yield Mutant(role, "retarget", cell, other)
    for state in states:
        for call in role.calls:
            for outcome in role.outcomes:
                if (state, call.name, outcome.name) not in present:
                    for after in states:
                        yield Mutant(role, "add", (state, call.name, outcome.name), after)


def mutated(mutant: Mutant) -> Role:
    """The role with that one cell changed; RoleError when that is no role at all."""
    role = mutant.role
    rows = {(state, call): dict(outcomes) for state, calls in role.table.items() for call, outcomes in calls.items()}
    state, call, outcome = mutant.cell
    row = rows.setdefault((state, call), {})
    if mutant.to is None:
        del row[outcome]
    else:
        row[outcome] = mutant.to
    reasons = {key: reason for key, reason in role.reasons.items() if key not in rows or not rows[key]}
    return Role(
        name=role.name,
        doc=role.doc,
        states=role.states,
        calls=role.calls,
        rows=tuple((state, call, outcomes) for (state, call), outcomes in rows.items() if outcomes),
        initial=role.initial,
        final=role.final,
        closes=role.closes,
        outcomes=role.outcomes,
        reasons=reasons,
    )


def caught_by(mutant: Mutant) -> str | None:
    """The name of the check that fails on the mutant; None when it survives."""
    try:
        role = mutated(mutant)
    except ValueError:
        return "construction"
    state, call, outcome = mutant.cell
    for check in (legality_is_portable, stated_endings_hold):
        try:
            check(role, state, call)
        except AssertionError:
            return f"test_{check.__name__}"
    if mutant.to is not None:
        return None if _holds(evidence, role, mutant.cell) else "test_row_is_seen_on_real_sockets"
    if call in role.table[state] and outcome in PROVOKE[role.name][call]:
        return None if _holds(ending_is_listed, role, mutant.cell) else "test_no_ending_is_missing"
    return None


def _holds(check: object, role: Role, cell: Cell) -> bool:
    try:
        check(role, cell)  # type: ignore[operator]
    except Exception:  # whatever a test would fail with
        return False
    return True


def score(chosen: Iterator[Mutant]) -> tuple[Counter[str], list[Mutant]]:
    """How many mutants each check caught, and those that survived."""
    caught: Counter[str] = Counter()
    survivors = []
    for number, mutant in enumerate(chosen):
        check = caught_by(mutant)
        if check is None:
            survivors.append(mutant)
        else:
            caught[check] += 1
        if number % 500 == 499 and sys.stderr.isatty():
            print(f"\r{number + 1} mutants", end="", file=sys.stderr)
    return caught, survivors


def main() -> int:
    """Try every mutant of every role, and print the score."""
    failed = False
    for role in SOCKET_ROLES.values():
        began = time.perf_counter()
        caught, survivors = score(mutants(role))
        total = caught.total() + len(survivors)
        seconds = time.perf_counter() - began
        print(f"{role.name:10} {caught.total()}/{total} caught ({caught.total() / total:.1%}) in {seconds:.0f} s")
        for check, count in caught.most_common():
            print(f"    {count:6} by {check}")
        for survivor in survivors:
            print(f"    SURVIVED {survivor}")
        failed = failed or bool(survivors)
    return int(failed)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)

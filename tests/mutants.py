"""Breaks the tables one cell at a time, and counts how many of the broken tables the tests of the tables catch.

`python tests/mutants.py` tries every mutant of every role. A mutant is caught when the Role refuses it at construction, when
its class cannot be made, or when one of the checks that tests/roles/test_rows.py makes of that cell fails.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from evidence import ending_is_listed, evidence, legality_is_portable, stated_endings_hold
from provocations.tables import PROVOKE
from states import SOCKET_ROLES

from lifecycle.conformance.campaigns.mutation import Breakage, Mutant, broken_role, score, table_mutants


def caught_by(mutant: Mutant) -> str:
    """The name of the check that fails on the mutant; "" when it survives."""
    try:
        role = broken_role(SOCKET_ROLES[mutant.role], mutant)
    except ValueError:
        return "construction"
    state, call, outcome = cell = mutant.state, mutant.call, mutant.outcome
    for check in (legality_is_portable, stated_endings_hold):
        try:
            check(role, state, call)
        except AssertionError:
            return check.__name__
    try:
        if mutant.breakage is not Breakage.LACKS:
            evidence(role, cell)
        elif call in role.table[state] and outcome in PROVOKE[role.name][call]:
            ending_is_listed(role, cell)
    except Exception:  # any error with which a test would fail
        return "ending_is_listed" if mutant.breakage is Breakage.LACKS else "evidence"
    return ""


def main() -> int:
    """Try every mutant of every role, and print the score."""
    failed = False
    for role in SOCKET_ROLES.values():
        result = score(role.name, table_mutants(role), caught_by, _show)
        caught = result.caught.total()
        print(f"{role.name:10} {caught}/{result.total} caught ({caught / result.total:.1%}) in {result.seconds:.0f} s")
        for check, count in result.caught_by.most_common():
            print(f"    {count:6} by {check}")
        for survivor in result.survivors:
            print(f"    SURVIVED {survivor}")
        failed = failed or bool(result.survivors)
    return int(failed)


def _show(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total} mutants", end="", file=sys.stderr)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)

"""The strength of the suite itself: whatever is broken in an implementation, one cell at a time, is caught."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest
from long_form import part

from lifecycle import ROLES, SERVER, SOCKET_FILE, Role
from lifecycle.conformance.campaigns import mutation
from lifecycle.conformance.campaigns.mutation import OF_IMPLEMENTATIONS, Breakage, mutants, score_role
from lifecycle.conformance.campaigns.spoiling import spoiled_calls

EACH_KIND = part(10**6, 30)


def some_mutants(role: Role) -> list[mutation.Mutant]:
    """Of each breakage as many as the form of the tests has, drawn at random."""
    by_kind: dict[Breakage, list[mutation.Mutant]] = defaultdict(list)
    for mutant in mutants(role):
        by_kind[mutant.breakage].append(mutant)
    draw = random.Random(role.name)
    return [mutant for kind in by_kind.values() for mutant in draw.sample(kind, min(EACH_KIND, len(kind)))]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_mutants_of_a_role_are_caught(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropped checks, wrong states, misreported outcomes, accepted illegal and refused legal calls: all tried are found.

    The whole form, as `lifecycle conform lifecycle --mutants`, tries every one.
    """
    chosen = some_mutants(role)
    monkeypatch.setattr(mutation, "mutants", lambda role: chosen)
    result = score_role(role)
    assert result.survivors == []
    spoiled = list(spoiled_calls(role))
    assert result.total == len(chosen) + len(spoiled)
    assert result.caught[Breakage.SPOILS] == len(spoiled) > (2 if role.name in ("client", "accepted", "datagram") else -1)
    assert set(result.caught) | {Breakage.SPOILS} == set(OF_IMPLEMENTATIONS)


def test_there_is_a_mutant_for_all_that_can_be_wrong() -> None:
    """Each illegal cell drops its check and accepts; each legal one refuses, misleads and misreports in every way."""
    counts = Counter(each.breakage for each in mutants(SERVER))
    illegal = sum(call.name not in calls for calls in SERVER.table.values() for call in SERVER.calls)
    legal = sum(len(calls) for calls in SERVER.table.values())
    cells = len(list(SERVER.cells()))
    assert counts == {
        Breakage.DROPS_A_CHECK: illegal,
        Breakage.ACCEPTS: illegal,
        Breakage.REFUSES: legal,
        Breakage.WRONG_STATE: cells * (len(SERVER.states) - 1),
        Breakage.MISREPORTS: cells * (len(SERVER.outcomes) - 1),
    }


def test_a_survivor_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that finds nothing has a score of nothing: the mutants that survive are listed one by one."""

    one_of_each = {each.breakage: each for each in mutants(SOCKET_FILE)}.values()
    monkeypatch.setattr(mutation, "replace_row", lambda *arguments: None)
    monkeypatch.setattr(mutation, "mutants", lambda role: one_of_each)
    result = score_role(SOCKET_FILE)
    assert {each.breakage for each in result.survivors} == {Breakage.DROPS_A_CHECK, Breakage.REFUSES, Breakage.WRONG_STATE}
    assert set(result.caught) == {Breakage.ACCEPTS, Breakage.MISREPORTS}, "what the table has no part in is broken still"
    assert sum("refuses what is legal" in str(each) for each in result.survivors) == 1

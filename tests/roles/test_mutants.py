"""The short form of tests/mutants.py: the checks of the rows catch broken tables."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from mutants import caught_by
from states import SOCKET_ROLES

from lifecycle.conformance.campaigns.mutation import Breakage, Mutant, score, table_mutants

EACH_KIND = 15


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", SOCKET_ROLES)
def test_broken_tables_are_caught(name: str) -> None:
    """Of every kind of mutant some, drawn at random, are tried, and none survives (the script tries all of them)."""
    by_kind: dict[Breakage, list[Mutant]] = defaultdict(list)
    for mutant in table_mutants(SOCKET_ROLES[name]):
        if mutant.call != "receive_handles" or mutant.breakage is not Breakage.LACKS:  # what it has received is lost with it
            by_kind[mutant.breakage].append(mutant)
    assert set(by_kind) == {Breakage.LACKS, Breakage.WRONG_STATE, Breakage.ADDS}
    draw = random.Random(name)
    chosen = [mutant for kind in by_kind.values() for mutant in draw.sample(kind, min(EACH_KIND, len(kind)))]
    assert score(name, chosen, caught_by).survivors == []

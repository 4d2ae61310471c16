"""The short form of tests/mutants.py: the checks of the rows catch broken tables."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from mutants import Mutant, mutants, score
from states import SOCKET_ROLES

EACH_KIND = 60


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", SOCKET_ROLES)
def test_broken_tables_are_caught(name: str) -> None:
    """Of every kind of mutant a random few dozen are tried, and none survives (the script tries all of them)."""
    by_kind: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants(SOCKET_ROLES[name]):
        by_kind[mutant.kind].append(mutant)
    draw = random.Random(name)
    chosen = [mutant for kind in by_kind.values() for mutant in draw.sample(kind, min(EACH_KIND, len(kind)))]
    _, survivors = score(iter(chosen))
    assert not survivors

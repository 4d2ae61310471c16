"""How many keys of one hash, and how many steps, a map may take; and how it is with few keys."""

from __future__ import annotations

import pytest
from archive.test_costs import colliding_keys

from lifecycle.archive.format import collisions
from lifecycle.archive.format.collisions import FEW, MOST_OF_ONE_HASH, distinct_keys


class Same:
    """A key with the hash of others."""

    def __init__(self, number: int, hash_: int = 7) -> None:
        self.number, self.hash = number, hash_

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.number == self.number


@pytest.mark.parametrize("count", [1, MOST_OF_ONE_HASH // 2, MOST_OF_ONE_HASH + 1])
def test_few_different_keys_may_have_one_hash(count: int) -> None:
    """Thirty-two may; of more than sixty-four a map is refused. Equal keys count once, however many they are."""
    others = [1000 + number for number in range(FEW)]
    expected = FEW + count if count <= MOST_OF_ONE_HASH else 0
    assert distinct_keys([*others, *map(Same, range(count))]) == expected
    assert distinct_keys([*others, *map(Same, [*range(count), *range(count)])]) == expected
    assert MOST_OF_ONE_HASH == 64


def test_equal_keys_count_once() -> None:
    """Of many keys that are all equal one is left, also where they are few."""
    assert distinct_keys([5] * (FEW + 1)) == 1
    assert distinct_keys([5] * FEW) == distinct_keys([5]) == 1
    assert distinct_keys([]) == 0
    assert distinct_keys([-1, -2, 1, 2]) == 4


def test_few_keys_may_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many keys as are few are taken however they collide; one more of that kind is refused."""
    keys = colliding_keys(2730)
    assert distinct_keys(keys) == 0
    monkeypatch.setattr(collisions, "FEW", len(keys))
    assert distinct_keys(keys) == len(keys)
    monkeypatch.setattr(collisions, "FEW", len(keys) - 1)
    assert distinct_keys(keys) == 0
    assert FEW == 2048


@pytest.mark.parametrize("size", [8, 16, 1024])
def test_the_steps_are_those_of_a_dict(size: int) -> None:
    """Hashes that all want one slot walk as many slots as there are before them; others take no step."""
    count = size // 2
    assert collisions._steps(range(count), size) == 0
    assert collisions._steps([0] * count, size) == min(sum(range(count)), collisions.STEPS_PER_KEY * size + 1)
    assert collisions._steps([number << 5 for number in range(2)], size) == (1 if size <= 32 else 0)

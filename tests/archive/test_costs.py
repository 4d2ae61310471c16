"""Hostile bytes cost what they send: maps of chosen collisions are refused; ordinary ones are not."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
from dataclasses import dataclass
from operator import is_
from typing import Any

import anyio
import archive_costs
import pytest

from lifecycle.archive import BYTE, DWORD, LONGLONG, SHORT, WCHAR, WORD, Archive, CArray, CMap, GenericError


@dataclass
class Words:
    first: WORD
    second: WORD


def loaded(kind: Any, count: int, items: bytes, **settings: Any) -> Any:
    with Archive(io.BytesIO(struct.pack("<HI", 0xFFFF, count) + items), "load", **settings) as archive:
        return archive >> kind


def colliding_keys(count: int) -> list[int]:
    """Numbers of 20 bits that walk a long chain of a dict: half of them fill one, and the others fall onto it."""
    size = 8
    while size * 2 // 3 < count:
        size *= 2
    at, places, numbers = 0, {0: 0}, random.Random(1)
    for place in range(1, count // 2):
        at = (at * 5 + 1) % size
        places[at] = place
    found: set[int] = set()
    while len(found) < count - count // 2:
        key = rest = numbers.randrange(size, 1 << 20)
        at = key % size
        for _ in range(4):
            if at not in places:
                break
            rest >>= 5
            at = (at * 5 + rest + 1) % size
        else:
            if places.get(at, count) < count // 3:
                found.add(key)
    return [*places, *found]


def test_chosen_collisions_are_refused() -> None:
    """A map of numbers that were chosen to collide in a dict is refused."""
    keys = colliding_keys(2730)
    with pytest.raises(GenericError, match="2730 that collide"):
        loaded(CMap[DWORD, BYTE], len(keys), b"".join(struct.pack("<IB", key, 1) for key in keys))


def test_a_large_map_of_small_numbers_is_taken() -> None:
    """What an honest program stores fits into the allowance: 170,000 numbers, a byte for each."""
    items = b"".join(struct.pack("<IB", key, 1) for key in range(170_000))
    assert len(loaded(CMap[DWORD, BYTE], 170_000, items)) == 170_000


def test_a_map_that_has_just_grown_takes_sixteen_times_its_bytes() -> None:
    """Its numbers are no objects while Python has its old and its new table; of equal keys the last counts, in either form."""
    items = b"".join(struct.pack("<II", (1 << 31) + key, (1 << 31) - key) for key in range((1 << 14) * 2 // 3 + 1))
    expected = {(1 << 31) + key: (1 << 31) - key for key in range((1 << 14) * 2 // 3 + 1)}
    assert loaded(CMap[DWORD, DWORD], len(items) // 8, items) == expected
    tracemalloc.start()
    loaded(CMap[DWORD, DWORD], len(items) // 8, items)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= (16 + 2) * len(items)  # and the bytes themselves, once where they are made and once in the archive
    assert loaded(CMap[DWORD, DWORD], 3, struct.pack("<6I", 7, 1, 8, 2, 7, 3)) == {7: 3, 8: 2}


def test_words_of_long_arrays_are_shared() -> None:
    """Two equal numbers or characters in a long array or in many records are one object, also negative ones; all are right."""
    numbers = struct.pack("<110000H", *range(1000, 56000), *range(1000, 56000))
    for kind, code in ((WORD, "H"), (SHORT, "h"), (WCHAR, "H"), (Words, "H")):
        found = loaded(CArray[kind], 110_000 // (2 if kind is Words else 1), numbers)
        if kind is Words:
            found = [number for each in found for number in (each.first, each.second)]
            assert found[-1] is found[54_999]
            continue
        assert all(map(is_, found[:55_000], found[55_000:]))
        plain = struct.unpack(f"<110000{code}", numbers)
        assert found == (list(map(chr, plain)) if kind is WCHAR else list(plain))


@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20, 3 << 33])
def test_ordinary_keys_are_taken(step: int) -> None:
    """Numbers at equal distances, as counters and addresses are, make a map; equal keys are one."""
    items = b"".join(struct.pack("<qB", key % 2500 * step, 1) for key in range(5000))
    assert loaded(CMap[LONGLONG, BYTE], 5000, items) == {key * step: 1 for key in range(2500)}


def test_hostile_archives_cost_what_they_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutated containers of every type, of up to 1 MB, take time and memory in proportion to their bytes, whatever reads them.

    tests/archive_costs.py run as a script does the same a million times.
    """
    for name, value in (("LARGE", 100), ("GATHERED", 50), ("LARGEST", 1 << 17)):
        monkeypatch.setattr(archive_costs, name, value)
    costs = archive_costs.Costs(1)
    costs.run(250)
    assert not [cost for cost, _ in costs.wrong]
    assert {each.name.partition(":")[0] for each in costs.costs} > {"dump", "layout", "gathered"}


def test_slow_peers_keep_no_other_task_waiting() -> None:
    """Beside a dozen peers that send most of a message, and then a byte now and again, other tasks go on within 100 ms."""
    assert anyio.run(archive_costs.lateness, 12, 0.5, 50_000) < archive_costs.LATE

"""Colliding keys: whether a dict of them would have long probe chains. A sender can choose such numbers; text is salted.

The steps of a dict are counted before it is made, as CPython's open addressing would make them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

FEW = 1 << 11
"""Up to that many keys cost at most a few milliseconds, however they collide."""

STEPS_PER_KEY = 16
"""Ordinary keys take less than 3."""

MOST_OF_ONE_HASH = 64

_SHIFT = 5
_WORD = (1 << 64) - 1


def distinct_keys(keys: Sequence[Any]) -> int:
    """The number of different keys; 0 if a dict of them would take many more steps than there are keys."""
    if len(keys) <= FEW:
        return len(set(keys))
    hashes = []
    for number, group in groupby(sorted(keys, key=hash), key=hash):
        distinct = _distinct(group)
        if distinct > MOST_OF_ONE_HASH:
            return 0
        hashes += [number & _WORD] * distinct
    size = 8
    while size < 3 * len(hashes):
        size *= 2
        if _steps(hashes[: size * 2 // 3], size) > STEPS_PER_KEY * min(len(hashes), size):
            return 0
    return len(hashes)


def _distinct(keys: Iterable[Any]) -> int:
    """The number of different keys, counted up to MOST_OF_ONE_HASH + 1."""
    found: list[Any] = []
    for key in keys:
        if key not in found:
            found.append(key)
            if len(found) > MOST_OF_ONE_HASH:
                break
    return len(found)


def _steps(hashes: Sequence[int], size: int) -> int:
    """The number of occupied slots that a dict of that size probes, counted up to about STEPS_PER_KEY for each key."""
    mask, taken, steps = size - 1, bytearray(size), 0
    most = STEPS_PER_KEY * size
    for number in hashes:
        rest, at = number, number & mask
        while taken[at]:
            rest >>= _SHIFT
            at = (at * 5 + rest + 1) & mask
            steps += 1
            if steps > most:
                return steps
        taken[at] = 1
    return steps

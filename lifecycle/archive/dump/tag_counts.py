"""Counts how often each class's tag is in the bytes, to correct class numbers.

One object missed, or one too many, shifts the number of every later class, and its tag. So at the description of a
class whose number is an estimate, a nearby number is looked for whose tag, and whose neighbours' tags, are frequent.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from itertools import pairwise
from typing import Any

from lifecycle.archive.format.objects import CLASS, NEW_CLASS

NEAR = 200
"""The usual maximum of bytes between two descriptions of classes with no other object between them."""

FARTHEST, FEWEST_TOGETHER, MOST_TOGETHER = 96, 3, 8
OFTEN = 24
TIMES = 4
"""How often a pair of bytes must occur to be a tag, and how many times as often as an ordinary pair."""

PART = 1 << 20
DESCRIBED = re.compile(rb"(?s)\xff\xff(?!\xff\xff)..[\x03-\x3f]\0[A-Za-z_]\w\w")
"""The beginning of a description of a class, rarely a coincidence."""


class TagCounts:
    """The counts of one file, made at the first use."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._counts: Counter[int] = Counter()
        self._described: list[int] = []

    def shift(self, at: int, number: int, known: dict[int, str]) -> int:
        """The correction of the number of the class described at `at`; 0 if there is no evidence for one.

        known: the classes so far, whose numbers are certain.
        """
        if not self._described:
            self._count()
        first = bisect_left(self._described, at)
        together = self._described[first : first + MOST_TOGETHER]
        size = 1 + next(
            (place for place, (one, next_) in enumerate(pairwise(together)) if next_ - one > NEAR), len(together) - 1
        )
        if size < FEWEST_TOGETHER:
            return 0
        numbers = [number + 2 * each for each in range(size)]
        least = max(known, default=0)
        scores = {
            shift: sum(self._counts[CLASS + each + shift] for each in numbers)
            for shift in range(-FARTHEST, FARTHEST + 1)
            if least < number + shift < NEW_CLASS - CLASS - 2 * MOST_TOGETHER
        }
        best = max(scores.values(), default=0)
        usual = sorted(scores.values())[len(scores) // 2] if scores else 0
        if best < OFTEN or best < TIMES * usual:
            return 0
        return min((shift for shift, score in scores.items() if 10 * score >= 9 * best), key=abs)

    def _count(self) -> None:
        data = self._data
        for start in range(0, len(data), PART):
            part = bytes(data[start : start + PART + 1])
            for begin in (0, 1):
                words = memoryview(part)[begin : begin + (len(part) - begin) // 2 * 2]
                self._counts.update(low | high << 8 for low, high in zip(words[::2], words[1::2], strict=True) if high & 0x80)
        self._described = [match.start() for match in DESCRIBED.finditer(data)]

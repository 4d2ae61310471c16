"""Findings as a tree: an object holds what lies between its tag and the next one, and may hold the objects that follow.

Nothing in the bytes says where an object ends. So an object is taken to be within another one where at least half of the
objects of that one's class are followed by one of its class, and never within one of its own class: a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lifecycle.archive.dump.finding import Finding, Kind

OBJECTS = frozenset({Kind.CLASS, Kind.OBJECT})
"""Kinds of findings with which an object begins"""

DEEPEST = 50
"""Levels of objects: readers of JSON have limits."""

MOST_PAIRS = 1 << 16
"""Pairs of classes that are counted; hostile bytes may have any number of them."""


class Nesting:
    """Counts which class's objects follow which, and then says at which level of the tree an object is."""

    def __init__(self) -> None:
        self._objects: Counter[str] = Counter()
        self._followed: Counter[tuple[str, str]] = Counter()

    def counted(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings, counted as they pass."""
        last = ""
        for found in findings:
            if found.kind in OBJECTS:
                pair = last, found.text
                if pair in self._followed or len(self._followed) < MOST_PAIRS:
                    self._objects[last] += 1
                    self._followed[pair] += 1
                last = found.text
            yield found

    def levels(self, findings: Iterable[Finding]) -> Iterator[tuple[int, Finding]]:
        """Each finding, and how many objects it is in."""
        around: list[str] = []
        for found in findings:
            if found.kind not in OBJECTS:
                yield len(around), found
                continue
            is_first = found.kind is Kind.CLASS and found.number == 1  # of an archive
            del around[0 if is_first else self._level(around, found.text) :]
            yield len(around), found
            around.append(found.text)

    def _level(self, around: list[str], name: str) -> int:
        if name in around:
            return around.index(name)
        for level in range(min(len(around), DEEPEST), 0, -1):
            outer = around[level - 1]
            if 2 * self._followed[outer, name] >= self._objects[outer] > 0:
                return level
        return 0

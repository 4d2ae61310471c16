"""Findings as a tree: an object contains the bytes between its tag and the next one, and may contain the objects that follow.

Nothing in the bytes says where an object ends. So an object is assumed to be in another one if at least half of the
objects of that one's class are followed by one of its class, and never in one of its own class. This is a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lifecycle.archive.dump.finding import Finding, Kind

OBJECTS = frozenset({Kind.CLASS, Kind.OBJECT})
"""Kinds of findings with which an object begins"""

DEEPEST = 50
"""The maximum number of levels: readers of JSON have limits."""

MOST_PAIRS = 1 << 16
"""The maximum number of counted pairs of classes; hostile bytes may have any number of them."""


class Nesting:
    """Counts which class's objects follow which, to find the level of each object in the tree."""

    def __init__(self) -> None:
        self._objects: Counter[str] = Counter()
        self._followed: Counter[tuple[str, str]] = Counter()

    def counted(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings unchanged, counting them."""
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
        """Each finding, with the number of objects that it is in."""
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

"""Encoder: the unsent bytes of a storing archive, and the numbers of the objects it stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from lifecycle.archive.errors import BadIndex, NestedTooDeeply
from lifecycle.archive.format.registry import Registry
from lifecycle.archive.format.settings import Format

Owner = Callable[[], Any]

MOST_NUMBERS = 0x3FFFFFFE


Mark = tuple[int, int, int]
"""An encoder's buffer length, count of numbered things, and depth, to go back to."""


class Encoder:
    """out: the buffer. sent: the number of bytes sent. owner: a weak reference to the archive that serialize() is called with.
    schemas: the schema numbers to store objects with, for classes that use another one than their own.

    numbers: id of an object or class -> its number (PID). numbered: those objects and classes in order, which keeps them alive:
    an id is only valid while the object lives. depth: of the object being stored.
    """

    __slots__ = ("depth", "format", "numbered", "numbers", "out", "owner", "registry", "renumbered", "schemas", "sent")

    def __init__(
        self,
        format: Format,
        registry: Registry,
        *,
        schemas: Mapping[type[Any], int] = MappingProxyType({}),
        owner: Owner = lambda: None,
    ) -> None:
        self.format = format
        self.registry = registry
        self.schemas = schemas
        self.owner = owner
        self.out = bytearray()
        self.sent = 0
        self.renumbered = False
        self.numbers: dict[int, int] = {}
        self.numbered: list[Any] = []
        self.depth = 0

    @property
    def offset(self) -> int:
        """The number of bytes stored since the archive began."""
        return self.sent + len(self.out)

    def write(self, data: bytes) -> None:
        """Write raw bytes."""
        self.out += data

    def store(self, kind: Any, value: object) -> None:
        """Store one value of a kind, for a user's wire type: a serializable class by pointer."""
        self.owner().store(kind, value)

    def number(self, thing: object) -> None:
        """Give the next number to an object or a class; BadIndex if there is none left."""
        self.renumbered = self.renumbered or id(thing) in self.numbers
        self.numbered.append(thing)
        if len(self.numbered) >= MOST_NUMBERS:
            raise BadIndex(self.offset, f"fewer than {MOST_NUMBERS} objects and classes", "one more")
        self.numbers[id(thing)] = len(self.numbered)

    def mark(self) -> Mark:
        """The encoder's present position."""
        return len(self.out), len(self.numbered), self.depth

    def go_back(self, mark: Mark) -> None:
        """Undo everything since `mark`; no byte stored since then may have been sent yet."""
        length, numbered, self.depth = mark
        del self.out[length:]
        for thing in self.numbered[numbered:]:
            self.numbers.pop(id(thing), None)
        del self.numbered[numbered:]
        if self.renumbered:
            self.numbers = {id(thing): number for number, thing in enumerate(self.numbered, 1)}

    def enter(self) -> None:
        """Go one level deeper; NestedTooDeeply beyond the archive's depth. The caller decrements `depth` afterwards."""
        if self.depth >= self.format.depth:
            raise NestedTooDeeply(self.format.deepest)
        self.depth += 1

"""The registered classes: the only ones that archives instantiate, whatever the bytes say."""

from __future__ import annotations

import inspect
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lifecycle.archive.errors import NotSerializable

LONGEST_NAME = 63
LARGEST_SCHEMA = 0xFFFE
SMALLEST_OBJECT, SMALLEST_COLLECTION = 12, 15
"""A sixteenth of the memory of an object whose fields are not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A serializable class.

    is_abstract: whether only classes derived from it have objects.

    make: makes an object to load into. put(encoder, thing): stores its body; returns None or a generator. take(decoder,
    thing): loads its body; returns the thing or a generator of it (see nesting.py). members: the same for a member
    of an object, for which a collection is not a level of nesting.

    record: the wire of the fields of a dataclass, which stores and loads several consecutive objects at once.
    """

    kind: type[Any]
    name: str
    schema: int
    versionable: bool
    make: Callable[[], Any]
    put: Callable[[Any, Any], Any]
    take: Callable[[Any, Any], Any]
    record: Any = None
    members: tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]] | None = None
    is_abstract: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_abstract", inspect.isabstract(self.kind))

    @property
    def description(self) -> bytes:
        """The bytes that describe it on the wire, with its own schema number."""
        return self.described_as(self.schema)

    def described_as(self, schema: int) -> bytes:
        """The bytes that describe it on the wire, with a schema number."""
        name = self.name.encode("ascii")
        return struct.pack("<HHH", 0xFFFF, schema, len(name)) + name

    @property
    def cost(self) -> int:
        """The charge for an object of it (Decoder.charge), with its place in the table of numbers."""
        if self.record is not None:
            return 1 + int(self.record.cost)
        return SMALLEST_COLLECTION if self.members else SMALLEST_OBJECT

    @property
    def tagged(self) -> Any:
        """The record, if all objects have the same fields."""
        return None if self.record is None or self.record.thresholds else self.record


class Registry:
    """The classes that archives may load, by their names on the wire.

    If several classes have one name, the requested one is loaded, or else the newest. MFC's collections are in every
    registry.
    """

    def __init__(self) -> None:
        self._by_class: dict[type[Any], Entry] = {}
        self._by_name: dict[str, list[Entry]] = {}

    def add(self, entry: Entry) -> None:
        """Register the entry's class, so that archives may load it."""
        self._by_class[entry.kind] = entry
        self._by_name.setdefault(entry.name, []).insert(0, entry)

    def entry(self, kind: type[Any]) -> Entry:
        """The entry of a class; NotSerializable if it is not registered."""
        if not isinstance(kind, type):
            raise TypeError(f"{kind!r} is not a class")
        found = self._by_class.get(kind)
        if found is not None:
            return found
        if self is not COLLECTIONS and kind in COLLECTIONS:
            return COLLECTIONS.entry(kind)
        raise NotSerializable(f"{kind.__name__} is not serializable: decorate it with @serializable({kind.__name__!r})")

    def __contains__(self, kind: object) -> bool:
        return kind in self._by_class

    def schemas(self, schemas: Mapping[Any, int]) -> dict[type[Any], int]:
        """The schema numbers given to an archive, by the class or by its name on the wire.

        KeyError for a name that is not registered, ValueError for an invalid schema number.
        """
        found: dict[type[Any], int] = {}
        for kind, schema in schemas.items():
            if not 0 <= schema <= LARGEST_SCHEMA:
                raise ValueError(f"{schema} cannot be a schema number: 0 to {LARGEST_SCHEMA}")
            entries = self.named(kind) if isinstance(kind, str) else [self.entry(kind)]
            if not entries:
                raise KeyError(f"{kind!r} is not the name of a registered class")
            found |= {each.kind: schema for each in entries}
        return found

    def named(self, name: str) -> list[Entry]:
        """The entries with that name on the wire, newest first."""
        return [*self._by_name.get(name, ()), *COLLECTIONS._by_name.get(name, ())]


COLLECTIONS = Registry()
REGISTRY = Registry()

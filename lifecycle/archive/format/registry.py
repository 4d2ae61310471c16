"""Which classes an archive may make objects of: those that were registered, and no others, whatever the bytes say."""

from __future__ import annotations

import inspect
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lifecycle.archive.errors import NotSerializable

LONGEST_NAME = 63
LARGEST_SCHEMA = 0xFFFE


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A serializable class.

    description: the bytes that describe it on the wire. is_abstract: whether only classes derived from it have objects.
    has_method: whether its body is put and taken by a serialize() of the user's.

    make: makes an object to load into. put(encoder, thing): stores its body, and returns None or a generator. take(decoder,
    thing): loads its body, and returns the thing or a generator of it (see nesting.py). members: how that is done as a member
    of an object, where a collection is not a level of nesting of its own.

    put_tagged(encoder, things, tag) and take_tagged(decoder, count, tag, things), of records: new objects of the class, each
    behind the tag, one behind the other; take_tagged() appends up to `count`.
    """

    kind: type[Any]
    name: str
    schema: int
    versionable: bool
    make: Callable[[], Any]
    put: Callable[[Any, Any], Any]
    take: Callable[[Any, Any], Any]
    has_method: bool = False
    put_tagged: Callable[[Any, Sequence[Any], bytes], Any] | None = None
    take_tagged: Callable[[Any, int, bytes, list[Any]], Any] | None = None
    members: tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]] | None = None
    description: bytes = field(init=False)
    is_abstract: bool = field(init=False)

    def __post_init__(self) -> None:
        name = self.name.encode("ascii")
        object.__setattr__(self, "description", struct.pack("<HHH", 0xFFFF, self.schema, len(name)) + name)
        object.__setattr__(self, "is_abstract", inspect.isabstract(self.kind))


class Registry:
    """The classes that archives may load, by their names on the wire.

    Of several classes with one name, the one that was asked for is loaded, and else the newest. MFC's collections are in every
    registry.
    """

    def __init__(self) -> None:
        self._by_class: dict[type[Any], Entry] = {}
        self._by_name: dict[str, list[Entry]] = {}

    def add(self, entry: Entry) -> None:
        """Let archives load the entry's class."""
        self._by_class[entry.kind] = entry
        self._by_name.setdefault(entry.name, []).insert(0, entry)

    def entry(self, kind: type[Any]) -> Entry:
        """The entry of a class; NotSerializable when it was not registered."""
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

    def named(self, name: str) -> list[Entry]:
        """The entries of that name on the wire, newest first."""
        return [*self._by_name.get(name, ()), *COLLECTIONS._by_name.get(name, ())]


COLLECTIONS = Registry()
REGISTRY = Registry()

"""Which classes an archive may make objects of: those that were registered, and no others, whatever the bytes say."""

from __future__ import annotations

import inspect
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from lifecycle.archive.errors import NotSerializable
from lifecycle.archive.nesting import go_deeper
from lifecycle.archive.wire import travels_as

if TYPE_CHECKING:
    from lifecycle.archive.records import Record

Class = TypeVar("Class", bound=type)

_NAME = re.compile(r"\b[^\W\d]\w*")

LONGEST_NAME = 63
LARGEST_SCHEMA = 0xFFFE


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A serializable class.

    description: the bytes that describe it on the wire. is_abstract: whether only classes derived from it have objects.

    make: makes an object to load into. put and take: store and load its body. members: how that is done where it is no level of
    nesting of its own: a collection's, as a member of an object.
    """

    kind: type[Any]
    name: str
    schema: int
    versionable: bool
    make: Callable[[], Any]
    put: Callable[[Any, Any], None]
    take: Callable[[Any, Any], None]
    record: Record | None = None
    members: tuple[Callable[[Any, Any], None], Callable[[Any, Any], None]] | None = None
    description: bytes = field(init=False)
    is_abstract: bool = field(init=False)

    def __post_init__(self) -> None:
        name = self.name.encode("ascii")
        object.__setattr__(self, "description", struct.pack("<HHH", 0xFFFF, self.schema, len(name)) + name)
        object.__setattr__(self, "is_abstract", inspect.isabstract(self.kind))

    @property
    def flat_record(self) -> Record | None:
        """The record of a dataclass whose objects refer to nothing, so that many can be stored and loaded at once."""
        return self.record if self.record is not None and self.record.is_flat else None


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
            raise TypeError(f"{kind!r} is no class")
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


def checked_name(name: str, schema: int) -> None:
    """ValueError when a class of that name and schema number could not be read back."""
    if not (name.isascii() and 0 < len(name) <= LONGEST_NAME and "\0" not in name):
        raise ValueError(f"{name!r} cannot be a class's name on the wire: 1 to {LONGEST_NAME} ASCII characters")
    if not 0 <= schema <= LARGEST_SCHEMA:
        raise ValueError(f"{schema} cannot be a schema number: 0 to {LARGEST_SCHEMA}")


def serializable(
    name: str, schema: int = 0, *, versionable: bool = False, registry: Registry = REGISTRY
) -> Callable[[Class], Class]:
    """Let archives store objects of the decorated class, and load them by `name`.

    name: the class's name on the wire, as the C++ program has it. schema: its number of version (IMPLEMENT_SERIAL); objects
    stored under another one raise BadSchema, unless versionable: then the class asks the archive's get_object_schema() for it.

    The class has a method serialize(self, archive), which asks archive.is_storing, and can be made without arguments; or it is
    a dataclass whose annotations are wire types, and needs no method: put @serializable above @dataclass. In its annotations, a
    serializable class means an embedded object, and `Age | None` means a pointer, which may be shared and may be None.
    """
    if isinstance(name, type):
        raise TypeError(f"@serializable needs the class's name on the wire: @serializable({name.__name__!r})")
    checked_name(name, schema)

    def register(decorated: Class) -> Class:
        kind: Any = decorated
        from lifecycle.archive.objects import EmbeddedWire, PointerWire
        from lifecycle.archive.records import Record

        is_dataclass = "__dataclass_fields__" in vars(kind)
        owner = next((base for base in kind.__mro__ if "serialize" in vars(base)), None)
        if owner is not None and not isinstance(vars(owner).get("__wire__"), Record):
            if is_dataclass and owner is not kind:
                raise TypeError(f"{kind.__name__} inherits serialize(), which does not know its fields: give it its own")
            _check_can_be_made(kind, kind)
            body = _by_method(kind)
            entry = Entry(kind, name, schema, versionable, kind, body, body)
            travels_as(kind, EmbeddedWire(entry))
        elif is_dataclass:
            if versionable:
                raise TypeError(f"{kind.__name__} is versionable, and needs a serialize() that asks get_object_schema()")
            if kind.__new__ is not object.__new__:
                _check_can_be_made(kind, kind.__new__, kind)
            record = Record(kind, _names_around(kind, inspect.currentframe()))
            entry = Entry(kind, name, schema, versionable, record.make, record.put, record.take, record)
            kind.serialize = _serialize_as(kind)
            travels_as(kind, record)
        else:
            raise TypeError(
                f"{kind.__name__} has no method serialize() and is no dataclass; put @serializable above @dataclass"
            )
        registry.add(entry)
        kind.__pointer__ = PointerWire(kind)
        return decorated

    return register


def _names_around(kind: type[Any], declaring: FrameType | None) -> dict[str, Any]:
    """What the annotations of `kind` name of the function in which it is declared; they are text, and no part of its closure.

    declaring: the frame that the declaring one has called.
    """
    caller = declaring.f_back if declaring is not None else None
    if caller is None or caller.f_locals is caller.f_globals:
        return {}
    texts = [text for each in kind.__mro__ for text in vars(each).get("__annotations__", {}).values() if isinstance(text, str)]
    here = caller.f_locals
    return {name: here[name] for text in texts for name in _NAME.findall(text) if name in here}


def _check_can_be_made(kind: type[Any], maker: Callable[..., Any], *arguments: Any) -> None:
    try:
        inspect.signature(maker).bind(*arguments)
    except TypeError as error:
        raise TypeError(f"{kind.__name__} must be made without arguments, to be loaded into: {error}") from None


def _by_method(kind: Any) -> Callable[[Any, Any], None]:
    def body(
        archive: Any, thing: Any
    ) -> None:  # as deeper() does, in one call: each level's calls count against Python's limit
        go_deeper(archive)
        try:
            kind.serialize(thing, archive)
        finally:
            archive._depth -= 1

    return body


def _serialize_as(kind: Any) -> Callable[[Any, Any], None]:
    def serialize(self: Any, archive: Any) -> None:
        """Put or take the fields, in their order, without a tag (a direct call of Serialize)."""
        archive.serialize(self, kind)

    return serialize

"""Objects by pointer: tags, classes, numbers (PIDs), back references.

One counter numbers classes and objects alike, from 1, in the order in which they first come; a new object gets its number
before its body is stored, so that the body may refer to it. A number fits a tag of two bytes up to 0x7FFE and takes six above.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lifecycle.archive.errors import BadClass, BadIndex, BadSchema, NotSerializable
from lifecycle.archive.registry import LONGEST_NAME, Entry
from lifecycle.archive.wire import Wire, wire_of

if TYPE_CHECKING:
    from lifecycle.archive.archive import Archive
    from lifecycle.archive.loading import Source

Kept = TypeVar("Kept")

NULL = b"\0\0"
NEW_CLASS = 0xFFFF
CLASS = 0x8000
BIG = 0x7FFF
BIG_CLASS = 0x80000000

_word = struct.Struct("<H")
_big = struct.Struct("<HI")


@dataclass(frozen=True, slots=True)
class LoadedClass:
    """A class as an archive described it, and its number."""

    entry: Entry
    schema: int
    number: int


class PointerWire(Wire["Kept | None"]):
    """An object of a serializable class, or of one derived from it, by pointer; None is NULL."""

    least = 2

    def __init__(self, kind: type[Kept]) -> None:
        super().__init__(f"{kind.__name__} | None")
        self.kind = kind

    def store(self, archive: Archive, value: Kept | None) -> None:
        if value is not None and not isinstance(value, self.kind):
            raise TypeError(f"{value!r} is no {self.name}")
        put_object(archive, value)

    def load(self, archive: Archive) -> Kept | None:
        thing: Kept | None = take_object(archive, self.kind)
        return thing


class AnyPointerWire(Wire[Any]):
    """An object of any serializable class by pointer (CObject*)."""

    least = 2

    def store(self, archive: Archive, value: object) -> None:
        put_object(archive, value)

    def load(self, archive: Archive) -> Any:
        return take_object(archive, object)

    def store_many(self, archive: Archive, values: Iterable[Any]) -> None:
        put_objects(archive, values)

    def load_many(self, archive: Archive, count: int) -> list[Any]:
        return take_objects(archive, count)


ANY_POINTER = AnyPointerWire("CObject*")


class EmbeddedWire(Wire[Any]):
    """An object that is a member of another, whose own method stores and loads it."""

    least = 0

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.kind.__name__)
        self.entry = entry

    def store(self, archive: Archive, value: Any) -> None:
        if type(value) is not self.entry.kind:
            raise TypeError(f"{value!r} is no {self.name}")
        put_body(archive, value)

    def load(self, archive: Archive) -> Any:
        thing = self.entry.make()
        take_body(archive, thing)
        return thing


_NUMBERS_AND_TEXT: dict[type[Any], str] = {
    bool: "BOOL(True)",
    int: "DWORD(5)",
    float: "DOUBLE(0.5)",
    str: "CString('x')",
    bytes: "CByteArray(b'x'), or bare by archive.write(b'x')",
}
_CONTAINERS: dict[type[Any], str] = {
    list: "CArray[DWORD]([1, 2])",
    tuple: "CArray[DWORD]([1, 2])",
    dict: "CMap[WORD, CString]({1: 'x'})",
    bytearray: "CByteArray(...)",
}
"""What to store instead of a value of Python's own types, which do not say how they travel."""


def kind_of(value: object) -> Wire[Any]:
    """By which wire the operator << stores a value; TypeError for one that does not say how wide it is."""
    kind = type(value)
    pointer = vars(kind).get("__pointer__")
    if pointer is not None or value is None:
        return pointer or ANY_POINTER
    if hasattr(kind, "__pointer__"):
        raise NotSerializable(f"{kind.__name__} is derived from a serializable class and is not serializable itself")
    wire = getattr(kind, "__wire__", None)
    if isinstance(wire, Wire):
        return wire
    if kind in _NUMBERS_AND_TEXT:
        raise TypeError(f"{value!r} does not say how it travels: store it as a wire type, as in {_NUMBERS_AND_TEXT[kind]}")
    hint = _CONTAINERS.get(kind)
    remedy = f"store a typed collection, as in {hint}" if hint else f"decorate it with @serializable({kind.__name__!r})"
    raise NotSerializable(f"{kind.__name__} is not serializable: {remedy}")


def operand(kind: Any) -> Wire[Any]:
    """By which wire the operator >> and load() load a kind: a serializable class by pointer."""
    if isinstance(kind, type) and hasattr(kind, "__pointer__"):
        pointer = vars(kind).get("__pointer__")
        if pointer is None:
            raise NotSerializable(f"{kind.__name__} is derived from a serializable class and is not serializable itself")
        return pointer  # type: ignore[no-any-return]
    return wire_of(kind)


# -- storing -----------------------------------------------------------------------------------------------------------------


def put_object(archive: Archive, thing: Any) -> None:
    """Put a tag, and for an object that was not put before its class and its body."""
    sink = archive._sink
    if thing is None:
        sink.out += NULL
        return
    number = sink.numbers.get(id(thing))
    if number is not None:
        sink.out += _word.pack(number) if number < BIG else _big.pack(BIG, number)
        return
    entry = archive._registry.entry(type(thing))
    _put_class(archive, entry)
    sink.number(thing)
    entry.put(archive, thing)


def put_objects(archive: Archive, things: Iterable[Any]) -> None:
    """Put objects one after the other; new ones of a flat record, one behind the other, all at once."""
    sink = archive._sink
    numbers = sink.numbers
    new: list[Any] = []
    record, kind, tag = None, None, b""
    for thing in things:
        if record is not None and type(thing) is kind and id(thing) not in numbers:
            sink.number(thing)
            new.append(thing)
            continue
        if new and record is not None:
            record.put_tagged(archive, new, tag)
            new = []
        put_object(archive, thing)
        kind = type(thing)
        record = None if thing is None else archive._registry.entry(kind).flat_record
        if record is not None:
            tag = _class_tag(numbers[id(kind)])
    if new and record is not None:
        record.put_tagged(archive, new, tag)


def put_class(archive: Archive, kind: type[Any]) -> None:
    """Put the description of a class, or its number."""
    _put_class(archive, archive._registry.entry(kind))


def put_body(archive: Archive, thing: Any, kind: type[Any] | None = None) -> None:
    """Put what an object consists of, or its part that is of a base class."""
    _body_of(archive, thing, kind)[0](archive, thing)


def _body_of(archive: Archive, thing: Any, kind: type[Any] | None) -> tuple[Any, Any]:
    """How the body of an object is put and taken; a class that never travels by pointer says it itself."""
    if kind is not None and not isinstance(thing, kind):
        raise TypeError(f"{thing!r} is no {kind.__name__}")
    kind = kind or type(thing)
    body: tuple[Any, Any] | None = getattr(kind, "__body__", None)
    if body is None:
        entry = archive._registry.entry(kind)
        body = entry.members or (entry.put, entry.take)
    return body


def _put_class(archive: Archive, entry: Entry) -> None:
    sink = archive._sink
    number = sink.numbers.get(id(entry.kind))
    if number is None:
        sink.number(entry.kind)
        sink.out += entry.description
    else:
        sink.out += _class_tag(number)


def _class_tag(number: int) -> bytes:
    return _word.pack(CLASS | number) if number < BIG else _big.pack(BIG, BIG_CLASS | number)


# -- loading -----------------------------------------------------------------------------------------------------------------


def take_object(archive: Archive, kind: type[Kept]) -> Kept | None:
    """Take a tag, and what it stands for: None, an object that was taken before, or a new one."""
    source = archive._source
    at = source.offset
    is_class, number = _take_tag(source)
    if not is_class:
        return _taken_before(source, at, number, kind) if number else None
    loaded = _class_of(archive, at, number, kind)
    thing: Kept = _made(source, at, loaded)
    outer, archive._schema = archive._schema, loaded.schema
    loaded.entry.take(archive, thing)
    archive._schema = outer
    return thing


def _made(source: Source, at: int, loaded: LoadedClass) -> Any:
    """A new object of a class, with its number; its body comes next."""
    entry = loaded.entry
    if entry.is_abstract:
        raise BadClass(at, "a class of which objects can be made", f"the abstract {entry.name}")
    thing = entry.make()
    source.numbered.append(thing)
    return thing


def take_objects(archive: Archive, count: int) -> list[Any]:
    """Take objects one after the other; new ones of a flat record, one behind the other, at once."""
    source = archive._source
    things: list[Any] = []
    while len(things) < count:
        at = source.offset
        is_class, number = _take_tag(source)
        if not is_class:
            things.append(_taken_before(source, at, number, object) if number else None)
            continue
        loaded = _class_of(archive, at, number, object)
        thing = _made(source, at, loaded)
        things.append(thing)
        outer, archive._schema = archive._schema, loaded.schema
        loaded.entry.take(archive, thing)
        archive._schema = outer
        record = loaded.entry.flat_record
        if record is not None and loaded.number < BIG:
            record.take_tagged(archive, count - len(things), _class_tag(loaded.number), things)
    return things


def take_class(archive: Archive, kind: type[Any] | None) -> tuple[type[Any], int]:
    """Take the description of a class, or its number: the class and its schema number."""
    source = archive._source
    at = source.offset
    is_class, number = _take_tag(source)
    if not is_class:
        raise BadIndex(at, "the tag of a class", f"the tag of an object ({number:#x})")
    loaded = _class_of(archive, at, number, kind or object)
    return loaded.entry.kind, loaded.schema


def take_body(archive: Archive, thing: Any, kind: type[Any] | None = None) -> None:
    """Take what an object consists of, or its part that is of a base class."""
    outer, archive._schema = archive._schema, -1
    _body_of(archive, thing, kind)[1](archive, thing)
    archive._schema = outer


def _take_tag(source: Source) -> tuple[bool, int]:
    """(whether it is a class's, its number: 0 for a class that is described next and for NULL)."""
    at = source.fetch(2, "the tag of an object or a class")
    (tag,) = _word.unpack_from(source.data, at)
    if tag == NEW_CLASS:
        source.at = at + 2
        return True, 0
    if tag == BIG:
        at = source.fetch(6, "a tag of six bytes")
        (long,) = struct.unpack_from("<I", source.data, at + 2)
        source.at = at + 6
        is_class, number = bool(long & BIG_CLASS), long & ~BIG_CLASS
        if not number:
            raise BadIndex(source.offset - 6, "the number of an object or a class", "0 in a tag of six bytes")
        return is_class, number
    source.at = at + 2
    is_class, number = bool(tag & CLASS), tag & ~CLASS
    if is_class and not number:
        raise BadIndex(source.offset - 2, "the number of a class", "the tag 0x8000")
    return is_class, number


def _taken_before(source: Source, at: int, number: int, kind: type[Kept]) -> Kept:
    if number > len(source.numbered):
        raise BadIndex(at, f"a number up to {len(source.numbered)}", f"a reference to object {number}")
    thing = source.numbered[number - 1]
    if isinstance(thing, LoadedClass):
        raise BadIndex(at, "a reference to an object", f"a reference to the class {thing.entry.name} ({number})")
    if not isinstance(thing, kind):
        raise BadClass(at, f"an object of {kind.__name__}", f"one of {type(thing).__name__}")
    return thing


def _class_of(archive: Archive, at: int, number: int, kind: type[Any]) -> LoadedClass:
    source = archive._source
    if number:
        if number > len(source.numbered):
            raise BadIndex(at, f"a number up to {len(source.numbered)}", f"a reference to class {number}")
        loaded = source.numbered[number - 1]
        if not isinstance(loaded, LoadedClass):
            raise BadIndex(at, "a reference to a class", f"a reference to an object of {type(loaded).__name__} ({number})")
    else:
        loaded = _described_class(archive, at, kind)
        source.numbered.append(loaded)
    if not issubclass(loaded.entry.kind, kind):
        raise BadClass(at, f"an object of {kind.__name__}", f"one of {loaded.entry.name}")
    return loaded


def _described_class(archive: Archive, at: int, kind: type[Any]) -> LoadedClass:
    """The class whose description comes next: schema, length of the name, name."""
    source = archive._source
    start = source.fetch(4, "the description of a class")
    schema, length = struct.unpack_from("<HH", source.data, start)
    if length > LONGEST_NAME:
        raise BadClass(at, f"a class's name of at most {LONGEST_NAME} bytes", f"one of {length} bytes")
    start = source.fetch(4 + length, "a class's name")
    name = bytes(source.data[start + 4 : start + 4 + length])
    source.at = start + 4 + length
    entries = archive._registry.named(name.decode("ascii", "replace"))
    if not entries:
        raise BadClass(at, "the name of a registered class", repr(name))
    entry = next((each for each in entries if issubclass(each.kind, kind)), entries[0])
    if schema != entry.schema and not entry.versionable:
        raise BadSchema(at, f"{entry.name} of schema {entry.schema}", f"schema {schema}")
    return LoadedClass(entry, schema, len(source.numbered) + 1)

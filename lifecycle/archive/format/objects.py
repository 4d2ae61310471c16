"""Objects by pointer: tags, classes, numbers (PIDs), back references.

Classes and objects share one sequence of numbers, from 1, in the order in which they first occur; a new object gets its number
before its body is stored, so that the body may refer to it. A number fits a tag of two bytes up to 0x7FFE and takes six above.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lifecycle.archive.errors import BadClass, BadIndex, BadSchema, Cause, EndOfFile
from lifecycle.archive.format.decoder import NO_SCHEMA, Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.nesting import Loading, Storing
from lifecycle.archive.format.registry import LONGEST_NAME, Entry
from lifecycle.archive.format.wire import OBJECT_COST, Wire

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
    """A class as described by an archive, its number, and the charge for an object of it."""

    entry: Entry
    schema: int
    number: int
    cost: int


class PointerWire(Wire[Any]):
    """An object of a serializable class, or of one derived from it, by pointer; None is NULL."""

    least = 2
    goes_back = False

    def __init__(self, kind: type[Any]) -> None:
        super().__init__(f"{kind.__name__} | None")
        self.kind = kind

    def store(self, encoder: Encoder, value: Any) -> Storing | None:
        if value is not None and not isinstance(value, self.kind):
            raise TypeError(f"{value!r} is not a {self.name}")
        return put_object(encoder, value)

    def load(self, decoder: Decoder) -> Any:
        return take_object(decoder, self.kind)

    def store_all(self, encoder: Encoder, values: Sequence[Any]) -> Storing | None:
        for value in values:
            if value is not None and not isinstance(value, self.kind):
                raise TypeError(f"{value!r} is not a {self.name}")
        return _put_objects(encoder, values)

    def load_all(self, decoder: Decoder, count: int, make: type[list[Any]] = list) -> list[Any] | Loading:
        return _take_objects(decoder, count, self.kind, make)


class AnyPointerWire(PointerWire):
    """An object of any serializable class by pointer (CObject*)."""

    def __init__(self) -> None:
        super().__init__(object)
        self.name = "CObject*"


ANY_POINTER = AnyPointerWire()


class EmbeddedWire(Wire[Any]):
    """An object that is a member of another, stored and loaded by its own method."""

    least = 0
    cost = OBJECT_COST

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.kind.__name__)
        self.entry = entry

    def store(self, encoder: Encoder, value: Any) -> Storing | None:
        if type(value) is not self.entry.kind:
            raise TypeError(f"{value!r} is not a {self.name}")
        return put_body(encoder, value)

    def load(self, decoder: Decoder) -> Any:
        return take_body(decoder, self.entry.make())


# -- storing -----------------------------------------------------------------------------------------------------------------


def put_object(encoder: Encoder, thing: Any) -> Storing | None:
    """Store a tag, and for an object that was not stored before its class and its body."""
    if thing is None:
        if encoder.format.trace is not None:
            encoder.format.tell(encoder.offset, "tag", "NULL")
        encoder.out += NULL
        return None
    number = encoder.numbers.get(id(thing))
    if number is not None:
        if encoder.format.trace is not None:
            encoder.format.tell(encoder.offset, "tag", f"object {number}")
        encoder.out += _word.pack(number) if number < BIG else _big.pack(BIG, number)
        return None
    entry = encoder.registry.entry(type(thing))
    if encoder.format.trace is not None:
        encoder.format.tell(encoder.offset, "tag", f"a new {entry.name}")
    _put_class(encoder, entry)
    encoder.number(thing)
    storing: Storing | None = entry.put(encoder, thing)
    return storing


def _put_objects(encoder: Encoder, things: Sequence[Any]) -> Storing:
    """Store consecutive objects; consecutive new ones of a record all at once."""
    numbers = encoder.numbers
    at, end = 0, len(things)
    while at < end:
        thing = things[at]
        at += 1
        storing = put_object(encoder, thing)
        if storing is not None:
            yield storing
        kind = type(thing)
        if at == end or type(things[at]) is not kind or thing is None or encoder.format.trace is not None:
            continue
        record, number = encoder.registry.entry(kind).tagged, numbers.get(id(kind))
        if record is not None and number is not None:
            begin = at
            while at < end and type(things[at]) is kind:
                at += 1
            storing = record.put_tagged(encoder, things[begin:at], class_tag(number))
            if storing is not None:
                yield storing


def put_class(encoder: Encoder, kind: type[Any]) -> None:
    """Store the description of a class, or its number."""
    _put_class(encoder, encoder.registry.entry(kind))


def put_body(encoder: Encoder, thing: Any, kind: type[Any] | None = None) -> Storing | None:
    """Store the members of an object, or those of a base class."""
    storing: Storing | None = _body_of(encoder, thing, kind)[0](encoder, thing)
    return storing


def _body_of(coder: Encoder | Decoder, thing: Any, kind: type[Any] | None) -> tuple[Any, Any]:
    """The functions that store and load an object's body; a class that is only ever embedded has its own."""
    if kind is not None and not isinstance(thing, kind):
        raise TypeError(f"{thing!r} is not a {kind.__name__}")
    kind = kind or type(thing)
    body: tuple[Any, Any] | None = getattr(kind, "__body__", None)
    if body is None:
        entry = coder.registry.entry(kind)
        body = entry.members or (entry.put, entry.take)
    return body


def _put_class(encoder: Encoder, entry: Entry) -> None:
    number = encoder.numbers.get(id(entry.kind))
    if number is None:
        encoder.number(entry.kind)
        encoder.out += entry.described_as(encoder.schemas.get(entry.kind, entry.schema))
    else:
        encoder.out += class_tag(number)


def class_tag(number: int) -> bytes:
    """The tag of a new object of the class with that number."""
    return _word.pack(CLASS | number) if number < BIG else _big.pack(BIG, BIG_CLASS | number)


# -- loading -----------------------------------------------------------------------------------------------------------------


def take_object(decoder: Decoder, kind: type[Any]) -> Any:
    """Load a tag and what it refers to: None, an object loaded before, or a new one."""
    at, numbered, depth, schema = decoder.base + decoder.at, len(decoder.numbered), decoder.depth, decoder.schema
    charged = decoder.charged
    try:
        is_class, number = _take_tag(decoder)
        if not is_class:
            if decoder.format.trace is not None:
                decoder.format.tell(at, "tag", f"object {number}" if number else "NULL")
            return _taken_before(decoder, at, number, kind) if number else None
        loaded = _class_of(decoder, at, number, kind)
        thing = _new(decoder, at, loaded)
        if decoder.format.trace is not None:
            decoder.format.tell(at, "tag", f"a new {loaded.entry.name}, number {len(decoder.numbered)}")
        if loaded.entry.tagged is not None:
            return loaded.entry.take(decoder, thing)
        decoder.schema = loaded.schema
        taken = loaded.entry.take(decoder, thing)
    except BlockingIOError:
        decoder.go_back((at, numbered, depth, schema, charged))
        raise
    decoder.schema = schema
    return taken


def _new(decoder: Decoder, at: int, loaded: LoadedClass) -> Any:
    """A new object of a class, with its number, before its body is loaded."""
    entry = loaded.entry
    if entry.is_abstract:
        raise BadClass(at, "a class of which objects can be made", f"the abstract {entry.name}")
    decoder.charge(loaded.cost)
    thing = entry.make()
    decoder.numbered.append(thing)
    return thing


def _take_objects(decoder: Decoder, count: int, kind: type[Any], make: type[list[Any]]) -> Loading:
    """Load consecutive objects; consecutive new ones of a record at once."""
    things = make()

    def load(decoder: Decoder) -> Any:
        return take_object(decoder, kind)

    while len(things) < count:
        found = _tagged_class(decoder, kind)
        if found is not None:
            record, tag = found
            before, began = len(things), decoder.offset

            def load_tagged(
                decoder: Decoder, take_tagged: Callable[..., Any] = record.take_tagged, tag: bytes = tag
            ) -> Loading | None:
                loading: Loading | None = take_tagged(decoder, count - len(things), tag, things)
                return loading

            yield load_tagged
            record.charge(decoder, things[before:], began, numbered=True)
        else:
            began = decoder.offset  # paths.py reads it
            things.append((yield load))
    return things


def _tagged_class(decoder: Decoder, kind: type[Any]) -> tuple[Any, bytes] | None:
    """The record and the tag of the next object, if it is a new one of a known record."""
    if decoder.format.trace is not None:
        return None
    tag = bytes(decoder.data[decoder.at : decoder.at + 2])
    if len(tag) < 2 or not CLASS < (number := _word.unpack(tag)[0]) < NEW_CLASS or number & ~CLASS > len(decoder.numbered):
        return None
    loaded = decoder.numbered[(number & ~CLASS) - 1]
    if not isinstance(loaded, LoadedClass) or loaded.entry.is_abstract or not issubclass(loaded.entry.kind, kind):
        return None
    record = loaded.entry.tagged
    return None if record is None else (record, tag)


def take_class(decoder: Decoder, kind: type[Any] | None) -> tuple[type[Any], int]:
    """Load the description of a class, or its number; return the class and its schema number."""
    at = decoder.offset
    is_class, number = _take_tag(decoder)
    if not is_class:
        raise BadIndex(at, "the tag of a class", f"the tag of an object ({number:#x})")
    loaded = _class_of(decoder, at, number, kind or object)
    return loaded.entry.kind, loaded.schema


def take_body(decoder: Decoder, thing: Any, kind: type[Any] | None = None) -> Any:
    """Load the members of an object, or those of a base class; return the object. For a class, a new object is made."""
    if isinstance(thing, type):
        thing = decoder.registry.entry(thing).make()
    take = _body_of(decoder, thing, kind)[1]
    outer, decoder.schema = decoder.schema, NO_SCHEMA
    found = take(decoder, thing)
    decoder.schema = outer
    return found


def _take_tag(decoder: Decoder) -> tuple[bool, int]:
    """(whether the tag is a class's, its number: 0 for a class described next and for NULL)."""
    at = decoder.fetch(2, "the tag of an object or a class")
    (tag,) = _word.unpack_from(decoder.data, at)
    if tag == NEW_CLASS:
        decoder.at = at + 2
        return True, 0
    if tag == BIG:
        at = decoder.fetch(6, "a tag of six bytes")
        (long,) = struct.unpack_from("<I", decoder.data, at + 2)
        decoder.at = at + 6
        is_class, number = bool(long & BIG_CLASS), long & ~BIG_CLASS
        if is_class and not number:
            raise BadIndex(decoder.offset - 6, "the number of a class", "0 in a tag of six bytes")
        return is_class, number
    decoder.at = at + 2
    is_class, number = bool(tag & CLASS), tag & ~CLASS
    if is_class and not number:
        raise BadIndex(decoder.offset - 2, "the number of a class", "the tag 0x8000")
    return is_class, number


def _taken_before(decoder: Decoder, at: int, number: int, kind: type[Kept]) -> Kept:
    if number > len(decoder.numbered):
        by_value = "" if kind is object else f" (a {kind.__name__} without a tag is loaded by serialize({kind.__name__}))"
        raise BadIndex(at, f"a number up to {len(decoder.numbered)}", f"a reference to object {number}{by_value}")
    thing = decoder.numbered[number - 1]
    if isinstance(thing, LoadedClass):
        raise BadIndex(at, "a reference to an object", f"a reference to the class {thing.entry.name} ({number})")
    if not isinstance(thing, kind):
        raise BadClass(at, f"an object of {kind.__name__}", f"one of {type(thing).__name__}")
    return thing


def _class_of(decoder: Decoder, at: int, number: int, kind: type[Any]) -> LoadedClass:
    if number:
        if number > len(decoder.numbered):
            raise BadIndex(at, f"a number up to {len(decoder.numbered)}", f"a reference to class {number}")
        loaded = decoder.numbered[number - 1]
        if not isinstance(loaded, LoadedClass):
            raise BadIndex(at, "a reference to a class", f"a reference to an object of {type(loaded).__name__} ({number})")
    else:
        loaded = _described_class(decoder, at, kind)
        if _is_described(decoder, loaded.entry):
            raise BadClass(
                at, "a class that was not described before", f"{loaded.entry.name} for the second time: another archive "
                "begins there, as where the peer makes one for each message"
            )  # fmt: skip
        decoder.described[loaded.entry.kind] = loaded.number
        decoder.numbered.append(loaded)
    if not issubclass(loaded.entry.kind, kind):
        raise BadClass(at, f"an object of {kind.__name__}", f"one of {loaded.entry.name}")
    return loaded


def _is_described(decoder: Decoder, entry: Entry) -> bool:
    number = decoder.described.get(entry.kind, 0)
    if not 0 < number <= len(decoder.numbered):
        return False
    known = decoder.numbered[number - 1]
    return isinstance(known, LoadedClass) and known.entry is entry


def _described_class(decoder: Decoder, at: int, kind: type[Any]) -> LoadedClass:
    """Load the description of a class: schema, length of the name, name."""
    start = decoder.fetch(4, "the description of a class")
    schema, length = struct.unpack_from("<HH", decoder.data, start)
    if length > LONGEST_NAME:
        raise BadClass(at, f"a class's name of at most {LONGEST_NAME} bytes", f"one of {length} bytes")
    try:
        start = decoder.fetch(4 + length, "a class's name")
    except EndOfFile as error:
        error.cause = Cause.BAD_CLASS
        raise
    name = bytes(decoder.data[start + 4 : start + 4 + length])
    decoder.at = start + 4 + length
    entries = decoder.registry.named(name.decode("ascii", "replace"))
    if not entries:
        raise BadClass(at, "the name of a registered class", repr(name))
    entry = next((each for each in entries if issubclass(each.kind, kind)), entries[0])
    expected = decoder.schemas.get(entry.kind, entry.schema)
    if schema != expected and not entry.versionable:
        raise BadSchema(at, f"{entry.name} of schema {expected}", f"schema {schema}")
    return LoadedClass(entry, schema, len(decoder.numbered) + 1, entry.cost)

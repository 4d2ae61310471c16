"""Records: dataclasses whose annotations are wire types, stored and loaded by functions generated for them.

If a value does not fit, the fields are stored one by one, so that the error names the field.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cached_property
from typing import Any

from lifecycle.archive.format.decoder import MEMORY, NO_SCHEMA, Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.nesting import Loading, Storing
from lifecycle.archive.format.objects import PointerWire
from lifecycle.archive.format.record_loading import MANY, ONE, TAGGED, take_source
from lifecycle.archive.format.record_storing import put_source
from lifecycle.archive.format.strings import StringWire
from lifecycle.archive.format.versions import Member, members_of
from lifecycle.archive.format.wire import OBJECT_COST, WIRE_MAKERS, Fixed, Wire

Function = Callable[..., Any]

PUT, PUT_TAGGED = "put", "put tagged"


class Record(Wire[Any]):
    """The wire of a dataclass: its fields in their order, without a tag.

    names: the names in the annotations that are not in the class's module. schema: of new objects; None for a class
    without a number of its own. If some fields exist only since a schema number, there is a record for each number.
    """

    is_record = True
    goes_back = False

    def __init__(self, kind: type[Any], names: dict[str, Any], schema: int | None = None) -> None:
        super().__init__(kind.__name__)
        self.kind = kind
        self.schema = schema
        self._versions: dict[int, Record] = {}
        self.names = {**names, kind.__name__: kind}
        self.is_frozen: bool = kind.__dataclass_params__.frozen
        self.is_abstract = inspect.isabstract(kind)
        self._functions: dict[tuple[str, int], Function] = {}

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The fields; TypeError, naming the field, for an annotation that is not a wire type."""
        return members_of(self.kind, self.names)

    @cached_property
    def wires(self) -> dict[str, Wire[Any]]:
        """The wire of each field that every object has, or that has a condition."""
        return {each.name: each.wire for each in self.members if not each.since}

    @cached_property
    def thresholds(self) -> tuple[int, ...]:  # type: ignore[override]
        """The schema numbers at which the fields change."""
        if self.__dict__.get("_measuring"):
            return ()  # of a record that contains itself by value, which `least` refuses
        self._measuring = True
        try:
            return tuple(sorted({number for each in self.members for number in each.thresholds}))
        finally:
            self._measuring = False

    def at(self, schema: int) -> Record:
        """The record of the objects of a schema number; numbers without changes between them share one."""
        if not self.thresholds:
            return self
        reached = max((each for each in self.thresholds if each <= schema), default=0)
        found = self._versions.get(reached)
        if found is None:
            found = self._versions[reached] = Record(self.kind, self.names, schema)
            members = tuple(each.at(reached) for each in self.members)
            found.members, found.thresholds = members, ()
            found.wires = {each.name: each.wire for each in members if each.since <= reached}
        return found

    def _loading(self, decoder: Decoder) -> Record:
        """The record of the object being loaded."""
        if not self.thresholds:
            return self
        return self._of(decoder.schemas, decoder.schema)

    def _storing(self, encoder: Encoder) -> Record:
        """The record of the objects being stored."""
        return self._of(encoder.schemas, NO_SCHEMA) if self.thresholds else self

    def _of(self, schemas: Mapping[type[Any], int], schema: int) -> Record:
        if schema == NO_SCHEMA:
            schema = schemas.get(self.kind, self.thresholds[-1] if self.schema is None else self.schema)
        return self.at(schema)

    @cached_property
    def least(self) -> int:  # type: ignore[override]
        """The minimum size of a record; a record that contains itself by value would have no end, and is refused."""
        if self.__dict__.get("_measuring"):
            raise TypeError(f"{self.name} contains itself by value: use `{self.name} | None`, a pointer")
        self._measuring = True
        try:
            return sum(each.wire.least for each in self.members if each.name in self.wires and not each.conditions)
        finally:
            self._measuring = False

    @cached_property
    def cost(self) -> int:  # type: ignore[override]
        """The bytes that a record counts against the limit: for the object, and those in it by value."""
        return max(self.least, self.weight)

    @cached_property
    def weight(self) -> int:
        """A sixteenth of the memory of a record and its place in a list, without its strings."""
        kind: Any = self.kind  # with slots, a header, a place in a list and one for each field
        own = 96 + 8 * len(self.members) if kind.__dictoffset__ else kind.__basicsize__ + 40
        return own // MEMORY + sum(map(_weight, self.wires.values()))

    @cached_property
    def texts(self) -> int:
        """The number of strings in a record, including nested records."""
        records = [wire for wire in self.wires.values() if isinstance(wire, Record)]
        return sum(isinstance(wire, StringWire) for wire in self.wires.values()) + sum(each.texts for each in records)

    def cost_of(self, values: Sequence[Any]) -> int:
        due = len(values) * self.cost
        for name, wire in self.wires.items() if self.texts else ():
            fields = [getattr(each, name, None) for each in values]
            if isinstance(wire, Record):
                due += wire.cost_of(fields) - len(values) * wire.cost
            elif isinstance(wire, StringWire):
                due += wire.cost_of([text for text in fields if isinstance(text, str)])
        return due

    def charge(self, decoder: Decoder, things: list[Any], began: int, *, numbered: bool = False) -> None:
        """Charge things that began at that offset, and their places in the table of numbers, if they have numbers.

        Their strings are only considered if the bytes could be too few for them.
        """
        due = len(things) * (self.cost + numbered)
        if decoder.offset - began < due + len(things) * self.texts * OBJECT_COST:
            due = self.cost_of(things) + len(things) * numbered
        decoder.charge(due)

    @cached_property
    def is_flat(self) -> bool:  # type: ignore[override]
        """Whether a record contains nothing with a number or of several steps: then it is stored and loaded at once."""
        assert self.least >= 0  # refuses one that contains itself
        return all(wire.is_flat for wire in self.wires.values())

    @property
    def can_be_key(self) -> bool:
        return self.kind.__hash__ is not None and self.is_flat and all(wire.can_be_key for wire in self.wires.values())

    def make(self) -> Any:
        """A new object to load into; __init__ and __post_init__ are not run."""
        kind: Any = self.kind
        return kind.__new__(kind)

    # -- storing -------------------------------------------------------------------------------------------------------------

    def putting(self, encoder: Encoder) -> Function:
        """The function that stores the fields of things."""
        return self._storing(encoder)._function(PUT, encoder)

    def taking(self, decoder: Decoder) -> Function:
        """The function that loads the fields of one thing."""
        return self._function(ONE, decoder)

    def store(self, encoder: Encoder, value: Any) -> Storing | None:
        return self.store_all(encoder, (value,))

    def store_all(self, encoder: Encoder, values: Sequence[Any]) -> Storing | None:
        for kind in set(map(type, values)) - {self.kind}:
            raise TypeError(f"{next(value for value in values if type(value) is kind)!r} is not a {self.name}")
        return self._put_all(encoder, values) if values else None

    def put(self, encoder: Encoder, thing: Any) -> Storing | None:
        """Store the fields of `thing`, which may have more: it may be of a derived class."""
        return self._put_all(encoder, (thing,))

    def _put_all(self, encoder: Encoder, things: Sequence[Any]) -> Storing | None:
        storing: Storing | None = self._storing(encoder)._function(PUT, encoder)(encoder, things)
        return storing

    def put_tagged(self, encoder: Encoder, things: Sequence[Any], tag: bytes) -> Storing | None:
        """Store each of `things`, which are of exactly this class: its number, or the tag and its fields."""
        storing: Storing | None = self._function(PUT_TAGGED, encoder)(encoder, things, tag)
        return storing

    def _with_field_name(self, encoder: Encoder, thing: Any, error: Exception) -> None:
        """Raise an error that names the field of `thing` that does not fit; return if none is at fault.

        Fields that contain other objects are not tried again, for that may run users' code; they report their own errors.
        """
        for each in self.members:
            name, wire = each.name, each.wire
            if name not in self.wires or not all(condition(thing) for condition in each.conditions):
                continue
            try:
                value = getattr(thing, name)
                within = _record_within(wire, value)
                if within is None and wire.is_flat:
                    wire.store(encoder, value)
            except (ValueError, TypeError, AttributeError) as found:
                kind = ValueError if isinstance(found, ValueError) else TypeError
                raise kind(f"{self.name}.{name}: {found}") from error
            if within is not None:
                within._with_field_name(encoder, value, error)

    # -- loading -------------------------------------------------------------------------------------------------------------

    def load(self, decoder: Decoder) -> Any:
        return self.take(decoder, self.make())

    def take(self, decoder: Decoder, thing: Any) -> Any:
        """Load the fields of `thing`; return it, or a generator of it."""
        return self._loading(decoder)._function(ONE, decoder)(decoder, thing)

    def load_all(self, decoder: Decoder, count: int, make: type[list[Any]] = list) -> list[Any] | Loading:
        made = make()
        if not count:
            return made
        if self.thresholds:
            return self._loading(decoder).load_all(decoder, count, make)
        function = self._functions.get((MANY, decoder.format.variant)) or self._function(MANY, decoder)
        if not self.is_flat:
            return self._in_parts(function, count, made)
        before = 0
        try:
            while len(made) < count:
                before, began = len(made), decoder.offset
                function(decoder, count - before, made)
                self.charge(decoder, made[before:], began)
        except BlockingIOError:
            return self._in_parts(function, count, made, before)
        return made

    def _in_parts(self, function: Function, count: int, made: list[Any], before: int = 0) -> Loading:
        while len(made) < count:
            yield lambda decoder: function(decoder, count - len(made), made)
            due, before = self.cost_of(made[before:]), len(made)
            yield lambda decoder: decoder.charge(due)  # noqa: B023 - it is called at once
        return made

    def take_tagged(self, decoder: Decoder, count: int, tag: bytes, things: list[Any]) -> Loading | None:
        """Append up to `count` new objects to `things`, as long as the tag is next, and number them."""
        decoder.expect(count * (len(tag) + self.least))
        loading: Loading | None = self._function(TAGGED, decoder)(decoder, count, tag, things)
        return loading

    # -- the written functions -----------------------------------------------------------------------------------------------

    def _function(self, title: str, coder: Encoder | Decoder) -> Function:
        """The function with that title for the archive's kind of strings."""
        variant = coder.format.variant
        function = self._functions.get((title, variant))
        if function is None:
            record: Any = self
            if title in (PUT, PUT_TAGGED):
                source = put_source(record, coder.format, tagged=title == PUT_TAGGED, blame=self._with_field_name)
            else:
                source = take_source(record, title, coder.format, least=self.least)
            function = self._functions[title, variant] = source.compiled(f"{self.kind.__module__}.{self.name} {title}")
        return function


def _weight(wire: Wire[Any]) -> int:
    """A sixteenth of the memory that a value takes in a record, beyond its place and what is in proportion to its bytes."""
    if isinstance(wire, Record):
        return wire.weight
    return 0 if wire.cost == 1 or (isinstance(wire, Fixed) and wire.gather is None and wire.shared) else wire.cost


def _struct_of(kind: type[Any]) -> Record | None:
    """The wire of a dataclass that is not serializable: by value only."""
    if not is_dataclass(kind) or hasattr(kind, "__pointer__"):
        return None
    found: Record | None = vars(kind).get("__struct__")
    if found is None:
        found = Record(kind, {})
        setattr(kind, "__struct__", found)  # noqa: B010 - type checkers do not know the attribute
    return found


WIRE_MAKERS.append(_struct_of)


def _record_within(wire: Wire[Any], value: Any) -> Record | None:
    """The record whose fields are stored in place for a field: a record by value, or an object by pointer."""
    if isinstance(wire, Record):
        if type(value) is not wire.kind:
            raise TypeError(f"{value!r} is not a {wire.name}")
        return wire
    pointed = vars(type(value)).get("__wire__") if isinstance(wire, PointerWire) and type(value) is wire.kind else None
    return pointed if isinstance(pointed, Record) and pointed.is_flat else None

"""The common part of the generated functions that store and load records (record_storing.py, record_loading.py).

A run of fields of fixed size is one struct call, which includes the short length of a string after it, so that a record like
(int, double, short string) takes one call to pack and two appends. Records in a record, by value, are part of its runs; an
object by pointer is stored and loaded in place if it is of exactly the class that the pointer names.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.objects import PointerWire
from lifecycle.archive.format.settings import Format
from lifecycle.archive.format.strings import StringWire
from lifecycle.archive.format.tracing import TracedWire
from lifecycle.archive.format.versions import Member
from lifecycle.archive.format.wire import Fixed, Wire

SHORT = 0xFF  # a length below it is one byte

DIRECTLY = 15
"""A mask: of that many levels and one, all but one are run directly, which takes half the time and some of Python's stack."""

TITLE = "<lifecycle.archive "
_titles = count(1)


class RecordLike(Protocol):
    """The attributes of a record that the source of its functions needs."""

    kind: type[Any]
    name: str
    is_frozen: bool

    @property
    def cost(self) -> int: ...
    @property
    def wires(self) -> dict[str, Wire[Any]]: ...
    @property
    def members(self) -> tuple[Member, ...]: ...
    @property
    def is_flat(self) -> bool: ...
    def taking(self, decoder: Decoder) -> Callable[..., Any]: ...
    def putting(self, encoder: Encoder) -> Callable[..., Any]: ...


class SourceText:
    """The lines of a function `run`, and the names that they use. names: for the function's globals, without the underscore."""

    def __init__(self, **names: Any) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {f"_{name}": value for name, value in names.items()}
        self.indent = 0
        self.begins_at = 0

    def add(self, *lines: str, more: int = 0) -> None:
        """Add lines, indented by `more` further steps."""
        self.lines += [" " * 4 * (self.indent + more) + line for line in lines]

    def name(self, stem: str, value: object) -> str:
        """A unique name for `value`."""
        name = f"_{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def later(self, stem: str, find: Callable[[Any], Callable[..., Any]]) -> str:
        """A name for the function that find(coder) returns, found at the first call, since records may refer to each other."""

        def found(coder: Any, thing: Any) -> Any:
            function = self.names[name] = find(coder)
            return function(coder, thing)

        name = self.name(stem, found)
        return name

    def begin_at_once(self, *lines: str) -> None:
        """Begin the function with lines, after those of begin_with()."""
        self.lines[self.begins_at : self.begins_at] = [f"    {line}" for line in lines]

    def begin_with(self, **values: str) -> None:
        """Begin the function with the variables that its lines use; return their values in order."""
        text = "\n".join(self.lines)
        used = [f"    _{name} = {value}" for name, value in values.items() if f"_{name}" in text]
        self.lines[self.begins_at : self.begins_at] = used

    def compiled(self, title: str) -> Callable[..., Any]:
        """The function; debuggers and tracebacks show its text under the title."""
        text = "\n".join(self.lines) + "\n"
        filename = f"{TITLE}{title} {next(_titles)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        exec(compile(text, filename, "exec"), self.names)
        function: Callable[..., Any] = self.names["run"]
        return function


@dataclass(frozen=True)
class Place:
    """The place of a field's value: the variable of its object, the object's class, and the field."""

    owner: str
    record: RecordLike
    field: str

    @property
    def value(self) -> str:
        return f"{self.owner}.{self.field}"

    def assign(self, value: str) -> str:
        """The statement that sets the field; for a frozen object with object.__setattr__."""
        return f"_set({self.owner}, {self.field!r}, {value})" if self.record.is_frozen else f"{self.value} = {value}"


class RecordWriter:
    """Walks the fields of a record, and of nested records, and collects runs of fields of fixed size."""

    def __init__(self, source: SourceText, format: Format) -> None:
        self.source = source
        self.unicode = format.unicode
        self.traced = format.trace is not None
        self.run: list[tuple[Place, Fixed[Any]]] = []
        self.variables = 0

    def fields(self, record: RecordLike, owner: str) -> None:
        """Write code that stores or loads the fields of the object in the variable `owner`, except a last run."""
        for member in record.members:
            place = Place(owner, record, member.name)
            if member.name not in record.wires:
                self.absent(place, member)
            elif member.conditions:
                self.conditional(place, member)
            else:
                self.field(place, member.wire)

    def field(self, place: Place, wire: Wire[Any]) -> None:
        """Write code that stores or loads a field, or add it to the run."""
        if self.traced and not wire.is_record:
            self.other(place, TracedWire(wire, f"{place.record.name}.{place.field}: {wire.name}"))
        elif isinstance(wire, Fixed):
            self.run.append((place, wire))
        elif isinstance(wire, StringWire):
            self.text(place, wire)
        elif wire.is_record:
            self.embedded(place, wire)
        else:
            self.end_run()
            pointed = _pointed_record(wire)
            if isinstance(wire, PointerWire) and pointed is not None:
                self.pointer(place, wire, pointed)
            else:
                self.other(place, wire)

    def conditional(self, place: Place, member: Member) -> None:
        """Write code that stores or loads a field if its conditions hold."""
        self.end_run()
        holds = " and ".join(f"{self.source.name('holds', each)}({place.owner})" for each in member.conditions)
        self.source.add(f"if {holds}:")
        self.source.indent += 1
        self.field(place, member.wire)
        self.end_run()
        self.source.indent -= 1
        self.source.add("else:", "    pass")
        self.source.indent += 1
        self.absent(place, member)
        self.source.indent -= 1

    def embedded(self, place: Place, record: Any) -> None:
        """Write code that stores or loads a record by value; one that contains objects is a level of its own."""
        variable = self.variable()
        self.begin_embedded(place, variable, record)
        if not record.is_flat:
            self.end_run()
            enter(self.source)
        self.fields(record, variable)
        if not record.is_flat:
            self.end_run()
            self.source.add("_coder.depth -= 1")

    def nested(self, generator: str) -> None:
        """Write code that runs the generator of another object: directly, and at some depths by the caller, to save stack."""
        self.source.add("_within = True", f"if _coder.depth & {DIRECTLY}:", f"    yield from {generator}", "else:")
        self.source.add(f"    yield {generator}", "_within = False")

    def variable(self) -> str:
        self.variables += 1
        return f"_object_{self.variables}"

    def codes(self) -> str:
        return "".join(wire.codes for _, wire in self.run)

    def is_wide(self, wire: StringWire) -> bool:
        return self.unicode if wire.unicode is None else wire.unicode

    def begin_embedded(self, place: Place, variable: str, record: Any) -> None:
        raise NotImplementedError

    def absent(self, place: Place, member: Member) -> None:
        """Write code for an absent field: none for storing."""

    def text(self, place: Place, wire: StringWire) -> None:
        raise NotImplementedError

    def pointer(self, place: Place, wire: PointerWire, record: Any) -> None:
        raise NotImplementedError

    def other(self, place: Place, wire: Wire[Any]) -> None:
        raise NotImplementedError

    def end_run(self) -> None:
        raise NotImplementedError


def _pointed_record(wire: Wire[Any]) -> Any:
    """The record of the class that a pointer names; None for a class that has no objects or unusable annotations."""
    record = vars(wire.kind).get("__wire__") if isinstance(wire, PointerWire) else None
    if record is None or not record.is_record or record.is_abstract:
        return None
    try:
        return record if not record.thresholds and (record.is_flat or record.wires) else None
    except TypeError:
        return None


def enter(source: SourceText) -> None:
    """Write code that goes one level deeper."""
    source.add("if _coder.depth >= _deepest:", "    _coder.enter()", "_coder.depth += 1")

"""Writes the functions that store and load records (records.py).

A run of fields of fixed size is one struct call; a string behind it lends the run its short length, so that a record like
(int, double, short string) takes one call to pack and two appends. Records within a record, by value, are part of its runs; what a
pointer refers to is stored and loaded in place where it is of the very class that the pointer names.
"""

from __future__ import annotations

import linecache
import struct
import sys
from codecs import utf_16_le_decode, utf_16_le_encode
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, islice, repeat
from types import GeneratorType
from typing import Any, Protocol

from lifecycle.archive.errors import BadIndex
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import MOST_NUMBERS, Encoder
from lifecycle.archive.format.lengths import SHORT_LENGTHS, SHORT_UNICODE_LENGTHS, UNICODE_MARK, length_prefix
from lifecycle.archive.format.objects import BIG, CLASS, NEW_CLASS, NULL, LoadedClass, PointerWire, class_tag, put_class
from lifecycle.archive.format.strings import SURROGATES, StringWire, undecodable
from lifecycle.archive.format.wire import Fixed, Wire

SHORT = 0xFF  # a length below it is one byte

SHORT_SIZES = {length: length for length in range(SHORT)}
SHORT_UNICODE_SIZES = {int.from_bytes(prefix, "little"): 2 * length for length, prefix in enumerate(SHORT_UNICODE_LENGTHS)}
"""The first byte, or the first four, of a short string, as a number -> how many bytes its text has."""

DIRECTLY = 15
"""A mask: of so many levels and one, all but one are run directly, which takes half the time and some of Python's stack."""

_titles = count(1)


class RecordLike(Protocol):
    """What the source of a record's functions needs to know of it."""

    kind: type[Any]
    name: str
    is_frozen: bool

    @property
    def wires(self) -> dict[str, Wire[Any]]: ...
    @property
    def is_flat(self) -> bool: ...
    def taking(self, decoder: Decoder) -> Callable[..., Any]: ...
    def putting(self, encoder: Encoder) -> Callable[..., Any]: ...


class SourceText:
    """Lines of a function `run`, and the names that they use. names: for the function's globals, without the underscore."""

    def __init__(self, **names: Any) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {f"_{name}": value for name, value in names.items()}
        self.indent = 0
        self.begins_at = 0

    def add(self, *lines: str, more: int = 0) -> None:
        """Add lines, indented by `more` steps than the present ones."""
        self.lines += [" " * 4 * (self.indent + more) + line for line in lines]

    def name(self, stem: str, value: object) -> str:
        """A name for `value` that nothing else has."""
        name = f"_{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def later(self, stem: str, find: Callable[[Any], Callable[..., Any]]) -> str:
        """A name for the function that find(coder) gives, which is asked for at the first call: records may refer to each other."""

        def found(coder: Any, thing: Any) -> Any:
            function = self.names[name] = find(coder)
            return function(coder, thing)

        name = self.name(stem, found)
        return name

    def begin_with(self, **values: str) -> None:
        """Begin the function with variables, those that its lines use; the values in their order."""
        text = "\n".join(self.lines)
        used = [f"    _{name} = {value}" for name, value in values.items() if f"_{name}" in text]
        self.lines[self.begins_at : self.begins_at] = used

    def compiled(self, title: str) -> Callable[..., Any]:
        """The function; debuggers and tracebacks show its text under the title."""
        text = "\n".join(self.lines) + "\n"
        filename = f"<lifecycle.archive {title} {next(_titles)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        exec(compile(text, filename, "exec"), self.names)
        function: Callable[..., Any] = self.names["run"]
        return function


@dataclass(frozen=True)
class _Place:
    """Where a field's value is: the variable of its object, the object's class, and the field."""

    owner: str
    record: RecordLike
    field: str

    @property
    def value(self) -> str:
        return f"{self.owner}.{self.field}"

    def assign(self, value: str) -> str:
        """The statement that sets the field; a frozen object's by way of object.__setattr__."""
        return f"_set({self.owner}, {self.field!r}, {value})" if self.record.is_frozen else f"{self.value} = {value}"


class _Writer:
    """Walks the fields of a record, and of the records within it, and collects runs of fields of fixed size."""

    def __init__(self, source: SourceText, *, unicode: bool) -> None:
        self.source = source
        self.unicode = unicode
        self.run: list[tuple[_Place, Fixed[Any]]] = []
        self.variables = 0

    def fields(self, record: RecordLike, owner: str) -> None:
        """Write what stores or loads the fields of the object in the variable `owner`, but for a last run."""
        for name, wire in record.wires.items():
            place = _Place(owner, record, name)
            if isinstance(wire, Fixed):
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

    def embedded(self, place: _Place, record: Any) -> None:
        """Write what stores or loads a record by value; one that holds objects is a level of its own."""
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
        """Write what runs a generator of another object: directly, and at some depths by who runs this one, to spare the stack."""
        self.source.add("_within = True", f"if _coder.depth & {DIRECTLY}:", f"    yield from {generator}", "else:")
        self.source.add(f"    yield {generator}", "_within = False")

    def variable(self) -> str:
        self.variables += 1
        return f"_object_{self.variables}"

    def codes(self) -> str:
        return "".join(wire.codes for _, wire in self.run)

    def is_wide(self, wire: StringWire) -> bool:
        return self.unicode if wire.unicode is None else wire.unicode

    def begin_embedded(self, place: _Place, variable: str, record: Any) -> None:
        raise NotImplementedError

    def text(self, place: _Place, wire: StringWire) -> None:
        raise NotImplementedError

    def pointer(self, place: _Place, wire: PointerWire, record: Any) -> None:
        raise NotImplementedError

    def other(self, place: _Place, wire: Wire[Any]) -> None:
        raise NotImplementedError

    def end_run(self) -> None:
        raise NotImplementedError


def _pointed_record(wire: Wire[Any]) -> Any:
    """The record of the class that a pointer names; None for a class that has no objects or whose annotations cannot be used."""
    record = vars(wire.kind).get("__wire__") if isinstance(wire, PointerWire) else None
    if record is None or not record.is_record or record.is_abstract:
        return None
    try:
        return record if record.is_flat or record.wires else None
    except TypeError:
        return None


def enter(source: SourceText) -> None:
    """Be one level deeper."""
    source.add("if _coder.depth >= _deepest:", "    _coder.enter()", "_coder.depth += 1")


# -- storing -----------------------------------------------------------------------------------------------------------------


def put_source(record: RecordLike, *, unicode: bool, tagged: bool, blame: Callable[..., None]) -> SourceText:
    """run(coder, things, tag): append the fields of each of `things` to the buffer; if tagged, as objects, with the tag before new ones.

    It is a generator where the record is not flat. An error within a field that holds other objects is that field's own.
    """
    source = SourceText(
        error=struct.error, blame=blame, wide=utf_16_le_encode, kind=record.kind, null=NULL, most=MOST_NUMBERS,
        too_many=_too_many, put_class=put_class, tag_of=class_tag, word=struct.Struct("<H").pack,
        big=struct.Struct("<HI").pack,
    )  # fmt: skip
    source.add("def run(_coder, _things, _tag=None):")
    source.indent = 1
    source.begins_at = 1
    source.add("_thing = None", "_within = False")
    if not record.is_flat:
        enter(source)
    source.add("try:", "    for _thing in _things:")
    source.indent = 3
    if tagged:
        source.add("_id = id(_thing)", "_number = _numbers.get(_id)", "if _number is not None:")
        source.add(f"    _out += _word(_number) if _number < {BIG} else _big({BIG}, _number)", "    continue")
        _add_number(source, "_thing")
        source.add("_out += _tag")
    writer = _PutWriter(source, unicode=unicode)
    writer.fields(record, "_thing")
    writer.end_run()
    source.add("pass")
    source.indent = 1
    source.add("except (_error, ValueError, TypeError, AttributeError, OverflowError) as _reason:")
    source.add("if not _within:", "    _blame(_coder, _thing, _reason)", "raise", more=1)
    if not record.is_flat:
        source.add("_coder.depth -= 1", "if False:", "    yield")
    source.begin_with(
        out="_coder.out", numbers="_coder.numbers", numbered="_coder.numbered", deepest="_coder.format.depth",
        ascii="_coder.format.ascii", encoding="_coder.format.encoding", errors="_coder.format.errors",
    )  # fmt: skip
    return source


def _add_number(source: SourceText, variable: str) -> None:
    """Number the object whose id is `_id`."""
    source.add(f"_numbered.append({variable})", "_number = _numbers[_id] = len(_numbered)")
    source.add("if _number >= _most:", "    raise _too_many(_coder)")


def _too_many(encoder: Encoder) -> BadIndex:
    return BadIndex(encoder.offset, f"fewer than {MOST_NUMBERS} objects and classes", "one more")


class _PutWriter(_Writer):
    def begin_embedded(self, place: _Place, variable: str, record: Any) -> None:
        self.source.add(f"{variable} = {place.value}")
        self.source.add(f"if {variable}.__class__ is not {self.source.name('kind', record.kind)}:")
        self.source.add(f"    raise TypeError({variable})")

    def arguments(self) -> list[str]:
        return [
            place.value if wire.spread is None else f"*{self.source.name('spread', wire.spread)}({place.value})"
            for place, wire in self.run
        ]

    def packed(self, more_codes: str = "", *more: str) -> str:
        pack = self.source.name("pack", struct.Struct(f"<{self.codes()}{more_codes}").pack)
        return f"{pack}({', '.join([*self.arguments(), *more])})"

    def end_run(self) -> None:
        if self.run:
            self.source.add(f"_out += {self.packed()}")
            self.run.clear()

    def text(self, place: _Place, wire: StringWire) -> None:
        source = self.source
        is_wide = self.is_wide(wire)
        mark = source.name("mark", UNICODE_MARK)
        if is_wide:
            source.add(f"_text = _wide({place.value}, {SURROGATES!r})[0]", "_length = len(_text) >> 1")
        else:
            source.add(f"_text = {place.value}")
            source.add("_text = _text.encode() if _ascii and _text.isascii() else _text.encode(_encoding, _errors)")
            source.add("_length = len(_text)")
        source.add(f"if _length < {SHORT}:")
        if self.run:
            packed = self.packed("3sB", mark, "_length") if is_wide else self.packed("B", "_length")
            source.add(f"    _out += {packed}", "    _out += _text", "else:", f"    _out += {self.packed()}")
        else:
            prefixes = source.name("short", SHORT_UNICODE_LENGTHS if is_wide else SHORT_LENGTHS)
            source.add(f"    _out += {prefixes}[_length] + _text", "else:")
        prefix = f"{source.name('prefix', length_prefix)}(_length)"
        source.add(f"    _out += {f'{mark} + ' if is_wide else ''}{prefix} + _text")
        self.run.clear()

    def other(self, place: _Place, wire: Wire[Any]) -> None:
        store = self.source.name("store", wire.store)
        if wire.is_flat:
            self.source.add(f"{store}(_coder, {place.value})")
            return
        self.source.add(f"_value = {place.value}", "_within = True", f"_value = {store}(_coder, _value)", "_within = False")
        self.source.add("if _value is not None:", "    yield _value")

    def pointer(self, place: _Place, wire: PointerWire, record: Any) -> None:
        source, variable = self.source, self.variable()
        kind = source.name("kind", record.kind)
        source.add(f"{variable} = {place.value}", f"_id = id({variable})", f"_number = {BIG}")
        source.add(f"if {variable}.__class__ is {kind}:", "    _number = _numbers.get(_id, 0)")
        source.add(f"if {variable} is None:", "    _out += _null")
        source.add(f"elif 0 < _number < {BIG}:", "    _out += _word(_number)")
        source.add("elif not _number:")
        source.indent += 1
        source.add(f"_number = _numbers.get({id(record.kind)}, {BIG})")
        source.add(f"if _number < {BIG}:", f"    _out += _word({CLASS} + _number)", "else:")
        source.add("_within = True", f"_put_class(_coder, {kind})", "_within = False", more=1)
        _add_number(source, variable)
        if record.is_flat:
            self.fields(record, variable)
            self.end_run()
        else:
            self.nested(f"{source.later('put', record.putting)}(_coder, ({variable},))")
        source.indent -= 1
        source.add("else:")
        store = source.name("store", wire.store)
        source.add("_within = True", f"_value = {store}(_coder, {variable})", "_within = False", more=1)
        source.add("if _value is not None:", "    yield _value", more=1)


# -- loading -----------------------------------------------------------------------------------------------------------------

ONE, MANY, TAGGED = "take", "take many", "take tagged"

_HEADS = {
    ONE: "def run(_coder, _thing):",
    MANY: "def run(_coder, _count, _made):",
    TAGGED: "def run(_coder, _count, _tag, _made):",
}

_LOOP = "for _thing in _islice(_map(_new, _repeat(_kind)), min(_count, _largest)):"  # makes each thing when its turn has come

_TAKE_TAG = (
    "try:", "    if _data[_at] != _low or _data[_at + 1] != _high:", "        break",
    "except IndexError:", "    break", "_at += 2",
)  # fmt: skip
"""Take the tag, or end the loop where another one, or not all of one, is there."""


def take_source(record: RecordLike, frame: str, *, unicode: bool, least: int) -> SourceText:
    """run(coder, thing): load the fields of `thing`, and return it. run(coder, count, made): append `count` new things to `made`.

    run(coder, count, tag, made): append up to `count` new objects, as long as their tag is next, and number them. Where the record is
    flat, BlockingIOError leaves the decoder behind the last whole thing; where it is not, `run` is a generator (see nesting.py).

    least: the fewest bytes of a thing, by which is known how many more bytes there will be.

    A short string that has arrived is taken in place, with the run before it; any other goes the long way, by its wire.
    """
    source = SourceText(
        error=struct.error, undecodable=undecodable, kind=record.kind, new=record.kind.__new__, from_wide=utf_16_le_decode,
        set=object.__setattr__, islice=islice, map=map, repeat=repeat, largest=sys.maxsize, Loaded=LoadedClass,
        Generator=GeneratorType,
    )  # fmt: skip
    source.add(_HEADS[frame])
    source.indent = 1
    source.begins_at = 1
    source.add("_at = _begin = _from = _coder.at", "_have = len(_data)")
    if not record.is_flat:
        enter(source)
        source.add("_within = False")
    if frame != ONE:
        source.add("_before = len(_made)", "_append = _made.append")
    writer = _TakeWriter(source, unicode=unicode, least=least if frame != ONE else 0, pauses=not record.is_flat)
    if frame == TAGGED:
        source.add("_low, _high = _tag", "_word = _low | _high << 8")
    source.add("try:")
    source.indent = 2
    if frame != ONE:
        source.add(_LOOP)
        source.indent = 3
        if record.is_flat:
            source.add("_begin = _at")
    if frame == TAGGED:
        writer.takes_tag = True
        if not record.is_flat or not writer.begins_with_text(record):
            writer.take_tag()
        if not record.is_flat:
            source.add("_numbered.append(_thing)")
    writer.fields(record, "_thing")
    writer.end_run()
    if frame != ONE:
        source.add("_append(_thing)")
        source.indent = 2
    source.add("_coder.at = _at")
    source.indent = 1
    source.add("except UnicodeError as _reason:")
    if not record.is_flat:
        source.add("    if _within:", "        raise")
    source.add("    raise _undecodable(_coder, _from, _reason) from None")
    if record.is_flat:
        source.add("except BlockingIOError:", "    _coder.at = _begin")
        if frame == TAGGED:
            source.add("    _numbered += _made[_before:]")
        source.add("    raise")
        if frame == TAGGED:
            source.add("_numbered += _made[_before:]")
    else:
        source.add("_coder.depth -= 1", "if False:", "    yield")
    if frame == ONE:
        source.add("return _thing")
    source.begin_with(
        data="_coder.data", numbered="_coder.numbered", deepest="_coder.format.depth", ascii="_coder.format.ascii",
        encoding="_coder.format.encoding", errors="_coder.format.errors",
    )  # fmt: skip
    return source


class _TakeWriter(_Writer):
    """least: as of take_source(). pauses: whether `run` is a generator, which yields what has to be loaded by others."""

    def __init__(self, source: SourceText, *, unicode: bool, least: int, pauses: bool) -> None:
        super().__init__(source, unicode=unicode)
        self.least = least
        self.pauses = pauses
        self.takes_tag = False

    def begins_with_text(self, record: RecordLike) -> bool:
        """Whether the first struct call of the record is that of a run and a string, which takes the tag too."""
        for wire in record.wires.values():
            if isinstance(wire, StringWire):
                return True
            if wire.is_record:
                if self.begins_with_text(wire):
                    return True
                if any(not isinstance(each, Fixed) for each in wire.wires.values()):
                    return False
            elif not isinstance(wire, Fixed):
                return False
        return False

    def take_tag(self) -> None:
        if self.takes_tag:
            self.source.add(*_TAKE_TAG)
            self.takes_tag = False

    def begin_embedded(self, place: _Place, variable: str, record: Any) -> None:
        new = self.source.name("new", record.kind.__new__)
        self.source.add(f"{variable} = {new}({self.source.name('kind', record.kind)})", place.assign(variable))

    def end_run(self) -> None:
        self._take_run()
        self.run.clear()

    def _take_run(self) -> None:
        if not self.run:
            return
        layout = struct.Struct(f"<{self.codes()}")
        names = ", ".join(place.field for place, _ in self.run)
        self.source.add(f"if _at + {layout.size} > _have:")
        self.source.indent += 1
        self._by(lambda decoder: decoder.fetch(layout.size, names), "_at", moves=False)
        self.source.indent -= 1
        items, assignments = self._items()
        unpack = self.source.name("unpack", layout.unpack_from)
        self.source.add(f"{items} = {unpack}(_data, _at)", f"_at += {layout.size}", *assignments)

    def _by(self, load: Callable[[Decoder], Any], target: str, *, moves: bool = True) -> None:
        """Set `target` to what `load` returns, which may wait for more bytes, and which moves the decoder."""
        name = self.source.name("load", load)
        self.source.add("_coder.at = _at")
        if self.pauses:
            self.source.add("_within = True", "try:", f"    {target} = {name}(_coder)")
            self.source.add("except BlockingIOError:", f"    {target} = yield {name}")
            self.source.add("else:", f"    if {target}.__class__ is _Generator:", f"        {target} = yield {target}")
            self.source.add("_within = False")
        else:
            self.source.add(f"{target} = {name}(_coder)")
        self.source.add(*(["_at = _coder.at"] if moves else []), "_have = len(_data)")

    def _items(self) -> tuple[str, list[str]]:
        """Where the unpacked items go: straight into the fields, or into variables of which the statements make them."""
        items: list[str] = []
        assignments: list[str] = []
        for place, wire in self.run:
            if wire.gather is None and not place.record.is_frozen:
                items.append(place.value)
                continue
            its = [f"_item_{len(items) + number}" for number in range(len(wire.codes))]
            items += its
            value = its[0] if wire.gather is None else f"{self.source.name('gather', wire.gather)}({', '.join(its)})"
            assignments.append(place.assign(value))
        return "".join(f"{item}, " for item in items), assignments

    def text(self, place: _Place, wire: StringWire) -> None:
        source = self.source
        is_wide = self.is_wide(wire)
        code, width = ("I", 4) if is_wide else ("B", 1)
        tag, seen, tag_size = ("H", "_seen, ", 2) if self.takes_tag else ("", "", 0)
        layout = struct.Struct(f"<{tag}{self.codes()}{code}")
        items, assignments = self._items()
        source.add("try:", f"    {seen}{items}_prefix, = {source.name('unpack', layout.unpack_from)}(_data, _at)")
        if self.takes_tag:
            source.add("    if _seen != _word:", "        break")
        sizes = source.name("sizes", SHORT_UNICODE_SIZES if is_wide else SHORT_SIZES)
        source.add(f"    _from = _at + {layout.size}", f"    _end = _from + {sizes}[_prefix]")
        source.add("    if _end > _have:", "        raise KeyError", "except (_error, KeyError):")
        source.indent += 1
        self.take_tag()
        if self.least:
            source.add("_coder.at = _at", f"_coder.expect((_before + _count - len(_made) - 1) * {self.least})")
        self._take_run()
        self._by(wire.load, "_text")
        source.add(place.assign("_text"))
        source.indent -= 1
        source.add("else:", "    _text = _data[_from:_end]")
        if is_wide:
            source.add(f"    _text = _from_wide(_text, {SURROGATES!r}, True)[0]")
        else:
            source.add('    _text = _text.decode("ascii" if _ascii and _text.isascii() else _encoding, _errors)')
        source.add("_at = _end", *assignments, place.assign("_text"), more=1)
        self.run.clear()

    def other(self, place: _Place, wire: Wire[Any]) -> None:
        self._by(wire.load, "_text")
        self.source.add(place.assign("_text"))

    def pointer(self, place: _Place, wire: PointerWire, record: Any) -> None:
        source, variable = self.source, self.variable()
        kind = source.name("kind", record.kind)
        source.add(f"_tag = _data[_at] | _data[_at + 1] << 8 if _at + 1 < _have else {NEW_CLASS}")
        source.add("if not _tag:", "    _at += 2", f"    {place.assign('None')}")
        source.add(f"elif _tag < {BIG} and _tag <= len(_numbered) and _numbered[_tag - 1].__class__ is {kind}:")
        source.add(place.assign("_numbered[_tag - 1]"), "_at += 2", more=1)
        source.add(f"elif {CLASS} < _tag < {NEW_CLASS} and _tag <= {CLASS} + len(_numbered) and ")
        source.lines[-1] += f"(_seen := _numbered[_tag - {CLASS + 1}]).__class__ is _Loaded and _seen.entry.kind is {kind}:"
        source.indent += 1
        source.add("_at += 2", f"{variable} = {source.name('new', record.kind.__new__)}({kind})")
        source.add(f"_numbered.append({variable})", place.assign(variable))
        if record.is_flat:
            self.fields(record, variable)
            self.end_run()
        else:
            take = source.later("take", record.taking)
            source.add("_coder.at = _at")
            self.nested(f"{take}(_coder, {variable})")
            source.add("_at = _coder.at", "_have = len(_data)")
        source.indent -= 1
        source.add("else:")
        source.indent += 1
        self._by(wire.load, "_text")
        source.add(place.assign("_text"))
        source.indent -= 1

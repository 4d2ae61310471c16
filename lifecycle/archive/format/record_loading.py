"""Writes the functions that load records."""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode
from collections.abc import Callable
from itertools import islice, repeat
from types import GeneratorType
from typing import Any

from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.lengths import SHORT_UNICODE_LENGTHS
from lifecycle.archive.format.objects import BIG, CLASS, NEW_CLASS, LoadedClass, PointerWire
from lifecycle.archive.format.record_source import SHORT, Place, RecordLike, RecordWriter, SourceText, enter
from lifecycle.archive.format.settings import Format
from lifecycle.archive.format.strings import SURROGATES, StringWire, undecodable
from lifecycle.archive.format.versions import Member
from lifecycle.archive.format.wire import Fixed, Shared, Wire, at_once

SHORT_SIZES = {length: length for length in range(SHORT)}
SHORT_UNICODE_SIZES = {int.from_bytes(prefix, "little"): 2 * length for length, prefix in enumerate(SHORT_UNICODE_LENGTHS)}
"""The first byte, or the first four, of a short string, as a number -> the size of its text in bytes."""

ONE, MANY, TAGGED = "take", "take many", "take tagged"

_HEADS = {
    ONE: "def run(_coder, _thing):",
    MANY: "def run(_coder, _count, _made):",
    TAGGED: "def run(_coder, _count, _tag, _made):",
}

_LOOP = "for _thing in _islice(_map(_new, _repeat(_kind)), min(_count, _most)):"  # makes each thing when its turn has come

_TAKE_TAG = (
    "try:", "    if _data[_at] != _low or _data[_at + 1] != _high:", "        break",
    "except IndexError:", "    break", "_at += 2",
)  # fmt: skip
"""Load the tag, or end the loop if it is another one, or incomplete."""


def take_source(record: RecordLike, frame: str, format: Format, *, least: int) -> SourceText:
    """run(coder, thing): load the fields of `thing`, and return it. run(coder, count, made): append `count` new things to
    `made`, at most at_once() of them.

    run(coder, count, tag, made): append up to `count` new objects, as long as their tag is next, and number them. If the
    record is flat, BlockingIOError leaves the decoder after the last complete thing; if not, `run` is a generator (see
    nesting.py).

    least: the minimum size of a thing, to know how many more bytes to expect.

    A short string that has arrived is loaded in place, with the run before it; any other by its wire.
    """
    source = SourceText(
        error=struct.error, undecodable=undecodable, kind=record.kind, new=record.kind.__new__, from_wide=utf_16_le_decode,
        set=object.__setattr__, islice=islice, map=map, repeat=repeat, most=at_once(record.cost), Loaded=LoadedClass,
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
    writer = _LoadingWriter(source, format, least=least, pauses=not record.is_flat, repeats=frame != ONE)
    if frame == TAGGED:
        source.add("_low, _high = _tag", "_word = _low | _high << 8")
    source.add("try:")
    source.indent = 2
    if frame != ONE:
        source.add(_LOOP)
        source.indent = 3
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
        encoding="_coder.format.codec", errors="_coder.format.errors",
    )  # fmt: skip
    return source


class TextLayouts(dict[int, tuple[Callable[..., Any], int]]):
    """The first bytes of a text, as a number -> a function that unpacks the run, the number and the text, and their size.

    codes: of the run and the number. sizes: the first bytes -> the size of the text; KeyError for any others.
    """

    def __init__(self, codes: str, sizes: dict[int, int]) -> None:
        self.codes = codes
        self.sizes = sizes
        self.head = struct.calcsize(codes)

    def __missing__(self, prefix: int) -> tuple[Callable[..., Any], int]:
        layout = struct.Struct(f"{self.codes}{self.sizes[prefix]}s")
        self[prefix] = found = layout.unpack_from, layout.size
        return found


class _LoadingWriter(RecordWriter):
    """least: as for take_source(). pauses: whether `run` is a generator, which yields what has to be loaded by others.

    repeats: whether it loads many things. A text is expected to be as long as in the previous thing, so that one struct call
    loads the run and the text; if it is not, a call for its length follows.
    """

    def __init__(self, source: SourceText, format: Format, *, least: int, pauses: bool, repeats: bool) -> None:
        super().__init__(source, format)
        self.least = least
        self.pauses = pauses
        self.repeats = repeats
        self.takes_tag = False

    def begins_with_text(self, record: RecordLike) -> bool:
        """Whether the record begins with a struct call for a run and a string, which loads the tag too."""
        wire: Any
        for member in record.members:
            wire = member.wire
            if self.traced or member.conditions or member.name not in record.wires:
                return False
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

    def begin_embedded(self, place: Place, variable: str, record: Any) -> None:
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
        """Set `target` to the result of `load`, which may wait for more bytes, and moves the decoder."""
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
        """The targets of the unpacked items: the fields, or variables from which statements make the fields."""
        items: list[str] = []
        assignments: list[str] = []
        for place, wire in self.run:
            if wire.gather is None and not wire.shared and not place.record.is_frozen:
                items.append(place.value)
                continue
            its = [f"_item_{len(items) + number}" for number in range(wire.items)]
            items += its
            if wire.gather is not None:
                value = f"{self.source.name('gather', wire.gather)}({', '.join(its)})"
            else:
                value = its[0] if wire.shared is None else self._shared(wire.codes, wire.shared, its[0])
            assignments.append(place.assign(value))
        return "".join(f"{item}, " for item in items), assignments

    def _shared(self, code: str, shared: Shared, item: str) -> str:
        """The expression of a number, which is a shared object once there are some."""
        known = f"_known_{code}"
        if known not in self.source.names:
            self.source.names[known] = ()
            self.source.begin_at_once(f"{known} = {self.source.name('shared', shared)}(len(_coder.data))")
        return f"{known}[{item}] if {known} else {item}"

    def text(self, place: Place, wire: StringWire) -> None:
        source = self.source
        is_wide = self.is_wide(wire)
        code = "I" if is_wide else "B"
        tag, seen = ("H", "_seen, ") if self.takes_tag else ("", "")
        items, assignments = self._items()
        known = TextLayouts(f"<{tag}{self.codes()}{code}", SHORT_UNICODE_SIZES if is_wide else SHORT_SIZES)
        if self.repeats:
            layouts = source.name("layouts", known)
            unpack, size, last = f"_unpack{layouts}", f"_size{layouts}", f"_last{layouts}"
            source.begin_at_once(f"{last} = {next(iter(known.sizes))}", f"{unpack}, {size} = {layouts}[{last}]")
            taken = f"{seen}{items}_prefix, _text = {unpack}(_data, _at)"
            source.add("try:", f"    {taken}", f"    if _prefix != {last}:")
            source.add(f"        {unpack}, {size} = {layouts}[_prefix]", f"        {last} = _prefix", f"        {taken}")
            ended = [f"_from = _at + {known.head}", f"_end = _at + {size}"]
        else:
            unpack, sizes = source.name("unpack", struct.Struct(known.codes).unpack_from), source.name("sizes", known.sizes)
            source.add("try:", f"    {seen}{items}_prefix, = {unpack}(_data, _at)")
            source.add(f"    _from = _at + {known.head}", f"    _end = _from + {sizes}[_prefix]")
            source.add("    if _end > _have:", "        raise KeyError")
            ended = ["_text = _data[_from:_end]"]
        if self.takes_tag:
            source.add("    if _seen != _word:", "        break")
        source.add("except (_error, KeyError):")
        source.indent += 1
        self.take_tag()
        if self.least and self.repeats:
            source.add("_coder.at = _at", f"_coder.expect((_before + _count - len(_made) - 1) * {self.least})")
        self._take_run()
        self._by(wire.load, "_text")
        source.add(place.assign("_text"))
        source.indent -= 1
        source.add("else:")
        source.add(*ended, more=1)
        if is_wide:
            source.add(f"    _text = _from_wide(_text, {SURROGATES!r}, True)[0]")
        else:
            source.add('    _text = _text.decode("ascii" if _ascii and _text.isascii() else _encoding, _errors)')
        source.add("_at = _end", *assignments, place.assign("_text"), more=1)
        self.run.clear()

    def absent(self, place: Place, member: Member) -> None:
        self.source.add(place.assign(f"{self.source.name('absent', member.absent)}()"))

    def other(self, place: Place, wire: Wire[Any]) -> None:
        self._by(wire.load, "_text")
        self.source.add(place.assign("_text"))

    def pointer(self, place: Place, wire: PointerWire, record: Any) -> None:
        source, variable = self.source, self.variable()
        kind = source.name("kind", record.kind)
        source.add(f"_tag = _data[_at] | _data[_at + 1] << 8 if _at + 1 < _have else {NEW_CLASS}")
        source.add("if not _tag:", "    _at += 2", f"    {place.assign('None')}")
        source.add(f"elif _tag < {BIG} and _tag <= len(_numbered) and _numbered[_tag - 1].__class__ is {kind}:")
        source.add(place.assign("_numbered[_tag - 1]"), "_at += 2", more=1)
        source.add(f"elif {CLASS} < _tag < {NEW_CLASS} and _tag <= {CLASS} + len(_numbered) and ")
        source.lines[-1] += f"(_seen := _numbered[_tag - {CLASS + 1}]).__class__ is _Loaded and _seen.entry.kind is {kind}:"
        source.indent += 1
        cost = record.cost + 1
        paying = ["_coder.at = _at", f"_coder.charge({cost})"] if cost > record.least + 2 else []
        source.add("_at += 2", *paying, f"{variable} = {source.name('new', record.kind.__new__)}({kind})")
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

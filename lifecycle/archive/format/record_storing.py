"""Writes the functions that store records."""

from __future__ import annotations

import struct
from codecs import utf_16_le_encode
from collections.abc import Callable
from typing import Any

from lifecycle.archive.errors import BadIndex
from lifecycle.archive.format.encoder import MOST_NUMBERS, Encoder
from lifecycle.archive.format.lengths import SHORT_LENGTHS, SHORT_UNICODE_LENGTHS, UNICODE_MARK, length_prefix
from lifecycle.archive.format.objects import BIG, CLASS, NULL, PointerWire, class_tag, put_class
from lifecycle.archive.format.record_source import SHORT, Place, RecordLike, RecordWriter, SourceText, enter
from lifecycle.archive.format.settings import Format
from lifecycle.archive.format.strings import SURROGATES, StringWire
from lifecycle.archive.format.wire import Wire


def put_source(record: RecordLike, format: Format, *, tagged: bool, blame: Callable[..., None]) -> SourceText:
    """run(coder, things, tag): append the fields of each of `things` to the buffer; if tagged, as objects, with the tag before
    new ones.

    It is a generator if the record is not flat. An error in a field that contains other objects is reported by that field.
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
    writer = _StoringWriter(source, format)
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
        ascii="_coder.format.ascii", encoding="_coder.format.codec", errors="_coder.format.errors",
    )  # fmt: skip
    return source


def _add_number(source: SourceText, variable: str) -> None:
    """Number the object whose id is `_id`."""
    source.add(f"_numbered.append({variable})", "_number = _numbers[_id] = len(_numbered)")
    source.add("if _number >= _most:", "    raise _too_many(_coder)")


def _too_many(encoder: Encoder) -> BadIndex:
    return BadIndex(encoder.offset, f"fewer than {MOST_NUMBERS} objects and classes", "one more")


class _StoringWriter(RecordWriter):
    def begin_embedded(self, place: Place, variable: str, record: Any) -> None:
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

    def text(self, place: Place, wire: StringWire) -> None:
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

    def other(self, place: Place, wire: Wire[Any]) -> None:
        store = self.source.name("store", wire.store)
        if wire.is_flat:
            self.source.add(f"{store}(_coder, {place.value})")
            return
        self.source.add(f"_value = {place.value}", "_within = True", f"_value = {store}(_coder, _value)", "_within = False")
        self.source.add("if _value is not None:", "    yield _value")

    def pointer(self, place: Place, wire: PointerWire, record: Any) -> None:
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

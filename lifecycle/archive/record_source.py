"""The source of the functions that store and load records (records.py), written from a record's steps."""

from __future__ import annotations

import linecache
import struct
import sys
from codecs import utf_16_le_decode, utf_16_le_encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

from lifecycle.archive.counting import SHORT_LENGTHS, SHORT_UNICODE_LENGTHS, UNICODE_MARK, length_prefix
from lifecycle.archive.strings import SURROGATES, StringWire

if TYPE_CHECKING:
    from lifecycle.archive.records import Step

SHORT = 0xFF  # a length below it is one byte

SHORT_SIZES = {length: length for length in range(SHORT)}
SHORT_UNICODE_SIZES = {int.from_bytes(prefix, "little"): 2 * length for length, prefix in enumerate(SHORT_UNICODE_LENGTHS)}
"""The first byte, or the first four, of a short string, as a number -> how many bytes its text has."""


class Source:
    """Lines of a function `run`, and the names that they use."""

    def __init__(self, **names: Any) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {f"_{name}": value for name, value in names.items()}

    def add(self, indent: int, *lines: str) -> None:
        """Add lines, indented by so many steps."""
        self.lines += [" " * 4 * indent + line for line in lines]

    def name(self, stem: str, value: object) -> str:
        """A name for `value` that nothing else has."""
        name = f"_{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def compiled(self, title: str) -> Callable[..., Any]:
        """The function; debuggers show its text under the title."""
        text = "\n".join(self.lines) + "\n"
        filename = f"<lifecycle.archive {title}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        namespace = dict(self.names)
        exec(compile(text, filename, "exec"), namespace)
        function: Callable[..., Any] = namespace["run"]
        return function


def _is_unicode(wire: StringWire, unicode: bool) -> bool:
    return unicode if wire.unicode is None else wire.unicode


def put_source(steps: Sequence[Step], *, unicode: bool, tagged: bool, blame: Callable[..., None]) -> Source:
    """run(archive, things, tag): append the fields of each of `things` to the buffer, if tagged with the tag before each.

    An error within a field that holds other objects is that field's own: no other field is blamed for it.
    """
    source = Source(error=struct.error, blame=blame, wide=utf_16_le_encode)
    source.add(0, "def run(_archive, _things, _tag=None):")
    source.add(1, "_out = _archive._sink.out", "_format = _archive._format", "_ascii = _format.ascii")
    source.add(1, "_encoding = _format.encoding", "_errors = _format.errors", "_thing = None")
    source.add(1, "_within = False", "try:")
    source.add(2, "for _thing in _things:")
    if tagged or not steps:
        source.add(3, "_out += _tag" if tagged else "pass")
    for step in steps:
        _put_step(source, step, unicode)
    source.add(1, "except (_error, ValueError, TypeError, AttributeError, OverflowError) as _reason:")
    source.add(2, "if not _within:", "    _blame(_archive, _thing, _reason)", "raise")
    return source


def _put_step(source: Source, step: Step, unicode: bool) -> None:
    arguments = []
    for field, wire in step.run:
        value = f"_thing.{field}"
        arguments.append(value if wire.spread is None else f"*{source.name('spread', wire.spread)}({value})")
    packed = f"{source.name('pack', struct.Struct(f'<{step.codes}').pack)}({', '.join(arguments)})"
    if step.last is None:
        source.add(3, f"_out += {packed}")
        return
    field, last = step.last
    if not isinstance(last, StringWire):
        if step.run:
            source.add(3, f"_out += {packed}")
        value = f"_thing.{field}"
        if not last.whole:
            source.add(3, f"_value = {value}", "_within = True")
            value = "_value"
        source.add(3, f"{source.name('store', last.store)}(_archive, {value})")
        if not last.whole:
            source.add(3, "_within = False")
        return
    wide = _is_unicode(last, unicode)
    mark = source.name("mark", UNICODE_MARK)
    if wide:
        source.add(3, f"_text = _wide(_thing.{field}, {SURROGATES!r})[0]", "_length = len(_text) >> 1")
    else:
        source.add(3, f"_text = _thing.{field}")
        source.add(3, "_text = _text.encode() if _ascii and _text.isascii() else _text.encode(_encoding, _errors)")
        source.add(3, "_length = len(_text)")
    source.add(3, f"if _length < {SHORT}:")
    if step.run:
        pack = source.name("pack", struct.Struct(f"<{step.codes}{'3sB' if wide else 'B'}").pack)
        source.add(4, f"_out += {pack}({', '.join([*arguments, *([mark] if wide else []), '_length'])})", "_out += _text")
    else:
        source.add(4, f"_out += {source.name('short', SHORT_UNICODE_LENGTHS if wide else SHORT_LENGTHS)}[_length] + _text")
    source.add(3, "else:")
    if step.run:
        source.add(4, f"_out += {packed}")
    prefix = f"{source.name('prefix', length_prefix)}(_length)"
    source.add(4, f"_out += {f'{mark} + ' if wide else ''}{prefix} + _text")


@dataclass(frozen=True)
class Frame:
    """How a loading function begins and ends: its head, its loop over new things, whether each has a tag, what comes last."""

    head: str
    loop: str = ""
    is_tagged: bool = False
    last: tuple[str, ...] = ()


LOOP = "for _thing in _islice(_map(_new, _repeat(_kind)), min(_count, _most)):"  # makes each thing when its turn has come
ONE = Frame("def run(_archive, _thing):")
MANY = Frame("def run(_archive, _count):", LOOP, last=("return _made",))
TAGGED = Frame("def run(_archive, _count, _tag, _made):", LOOP, True, ("_source.numbered += _made[_before:]",))

TAKE_TAG = (
    "try:", "    if _data[_at] != _low or _data[_at + 1] != _high:", "        break",
    "except IndexError:", "    break", "_at += 2",
)  # fmt: skip
"""Take the tag, or end the loop where another comes or none has come whole."""


def take_source(
    steps: Sequence[Step], frame: Frame, kind: Any, *, unicode: bool, least: int, undecodable: Callable[..., Exception]
) -> Source:
    """run(...) as the frame says: take the fields of one thing; of `count` new ones; of new ones as long as their tag comes.

    least: the fewest bytes of a thing, by which is known how many more will come.

    A short string that has come whole is taken in place, with the run before it; any other goes the long way, by its wire.
    """
    source = Source(error=struct.error, undecodable=undecodable, kind=kind, new=kind.__new__, from_wide=utf_16_le_decode)
    source.names |= {"_islice": islice, "_map": map, "_repeat": repeat, "_most": sys.maxsize}
    frozen = kind.__dataclass_params__.frozen
    if frozen:
        source.names["_set"] = object.__setattr__
    source.add(0, frame.head)
    source.add(1, "_source = _archive._source", "_data = _source.data", "_at = _source.at", "_have = len(_data)")
    source.add(1, "_format = _archive._format", "_ascii = _format.ascii", "_encoding = _format.encoding")
    source.add(1, "_errors = _format.errors", "_from = _at")
    if not frame.is_tagged:
        source.add(1, "_made = []")
    source.add(1, "_before = len(_made)", "_append = _made.append", "try:")
    indent = 3 if frame.loop else 2
    if frame.is_tagged:
        source.add(2, "_low, _high = _tag", "_word = _low | _high << 8")
    if frame.loop:
        source.add(2, frame.loop)
    with_tag = frame.is_tagged
    if with_tag and not (steps and _text_of(steps[0])):
        source.add(3, *TAKE_TAG)
        with_tag = False
    for step in steps:
        _take_step(source, step, indent, unicode, frozen, with_tag=with_tag, least=least if frame.loop else 0)
        with_tag = False
    if frame.loop:
        source.add(3, "_append(_thing)")
    source.add(2, "_source.at = _at")
    source.add(1, "except UnicodeError as _reason:", "    raise _undecodable(_source, _from, _reason) from None")
    source.add(1, *frame.last)
    return source


def _text_of(step: Step) -> StringWire | None:
    return step.last[1] if step.last is not None and isinstance(step.last[1], StringWire) else None


def _take_step(source: Source, step: Step, indent: int, unicode: bool, frozen: bool, *, with_tag: bool, least: int) -> None:
    text = _text_of(step)
    if step.last is None or text is None:
        _take_run(source, step, indent, frozen)
        if step.last is not None:
            _take_by_wire(source, step.last[0], step.last[1].load, indent, frozen)
        return
    wide = _is_unicode(text, unicode)
    code, width = ("I", 4) if wide else ("B", 1)
    tag, seen, tag_size = ("H", "_seen, ", 2) if with_tag else ("", "", 0)
    unpack = source.name("unpack", struct.Struct(f"<{tag}{step.codes}{code}").unpack_from)
    items, assignments = _assignments(source, step, frozen)
    source.add(indent, "try:")
    source.add(indent + 1, f"{seen}{''.join(f'{item}, ' for item in items)}_prefix, = {unpack}(_data, _at)")
    if with_tag:
        source.add(indent + 1, "if _seen != _word:", "    break")
    sizes = source.name("sizes", SHORT_UNICODE_SIZES if wide else SHORT_SIZES)
    source.add(indent + 1, f"_from = _at + {tag_size + step.size + width}", f"_end = _from + {sizes}[_prefix]")
    source.add(indent + 1, "if _end > _have:", "    raise KeyError")
    source.add(indent, "except (_error, KeyError):")
    if with_tag:
        source.add(indent + 1, *TAKE_TAG)
    if least:
        source.add(indent + 1, "_source.at = _at", f"_source.expect((_before + _count - len(_made) - 1) * {least})")
    _take_run(source, step, indent + 1, frozen)
    _take_by_wire(source, step.last[0], text.load, indent + 1, frozen)
    source.add(indent, "else:")
    source.add(indent + 1, "_text = _data[_from:_end]")
    if wide:
        source.add(indent + 1, f"_text = _from_wide(_text, {SURROGATES!r}, True)[0]")
    else:
        source.add(indent + 1, '_text = _text.decode("ascii" if _ascii and _text.isascii() else _encoding, _errors)')
    source.add(indent + 1, "_at = _end", *assignments, _assignment(step.last[0], "_text", frozen))


def _take_run(source: Source, step: Step, indent: int, frozen: bool) -> None:
    if not step.run:
        return
    names = ", ".join(field for field, _ in step.run)
    source.add(indent, f"if _at + {step.size} > _have:")
    source.add(indent + 1, "_source.at = _at", f"_at = _source.fetch({step.size}, {names!r})", "_have = len(_data)")
    unpack = source.name("unpack", struct.Struct(f"<{step.codes}").unpack_from)
    items, assignments = _assignments(source, step, frozen)
    source.add(indent, f"{''.join(f'{item}, ' for item in items)} = {unpack}(_data, _at)", f"_at += {step.size}")
    source.add(indent, *assignments)


def _take_by_wire(source: Source, field: str, load: Callable[..., Any], indent: int, frozen: bool) -> None:
    source.add(indent, "_source.at = _at", f"_text = {source.name('load', load)}(_archive)")
    source.add(indent, "_at = _source.at", "_have = len(_data)", _assignment(field, "_text", frozen))


def _assignments(source: Source, step: Step, frozen: bool) -> tuple[list[str], list[str]]:
    """Where the unpacked items go: straight into the fields, or into names of which the lines make them."""
    items: list[str] = []
    lines: list[str] = []
    for field, wire in step.run:
        if wire.gather is None and not frozen:
            items.append(f"_thing.{field}")
            continue
        its = [f"_item_{len(items) + number}" for number in range(len(wire.codes))]
        items += its
        value = its[0] if wire.gather is None else f"{source.name('gather', wire.gather)}({', '.join(its)})"
        lines.append(_assignment(field, value, frozen))
    return items, lines


def _assignment(field: str, value: str, frozen: bool) -> str:
    return f"_set(_thing, {field!r}, {value})" if frozen else f"_thing.{field} = {value}"

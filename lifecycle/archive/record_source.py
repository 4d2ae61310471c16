"""The source of the functions that store and load records (records.py), written from a record's steps."""

from __future__ import annotations

import linecache
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lifecycle.archive.counting import SHORT_LENGTHS, SHORT_UNICODE_LENGTHS, UNICODE_MARK, length_prefix
from lifecycle.archive.strings import StringWire

if TYPE_CHECKING:
    from lifecycle.archive.records import Step

SHORT = 0xFF  # a length below it is one byte
MARK = int.from_bytes(UNICODE_MARK, "little")


class _Source:
    """Lines of a function, and the names that they use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"_error": struct.error}

    def add(self, indent: int, *lines: str) -> None:
        self.lines += [" " * 4 * indent + line for line in lines]

    def name(self, stem: str, value: object) -> str:
        name = f"_{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def compiled(source: _Source, name: str, **names: Any) -> Callable[..., Any]:
    """The function `run` of the source; debuggers show its text."""
    text = source.text()
    filename = f"<lifecycle.archive {name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace = source.names | {f"_{key}": value for key, value in names.items()}
    exec(compile(text, filename, "exec"), namespace)
    function: Callable[..., Any] = namespace["run"]
    return function


def _is_unicode(wire: StringWire, unicode: bool) -> bool:
    return unicode if wire.unicode is None else wire.unicode


class PutSource(_Source):
    """run(archive, things): append the fields of each of `things` to the archive's buffer."""

    def __init__(self, steps: Sequence[Step], unicode: bool) -> None:
        super().__init__()
        self.add(0, "def run(_archive, _things):")
        self.add(1, "_sink = _archive._sink", "_out = _sink.out", "_encoding = _sink.encoding", "_errors = _sink.errors")
        self.add(1, "_thing = None", "try:")
        self.add(2, "for _thing in _things:")
        for step in steps:
            self._step(step, unicode)
        if not steps:
            self.add(3, "pass")
        self.add(1, "except (_error, ValueError, TypeError, AttributeError, OverflowError) as _reason:")
        self.add(2, "raise _blame(_archive, _thing, _reason) from _reason")

    def _step(self, step: Step, unicode: bool) -> None:
        arguments = []
        for field, wire in step.run:
            value = f"_thing.{field}"
            arguments.append(value if wire.spread is None else f"*{self.name('spread', wire.spread)}({value})")
        packed = f"{self.name('pack', struct.Struct(f'<{step.codes}').pack)}({', '.join(arguments)})"
        if step.last is None:
            self.add(3, f"_out += {packed}")
            return
        field, last = step.last
        if not isinstance(last, StringWire):
            if step.run:
                self.add(3, f"_out += {packed}")
            self.add(3, f"{self.name('store', last.store)}(_archive, _thing.{field})")
            return
        wide = _is_unicode(last, unicode)
        mark = self.name("mark", UNICODE_MARK)
        encode = '"utf-16-le", "surrogatepass"' if wide else "_encoding, _errors"
        self.add(3, f"_text = _thing.{field}.encode({encode})", f"_length = len(_text){' >> 1' if wide else ''}")
        self.add(3, f"if _length < {SHORT}:")
        if step.run:
            pack = self.name("pack", struct.Struct(f"<{step.codes}{'3sB' if wide else 'B'}").pack)
            self.add(4, f"_out += {pack}({', '.join([*arguments, *([mark] if wide else []), '_length'])})", "_out += _text")
        else:
            self.add(4, f"_out += {self.name('short', SHORT_UNICODE_LENGTHS if wide else SHORT_LENGTHS)}[_length] + _text")
        self.add(3, "else:")
        if step.run:
            self.add(4, f"_out += {packed}")
        prefix = f"{self.name('prefix', length_prefix)}(_length)"
        self.add(4, f"_out += {f'{mark} + ' if wide else ''}{prefix} + _text")


class TakeSource(_Source):
    """run(archive, things): take the fields of each of `things` from the archive's buffer.

    A short string that has come whole is taken in place, with the run before it; any other goes the long way, by its wire.
    """

    def __init__(self, steps: Sequence[Step], unicode: bool, *, frozen: bool) -> None:
        super().__init__()
        self._frozen = frozen
        if frozen:
            self.names["_set"] = object.__setattr__
        self.add(0, "def run(_archive, _things):")
        self.add(1, "_source = _archive._source", "_data = _source.data", "_at = _source.at", "_have = len(_data)")
        self.add(1, "_encoding = _source.encoding", "_errors = _source.errors", "_from = _at", "try:")
        self.add(2, "for _thing in _things:")
        for step in steps:
            self._step(step, unicode)
        if not steps:
            self.add(3, "pass")
        self.add(1, "except UnicodeDecodeError as _reason:")
        self.add(2, "raise _undecodable(_source, _from, _reason) from None")
        self.add(1, "_source.at = _at")

    def _step(self, step: Step, unicode: bool) -> None:
        text = step.last[1] if step.last is not None and isinstance(step.last[1], StringWire) else None
        if text is None:
            self._run(step, 3)
            if step.last is not None:
                self._by_wire(step.last[0], step.last[1].load, 3)
            return
        assert step.last is not None
        field = step.last[0]
        wide = _is_unicode(text, unicode)
        code, width = ("I", 4) if wide else ("B", 1)
        unpack = self.name("unpack", struct.Struct(f"<{step.codes}{code}").unpack_from)
        items, assignments = self._assignments(step)
        decode = '"utf-16-le", "surrogatepass"' if wide else "_encoding, _errors"
        is_short = f"_prefix & 0xFFFFFF == {MARK} and _length" if wide else "_prefix"
        self.add(3, f"_from = _at + {step.size + width}", "if _from <= _have:")
        self.add(4, f"{''.join(f'{item}, ' for item in items)}_prefix, = {unpack}(_data, _at)")
        self.add(4, *(["_length = _prefix >> 24", "_end = _from + _length + _length"] if wide else ["_end = _from + _prefix"]))
        self.add(3, f"if _from <= _have and {is_short} != {SHORT} and _end <= _have:")
        self.add(4, f"_text = _data[_from:_end].decode({decode})", "_at = _end")
        self.add(4, *assignments, self._assignment(field, "_text"))
        self.add(3, "else:")
        self._run(step, 4)
        self._by_wire(field, text.load, 4)

    def _run(self, step: Step, indent: int) -> None:
        if not step.run:
            return
        names = ", ".join(field for field, _ in step.run)
        self.add(indent, f"if _at + {step.size} > _have:")
        self.add(indent + 1, "_source.at = _at", f"_at = _source.fetch({step.size}, {names!r})", "_have = len(_data)")
        unpack = self.name("unpack", struct.Struct(f"<{step.codes}").unpack_from)
        items, assignments = self._assignments(step)
        self.add(
            indent, f"{''.join(f'{item}, ' for item in items)} = {unpack}(_data, _at)", f"_at += {step.size}", *assignments
        )

    def _by_wire(self, field: str, load: Callable[..., Any], indent: int) -> None:
        value = f"{self.name('load', load)}(_archive)"
        self.add(indent, "_source.at = _at", f"_text = {value}", "_at = _source.at", "_have = len(_data)")
        self.add(indent, self._assignment(field, "_text"))

    def _assignments(self, step: Step) -> tuple[list[str], list[str]]:
        """The names of the unpacked items, and the lines that make the fields of them."""
        items: list[str] = []
        lines: list[str] = []
        for field, wire in step.run:
            its = [f"_item_{len(items) + number}" for number in range(len(wire.codes))]
            items += its
            value = its[0] if wire.gather is None else f"{self.name('gather', wire.gather)}({', '.join(its)})"
            lines.append(self._assignment(field, value))
        return items, lines

    def _assignment(self, field: str, value: str) -> str:
        return f"_set(_thing, {field!r}, {value})" if self._frozen else f"_thing.{field} = {value}"

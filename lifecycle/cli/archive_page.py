"""Formats the findings of an archive: for people, a summary and a line for each; for programs, JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from lifecycle.archive.dump.finding import Confidence, Finding, Kind
from lifecycle.archive.dump.nesting import OBJECTS
from lifecycle.archive.dump.summary import MOST_LISTED, Build, ClassFound, Summary
from lifecycle.archive.layout import ClassLayout
from lifecycle.cli.archive_files import Opened

JSON_VERSION = 1
"""The version of the JSON: it changes when a key is removed or changes its meaning."""

MOST_STREAMS = 200
INDENT = 31
SHORTEST_TEXT = 24
ROWS = 4
"""The maximum number of rows printed of a long run of undecided bytes."""

BUILDS = {
    Build.UNICODE: "the writer was built for Unicode",
    Build.ANSI: "the writer was built for ANSI",
    Build.BOTH: "of both kinds",
    Build.UNKNOWN: "the writer's build is not known",
}
_UNPRINTABLE = re.compile(rb"[^\x20-\x7e]")


# -- for people --------------------------------------------------------------------------------------------------------------


def summary_lines(name: str, opened: Opened, summary: Summary, suggestion: tuple[str, int, int] | None = None) -> Iterator[str]:
    """The summary of the file, and the head of the listing."""
    share = f" ({100 * summary.decided // summary.size}%)" if summary.size else ""
    yield f"{_shown(name)[1:-1]}: {summary.size} bytes, of which {summary.decided}{share} identified"
    yield from _container_lines(opened)
    unicode, ansi = _counted(summary.unicode_strings), _counted(summary.ansi_strings)
    yield f"  strings: {unicode} in UTF-16, {ansi} in ANSI: {BUILDS[summary.build]}"
    if suggestion is not None:
        page, there, here = suggestion
        yield f"  code page: --encoding {page} may fit better: {there} likely strings, where there are {here} now"
    if summary.classes:
        names = {"class": 5, **{found.name: len(found.name) for found in summary.classes}}
        width = max(names.values())
        yield "  classes:"
        yield f"    {'class':{width}}  schema   objects  first at"
        yield from (_class_line(found, width) for found in summary.classes)
        if any(found.estimated for found in summary.classes):
            yield "    ~ an estimate: two bytes may look like a tag by chance"
        if summary.more_classes:
            yield f"    and {summary.more_classes} more than the first {MOST_LISTED}"
    else:
        yield "  classes: none is described, so no object was stored by pointer"
    yield ""
    if summary.size:
        yield f"{'offset':>10}  {'length':>8}  {'sure':7}  what"


def _container_lines(opened: Opened) -> Iterator[str]:
    if opened.path:
        yield f"  container: {_shown(', '.join(opened.path))[1:-1]}" + _in_brackets(opened.choice)
    if opened.streams:
        shown = [_shown(each.name)[1:-1] for each in opened.streams[:MOST_STREAMS]]
        width = max(map(len, shown))
        yield f"    {'stream':{width}}      size   classes"
        for name, each in zip(shown, opened.streams, strict=False):
            note = "" if each.compressed_at is None else f"  compressed from {each.compressed_at} on"
            yield f"    {name:{width}}  {each.size:8}  {each.classes:8}{note}"
        if len(shown) < len(opened.streams):
            yield f"    and {len(opened.streams) - len(shown)} more"


def _class_line(found: ClassFound, width: int) -> str:
    objects = f"~{found.objects}" if found.estimated else f"{found.objects}"
    return f"    {found.name:{width}}  {found.schema:6}  {objects:>8}  {found.offset:8}"


def _counted(strings: dict[Confidence, int]) -> str:
    sure = strings[Confidence.CERTAIN] + strings[Confidence.LIKELY]
    guesses = strings[Confidence.GUESS]
    return f"{sure} and {guesses} guessed" if guesses else str(sure)


def finding_lines(found: Finding, data: Any, width: int, *, everything: bool) -> Iterator[str]:
    """The lines of one finding: several for a long run of undecided bytes."""
    sure = "" if found.confidence is Confidence.NONE else found.confidence
    start = f"{found.offset:10}  {found.length:8}  {sure:7}  "
    width = max(width - INDENT, SHORTEST_TEXT)
    if found.kind is not Kind.UNDECIDED:
        yield start + _described(found, width, everything=everything)
        return
    step = 16 if width >= 16 * 4 + 1 else 8
    shown = found.length if everything or found.length <= (ROWS + 1) * step else ROWS * step
    for at in range(0, shown, step):
        row = data[found.offset + at : found.offset + min(at + step, shown)]
        characters = _UNPRINTABLE.sub(b".", row).decode("ascii")
        note = f"  {found.note}" if found.note else ""
        line = f"{start}{row.hex(' '):{3 * step - 1}}  {characters:{step if note else 0}}"
        if len(line) + len(note) > width + INDENT:
            line = f"{line.rstrip()}\n{' ' * (INDENT - 2)}"
        yield (line + note).rstrip()
        start = " " * INDENT
    if shown < found.length:
        yield f"{start}and {found.length - shown} bytes more"


def _described(found: Finding, width: int, *, everything: bool) -> str:
    match found.kind:
        case Kind.CLASS:
            return f"class {found.text}, schema {found.schema}, number {found.number}" + _in_brackets(found.note)
        case Kind.OBJECT:
            return f"object of {found.text}, number {found.number}"
        case Kind.UNICODE_STRING | Kind.TEXT:
            return _text(found, width, "UTF-16", everything=everything)
        case Kind.ANSI_STRING:
            return _text(found, width, "ANSI", everything=everything)
        case Kind.COUNT | Kind.TIME:
            return f"{found.kind} {found.text}"
        case Kind.REFERENCE:
            return f"{found.text} again"
        case Kind.DATA:
            return _cut(f"{found.note}: {found.text}", width, everything=everything)
    return found.text


def _text(found: Finding, width: int, encoding: str, *, everything: bool) -> str:
    note = _in_brackets(", ".join(filter(None, (encoding, found.note))))
    return _cut(_shown(found.text), max(width - len(note), SHORTEST_TEXT), everything=everything) + note


def _cut(text: str, width: int, *, everything: bool) -> str:
    return text if everything or len(text) <= width else f"{text[: width - 3]}..."


def _in_brackets(note: str) -> str:
    return f" ({note})" if note else ""


def _shown(text: str) -> str:
    """A text as a Python literal, in characters that standard output has, so that nothing in it can move the cursor."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return repr(text).encode(encoding, "backslashreplace").decode(encoding)


# -- for programs ------------------------------------------------------------------------------------------------------------


def file_json(name: str, opened: Opened, summary: Summary, suggestion: tuple[str, int, int] | None = None) -> str:
    """The beginning of the JSON object, up to the first finding."""
    data = {**asdict(summary), "build": summary.build}
    container = {"path": opened.path, "streams": [asdict(each) for each in opened.streams]}
    head = f'"schema_version": {JSON_VERSION}, "file": {json.dumps(name)}, "container": {json.dumps(container)}'
    head += f', "code_page": {json.dumps(suggestion and suggestion[0])}'
    return f'{{{head}, "summary": {json.dumps(data, indent=2)}, "findings": ['


def tree_json(levels: Iterable[tuple[int, Finding]]) -> Iterator[str]:
    """The findings as JSON objects, one on a line, each object's within its `parts`; and the end of the outermost object."""
    deep, is_first = 0, True
    for level, found in levels:
        yield "]}" * (deep - level) + ("\n" if is_first and level == deep else ",\n")
        text = json.dumps(asdict(found))
        is_first = found.kind in OBJECTS
        deep = level + is_first
        yield f'{text[:-1]}, "parts": [' if is_first else text
    yield "]}" * deep + "\n]}\n"


def layout_json(layouts: Sequence[ClassLayout]) -> str:
    """The layouts as a tree: classes, within each its fields, constants in hexadecimal."""
    tree = {"schema_version": JSON_VERSION, "classes": [asdict(each) for each in layouts]}
    return json.dumps(tree, indent=2, default=bytes.hex) + "\n"

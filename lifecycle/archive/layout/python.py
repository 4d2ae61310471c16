"""Writes a Python module of dataclasses from layouts: the beginning of a reader, which stores the same bytes from the start."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence

from lifecycle.archive.layout.inference import ClassLayout, Field

HEAD = '''"""A reader begun by `lifecycle archive dump --layout`: rename fields, type what is raw, try again.

load() gives a document whose objects have the fields below; all other bytes are kept, and store() gives the same bytes.
"""

from dataclasses import dataclass
from typing import Annotated

from lifecycle.archive import {names}
from lifecycle.archive.layout import Document, Layout

'''
TAIL = '''
LAYOUT = Layout({{{classes}}}, encoding={encoding!r})


def load(data: bytes) -> Document:
    """The document in the bytes of a file."""
    return LAYOUT.load(data)


def store(document: Document) -> bytes:
    """The bytes of a document."""
    return LAYOUT.store(document)
'''


def module_source(layouts: Sequence[ClassLayout], *, encoding: str = "cp1252") -> str:
    """The source of a module with a dataclass for each class, its fields with their evidence, and load() and store()."""
    used: set[str] = set()
    names = {each.name: _identifier(each.name, used) for each in layouts}
    kinds = sorted({part.kind for each in layouts for part in each.fields} | {"Bytes"})
    lines = [HEAD.format(names=", ".join(kinds))]
    bases: set[int] = set()
    for each in layouts:
        if each.base is not None and each.base not in bases:
            bases.add(each.base)
            same = [other.name for other in layouts if other.base == each.base]
            lines += _class(f"Base{each.base}", "", f"What {len(same)} classes begin with.", each.fields[: each.base_fields], 1)
        parent = "" if each.base is None else f"(Base{each.base})"
        lines += _class(names[each.name], parent, _about(each), each.fields[each.base_fields :], each.base_fields + 1)
    classes = ", ".join(f"{name!a}: {identifier}" for name, identifier in names.items())
    lines.append(TAIL.format(classes=classes, encoding=encoding))
    return "\n".join(lines)


def _class(name: str, parent: str, about: str, fields: Sequence[Field], first: int) -> Iterator[str]:
    yield f"\n@dataclass\nclass {name}{parent}:\n    # {about}"
    if not fields:
        yield "    pass"
    for number, each in enumerate(fields, first):
        kind = f"Annotated[bytes, Bytes({each.size})]" if each.kind == "Bytes" else each.kind
        place = "" if each.offset is None else f"+{each.offset} "
        yield f"    f{number}: {kind}  # {place}{_one_line(each.evidence)}"
    yield ""


def _about(each: ClassLayout) -> str:
    lengths = ", ".join(f"{length} bytes in {often}" for length, often in each.lengths[:3])
    whole = "all that most have" if each.is_complete else "the rest is raw"
    holds = ""
    if each.holds:
        holds = "; then objects of " + ", ".join(f"{name!a} ({often} times)" for name, often in each.holds[:3])
        holds += ", counted by the last WORD" if each.counts else ""
    return f"schema {each.schema}; {each.objects} objects, the fields fit {each.fitting}: {lengths}; {whole}{holds}"


def _one_line(text: str) -> str:
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= 110 else f"{shown[:107]}..."


def _identifier(name: str, used: set[str]) -> str:
    """A Python name for a C++ name, which may contain :: and <> or be a keyword."""
    identifier = re.sub(r"\W", "_", name, flags=re.ASCII)
    if keyword.iskeyword(identifier) or not identifier or identifier[0].isdigit() or identifier in _TAKEN:
        identifier = f"C_{identifier}"
    while identifier in used:
        identifier += "_"
    used.add(identifier)
    return identifier


_TAKEN = frozenset(
    ("Annotated", "BYTE", "Bytes", "CStringA", "CStringW", "DOUBLE", "DWORD", "Document", "LAYOUT", "Layout", "WORD",
     "dataclass", "load", "store", "__debug__")
)  # fmt: skip

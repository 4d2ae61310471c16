"""The bodies of a file's objects: the bytes between each object's tag and the next tag.

An object that contains others by pointer ends where the first of them begins; bytes after the last of those belong to that
one. Every byte is in one body or before the first tag, so that the parts together are the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lifecycle.archive.dump.finding import Kind
from lifecycle.archive.dump.scanning import findings


@dataclass(frozen=True, slots=True)
class Body:
    """One object: the offset of its tag, and the begin and end of its body."""

    name: str
    tag: int
    start: int
    end: int
    schema: int | None


def bodies(data: Any, *, encoding: str = "cp1252") -> Iterator[Body]:
    """The body of each object found in `data`, in order; the first need not begin at the first byte."""
    last = None
    for found in findings(data, encoding=encoding):
        if found.kind not in (Kind.CLASS, Kind.OBJECT):
            continue
        if last is not None:
            yield _body(last, found.offset)
        last = found
    if last is not None:
        yield _body(last, len(data))


def _body(found: Any, end: int) -> Body:
    return Body(found.text, found.offset, found.end, end, found.schema)

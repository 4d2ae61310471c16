"""The bodies of a file's objects: the bytes from behind each object's tag to the next tag, whatever they are.

An object that holds others by pointer is cut where the first of them begins; what follows the last of those belongs to it by
the bytes. Every byte is in one body or before the first tag, so that the parts together are the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lifecycle.archive.dump.finding import Kind
from lifecycle.archive.dump.scanning import findings


@dataclass(frozen=True, slots=True)
class Body:
    """One object's bytes: where its tag begins, where its body begins and ends."""

    name: str
    tag: int
    start: int
    end: int
    schema: int | None


def bodies(data: Any, *, encoding: str = "cp1252") -> Iterator[Body]:
    """The body of each object that is seen in `data`, in their order; they need not begin at the first byte."""
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

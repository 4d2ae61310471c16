"""Possible fields of an unknown class: wire types that are tried one after the other at the same place of all objects."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from lifecycle.archive.dump.landmarks import Whole
from lifecycle.archive.dump.plausible_text import CodePage

MOST_DOUBLE, LEAST_DOUBLE = 1e9, 1e-9


@dataclass(frozen=True, slots=True)
class Reading:
    """Values of one kind: its wire type, each object's number or text at that place, and its size in bytes."""

    kind: str
    values: tuple[object, ...]
    sizes: tuple[int, ...]


Read = Callable[[list[bytes], CodePage], Reading | None]


def wide_string(parts: list[bytes], page: CodePage) -> Reading | None:
    """A CString of a Unicode build: the mark, a length, the text."""
    return _strings(parts, page, unicode=True) if all(part[:3] == b"\xff\xfe\xff" for part in parts) else None


def ansi_string(parts: list[bytes], page: CodePage) -> Reading | None:
    """A CString of an ANSI build: one byte of length, and that many characters of text in every object; some of them long."""
    found = _strings(parts, page, unicode=False)
    if found is None:
        return None
    long = sum(size > 3 for size in found.sizes)
    return found if 2 * long >= len(parts) or (long >= 3 and 8 * long >= len(parts)) else None


def _strings(parts: list[bytes], page: CodePage, *, unicode: bool) -> Reading | None:
    values, sizes = [], []
    for part in parts:
        place = Whole(part).string_at(0)
        if place is None or place[0] is not unicode:
            return None
        _, start, end = place
        if not unicode and (end - start > 255 or page.end_of_text(part, start) < end):
            return None
        values.append(part[start:end].decode("utf-16-le" if unicode else page.encoding, "replace"))
        sizes.append(end)
    return Reading("CStringW" if unicode else "CStringA", tuple(values), tuple(sizes))


def double(parts: list[bytes], page: CodePage) -> Reading | None:
    """A double: 0 or of a plausible magnitude in every object, and not the same in all."""
    values = _numbers("<d", parts)
    if values is None or not all(value == 0 or LEAST_DOUBLE < abs(value) < MOST_DOUBLE for value in values):
        return None
    if len(set(values)) < 3 or 4 * sum(value != 0 for value in values) < len(values):
        return None
    return Reading("DOUBLE", values, (8,) * len(parts))


def number(kind: str, code: str, zeros: int) -> Read:
    """An integer whose `zeros` upper bytes are 0, or all bits of them 1, in every object, and whose others are not all 0."""
    size = struct.calcsize(code)

    def read(parts: list[bytes], page: CodePage) -> Reading | None:
        upper = [part[size - zeros : size] for part in parts]
        if any(len(part) < size for part in parts) or not set(upper) <= {bytes(zeros), b"\xff" * zeros}:
            return None
        values = _numbers(code, parts)
        return None if values is None or (zeros and not any(values)) else Reading(kind, values, (size,) * len(parts))

    return read


def _numbers(code: str, parts: list[bytes]) -> tuple[float, ...] | None:
    try:
        return tuple(struct.unpack_from(code, part)[0] for part in parts)
    except struct.error:
        return None


KINDS: tuple[Read, ...] = (
    wide_string,
    ansi_string,
    double,
    number("DWORD", "<I", 2),
    number("WORD", "<H", 1),
    number("BYTE", "<B", 0),
)
"""In the order in which they are tried: the rarest coincidence first."""

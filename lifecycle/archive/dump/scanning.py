"""Finds the classes, objects and strings of an archive from its bytes alone, and the undecided bytes between them.

Archives have no header and no types: only the program that wrote a number knows what it means. So everything here has a
confidence. Object numbers (PIDs) are not in the bytes either. The first class has number 1 and its first object 2, and so on,
if every object before was seen; an object recognised by its tag among undecided bytes, which may be a coincidence, makes all
later numbers estimates. It is assumed that every description of a class begins an object (serialize_class() stores one alone),
and that no object got a number without bytes (map_object()). A second description of a class is another archive's: numbers
begin again.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

from lifecycle.archive.dump.finding import MOST_TEXT, Confidence, Finding, Kind, string
from lifecycle.archive.dump.landmarks import Landmarks, Whole
from lifecycle.archive.dump.plausible_text import CodePage
from lifecycle.archive.dump.tag_counts import TagCounts
from lifecycle.archive.errors import FormatError
from lifecycle.archive.format.lengths import take_count
from lifecycle.archive.format.objects import BIG, BIG_CLASS, CLASS, NEW_CLASS

MOST_CLASSES = 1 << 16
"""The maximum number of classes; hostile bytes may describe any number of them."""

STRING, POINTER = "string", "pointer"

COLLECTIONS: dict[str, tuple[str | int, ...]] = {
    "CByteArray": (1,),
    "CWordArray": (2,),
    "CDWordArray": (4,),
    "CStringArray": (STRING,),
    "CStringList": (STRING,),
    "CObArray": (POINTER,),
    "CObList": (POINTER,),
    "CMapStringToString": (STRING, STRING),
    "CMapStringToOb": (STRING, POINTER),
    "CMapWordToOb": (2, POINTER),
}
"""The elements of each of MFC's collections: strings, pointers, and numbers of that many bytes."""

Found = Generator[Finding, None, int]


def dump(data: Any, *, encoding: str = "cp1252") -> tuple[Finding, ...]:
    """Findings for all of `data`, from its first byte to its last.

    data: bytes, or a bytes-like object such as an mmap. encoding: the ANSI code page, which is not in the bytes. Raises
    LookupError for an unknown encoding; no bytes make it raise.
    """
    return tuple(findings(data, encoding=encoding))


def findings(data: Any, *, encoding: str = "cp1252") -> Iterator[Finding]:
    """Yields the findings one after the other, for data with more findings than fit into memory. See dump()."""
    return read_findings(data, CodePage(encoding))


def read_findings(data: Any, page: CodePage) -> Iterator[Finding]:
    """Like findings(), with a code page."""
    return _Reading(data, page).findings()


class _Numbers:
    """The numbers (PIDs) of the archive up to here. exact: whether all of them are certain."""

    def __init__(self, counts: TagCounts) -> None:
        self._counts = counts
        self.next = 1
        self.exact = True
        self.classes: dict[int, str] = {}
        self.names: set[str] = set()

    def describe(self, found: Finding) -> Finding:
        """Give a class its number, and its first object the next."""
        again = found.text in self.names
        if again:
            self.__init__(self._counts)  # type: ignore[misc]
        if not self.exact:
            self.next += self._counts.shift(found.offset, self.next, self.classes)
        number, self.next = self.next, self.next + 2
        if len(self.classes) < MOST_CLASSES:
            self.classes[number] = found.text
            self.names.add(found.text)
        note = "described before: another archive begins here, or did before" if again else ""
        return replace(
            found, number=number, note=note if self.exact else "; ".join(filter(None, ("an estimated number", note)))
        )

    def instance(self, at: int, length: int, class_number: int, *, demanded: bool) -> Finding:
        """A further object of a class."""
        confidence = Confidence.GUESS if not self.exact else Confidence.CERTAIN if demanded else Confidence.LIKELY
        note = f"of class {class_number}"
        found = Finding(at, length, Kind.OBJECT, self.classes[class_number], confidence, number=self.next, note=note)
        self.next += 1
        self.exact = self.exact and demanded
        return found


class _Reading:
    """One pass over the bytes."""

    def __init__(self, data: Any, page: CodePage) -> None:
        self._data = data
        self._size = len(data)
        self._page = page
        self._whole = Whole(data)
        self._numbers = _Numbers(TagCounts(data))

    def findings(self) -> Iterator[Finding]:
        """Every finding, in order; together they cover the bytes."""
        landmarks, at = Landmarks(self._data, self._page), 0
        while at < self._size:
            mark = landmarks.next(at)
            if mark is not None and mark.confidence is Confidence.GUESS and self._swallows(mark):
                while at < mark.end:
                    at = yield from self._between(at, mark.end)
                continue
            end = self._size if mark is None else mark.offset
            while at < end:
                at = yield from self._between(at, end)
            if mark is None or at > end:
                continue
            at = mark.end
            if mark.kind is not Kind.CLASS:
                yield mark
                continue
            yield self._numbers.describe(mark)
            if not mark.schema:
                at = yield from self._collection(mark.text, at)

    def _swallows(self, mark: Finding) -> bool:
        """Whether a possible string contains the tags of several objects."""
        first = self._tag(mark.offset, mark.end)
        return first is not None and self._tag(first[0] + first[1], mark.end) is not None

    # -- between landmarks ---------------------------------------------------------------------------------------------------

    def _between(self, at: int, end: int) -> Found:
        """Yields short strings and the bytes between them; returns where it stopped, which may be after `end`."""
        for start, behind, likely in self._page.strings(self._data, at, end):
            while at < start:
                at = yield from self._without_text(at, start)
            if at > start:
                return at
            confidence = Confidence.LIKELY if likely else Confidence.GUESS
            yield string(self._data, start, start + 1, behind, self._page.encoding, confidence)
            at = behind
        while at < end:
            at = yield from self._without_text(at, end)
        return at

    def _without_text(self, start: int, end: int) -> Found:
        """Yields undecided bytes, up to the first tag of a described class; returns where it stopped."""
        place = self._tag(start, end)
        if place is None:
            yield self._undecided(start, end)
            return end
        at, length, number = place
        if at > start:
            yield self._undecided(start, at)
        yield self._numbers.instance(at, length, number, demanded=False)
        return (yield from self._collection(self._numbers.classes[number], at + length))

    def _tag(self, start: int, end: int) -> tuple[int, int, int] | None:
        """The first bytes that look like the tag of a described class: (offset, length, the class's number)."""
        data, classes = self._data, self._numbers.classes
        if not classes:
            return None
        big = self._numbers.next > BIG
        for at in range(start + 1, end):
            high = data[at]
            if high >= CLASS >> 8 and (number := (high << 8 | data[at - 1]) - CLASS) in classes and number < BIG:
                return at - 1, 2, number
            if big and high == BIG >> 8 and data[at - 1] == BIG & 0xFF and at + 5 <= end:
                (long,) = struct.unpack_from("<I", data, at + 1)
                if long & BIG_CLASS and long - BIG_CLASS in classes:
                    return at - 1, 6, long - BIG_CLASS
        return None

    def _undecided(self, start: int, end: int) -> Finding:
        data = self._data[start : min(end, start + MOST_TEXT)]
        note = _readings(data, self._numbers) if end - start <= 8 else ""
        return Finding(start, end - start, Kind.UNDECIDED, data.hex(), Confidence.NONE, note=note)

    # -- MFC's collections ---------------------------------------------------------------------------------------------------

    def _collection(self, name: str, at: int) -> Found:
        """Yields the elements of a collection stored by pointer, as far as their sizes are known; returns where it stopped."""
        while (layout := COLLECTIONS.get(name)) is not None:
            name = ""
            self._whole.at = at
            try:
                count = take_count(self._whole, least=sum(1 if part == STRING else 2 for part in layout if part != 1))
            except FormatError:
                return at
            fixed = layout[0] if len(layout) == 1 and isinstance(layout[0], int) else 0
            if self._whole.at + count * max(fixed, 1) > self._size:
                return at
            yield Finding(at, self._whole.at - at, Kind.COUNT, str(count), Confidence.CERTAIN)
            at = self._whole.at
            if fixed:
                if count:
                    yield self._numbers_of(at, at + count * fixed, fixed)
                return at + count * fixed
            for _ in range(count):
                for part in layout:
                    found = self._part(part, at)
                    if found is None:
                        return at
                    yield found
                    at = found.end
                    if found.kind is Kind.OBJECT:
                        name = found.text
                        break
                if name:
                    break
        return at

    def _part(self, part: str | int, at: int) -> Finding | None:
        """A part of an element; None if its end is unknown."""
        if part == STRING:
            place = self._whole.string_at(at)
            if place is None:
                return None
            unicode, start, end = place
            return string(self._data, at, start, end, "utf-16-le" if unicode else self._page.encoding, Confidence.CERTAIN)
        if at + 2 > self._size:
            return None
        return self._numbers_of(at, at + 2, 2) if part != POINTER else self._pointer(at)

    def _pointer(self, at: int) -> Finding | None:
        numbers = self._numbers
        (tag,) = struct.unpack_from("<H", self._data, at)
        if not tag:
            return Finding(at, 2, Kind.NULL, "NULL", Confidence.CERTAIN)
        if tag < BIG and tag < numbers.next:
            confidence = Confidence.CERTAIN if numbers.exact else Confidence.LIKELY
            return Finding(at, 2, Kind.REFERENCE, f"object {tag}", confidence, number=tag)
        if CLASS < tag < NEW_CLASS and tag - CLASS in numbers.classes:
            return numbers.instance(at, 2, tag - CLASS, demanded=True)
        return None

    def _numbers_of(self, start: int, end: int, size: int) -> Finding:
        data = self._data[start : min(end, start + MOST_TEXT)]
        values = data.hex() if size == 1 else " ".join(str(value) for (value,) in struct.iter_unpack(_CODES[size][0], data))
        return Finding(
            start, end - start, Kind.DATA, values, Confidence.CERTAIN, note=f"{(end - start) // size} x {_CODES[size][1]}"
        )


_CODES = {1: ("<B", "BYTE"), 2: ("<H", "WORD"), 4: ("<I", "DWORD"), 8: ("<Q", "ULONGLONG")}
_SIGNED = {1: "b", 2: "h", 4: "i", 8: "q"}
_FLOATS = {4: ("<f", "FLOAT"), 8: ("<d", "DOUBLE")}


def _readings(data: bytes, numbers: _Numbers) -> str:
    """The possible meanings of a few undecided bytes, in words."""
    size = len(data)
    if size not in _CODES:
        return ""
    code, name = _CODES[size]
    (value,) = struct.unpack(code, data)
    readings = [f"{name} {value}"]
    if value >> (8 * size - 1):
        signed = str(*struct.unpack(f"<{_SIGNED[size]}", data))
        readings = [*readings, signed] if size < 8 else [f"LONGLONG {signed}"]
    if size in _FLOATS:
        code, name = _FLOATS[size]
        (number,) = struct.unpack(code, data)
        if 1e-6 < abs(number) < 1e12:
            readings.append(f"{name} {number:.7g}")
    if size == 2 and not value:
        readings.append("NULL")
    elif size == 2 and value < min(numbers.next, BIG) and value not in numbers.classes:
        readings.append(f"object {value} again")
    return " or ".join(readings)

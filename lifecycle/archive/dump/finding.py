"""A finding in the bytes of an archive: where, what, and how certain it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_TEXT = 1 << 16
"""The maximum number of characters of a string, or bytes of a run, in a finding."""


class Kind(StrEnum):
    """What was found."""

    CLASS = "class"
    OBJECT = "object"
    REFERENCE = "reference"
    NULL = "null"
    COUNT = "count"
    UNICODE_STRING = "unicode string"
    ANSI_STRING = "ansi string"
    TEXT = "text"
    TIME = "time"
    DATA = "data"
    UNDECIDED = "undecided"


class Confidence(StrEnum):
    """How certain a finding is.

    CERTAIN: nothing else looks like it, or an earlier certain finding requires it. LIKELY: rarely a coincidence. GUESS:
    sometimes a coincidence. NONE: the bytes alone do not show it.
    """

    CERTAIN = "certain"
    LIKELY = "likely"
    GUESS = "guess"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Finding:
    """A range of bytes of an archive, and what it is.

    offset and length: bytes. text: a class's name, a string, a number, a time, or the bytes in hexadecimal, shortened to
    MOST_TEXT. schema: of a class. number: of a class, of an object or of the object referred to (PID), as far as
    earlier findings suggest. note: more, for people.
    """

    offset: int
    length: int
    kind: Kind
    text: str
    confidence: Confidence
    schema: int | None = None
    number: int | None = None
    note: str = ""

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.offset + self.length


def string(data: Any, at: int, start: int, end: int, encoding: str, confidence: Confidence) -> Finding:
    """The finding of a string: `at` its length, from `start` to `end` its characters."""
    unicode = encoding == "utf-16-le"
    shown = min(end, start + (2 if unicode else 1) * MOST_TEXT)
    text = data[start:shown].decode(encoding, "surrogatepass" if unicode else "replace")
    note = f"the first {MOST_TEXT} of {(end - start) // (2 if unicode else 1)} characters" if shown < end else ""
    kind = Kind.UNICODE_STRING if unicode else Kind.ANSI_STRING
    return Finding(at, end - at, kind, text, confidence, note=note)

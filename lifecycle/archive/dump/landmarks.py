"""Landmarks: values that can be recognised in the bytes of an archive at any place.

A description of a class, a Unicode string, a long ANSI string and a time of MFC 8.0 or later begin with bytes that rarely occur
otherwise, and what follows must fit. Finding them takes time in proportion to the bytes, whatever they are: text is
searched only up to the next landmark that it cannot contain, and a run of ANSI text is measured once.
"""

from __future__ import annotations

import re
import struct
from codecs import getincrementaldecoder
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from lifecycle.archive.dump.blobs import START, Blobs
from lifecycle.archive.dump.finding import Confidence, Finding, Kind, string
from lifecycle.archive.dump.plausible_text import LONGEST, CodePage
from lifecycle.archive.errors import EndOfFile
from lifecycle.archive.format.dates import WIDE_TIME
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.lengths import UNICODE_MARK, length_prefix, take_length
from lifecycle.archive.format.objects import NEW_CLASS
from lifecycle.archive.format.registry import COLLECTIONS, LONGEST_NAME
from lifecycle.archive.format.settings import Format

SURE_NAME = 3
LATEST_TIME = datetime(2100, 1, 1, tzinfo=UTC).timestamp()

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*(::[A-Za-z_]\w*)*(<.*>)?", re.ASCII)
_LANDMARK = (
    rb"(?s)(?P<described>\xff\xff(?!\xff\xff)..[\x01-\x%02x]\0(?=[A-Za-z_]))"
    rb"|(?P<unicode>\xff\xfe\xff)"
    rb"|(?P<counted>..\0\0(?=(?:[\t\n\r\x20-\x7e]\0){4}))"
    rb"|(?P<blob>%b)"
    rb"|(?P<time>\x0a\0\0\x80(?=.{8}))"
    rb"|(?P<long>\xff(?:(?!\xff\xff)..|\xff\xff....)(?=%b{16}))"
)


class Whole(Decoder):
    """A decoder with all bytes in memory, to read at any place."""

    __slots__ = ()

    def __init__(self, data: Any) -> None:
        format = Format(False, "latin-1", "strict", win32=False, limit=len(data), depth=0, size=0)
        super().__init__(format, COLLECTIONS, lambda size: b"", reads_ahead=False)
        self.data = data

    def fetch(self, count: int, expected: str) -> int:
        if self.at + count > len(self.data):
            raise EndOfFile(self.at, expected, "the end of the bytes")
        return self.at

    def string_at(self, at: int) -> tuple[bool, int, int] | None:
        """(whether it is Unicode, where its characters begin, where they end), or None if no string fits.

        A length in a longer form than necessary does not count: no program writes it.
        """
        self.at = at
        try:
            unicode, length, prefix = take_length(self)
        except EndOfFile:
            return None
        size = length * 2 if unicode else length
        canonical = len(length_prefix(length)) + (len(UNICODE_MARK) if unicode else 0) == prefix
        return (unicode, at + prefix, at + prefix + size) if canonical and at + prefix + size <= len(self.data) else None


class Landmarks:
    """The landmarks of `data`, in order."""

    def __init__(self, data: Any, page: CodePage) -> None:
        self._data = data
        self._page = page
        self._whole = Whole(data)
        self._blobs = Blobs(data)
        self._pattern = re.compile(_LANDMARK % (LONGEST_NAME, START, page.characters))
        self._sure: tuple[int, Finding | None] = (0, None)
        self._searched = False
        self._run = (0, 0)

    def next(self, start: int) -> Finding | None:
        """The first landmark from `start` on; a guess only if it does not cover a better one."""
        at = start
        while (match := self._pattern.search(self._data, at)) is not None:
            at = match.start() + 1
            found = self._found(match)
            if found is None and match.lastgroup == "unicode":
                found = self._implausible(match.start())
            if found is not None and (found.confidence is not Confidence.GUESS or self._is_free(at, found.end)):
                return found
        return None

    def _is_free(self, start: int, end: int) -> bool:
        better = self._next_sure(start)
        return better is None or better.offset >= end

    def _next_sure(self, start: int) -> Finding | None:
        since, sure = self._sure
        if not self._searched or start < since or (sure is not None and sure.offset < start):
            at, sure = start, None
            while sure is None and (match := self._pattern.search(self._data, at)) is not None:
                found = self._found(match)
                at = match.start() + 1
                if found is not None and found.confidence is not Confidence.GUESS:
                    sure = found
            self._sure, self._searched = (start, sure), True
        return sure

    def _found(self, match: re.Match[bytes]) -> Finding | None:
        return cast("Finding | None", getattr(self, f"_{match.lastgroup}")(match.start()))

    def _described(self, at: int) -> Finding | None:
        tag, schema, length = struct.unpack_from("<HHH", self._data, at)
        name = self._data[at + 6 : at + 6 + length].decode("ascii", "replace")
        if tag != NEW_CLASS or len(name) < length or not (name.isascii() and name.isprintable()):
            return None
        sure = _IDENTIFIER.fullmatch(name) is not None
        confidence = Confidence.CERTAIN if sure and length >= SURE_NAME else Confidence.LIKELY if sure else Confidence.GUESS
        return Finding(at, 6 + length, Kind.CLASS, name, confidence, schema=schema)

    def _unicode(self, at: int) -> Finding | None:
        place = self._whole.string_at(at)
        if place is None:
            return None
        _, start, end = place
        if not self._is_printable(start, end):
            return None
        return string(self._data, at, start, end, "utf-16-le", Confidence.CERTAIN)

    def _implausible(self, at: int) -> Finding | None:
        """A Unicode string of any characters; a long one is considered a coincidence."""
        place = self._whole.string_at(at)
        if place is None or place[2] - place[1] > 2 * LONGEST or not self._is_free(at + 1, place[2]):
            return None
        return string(self._data, at, place[1], place[2], "utf-16-le", Confidence.GUESS)

    def _counted(self, at: int) -> Finding | None:
        """UTF-16 text after a DWORD that counts its characters (CComBSTR, a text view) or its bytes (a variant's BSTR)."""
        (count,) = struct.unpack_from("<I", self._data, at)
        for size, note in (
            (2 * count, "behind a DWORD that counts its characters"),
            (count, "behind a DWORD that counts its bytes"),
        ):
            start, end = at + 4, at + 4 + size
            if size >= 8 and not size & 1 and end <= len(self._data) and self._is_printable(start, end):
                return replace(string(self._data, at, start, end, "utf-16-le", Confidence.LIKELY), kind=Kind.TEXT, note=note)
        return None

    def _is_printable(self, start: int, end: int) -> bool:
        """Whether UTF-16 text consists of printable characters and white space, without another mark."""
        decoder, step = getincrementaldecoder("utf-16-le")(), 64
        try:
            while start < end:
                behind = min(start + step, end)
                if not "".join(decoder.decode(self._data[start:behind], behind == end).split()).isprintable():
                    return False
                start, step = behind, min(2 * step, 1 << 16)
        except UnicodeError:
            return False
        return True

    def _blob(self, at: int) -> Finding | None:
        found = self._blobs.end(at)
        if found is None:
            return None
        name, end = found
        return Finding(at, end - at, Kind.DATA, f"{end - at} bytes", Confidence.CERTAIN, note=name)

    def _time(self, at: int) -> Finding | None:
        mark, seconds = struct.unpack_from("<Iq", self._data, at)
        if mark != WIDE_TIME or not 0 <= seconds < LATEST_TIME:
            return None
        moment = datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
        return Finding(at, 12, Kind.TIME, moment, Confidence.LIKELY, note=f"CTime({seconds})")

    def _long(self, at: int) -> Finding | None:
        place = self._whole.string_at(at)
        if place is None or place[0]:
            return None
        _, start, end = place
        if not self._run[0] <= start < self._run[1]:
            self._run = start, self._page.end_of_text(self._data, start)
        return string(self._data, at, start, end, self._page.encoding, Confidence.LIKELY) if end <= self._run[1] else None

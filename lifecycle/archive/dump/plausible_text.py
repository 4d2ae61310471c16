"""Finds bytes that look like text in an ANSI code page.

A short ANSI string is a length and that many characters, and so is a byte 5 before five letters by coincidence. What
is found here is a guess, a better one if it is longer and looks like words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lifecycle.archive.format.lengths import SHORT_LENGTHS

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SHORTEST = 4
"""The minimum length of a string that can be distinguished from numbers, in characters."""

SURE = 6
"""The minimum length of a string that is rarely a coincidence, in characters."""

LONGEST = len(SHORT_LENGTHS) - 1

BESIDE = (1, 2, 4, 8)
"""The size of a number that looks like text and is next to a string, in bytes."""

COMMON = {"cp932": (0x81, 0x97), "cp936": (0xA1, 0xD7), "cp949": (0xA1, 0xC8), "cp950": (0xA1, 0xC6)}
"""Code page -> the first bytes of its most common characters of two bytes."""

SUGGESTED = ("cp932", "cp1251", "cp936", "cp949", "cp950", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp874")
LOOKED_AT = 1 << 20

NO_TEXT, TEXT, WORD, ACCENTED = range(4)
_IN_WORDS = frozenset(" ._-/:\\,")
_INCOMPLETE = ("incomplete", "unexpected end")  # why a first byte of several is not a character by itself


class CodePage:
    """The bytes of an ANSI code page, classified by their use in text.

    encoding: by Python's name; LookupError if there is none, or if it cannot be a code page. run: finds runs of
    text. several: whether a character may take more than one byte.
    """

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        kinds, reasons = [], set()
        for byte in range(256):
            try:
                kinds.append(_kind_of(bytes((byte,)).decode(encoding)))
            except UnicodeError as error:
                kinds.append(NO_TEXT)
                reasons.add(getattr(error, "reason", ""))
        if not any(kinds) or not _can_replace(encoding):
            raise LookupError(f"{encoding} has no characters of one byte: it is not a code page")
        self.several = any(sign in reason for reason in reasons for sign in _INCOMPLETE)
        if self.several:
            kinds[0x80:] = [WORD] * 0x80
        if kinds[0xFF] == ACCENTED:
            kinds[0xFF] = NO_TEXT  # more often a part of a number than a y with two dots
        self._kinds = bytes(kinds)
        self.characters = b"[" + b"".join(re.escape(bytes((byte,))) for byte in range(256) if kinds[byte]) + b"]"
        self.run = re.compile(self.characters + b"{%d,}" % SHORTEST)
        self._all = re.compile(self.characters + b"*")

    def end_of_text(self, data: ReadableBuffer, start: int) -> int:
        """The end of the text that begins at `start`."""
        found = self._all.match(data, start)
        assert found is not None
        return found.end()

    def is_wordy(self, text: bytes, eighths: int) -> bool:
        """Whether at least that many eighths of the text are characters of words."""
        kinds = text.translate(self._kinds)
        words, accented = kinds.count(WORD), kinds.count(ACCENTED)
        if 8 * (words + min(words // 4, accented)) < eighths * len(text):
            return False
        if self.several:
            try:
                text.decode(self.encoding)
            except UnicodeError:
                return False
        return True

    def strings(self, data: Any, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """Short strings from `start` to `end`: (offset of the length, offset after the text, whether it is likely)."""
        taken = start
        for run in self.run.finditer(data, start, end):
            for found in self._strings_of_run(data, max(run.start(), taken), run.end(), taken):
                yield found
                taken = found[1]

    def _strings_of_run(self, data: Any, first: int, end: int, taken: int) -> Iterator[tuple[int, int, bool]]:
        at = first - 1
        if at >= taken and SHORTEST <= data[at] <= end - first:  # not printable: the string may end before the run
            behind = first + data[at]
            if self.is_wordy(data[first:behind], 4 if behind == end else 6):
                yield at, behind, self._is_likely(data[first:behind])
                first = behind
        chain = self._chain_in(data, first, end)
        if chain is not None:
            at, last = chain
            while at < last:
                behind = at + 1 + data[at]
                yield at, behind, last == end and self._is_likely(data[at + 1 : behind])
                at = behind

    def _is_likely(self, text: bytes) -> bool:
        if len(text) < SURE or not self.is_wordy(text, 7 if len(text) < 2 * SURE else 6):
            return False
        return not self.several or text.isascii() or self._is_of_common_characters(text)

    def _is_of_common_characters(self, text: bytes) -> bool:
        """Whether the characters of two bytes are the most common ones, and those of one byte are ASCII, or only kana."""
        first, last = COMMON.get(self.encoding, (0x81, 0xFE))
        encoded = [character.encode(self.encoding) for character in text.decode(self.encoding)]
        wide = [each for each in encoded if len(each) > 1]
        if any(len(each) == 1 and each[0] >= 0x80 for each in encoded):
            return not wide and not any(each.isalpha() for each in encoded if each[0] < 0x80)
        return all(first <= each[0] <= last for each in wide)

    def _chain_in(self, data: Any, first: int, end: int) -> tuple[int, int] | None:
        """Consecutive strings whose lengths look like text too: where they begin and where they end."""
        for skipped in (0, *BESIDE):
            at = first + skipped
            while at < end and at + 1 + data[at] <= end and SHORTEST <= data[at] <= LONGEST:
                if not self.is_wordy(data[at + 1 : at + 1 + data[at]], 6):
                    break
                at += 1 + data[at]
            if at > first + skipped and (at == end or (not skipped and end - at in BESIDE)):
                return first + skipped, at
        return None


def suggested(data: Any, page: CodePage) -> tuple[str, int, int] | None:
    """Another code page in which clearly more strings are likely: its name, their number in it, and their number in `page`.

    data: only the first LOOKED_AT bytes are considered.
    """
    here = _likely(data, page)
    found = {name: _likely(data, CodePage(name)) for name in SUGGESTED if name != page.encoding}
    best = max(found, key=lambda name: found[name])
    return (best, found[best], here) if found[best] >= here + max(here // 5, 3) else None


def _likely(data: Any, page: CodePage) -> int:
    found = page.strings(data, 0, min(len(data), LOOKED_AT))
    return sum(likely and _has_case(data[at + 1 : end].decode(page.encoding, "replace")) for at, end, likely in found)


def _has_case(text: str) -> bool:
    """Whether each word is in lower case, in capitals, or capitalised, which random letters are not."""
    return all(word == word.lower() or word == word.upper() or word[1:] == word[1:].lower() for word in text.split())


def _can_replace(encoding: str) -> bool:
    try:
        return bool(b"\xff".decode(encoding, "replace"))
    except UnicodeError:
        return False


def _kind_of(character: str) -> int:
    if len(character) != 1 or not (character.isprintable() or character in "\t\r\n"):
        return NO_TEXT
    if character.isascii():
        return WORD if character.isalnum() or character in _IN_WORDS else TEXT
    if character.isalpha():
        return ACCENTED if character < "Ͱ" else WORD  # Latin letters, up to the first Greek one
    return TEXT

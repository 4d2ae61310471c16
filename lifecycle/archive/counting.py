"""The lengths before strings and the counts before collections: as short as they can be, and escaped where they are long.

The two differ in one number: 0xFFFE marks a Unicode string, so that a string of that length takes the longer form.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from lifecycle.archive.errors import GenericError

if TYPE_CHECKING:
    from lifecycle.archive.loading import Source

UNICODE_MARK = b"\xff\xfe\xff"

SHORT_LENGTHS = tuple(bytes((length,)) for length in range(0xFF))
SHORT_UNICODE_LENGTHS = tuple(UNICODE_MARK + length for length in SHORT_LENGTHS)


def length_prefix(length: int) -> bytes:
    """The bytes before a string of `length` bytes, or UTF-16 code units where the mark went before."""
    if length < 0xFF:
        return SHORT_LENGTHS[length]
    if length < 0xFFFE:
        return struct.pack("<BH", 0xFF, length)
    if length < 0xFFFFFFFF:
        return struct.pack("<BHI", 0xFF, 0xFFFF, length)
    return struct.pack("<BHIQ", 0xFF, 0xFFFF, 0xFFFFFFFF, length)


def take_length(source: Source) -> tuple[bool, int, int]:
    """(whether the mark was there, the length, how many bytes the prefix has), without moving on."""
    at = source.fetch(1, "a string's length")
    if source.data[at] != 0xFF:
        return False, source.data[at], 1
    at = source.fetch(3, "a string's length")
    (word,) = struct.unpack_from("<H", source.data, at + 1)
    size, unicode = 3, False
    if word == 0xFFFE:
        unicode = True
        at = source.fetch(4, "a string's length")
        if source.data[at + 3] != 0xFF:
            return True, source.data[at + 3], 4
        at = source.fetch(6, "a string's length")
        (word,) = struct.unpack_from("<H", source.data, at + 4)
        size = 6
    if word != 0xFFFF:
        return unicode, word, size
    at = source.fetch(size + 4, "a string's length")
    (long,) = struct.unpack_from("<I", source.data, at + size)
    if long != 0xFFFFFFFF:
        return unicode, long, size + 4
    at = source.fetch(size + 12, "a string's length")
    (longest,) = struct.unpack_from("<Q", source.data, at + size + 4)
    return unicode, longest, size + 12


def count_prefix(count: int, *, win32: bool = False) -> bytes:
    """The bytes of WriteCount(count); a 32-bit program writes its largest count without a further escape."""
    if not 0 <= count < 1 << (32 if win32 else 64):
        raise ValueError(f"{count} is no count: an integer from 0 to {(1 << (32 if win32 else 64)) - 1}")
    if count < 0xFFFF:
        return struct.pack("<H", count)
    if count < 0xFFFFFFFF or win32:
        return struct.pack("<HI", 0xFFFF, count)
    return struct.pack("<HIQ", 0xFFFF, 0xFFFFFFFF, count)


def take_count(source: Source, *, least: int = 0) -> int:
    """Take a count of things that have at least `least` bytes each; GenericError when they cannot be within the limit."""
    at = source.fetch(2, "a count")
    (count,) = struct.unpack_from("<H", source.data, at)
    size = 2
    if count == 0xFFFF:
        at = source.fetch(6, "a count")
        (count,) = struct.unpack_from("<I", source.data, at + 2)
        size = 6
        if count == 0xFFFFFFFF and not source.format.win32:
            at = source.fetch(14, "a count")
            (count,) = struct.unpack_from("<Q", source.data, at + 6)
            size = 14
    if count * least > source.format.limit:
        raise GenericError(
            source.base + at, f"at most {source.format.limit} bytes (the archive's limit)", f"a count of {count}"
        )
    source.at = at + size
    return int(count)

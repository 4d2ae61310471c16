"""The lengths before strings and the counts before collections: as short as possible, with escapes for long ones.

They differ in one number: 0xFFFE marks a Unicode string, so that a string of that length uses the longer form.
"""

from __future__ import annotations

import struct

from lifecycle.archive.errors import GenericError
from lifecycle.archive.format.decoder import Decoder

UNICODE_MARK = b"\xff\xfe\xff"

SHORT_LENGTHS = tuple(bytes((length,)) for length in range(0xFF))
SHORT_UNICODE_LENGTHS = tuple(UNICODE_MARK + length for length in SHORT_LENGTHS)


def length_prefix(length: int) -> bytes:
    """The bytes before a string of `length` bytes, or UTF-16 code units after the mark."""
    if length < 0xFF:
        return SHORT_LENGTHS[length]
    if length < 0xFFFE:
        return struct.pack("<BH", 0xFF, length)
    if length < 0xFFFFFFFF:
        return struct.pack("<BHI", 0xFF, 0xFFFF, length)
    return struct.pack("<BHIQ", 0xFF, 0xFFFF, 0xFFFFFFFF, length)


def take_length(decoder: Decoder) -> tuple[bool, int, int]:
    """(whether there is a mark, the length, the size of the prefix in bytes), without consuming them."""
    at = decoder.fetch(1, "a string's length")
    if decoder.data[at] != 0xFF:
        return False, decoder.data[at], 1
    at = decoder.fetch(3, "a string's length")
    (word,) = struct.unpack_from("<H", decoder.data, at + 1)
    size, unicode = 3, False
    if word == 0xFFFE:
        unicode = True
        at = decoder.fetch(4, "a string's length")
        if decoder.data[at + 3] != 0xFF:
            return True, decoder.data[at + 3], 4
        at = decoder.fetch(6, "a string's length")
        (word,) = struct.unpack_from("<H", decoder.data, at + 4)
        size = 6
    if word != 0xFFFF:
        return unicode, word, size
    at = decoder.fetch(size + 4, "a string's length")
    (long,) = struct.unpack_from("<I", decoder.data, at + size)
    if long != 0xFFFFFFFF:
        return unicode, long, size + 4
    at = decoder.fetch(size + 12, "a string's length")
    (longest,) = struct.unpack_from("<Q", decoder.data, at + size + 4)
    return unicode, longest, size + 12


def count_prefix(count: int, *, win32: bool = False) -> bytes:
    """The bytes of WriteCount(count); a 32-bit program writes its largest count without a further escape."""
    if not 0 <= count < 1 << (32 if win32 else 64):
        raise ValueError(f"{count} is not a count: expected an integer from 0 to {(1 << (32 if win32 else 64)) - 1}")
    if count < 0xFFFF:
        return struct.pack("<H", count)
    if count < 0xFFFFFFFF or win32:
        return struct.pack("<HI", 0xFFFF, count)
    return struct.pack("<HIQ", 0xFFFF, 0xFFFFFFFF, count)


def take_count(decoder: Decoder, *, least: int = 0) -> int:
    """Load a count of things of at least `least` bytes each; GenericError if they exceed the limit."""
    at = decoder.at
    if at + 2 > len(decoder.data):
        at = decoder.fetch(2, "a count")
    count, size = decoder.data[at] | decoder.data[at + 1] << 8, 2
    if count == 0xFFFF:
        at = decoder.fetch(6, "a count")
        (count,) = struct.unpack_from("<I", decoder.data, at + 2)
        size = 6
        if count == 0xFFFFFFFF and not decoder.format.win32:
            at = decoder.fetch(14, "a count")
            (count,) = struct.unpack_from("<Q", decoder.data, at + 6)
            size = 14
    if count * least > decoder.format.limit:
        raise GenericError(
            decoder.base + at, f"at most {decoder.format.limit} bytes (the archive's limit)", f"a count of {count}"
        )
    decoder.at = at + size
    return int(count)

"""CString and similar types: a length, then characters, without a terminator.

Unicode strings begin with a mark, so that both kinds of program read both kinds of string, which load as str. The
ANSI code page is not on the wire; it is the archive's `encoding`.
"""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode, utf_16_le_encode
from collections.abc import Sequence
from sys import getsizeof
from typing import TYPE_CHECKING, Any, TypeAlias

from lifecycle.archive.errors import GenericError
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.lengths import SHORT_LENGTHS, SHORT_UNICODE_LENGTHS, UNICODE_MARK, length_prefix, take_length
from lifecycle.archive.format.wire import Wire, travels_as

PLACE = 8
"""The memory that a text takes in a list, in addition to its characters, in bytes."""

LAST_SHARED = "\xff"
"""The last character of which Python shares one-character strings."""

SURROGATES = "surrogatepass"
"""The error handler for UTF-16: a Windows string may contain half of a surrogate pair."""


def wide(text: str) -> bytes:
    """The text in UTF-16."""
    return utf_16_le_encode(text, SURROGATES)[0]


def from_wide(data: bytearray) -> str:
    """The text of UTF-16 bytes; any even number of bytes is valid."""
    return utf_16_le_decode(data, SURROGATES, True)[0]


def undecodable(decoder: Decoder, at: int, error: UnicodeError) -> GenericError:
    """The error for bytes at `at` in the buffer that are not text in their encoding."""
    if not isinstance(error, UnicodeDecodeError):
        return GenericError(decoder.base + at, f"text in {decoder.format.encoding}", str(error))
    found = error.object[error.start : error.end]
    return GenericError(decoder.base + at + error.start, f"text in {error.encoding}", f"{bytes(found)!r}: {error.reason}")


def decoded(decoder: Decoder, at: int, size: int, *, unicode: bool) -> str:
    """The text of `size` bytes at `at` in the buffer; GenericError if they are not text."""
    data = decoder.data[at : at + size]
    try:
        if unicode:
            return from_wide(data)
        return data.decode("ascii" if decoder.format.ascii and data.isascii() else decoder.format.codec, decoder.format.errors)
    except UnicodeError as error:
        raise undecodable(decoder, at, error) from None


def encoded(text: str, encoder: Encoder, *, unicode: bool) -> bytes:
    """The bytes of a text, without a length."""
    return wide(text) if unicode else text.encode(encoder.format.codec, encoder.format.errors)


class StringWire(Wire[str]):
    """unicode: whether the string is stored in UTF-16; None for the archive's setting. Both kinds are loaded."""

    is_atomic = is_flat = True
    goes_back = False

    def __init__(self, name: str, *, unicode: bool | None) -> None:
        super().__init__(name)
        self.unicode = unicode

    def store(self, encoder: Encoder, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a {self.name}: expected a str")
        if encoder.format.unicode if self.unicode is None else self.unicode:
            data = wide(value)
            length = len(data) >> 1
            prefix = SHORT_UNICODE_LENGTHS[length] if length < 0xFF else UNICODE_MARK + length_prefix(length)
        else:
            data = (
                value.encode()
                if value.isascii() and encoder.format.ascii
                else value.encode(encoder.format.codec, encoder.format.errors)
            )
            length = len(data)
            prefix = SHORT_LENGTHS[length] if length < 0xFF else length_prefix(length)
        encoder.out += prefix + data

    def cost_of(self, values: Sequence[str]) -> int:
        return sum(getsizeof(text) + PLACE for text in values if len(text) > 1 or text > LAST_SHARED) + PLACE >> 4

    def load(self, decoder: Decoder) -> str:
        unicode, length, prefix = take_length(decoder)
        size = length * 2 if unicode else length
        at = decoder.fetch(prefix + size, f"a string of {length} characters")
        start = at + prefix
        text = decoded(decoder, start, size, unicode=unicode)
        decoder.at = start + size
        return text


class _Utf16Wire(Wire[str]):
    """A count of UTF-16 code units, then the units."""

    least = 4
    cost = 5
    is_atomic = is_flat = True
    goes_back = False

    def store(self, encoder: Encoder, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a {self.name}: expected a str")
        data = wide(value)
        encoder.out += struct.pack("<I", len(data) >> 1) + data

    def load(self, decoder: Decoder) -> str:
        at = decoder.fetch(4, "a string's length")
        (length,) = struct.unpack_from("<I", decoder.data, at)
        at = decoder.fetch(4 + 2 * length, f"a string of {length} UTF-16 code units")
        text = from_wide(decoder.data[at + 4 : at + 4 + 2 * length])
        decoder.at = at + 4 + 2 * length
        return text


class _Text(str):
    __slots__ = ()
    __module__ = "lifecycle.archive"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str.__repr__(self)})"


def _text(wire: Wire[str], doc: str) -> Any:
    kind = type(wire.name, (_Text,), {"__slots__": (), "__doc__": doc, "__module__": "lifecycle.archive"})
    travels_as(kind, wire)
    return kind


if TYPE_CHECKING:
    CString: TypeAlias = str
    CStringA: TypeAlias = str
    CStringW: TypeAlias = str
    CComBSTR: TypeAlias = str
else:
    CString = _text(StringWire("CString", unicode=None), "A string: in UTF-16 or ANSI, as the archive's `unicode` says.")
    CStringA = _text(StringWire("CStringA", unicode=False), "A string in ANSI, the archive's `encoding`.")
    CStringW = _text(StringWire("CStringW", unicode=True), "A string in UTF-16.")
    CComBSTR = _text(_Utf16Wire("CComBSTR"), "A BSTR: a count of UTF-16 code units, 4 bytes, then the units.")

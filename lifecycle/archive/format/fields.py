"""Members of C++ classes that are written with Write() or in a loop: fixed and counted arrays of values, characters and bytes.

`Annotated[list[int], Array(DWORD, 16)]` is DWORD m[16]; `Annotated[str, Chars(10)]` is char m[10]. Where an integer wire type
is given instead of a length, as in Array(DWORD, BYTE), the length is stored before the elements as a number of that type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifecycle.archive.errors import GenericError
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.nesting import Loading, Storing
from lifecycle.archive.format.scalars import INT_PTR, ULONG_PTR
from lifecycle.archive.format.strings import decoded, encoded
from lifecycle.archive.format.wire import OBJECT_COST, Fixed, Wire, wire_of

INTEGERS = "bBhHiIqQ"


class Length:
    """The number of elements: fixed, or stored before them as an integer wire type."""

    def __init__(self, length: Any) -> None:
        self.number: int | None = None
        self.prefix: Wire[int] | None = None
        if isinstance(length, int):
            if length < 0:
                raise ValueError(f"a length of {length}: it is at least 0")
            self.number = length
        else:
            prefix = wire_of(length)
            if not (isinstance(prefix, Fixed) and prefix.codes in INTEGERS) and prefix not in (
                wire_of(INT_PTR),
                wire_of(ULONG_PTR),
            ):
                raise TypeError(f"{prefix.name} cannot count: expected a number or an integer wire type, such as BYTE")
            self.prefix = prefix

    def __str__(self) -> str:
        return str(self.number) if self.prefix is None else self.prefix.name

    def least(self, size: int) -> int:
        """The minimum number of bytes that the elements, of `size` bytes each, take."""
        return self.number * size if self.number is not None else self.prefix.least if self.prefix else 0

    def store(self, encoder: Encoder, length: int, name: str) -> None:
        """Store the length before the elements; ValueError if it differs from a fixed one."""
        if self.prefix is not None:
            self.prefix.store(encoder, length)
        elif length != self.number:
            raise ValueError(f"{length} elements are not a {name}: expected {self.number}")

    def load(self, decoder: Decoder, size: int) -> int:
        """Load the length; GenericError if that many elements of at least `size` bytes exceed the archive's limit."""
        if self.number is not None:
            return self.number
        assert self.prefix is not None
        at = decoder.offset
        length = self.prefix.load(decoder)
        assert isinstance(length, int)
        if length < 0 or length * max(size, 1) > decoder.format.limit:
            raise GenericError(at, f"at most {decoder.format.limit} bytes (the archive's limit)", f"a count of {length}")
        return length


class Array(Wire[list[Any]]):
    """Values of one kind, without MFC's count: `Array(DWORD, 16)`; or after a count of a wire type: `Array(DWORD, BYTE)`.

    kind: of the elements, as in an annotation: a serializable class means embedded objects. length: their number, or the
    wire type of the count before them. ValueError for a list of another length.
    """

    cost = OBJECT_COST

    def __init__(self, kind: Any, length: Any) -> None:
        self.items = wire_of(kind)
        self.length = Length(length)
        super().__init__(f"{self.items.name}[{self.length}]")
        self.least = self.length.least(self.items.least)
        self.is_flat = isinstance(self.items, Fixed)
        self.is_atomic = self.is_flat
        if not self.is_flat and self.length.prefix is not None and not self.items.least:
            raise TypeError(f"{self.name}: elements that may take no bytes cannot be counted")

    @property
    def thresholds(self) -> tuple[int, ...]:  # type: ignore[override]
        """The thresholds of the elements."""
        return self.items.thresholds

    def at(self, schema: int) -> Wire[list[Any]]:
        """The wire for objects of that schema number."""
        return Array(self.items.at(schema), self.length.number if self.length.prefix is None else self.length.prefix)

    def store(self, encoder: Encoder, value: Sequence[Any]) -> Storing | None:
        if isinstance(value, (str, dict)) or not isinstance(value, Sequence):
            raise TypeError(f"{value!r} is not a {self.name}: expected a list")
        self.length.store(encoder, len(value), self.name)
        return self.items.store_all(encoder, value)

    def load(self, decoder: Decoder) -> list[Any] | Loading:
        count = self.length.load(decoder, max(self.items.least, self.items.cost))
        if self.is_flat:
            decoder.fetch(count * self.items.least, self.name)
        return self.items.load_all(decoder, count)


class Bytes(Wire[bytes]):
    """Raw bytes: `Bytes(50)` is BYTE m[50]; `Bytes(DWORD)` a DWORD, then that many bytes. ValueError for another length."""

    is_atomic = is_flat = True
    cost = 3

    def __init__(self, length: Any) -> None:
        self.length = Length(length)
        super().__init__(f"BYTE[{self.length}]")
        self.least = self.length.least(1)

    def store(self, encoder: Encoder, value: bytes) -> None:
        data = bytes(memoryview(value))
        self.length.store(encoder, len(data), self.name)
        encoder.out += data

    def load(self, decoder: Decoder) -> bytes:
        return decoder.ensure_read(self.length.load(decoder, 1))


class Chars(Wire[str]):
    """Characters without a CString's length: `Chars(10)` is char m[10], `Chars(BYTE)` a BYTE, then that many characters.

    length: in characters: bytes of the code page, or UTF-16 code units. unicode: whether they are UTF-16 (WCHAR m[10]); None
    for what the archive's `unicode` says (TCHAR m[10]).

    A text in a fixed array is padded with NULs, which are not part of the value. Characters after the first NUL are
    kept in it, so that storing writes the same bytes. ValueError for a text that is longer than the array.
    """

    is_atomic = is_flat = True
    cost = 5

    def __init__(self, length: Any, *, unicode: bool | None = False) -> None:
        self.length = Length(length)
        self.unicode = unicode
        kind = "TCHAR" if unicode is None else "WCHAR" if unicode else "char"
        super().__init__(f"{kind}[{self.length}]")
        self.least = self.length.least(2 if unicode else 1)

    def store(self, encoder: Encoder, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a {self.name}: expected a str")
        is_wide = encoder.format.unicode if self.unicode is None else self.unicode
        data = encoded(value, encoder, unicode=is_wide)
        length = len(data) >> is_wide
        if self.length.number is not None:
            if length > self.length.number:
                raise ValueError(f"{value!r} is not a {self.name}: it has {length} characters")
            data = data.ljust(self.length.number << is_wide, b"\0")
        else:
            self.length.store(encoder, length, self.name)
        encoder.out += data

    def load(self, decoder: Decoder) -> str:
        is_wide = decoder.format.unicode if self.unicode is None else self.unicode
        size = self.length.load(decoder, 1 + is_wide) << is_wide
        at = decoder.fetch(size, self.name)
        text = decoded(decoder, at, size, unicode=is_wide)
        decoder.at = at + size
        return text if self.length.number is None else text.rstrip("\0")

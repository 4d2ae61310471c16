"""The numbers of the format, by their Windows names, and SIZE, POINT and RECT: little-endian on every platform, unaligned.

`DWORD(5)` is an int with a width, so that `archive << DWORD(5)` says what goes on the wire; a number that does not fit
raises ValueError. An archive loads plain ints, floats and bools. For type checkers the names are int, float, bool
and str, so that a dataclass annotated with them accepts plain numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.wire import Fixed, Wire, travels_as


class PointerSized(Wire[int]):
    """An integer as wide as a pointer of the program: 4 bytes in a 32-bit build (Archive(win32=True)), 8 in a 64-bit one."""

    is_atomic = is_flat = True
    goes_back = False
    least = 4

    def __init__(self, name: str, narrow: str, wide: str) -> None:
        super().__init__(name)
        self._by_build: dict[bool, Fixed[int]] = {
            True: Fixed(name, narrow, "an integer of 32 bits (of a 32-bit program)"),
            False: Fixed(name, wide, "an integer of 64 bits"),
        }
        self.packed = self._by_build[False].packed

    def store(self, encoder: Encoder, value: int) -> None:
        self._by_build[encoder.format.win32].store(encoder, value)

    def load(self, decoder: Decoder) -> int:
        number: int = self._by_build[decoder.format.win32].load(decoder)
        return number


def _new(base: type[Any], wire: Fixed[Any] | PointerSized, doc: str, convert: Any = None) -> Any:
    """A class of `base` whose values fit `wire`."""

    def create(cls: type[Any], value: Any = base(), /) -> Any:  # noqa: B008 - 0, 0.0 or "", as of int, float and str
        if convert is not None:
            value = convert(value)
        wire.packed(value)
        return base.__new__(cls, value)

    def shown(self: Any) -> str:
        return f"{type(self).__name__}({shown_by_base(self)})"

    shown_by_base: Any = base.__repr__
    body = {
        "__slots__": (),
        "__doc__": doc,
        "__new__": create,
        "__repr__": shown,
        "__wire__": wire,
        "__module__": "lifecycle.archive",
    }
    return type(wire.name, (base,), body)


def _integer(name: str, code: str, bits: int, signed: bool, doc: str) -> Any:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return _new(int, Fixed(name, code, f"an integer from {low} to {high}"), f"{doc}: {bits // 8} bytes, {low} to {high}.")


def _code_unit(value: str) -> tuple[int]:
    if not isinstance(value, str) or len(value) != 1 or ord(value) > 0xFFFF:
        raise ValueError(value)
    return (ord(value),)


if TYPE_CHECKING:
    BYTE: TypeAlias = int
    WORD: TypeAlias = int
    DWORD: TypeAlias = int
    UINT: TypeAlias = int
    ULONGLONG: TypeAlias = int
    COLORREF: TypeAlias = int
    CHAR: TypeAlias = int
    SHORT: TypeAlias = int
    INT: TypeAlias = int
    LONG: TypeAlias = int
    LONGLONG: TypeAlias = int
    FLOAT: TypeAlias = float
    DOUBLE: TypeAlias = float
    BOOL: TypeAlias = bool
    BOOLEAN: TypeAlias = bool
    WCHAR: TypeAlias = str
    INT_PTR: TypeAlias = int
    ULONG_PTR: TypeAlias = int
else:
    BYTE = _integer("BYTE", "B", 8, False, "An unsigned byte")
    WORD = _integer("WORD", "H", 16, False, "An unsigned word")
    DWORD = _integer("DWORD", "I", 32, False, "An unsigned double word")
    UINT = _integer("UINT", "I", 32, False, "C++'s unsigned int")
    ULONGLONG = _integer("ULONGLONG", "Q", 64, False, "An unsigned quad word")
    COLORREF = _integer("COLORREF", "I", 32, False, "A colour, 0x00BBGGRR")
    CHAR = _integer("CHAR", "b", 8, True, "C++'s char")
    SHORT = _integer("SHORT", "h", 16, True, "C++'s short")
    INT = _integer("INT", "i", 32, True, "C++'s int")
    LONG = _integer("LONG", "i", 32, True, "C++'s long, which has 32 bits on Windows, also on 64-bit Windows")
    LONGLONG = _integer("LONGLONG", "q", 64, True, "C++'s long long, __int64")
    FLOAT = _new(float, Fixed("FLOAT", "f", "a number that an IEEE-754 single holds"), "An IEEE-754 single: 4 bytes.")
    DOUBLE = _new(float, Fixed("DOUBLE", "d", "a number"), "An IEEE-754 double: 8 bytes.")
    BOOL = _new(
        int,
        Fixed("BOOL", "i", "true or false", spread=lambda value: (bool(value),), gather=bool),
        "Windows' BOOL, an int: 4 bytes, 0 or 1; any other number than 0 loads as True.",
        bool,
    )
    BOOLEAN = _new(
        int,
        Fixed("BOOLEAN", "B", "true or false", spread=lambda value: (bool(value),), gather=bool),
        "C++'s bool: 1 byte, 0 or 1; any other number than 0 loads as True.",
        bool,
    )
    WCHAR = _new(
        str,
        Fixed("WCHAR", "H", "one UTF-16 code unit", spread=_code_unit, gather=chr),
        "C++'s wchar_t: one UTF-16 code unit, 2 bytes.",
    )
    INT_PTR = _new(
        int, PointerSized("INT_PTR", "i", "q"), "A signed integer as wide as a pointer: the result of CArray::GetCount()."
    )
    ULONG_PTR = _new(
        int,
        PointerSized("ULONG_PTR", "I", "Q"),
        "An unsigned integer as wide as a pointer: UINT_PTR, DWORD_PTR, size_t.",
    )


_LONGS = "integers from -2147483648 to 2147483647"


class SIZE(NamedTuple):
    """A size: cx and cy, 8 bytes."""

    cx: int
    cy: int


class POINT(NamedTuple):
    """A point: x and y, 8 bytes."""

    x: int
    y: int


class RECT(NamedTuple):
    """A rectangle: left, top, right and bottom, 16 bytes."""

    left: int
    top: int
    right: int
    bottom: int


travels_as(SIZE, Fixed("SIZE", "ii", _LONGS, spread=tuple, gather=SIZE))
travels_as(POINT, Fixed("POINT", "ii", _LONGS, spread=tuple, gather=POINT))
travels_as(RECT, Fixed("RECT", "iiii", _LONGS, spread=tuple, gather=RECT))

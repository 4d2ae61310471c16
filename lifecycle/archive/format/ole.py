"""OLE amounts and variants: COleCurrency and COleVariant."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from decimal import Decimal
from enum import IntEnum
from sys import getsizeof
from typing import Any, NamedTuple

from lifecycle.archive.errors import GenericError
from lifecycle.archive.format.dates import OleStatus
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.strings import from_wide, wide
from lifecycle.archive.format.wire import Fixed, Wire, travels_as

PARTS = 10000


class COleCurrency(NamedTuple):
    """An amount: ten thousandths of a unit, in 64 bits, and a status (see OleStatus); 12 bytes."""

    units: int
    status: int = OleStatus.VALID

    @classmethod
    def of(cls, amount: Decimal | int) -> COleCurrency:
        """The amount; ValueError if it has more than four decimal places."""
        parts = Decimal(amount) * PARTS
        if parts != parts.to_integral_value():
            raise ValueError(f"{amount} has more than four decimal places")
        return cls(int(parts))

    @property
    def decimal(self) -> Decimal:
        """The amount, exactly; ValueError if the status is not VALID."""
        if self.status != OleStatus.VALID:
            raise ValueError(f"not an amount: the status is {self.status}")
        return Decimal(self.units) / PARTS


def _halves(amount: COleCurrency) -> tuple[int, int, int]:
    return amount.status, amount.units >> 32, amount.units & 0xFFFFFFFF


def _whole(status: int, high: int, low: int) -> COleCurrency:
    return COleCurrency(high << 32 | low, status)


travels_as(
    COleCurrency,
    Fixed("COleCurrency", "iiI", "units, an integer of 64 bits, and a status of 32", spread=_halves, gather=_whole),
)


class VT(IntEnum):
    """The types of value in a variant (VARTYPE)."""

    EMPTY = 0
    NULL = 1
    I2 = 2
    I4 = 3
    R4 = 4
    R8 = 5
    CY = 6
    DATE = 7
    BSTR = 8
    DISPATCH = 9
    ERROR = 10
    BOOL = 11
    UNKNOWN = 13
    I1 = 16
    UI1 = 17
    UI2 = 18
    UI4 = 19
    I8 = 20
    UI8 = 21


_NUMBERS: dict[int, Fixed[Any]] = {
    kind: Fixed(f"VT_{kind.name}", code, fits)
    for kind, code, fits in (
        (VT.I2, "h", "an integer of 16 bits"),
        (VT.I4, "i", "an integer of 32 bits"),
        (VT.R4, "f", "a number that an IEEE-754 single holds"),
        (VT.R8, "d", "a number"),
        (VT.CY, "q", "an integer of 64 bits, ten thousandths"),
        (VT.DATE, "d", "days since 1899-12-30, a number"),
        (VT.ERROR, "i", "an integer of 32 bits"),
        (VT.I1, "b", "an integer of 8 bits"),
        (VT.UI1, "B", "an integer of 8 bits, without a sign"),
        (VT.UI2, "H", "an integer of 16 bits, without a sign"),
        (VT.UI4, "I", "an integer of 32 bits, without a sign"),
        (VT.I8, "q", "an integer of 64 bits"),
        (VT.UI8, "Q", "an integer of 64 bits, without a sign"),
    )
}


def _variant_bool(number: int) -> bool | int:
    return bool(number) if number in (0, -1) else number


_NUMBERS[VT.BOOL] = Fixed(
    "VT_BOOL", "h", "true, false, or an integer of 16 bits",
    spread=lambda value: (-int(value) if isinstance(value, bool) else value,), gather=_variant_bool,
)  # fmt: skip

_OBJECTS = frozenset({VT.DISPATCH, VT.UNKNOWN})


class COleVariant(NamedTuple):
    """A variant: a value and its type.

    value: an int, a float, a bool (VT.BOOL: an int if it is neither VARIANT_TRUE nor VARIANT_FALSE), or for VT.BSTR a str,
    or bytes of odd length; None for every other type, of which MFC stores and loads only the number: VT.EMPTY and
    VT.NULL, arrays and references, VT_INT and VT_DECIMAL. Objects (VT.DISPATCH, VT.UNKNOWN) have a format of their own and are
    refused.
    """

    value: Any = None
    vt: int = VT.EMPTY


VARIANT = 64 + 28 + 9
"""The memory of a variant without its value: the pair, a number for its type, and a place in a list."""


class _VariantWire(Wire[COleVariant]):
    least = 2
    cost = 7
    is_flat = True

    def cost_of(self, values: Sequence[COleVariant]) -> int:
        return sum(getsizeof(each.value) + VARIANT for each in values) >> 4

    def store(self, encoder: Encoder, value: COleVariant) -> None:
        if not isinstance(value, COleVariant):
            raise TypeError(f"{value!r} is not a COleVariant")
        content, vt = value
        number = _NUMBERS.get(vt)
        if number is not None:
            body = number.packed(content)
        elif vt == VT.BSTR and isinstance(content, (str, bytes)):
            data = content if isinstance(content, bytes) else wide(content)
            body = struct.pack("<I", len(data)) + data
        elif 0 <= vt <= 0xFFFF and vt != VT.BSTR and vt not in _OBJECTS and content is None:
            body = b""
        else:
            raise ValueError(f"{value!r} cannot be stored: not a kind of variant, or not a value of that kind")
        encoder.out += struct.pack("<H", vt) + body

    def load(self, decoder: Decoder) -> COleVariant:
        at = decoder.fetch(2, "the kind of a variant")
        (vt,) = struct.unpack_from("<H", decoder.data, at)
        number = _NUMBERS.get(vt)
        if vt in _OBJECTS:
            raise GenericError(decoder.offset, "a kind of variant that has a format", f"the kind {vt}")
        decoder.at = at + 2
        if number is not None:
            return COleVariant(number.load(decoder), VT(vt))
        if vt != VT.BSTR:
            return COleVariant(None, VT(vt) if vt in (VT.EMPTY, VT.NULL) else vt)
        at = decoder.fetch(4, "a BSTR's length")
        (size,) = struct.unpack_from("<I", decoder.data, at)
        at = decoder.fetch(4 + size, f"a BSTR of {size} bytes")
        data = decoder.data[at + 4 : at + 4 + size]
        decoder.at = at + 4 + size
        return COleVariant(bytes(data) if size & 1 else from_wide(data), VT.BSTR)


travels_as(COleVariant, _VariantWire("COleVariant"))

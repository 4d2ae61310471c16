"""Times, dates, amounts and variants as Python's own values, with each status and at the bounds of what they hold."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from said import said_by

from lifecycle.archive import (
    VT,
    Archive,
    COleCurrency,
    COleDateTime,
    COleDateTimeSpan,
    COleVariant,
    CTime,
    CTime32,
    CTime64,
    CTimeSpan,
    CTimeSpan64,
    GenericError,
    OleStatus,
)


def bytes_of(kind: Any, value: Any) -> str:
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive.store(kind, value)
    return file.getvalue().hex()


def loaded(kind: Any, data: str) -> Any:
    with Archive(io.BytesIO(bytes.fromhex(data)), "load") as archive:
        found = archive.load(kind)
        assert archive.is_buffer_empty
        return found


TIMES: list[tuple[Any, int, Any]] = [
    (CTime, 0, "0a000080" + "00" * 8), (CTime, -1, "0a000080" + "ff" * 8),
    (CTime, 1 << 40, "0a000080" + "000000000001" + "0000"),
    (CTime, (1 << 63) - 1, "0a000080" + "ff" * 7 + "7f"), (CTime, 1 << 63, ValueError), (CTime32, 1, "01000000"),
    (CTime32, (1 << 31) - 1, "ffffff7f"), (CTime32, 1 << 31, ValueError), (CTime32, -(1 << 31), "00000080"),
    (CTime32, -(1 << 31) - 1, ValueError), (CTime32, 0x8000000A - (1 << 32), ValueError),
    (CTime32, 0x8000000B - (1 << 32), "0b000080"),
    (CTime64, 1, "01" + "00" * 7), (CTimeSpan, -1, "ffffffff"), (CTimeSpan, (1 << 32) - 1, "ffffffff"),
    (CTimeSpan, 1 << 31, "00000080"),
    (CTimeSpan, (1 << 31) - 1, "ffffff7f"), (CTimeSpan, 1 << 32, ValueError), (CTimeSpan, -(1 << 31) - 1, ValueError),
    (CTimeSpan64, -2, "fe" + "ff" * 7),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "seconds", "data"), TIMES)
def test_the_bytes_of_times_and_spans(kind: Any, seconds: int, data: Any) -> None:
    """Each is stored in its format and loaded as a signed number, or refused where it does not fit."""
    assert said_by(bytes_of, kind, kind(seconds)) == data
    if data is not ValueError:
        found = loaded(kind, data)
        assert (found, type(found)) == (seconds - (1 << 32) if kind is CTimeSpan and seconds >= 1 << 31 else seconds, kind)
        assert repr(found) == f"{kind.__name__}({int(found)})"


def test_both_formats_of_a_time_are_loaded() -> None:
    """CTime and CTime32 take four bytes, or the mark and eight."""
    for kind in (CTime, CTime32):
        assert [loaded(kind, data) for data in ("05000000", "0a0000800600000000000000")] == [5, 6]
        assert [type(loaded(kind, "05000000"))] == [kind]
    for wrong in ("x", None, 1.5):
        with pytest.raises(ValueError, match="is not a CTime: expected seconds since 1970 in 64 bits"):
            bytes_of(CTime, wrong)
        with pytest.raises(ValueError, match="is not a CTime32: expected seconds since 1970 in 32 bits"):
            bytes_of(CTime32, wrong)


def test_times_as_datetimes() -> None:
    """An aware datetime becomes whole seconds of UTC, and back."""
    moment = datetime(2019, 10, 3, 14, 47, 55, 900_000, tzinfo=timezone(timedelta(hours=2)))
    assert CTime.of(moment) == 1_570_106_875
    assert CTime.of(moment).datetime == moment.astimezone(UTC).replace(microsecond=0)
    assert (CTimeSpan(90).timedelta, CTimeSpan64(-1).timedelta) == (timedelta(minutes=1.5), timedelta(seconds=-1))
    assert type(CTime32.of(moment)) is CTime32


@pytest.mark.parametrize(
    ("moment", "days"),
    [
        (datetime(1899, 12, 30), 0.0), (datetime(1899, 12, 31, 12), 1.5), (datetime(1899, 12, 29), -1.0),
        (datetime(1899, 12, 29, 6), -1.25), (datetime(1899, 12, 28, 18), -2.75), (datetime(2000, 1, 1, 6), 36526.25),
    ],
)  # fmt: skip
def test_ole_dates(moment: datetime, days: float) -> None:
    """Whole days count from 1899-12-30 in both directions, and the time of day always forwards."""
    date = COleDateTime.of(moment)
    assert (date, date.datetime) == ((days, OleStatus.VALID), moment)
    assert loaded(COleDateTime, bytes_of(COleDateTime, date)) == date
    assert bytes_of(COleDateTime, COleDateTime(1.0, 2)) == "02000000" + "000000000000f03f"
    assert bytes_of(COleDateTimeSpan, COleDateTimeSpan(1.0, 1)) == "01000000" + "000000000000f03f"


@pytest.mark.parametrize("status", [0, 1, 2, -1, 7])
def test_only_a_valid_status_has_a_value(status: int) -> None:
    """A date, a span and an amount with another status are none."""
    values = [
        said_by(lambda: COleDateTime(1.5, status).datetime),
        said_by(lambda: COleDateTimeSpan(1.5, status).timedelta),
        said_by(lambda: COleCurrency(15000, status).decimal),
    ]
    whole = [datetime(1899, 12, 31, 12), timedelta(days=1.5), Decimal("1.5")]
    assert values == ([ValueError] * 3 if status else whole)


AMOUNTS: list[tuple[Any, int, str]] = [
    (0, 0, "00000000" * 3), (1, 10000, "00000000" + "00000000" + "10270000"),
    (Decimal("0.0001"), 1, "00000000" + "00000000" + "01000000"),
    (Decimal("-0.0001"), -1, "00000000" + "ffffffff" + "ffffffff"), (429497, 4294970000, "00000000" + "01000000" + "900a0000"),
]  # fmt: skip


@pytest.mark.parametrize(("amount", "units", "data"), AMOUNTS)
def test_amounts(amount: Any, units: int, data: str) -> None:
    """An amount has ten thousandths of a unit: the upper half first."""
    found = COleCurrency.of(amount)
    assert (found, found.decimal) == ((units, 0), Decimal(amount))
    assert bytes_of(COleCurrency, found) == data
    assert loaded(COleCurrency, data) == found
    with pytest.raises(ValueError, match="more than four decimal places"):
        COleCurrency.of(Decimal(amount) + Decimal("0.00001"))


VARIANTS: list[tuple[COleVariant, Any]] = [
    (COleVariant(), "0000"), (COleVariant(None, VT.NULL), "0100"), (COleVariant(-2, VT.I2), "0200feff"),
    (COleVariant(7, VT.I4), "030007000000"), (COleVariant(1.5, VT.R4), "04000000c03f"),
    (COleVariant(1.5, VT.R8), "0500" + "000000000000f83f"),
    (COleVariant(5, VT.CY), "0600" + "0500000000000000"), (COleVariant(1.0, VT.DATE), "0700" + "000000000000f03f"),
    (COleVariant("hé", VT.BSTR), "0800" + "04000000" + "6800e900"), (COleVariant("", VT.BSTR), "080000000000"),
    (COleVariant(b"abc", VT.BSTR), "0800" + "03000000" + "616263"), (COleVariant(-1, VT.ERROR), "0a00ffffffff"),
    (COleVariant(True, VT.BOOL), "0b00ffff"), (COleVariant(False, VT.BOOL), "0b000000"), (COleVariant(2, VT.BOOL), "0b000200"),
    (COleVariant(-3, VT.I1), "1000fd"), (COleVariant(255, VT.UI1), "1100ff"), (COleVariant(65535, VT.UI2), "1200ffff"),
    (COleVariant(1, VT.UI4), "130001000000"), (COleVariant(-1, VT.I8), "1400" + "ff" * 8),
    (COleVariant(1, VT.UI8), "150001" + "00" * 7),
    (COleVariant(None, 0x2003), "0320"), (COleVariant(None, 14), "0e00"), (COleVariant(None, 0xFFFF), "ffff"),
    (COleVariant(None, 0x10000), ValueError), (COleVariant(None, -1), ValueError), (COleVariant(1, VT.EMPTY), ValueError),
    (COleVariant(None, VT.BSTR), ValueError), (COleVariant(None, VT.DISPATCH), ValueError),
    (COleVariant(None, VT.UNKNOWN), ValueError),
    (COleVariant(None, VT.I4), ValueError), (COleVariant("x", VT.I4), ValueError), (COleVariant(1, 0x2003), ValueError),
    (COleVariant(1 << 31, VT.I4), ValueError), (COleVariant(5, VT.BSTR), ValueError), (COleVariant("", 0x2008), ValueError),
]  # fmt: skip


@pytest.mark.parametrize(("variant", "data"), VARIANTS, ids=str)
def test_variants(variant: COleVariant, data: Any) -> None:
    """Each kind has its bytes, and comes back as it was; what is not of its kind is refused."""
    said = said_by(bytes_of, COleVariant, variant)
    assert said == data or (data is ValueError and issubclass(said, (ValueError, TypeError)))
    if isinstance(data, str):
        found = loaded(COleVariant, data)
        assert (found, type(found.value), type(found.vt)) == (variant, type(variant.value), type(variant.vt))


def test_what_is_no_variant() -> None:
    """A plain tuple is refused; an object in a variant has a format of its own, and an odd BSTR is bytes."""
    with pytest.raises(TypeError, match="is not a COleVariant"):
        bytes_of(COleVariant, (1, VT.I4))
    for kind in ("0900", "0d00"):
        with pytest.raises(GenericError, match=r"at byte 0: .* found the kind"):
            loaded(COleVariant, kind)
    assert math.isnan(loaded(COleVariant, "0500" + "000000000000f87f").value)

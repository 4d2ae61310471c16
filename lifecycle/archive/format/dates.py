"""Times and dates: CTime in both formats, CTimeSpan, and OLE's dates, which have a status."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.wire import Fixed, Wire, travels_as

WIDE_TIME = 0x8000000A
"""The first four bytes of a time of MFC 8.0 and later; eight bytes of seconds follow."""

OLE_EPOCH = datetime(1899, 12, 30)

_time32 = struct.Struct("<i")
_time64 = struct.Struct("<Iq")


class CTime(int):
    """A time: seconds since 1970 in UTC, as MFC 8.0 and later store it, 12 bytes. The older format, 4 bytes, is loaded too."""

    __slots__ = ()

    @classmethod
    def of(cls, moment: datetime) -> CTime:
        """The time of an aware datetime, in whole seconds; a naive one is taken as local time."""
        return cls(int(moment.timestamp()))

    @property
    def datetime(self) -> datetime:
        """The time as an aware datetime in UTC; OverflowError or ValueError beyond what a datetime holds."""
        return datetime.fromtimestamp(self, UTC)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"


class CTime32(CTime):
    """A time as MFC 7.1 and older store it: 4 bytes. Both formats are loaded."""

    __slots__ = ()


class CTime64(CTime):
    """A time as CTime::Serialize64 stores it: 8 bytes, without a mark."""

    __slots__ = ()


class CTimeSpan(int):
    """A span of time in seconds, 4 bytes; stored up to 4294967295, loaded as a signed number."""

    __slots__ = ()

    @property
    def timedelta(self) -> timedelta:
        """The span as a timedelta."""
        return timedelta(seconds=self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"


class CTimeSpan64(CTimeSpan):
    """A span of time as CTimeSpan::Serialize64 stores it: 8 bytes."""

    __slots__ = ()


class _TimeWire(Wire[CTime]):
    """Stores one of the two formats, and loads both."""

    least = cost = 4
    is_atomic = is_flat = True
    goes_back = False

    def __init__(self, name: str, kind: type[CTime], *, wide: bool) -> None:
        super().__init__(name)
        self.kind = kind
        self.wide = wide

    def store(self, encoder: Encoder, value: CTime) -> None:
        try:
            if not self.wide and value & 0xFFFFFFFF == WIDE_TIME:
                raise ValueError(f"{value!r} is not a {self.name}: its four bytes are the mark of a time in eight")
            encoder.out += _time64.pack(WIDE_TIME, value) if self.wide else _time32.pack(value)
        except (struct.error, TypeError) as error:
            raise ValueError(
                f"{value!r} is not a {self.name}: expected seconds since 1970 in {64 if self.wide else 32} bits"
            ) from error

    def load(self, decoder: Decoder) -> CTime:
        at = decoder.fetch(4, self.name)
        (seconds,) = _time32.unpack_from(decoder.data, at)
        size = 4
        if seconds & 0xFFFFFFFF == WIDE_TIME:
            size = 12
            at = decoder.fetch(size, self.name)
            _, seconds = _time64.unpack_from(decoder.data, at)
        decoder.at = at + size
        return self.kind(seconds)


class OleStatus(IntEnum):
    """The status of a date, a span or an amount of OLE."""

    VALID = 0
    INVALID = 1
    NULL = 2


class COleDateTime(NamedTuple):
    """An OLE date: days since 1899-12-30, and a status (see OleStatus); 12 bytes.

    For a date before that day, the whole days count backwards, but the time of day counts forwards.
    """

    days: float
    status: int = OleStatus.VALID

    @classmethod
    def of(cls, moment: datetime) -> COleDateTime:
        """The date of a naive datetime."""
        span = moment - OLE_EPOCH
        part = (span - timedelta(days=span.days)) / timedelta(days=1)
        return cls(span.days + part if span.days >= 0 else span.days - part)

    @property
    def datetime(self) -> datetime:
        """The date as a naive datetime; ValueError when the status is not VALID, OverflowError beyond what a datetime holds."""
        if self.status != OleStatus.VALID:
            raise ValueError(f"not a date: the status is {self.status}")
        whole = int(self.days)
        return OLE_EPOCH + timedelta(days=whole) + timedelta(days=abs(self.days - whole))


class COleDateTimeSpan(NamedTuple):
    """An OLE time span: days, and a status (see OleStatus); 12 bytes."""

    days: float
    status: int = OleStatus.VALID

    @property
    def timedelta(self) -> timedelta:
        """The span as a timedelta; ValueError when the status is not VALID."""
        if self.status != OleStatus.VALID:
            raise ValueError(f"not a span: the status is {self.status}")
        return timedelta(days=self.days)


_FITS = "days, a number, and a status from -2147483648 to 2147483647"
_SECONDS = "seconds, an integer"

travels_as(CTime, _TimeWire("CTime", CTime, wide=True))
travels_as(CTime32, _TimeWire("CTime32", CTime32, wide=False))
travels_as(CTime64, Fixed("CTime64", "q", _SECONDS, gather=CTime64))
travels_as(
    CTimeSpan,
    Fixed(
        "CTimeSpan", "i", f"{_SECONDS} from -2147483648 to 4294967295",
        spread=lambda span: (span - (1 << 32) if 1 << 31 <= span < 1 << 32 else span,), gather=CTimeSpan,
    ),
)  # fmt: skip
travels_as(CTimeSpan64, Fixed("CTimeSpan64", "q", _SECONDS, gather=CTimeSpan64))
travels_as(
    COleDateTime,
    Fixed("COleDateTime", "id", _FITS, spread=lambda date: (date.status, date.days), gather=lambda s, d: COleDateTime(d, s)),
)
travels_as(
    COleDateTimeSpan,
    Fixed(
        "COleDateTimeSpan",
        "id",
        _FITS,
        spread=lambda span: (span.status, span.days),
        gather=lambda s, d: COleDateTimeSpan(d, s),
    ),
)

"""Windows structures that programs write as a whole: GUID, LOGFONT, LOGPEN, LOGBRUSH, WINDOWPLACEMENT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from lifecycle.archive.format.fields import Chars
from lifecycle.archive.format.scalars import BYTE, COLORREF, LONG, POINT, RECT, UINT, ULONG_PTR
from lifecycle.archive.format.wire import Fixed, travels_as

FACE_SIZE = 32
ZERO, UNSET, EMPTY = POINT(0, 0), POINT(-1, -1), RECT(0, 0, 0, 0)
PLACEMENT_SIZE = 44


class GUID(UUID):
    """A GUID, 16 bytes: a uuid.UUID; the first three parts are little-endian on the wire."""

    __slots__ = ()

    @classmethod
    def of(cls, identifier: UUID) -> GUID:
        """The GUID of a uuid.UUID."""
        return cls(int=identifier.int)


_guid = Fixed(
    "GUID", "16s", "a uuid.UUID", spread=lambda guid: (guid.bytes_le,), gather=lambda data: GUID(bytes_le=data), items=1
)
_guid.memory, _guid.cost = 108, 7  # with the number in it
travels_as(GUID, _guid)


@dataclass
class _Font:
    height: LONG = 0
    width: LONG = 0
    escapement: LONG = 0
    orientation: LONG = 0
    weight: LONG = 400
    italic: BYTE = 0
    underline: BYTE = 0
    strike_out: BYTE = 0
    char_set: BYTE = 1
    out_precision: BYTE = 0
    clip_precision: BYTE = 0
    quality: BYTE = 0
    pitch_and_family: BYTE = 0


@dataclass
class LOGFONT(_Font):
    """A font: 60 bytes in an ANSI program, 92 in a Unicode one, as the archive's `unicode` says."""

    face_name: Annotated[str, Chars(FACE_SIZE, unicode=None)] = ""


@dataclass
class LOGFONTA(_Font):
    """A font of an ANSI program: 60 bytes."""

    face_name: Annotated[str, Chars(FACE_SIZE)] = ""


@dataclass
class LOGFONTW(_Font):
    """A font of a Unicode program: 92 bytes."""

    face_name: Annotated[str, Chars(FACE_SIZE, unicode=True)] = ""


@dataclass
class LOGPEN:
    """A pen: style, width (its y is not used) and colour; 16 bytes."""

    style: UINT = 0
    width: POINT = ZERO
    color: COLORREF = 0


@dataclass
class LOGBRUSH:
    """A brush: style, colour and hatch; 12 bytes in a 32-bit program (Archive(win32=True)), 16 in a 64-bit one."""

    style: UINT = 0
    color: COLORREF = 0
    hatch: ULONG_PTR = 0


@dataclass
class WINDOWPLACEMENT:
    """The position of a window, also when minimized and maximized; 44 bytes."""

    length: UINT = PLACEMENT_SIZE
    flags: UINT = 0
    show: UINT = 1
    min_position: POINT = UNSET
    max_position: POINT = UNSET
    normal_position: RECT = EMPTY

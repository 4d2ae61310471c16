"""Classes for tests of how archives fail and go on: records within records, pointers, and a method of several versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lifecycle.archive import BYTE, DWORD, WORD, Archive, CArray, CObArray, CString, Registry, serializable

CLASSES = Registry()


@serializable("CSpot", registry=CLASSES)
@dataclass
class Spot:
    x: WORD = 0
    y: WORD = 0


@serializable("CSign", registry=CLASSES)
@dataclass
class Sign:
    """A record with a record by value, and pointers."""

    at: Spot = field(default_factory=Spot)
    text: CString = ""
    spot: Spot | None = None
    next: Sign | None = None
    names: CArray[CString] = field(default_factory=list)


@serializable("CTiny", registry=CLASSES)
@dataclass
class Tiny:
    value: BYTE = 0


@serializable("CBoard", schema=2, versionable=True, registry=CLASSES)
class Board:
    """A class with a method, of several versions."""

    runs = 0

    def __init__(self, number: int = 0, signs: list[Any] | None = None) -> None:
        self.number = number
        self.signs = CObArray(signs or [])
        self.schemas: list[int] = []

    def serialize(self, archive: Archive) -> None:
        Board.runs += 1
        if archive.is_storing:
            archive << DWORD(self.number) << self.signs
        else:
            self.number = archive >> DWORD
            self.signs = archive.read_object(CObArray) or CObArray()
            self.schemas.append(archive.get_object_schema())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Board) and (self.number, self.signs) == (other.number, other.signs)

    __hash__ = None  # type: ignore[assignment]


SPOT = Spot(7, 8)
SIGN = Sign(Spot(1, 2), "a sign", SPOT, Sign(Spot(3, 4), "x" * 300, SPOT), ["one", "two"])
BOARD = Board(5, [SPOT, SIGN, SPOT, None, Spot(9, 9), Spot(8, 8), SIGN])

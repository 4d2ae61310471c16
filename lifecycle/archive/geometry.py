"""SIZE, POINT and RECT: the structures that travel as they lie in memory, LONG after LONG."""

from __future__ import annotations

from typing import NamedTuple

from lifecycle.archive.wire import Fixed, travels_as

_FITS = "integers from -2147483648 to 2147483647"


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


travels_as(SIZE, Fixed("SIZE", "ii", _FITS, spread=tuple, gather=SIZE))
travels_as(POINT, Fixed("POINT", "ii", _FITS, spread=tuple, gather=POINT))
travels_as(RECT, Fixed("RECT", "iiii", _FITS, spread=tuple, gather=RECT))

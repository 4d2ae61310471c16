"""The six events of CAsyncSocket: numbers and callbacks. The tables say when they may be delivered, and what enables them.

Winsock (WSAAsyncSelect): an event is delivered once, and again only after the call that enables it again, even a failed one.
READ, OOB and ACCEPT are levels: they are delivered again then if there still is something. WRITE is an edge: it is delivered
when the connection is made, and then when there is room after a send that would have blocked. CONNECT and CLOSE come once.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from functools import cache
from types import MappingProxyType

from lifecycle.engine import Role


class Events(IntFlag):
    """Which notifications an object gets; the numbers are Winsock's FD_READ to FD_CLOSE."""

    READ = 1
    WRITE = 2
    OOB = 4
    ACCEPT = 8
    CONNECT = 16
    CLOSE = 32
    ALL = 63


CALLBACKS: Mapping[Events, str] = MappingProxyType(
    {
        Events.READ: "on_receive",
        Events.WRITE: "on_send",
        Events.OOB: "on_out_of_band_data",
        Events.ACCEPT: "on_accept",
        Events.CONNECT: "on_connect",
        Events.CLOSE: "on_close",
    }
)

WITH_AN_ERROR = Events.CONNECT | Events.CLOSE
"""The events whose callback gets the result: an error number of the system, or 0."""

LEVELS = Events.READ | Events.OOB | Events.ACCEPT


@cache
def announced(role: Role, state: str) -> Events:
    """The events that may be delivered in a state, as the table says (Call.announced_by)."""
    return named(tuple(role.events(state)))


@cache
def named(names: tuple[str, ...]) -> Events:
    """The events of these names, as in Call.enables."""
    return Events(sum(Events[name.upper()] for name in names))


def checked_mask(mask: int) -> Events:
    """The events of a mask; TypeError for what is not an int, ValueError for bits that are not events."""
    if not isinstance(mask, int) or isinstance(mask, bool):
        raise TypeError(f"a mask is an int, as Events.READ | Events.CLOSE is, not {type(mask).__name__}")
    if mask & ~int(Events.ALL):
        raise ValueError(f"{mask} has bits that are not events; Events.ALL is {int(Events.ALL)}")
    return Events(mask)

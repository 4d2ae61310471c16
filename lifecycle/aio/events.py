"""The six events of CAsyncSocket as data: their numbers, their callbacks, what lets each be told again.

Winsock (WSAAsyncSelect): an event is told once, and again only after the call that enables it again, even a failed one.
READ, OOB and ACCEPT are levels: they are told again then if there still is something. WRITE is an edge: it is told when the
connection is made, and then when there is room after a send that would have blocked. CONNECT and CLOSE are told once.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from types import MappingProxyType

from lifecycle.roles.stream import DATA_PHASE


class Events(IntFlag):
    """Which notifications an object is told of; the numbers are Winsock's FD_READ to FD_CLOSE."""

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
"""The events whose callback is told how it came out, by an error number of the system; 0 for well."""

LEVELS = Events.READ | Events.OOB | Events.ACCEPT

TOLD_WHILE: Mapping[Events, tuple[str, ...]] = MappingProxyType(
    {
        Events.READ: ("receive",),
        Events.WRITE: ("send", "send_to"),
        Events.OOB: ("io_ctl",),
        Events.ACCEPT: ("accept",),
        Events.CONNECT: ("finish_connect",),
        Events.CLOSE: ("receive",),
    }
)
"""event -> the calls one of which is legal while it may be told"""

ENABLED_BY: Mapping[str, Events] = MappingProxyType(
    {
        "receive": Events.READ | Events.OOB,
        "receive_from": Events.READ | Events.OOB,
        "accept": Events.ACCEPT,
    }
)
"""call -> the events that it enables again, however it ends"""

SENDS = ("send", "send_to")
"""The calls that enable WRITE again where there was no room."""

GETS_AN_ADDRESS = ("create", "bind")
"""The calls that enable WRITE where messages can be sent then."""

GETS_A_CONNECTION = ("connect", "finish_connect", "accepted", "attach")
"""The calls that enable CONNECT while a connect is under way, and WRITE once it has come out well."""

STATES_AT_THE_END = frozenset(state.name for state in DATA_PHASE if state.facts.is_at_end)
"""The states in which the end of the connection was seen: CLOSE is due."""


def checked_mask(mask: int) -> Events:
    """The events of a mask; TypeError for what is no int, ValueError for bits that are no event."""
    if not isinstance(mask, int) or isinstance(mask, bool):
        raise TypeError(f"a mask is an int, as Events.READ | Events.CLOSE is, not {type(mask).__name__}")
    if mask & ~int(Events.ALL):
        raise ValueError(f"{mask} has bits that are no event; Events.ALL is {int(Events.ALL)}")
    return Events(mask)

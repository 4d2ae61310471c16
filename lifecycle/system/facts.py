"""The facts of a socket: what it has and what each direction still does. A state of a role is a point in these facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Link(Enum):
    """How a socket stands to others."""

    NO = "no"
    SEEKING = "seeking"
    LISTENING = "listening"
    YES = "yes"
    PEER = "peer"
    RESET = "reset"


class Receives(Enum):
    """What receiving gives: ended on this side, data, or the end of the stream."""

    OFF = "off"
    OPEN = "open"
    EOF = "eof"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a socket; `over` of one that was closed or handed out."""

    handle: bool = False
    address: bool = False
    link: Link = Link.NO
    sends: bool = False
    receives: Receives = Receives.OFF
    over: bool = False


NAMES = {
    Facts(handle=True): "open",
    Facts(handle=True, address=True): "bound",
    Facts(True, True, Link.SEEKING): "connecting",
    Facts(True, True, Link.LISTENING): "listening",
    Facts(True, True, Link.YES, True, Receives.OPEN): "connected",
    Facts(True, True, Link.PEER, True, Receives.OPEN): "connected",
    Facts(True, True, Link.YES, True, Receives.EOF): "peer_closed",
    Facts(True, True, Link.YES, True, Receives.OFF): "receive_shut",
    Facts(True, True, Link.YES, False, Receives.OPEN): "send_shut",
    Facts(True, True, Link.YES, False, Receives.EOF): "ended",
    Facts(True, True, Link.YES, False, Receives.OFF): "shut",
    Facts(True, True, Link.RESET): "broken",
}

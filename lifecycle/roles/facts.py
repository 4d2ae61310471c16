"""The facts of a socket, of which its states consist.

Every state of the socket roles is a combination of seven facts, and its name stands for that combination. A stream's
half-closed states are the product of its two halves: whether this side may still send, and whether more can still be received.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from lifecycle.engine import Change, becomes, to


class Link(StrEnum):
    """What a socket is linked to."""

    NO = "no"
    LISTENING = "listening"
    SEEKING = "seeking"  # a connect is under way
    YES = "yes"  # a connection
    PEER = "peer"  # a datagram socket whose peer is set
    RESET = "reset"  # a connection that was reset


class Receives(StrEnum):
    """Whether data can be received."""

    OFF = "off"  # nothing yet, or receives were ended here
    OPEN = "open"
    EOF = "eof"  # the end of the peer's stream was seen


class Tls(StrEnum):
    """The phase of TLS on a connection."""

    NO = "no"  # data is sent and received as plain text
    HANDSHAKE = "handshake"  # it is under way
    ON = "on"  # `sends` and `receives` are about close_notify, and no longer about the FIN
    CUT = "cut"  # the connection ended without the peer's close_notify


@dataclass(frozen=True, slots=True)
class Facts:
    """The object holds a socket, which has an address, is linked, sends, receives, has TLS; or it is closed."""

    handle: bool = False
    address: bool = False
    link: Link = Link.NO
    sends: bool = False
    receives: Receives = Receives.OFF
    over: bool = False
    tls: Tls = Tls.NO

    @property
    def is_plain(self) -> bool:
        """Whether there is no TLS."""
        return self.tls is Tls.NO

    @property
    def is_secured(self) -> bool:
        """Whether TLS is active, in one direction or both."""
        return self.tls is Tls.ON

    @property
    def is_linked(self) -> bool:
        """Whether there is a connection that was not reset."""
        return self.link is Link.YES

    @property
    def is_finished(self) -> bool:
        """Whether both sides have ended their streams."""
        return self.is_linked and not self.sends and self.receives is Receives.EOF

    @property
    def is_at_end(self) -> bool:
        """Whether the connection's end was seen: the end of the peer's stream, or a reset."""
        return self.receives is Receives.EOF or self.link is Link.RESET

    @property
    def hears(self) -> bool:
        """Whether messages or data may still arrive and be received."""
        return self.receives is Receives.OPEN or self == BOUND


NEW = Facts()
OPEN = Facts(handle=True)
BOUND = Facts(handle=True, address=True)
LISTENING = replace(BOUND, link=Link.LISTENING)
SEEKING = replace(BOUND, link=Link.SEEKING)
LINKED = Facts(True, True, Link.YES, sends=True, receives=Receives.OPEN)
BROKEN = replace(BOUND, link=Link.RESET)
PEER = replace(LINKED, link=Link.PEER)
OVER = Facts(over=True)

# -- where rules hold ---------------------------------------------------------------------------------------------------


def is_new(at: Facts) -> bool:
    """The object has not begun: it never had a socket."""
    return at == NEW


def has_handle(at: Facts) -> bool:
    """The object holds a socket."""
    return at.handle


def can_be_handed_out(at: Facts) -> bool:
    """The object holds a socket without TLS: a descriptor carries no keys."""
    return at.handle and at.is_plain


def has_address(at: Facts) -> bool:
    """The socket has a local address."""
    return at.address


def is_unlinked(at: Facts) -> bool:
    """The socket is linked to nothing yet."""
    return at.handle and at.link is Link.NO


# -- what outcomes change -----------------------------------------------------------------------------------------------

addressed = to(address=True)
ends = becomes(OVER)
resets = becomes(BROKEN)
links = becomes(LINKED)
secures = becomes(replace(LINKED, tls=Tls.ON))
shakes_hands = becomes(replace(LINKED, sends=False, receives=Receives.OFF, tls=Tls.HANDSHAKE))
cuts = becomes(replace(LINKED, sends=False, receives=Receives.EOF, tls=Tls.CUT))
seeks = to(address=True, link=Link.SEEKING)


SHUT_DOWN_CHANGES: dict[str, Change] = {
    "sends": to(sends=False),
    "receives": to(receives=Receives.OFF),
    "both": to(sends=False, receives=Receives.OFF),
}
"""The directions that shut_down() ends, by the outcome that its argument chooses"""

"""The surroundings of the data phase, which a client and an accepted connection share, and how each comes to it."""

from __future__ import annotations

import socket

from lifecycle.conformance.model.environment import (
    ALL,
    Environment,
    Follows,
    Place,
    Provocation,
    Under,
    ends,
    failing,
    peer,
    plainly,
    waits,
)
from lifecycle.conformance.vocabulary.handles import MESSAGE, RECEIVE_SIZE, attaching, creation, endings, options

LISTENER, NOBODY, SILENCE, ELSEWHERE = (
    Place("the listener"),
    Place("nobody"),
    Place("silence"),
    Place("another family"),
)
FLOOD = Place("a flood")

BROKEN_BEFORE_END = ends("broken", where="told")
"""Once a reset was told it is told again; until then Linux shows the end of a stream that had ended before."""

RECEIVE = (
    ends("ok", where="data", drops="data", gives=MESSAGE),
    BROKEN_BEFORE_END,
    ends("eof", where="end", gives=b""),
    ends("broken", where="reset", adds="told"),
)
SENT = (
    ends("ok", where="gone", unless="reset", adds="reset", gives=ALL),
    ends("ok", adds="sent", gives=ALL),
)
RESET = ends("broken", where="reset", adds="told")
OVER = (ends("failed", where="reset"), ends("failed", where="over"))


def _receiving(call: str) -> tuple[Provocation, ...]:
    return (
        *waits(call, RECEIVE_SIZE, endings=RECEIVE),
        plainly(call, 0, how="nothing", gives=b""),
        failing(call, 1, socket.MSG_OOB, how="out of band"),
    )


def _sending(call: str) -> tuple[Provocation, ...]:
    return (
        *waits(call, MESSAGE, endings=(RESET,), where="full", cancellable=True, otherwise=SENT),
        *waits(call, FLOOD, how="a flood", endings=(RESET,), adds="full", unless="gone", cancellable=True, costly=True),
    )


def _shut_down(how: str, adds: str) -> Provocation:
    return Provocation("shut_down", how, (how,), Under.AT_ONCE, (*OVER, ends(how, adds=adds)))


DATA_PHASE = (
    *_sending("send"),
    *_receiving("receive"),
    *_sending("send_to"),
    *_receiving("receive_from"),
    _shut_down("sends", "mute"),
    _shut_down("receives", "deaf"),
    _shut_down("both", "mute deaf"),
    plainly("socket_file"),
    plainly("get_sock_name"),
    Provocation("get_peer_name", "", (), Under.AT_ONCE, (*OVER, ends("ok"))),
    Provocation("io_ctl", "", (), Under.AT_ONCE, (ends("ok", where="data", gives=len(MESSAGE)), ends("ok", gives=0))),
    *options(),
    *endings(),
)

PEER = (
    peer("peer_sends", where="linked", unless="data end reset deaf gone full", adds="data"),
    peer("peer_ends", where="linked", unless="end reset full", adds="end"),
    peer("peer_resets", where="linked", unless="reset over gone", adds="reset"),
    peer("peer_reads", where="sent", unless="reset full gone", drops="sent"),
    peer("peer_reads_the_end", where="mute linked", unless="reset full gone", drops="sent"),
)

FOLLOWS = (Follows("over", frozenset({"end", "mute"}), unless=frozenset({"full"})),)

HANDLES = {
    "connected": "linked",
    "send_shut": "linked mute",
    "receive_shut": "linked deaf",
    "peer_closed": "linked end",
    "ended": "linked mute end over",
    "shut": "linked mute deaf",
    "broken": "linked reset told",
}

CLIENT = Environment(
    provocations=(
        *creation(),
        Provocation("connect", "", (LISTENER,), Under.AT_ONCE, (ends("pending", adds="answered"),)),
        Provocation("connect", "", (LISTENER,), Under.PATIENTLY, (ends("ok", adds="linked", drops="spurned"),)),
        Provocation("connect", "to nobody", (NOBODY,), Under.PATIENTLY, (ends("refused", adds="spurned"),)),
        Provocation("connect", "to nobody", (NOBODY,), Under.AT_ONCE, (ends("pending", adds="turned_down"),)),
        *waits("connect", SILENCE, how="to silence", endings=(), adds="unanswered"),
        failing("connect", ELSEWHERE, how="elsewhere"),
        *waits(
            "finish_connect",
            endings=(
                ends("ok", where="answered", adds="linked", drops="answered spurned"),
                ends("refused", where="turned_down", drops="turned_down", adds="spurned"),
            ),
        ),
        *attaching({"open": "", "bound": "", "connecting": "unanswered", **HANDLES}),
        plainly("listen"),
        plainly("accept"),
        *DATA_PHASE,
    ),
    peer_actions=PEER,
    follows=FOLLOWS,
)

ACCEPTED = Environment(
    provocations=(
        *creation(),
        plainly("accepted", adds="linked"),
        *attaching(HANDLES),
        plainly("connect", LISTENER),
        plainly("finish_connect"),
        plainly("listen"),
        plainly("accept"),
        *DATA_PHASE,
    ),
    peer_actions=PEER,
    follows=FOLLOWS,
)

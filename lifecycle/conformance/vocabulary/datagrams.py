"""The surroundings of a datagram socket: one peer, which sends, goes away and comes back."""

from __future__ import annotations

from lifecycle.conformance.model.environment import (
    ALL,
    Environment,
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

PEER, EVERYBODY = Place("the peer"), Place("everybody")
TOO_LONG = bytes(65508)  # for a datagram over IPv4

RECEIVE = (
    ends("refused", where="refusal", drops="refusal"),
    ends("ok", where="data", drops="data", gives=MESSAGE),
)
SEND = (
    ends("refused", where="refusal", drops="refusal"),
    ends("ok", where="gone", adds="refusal", gives=ALL),
    ends("ok", adds="sent", gives=ALL),
)
SEND_TO = (ends("ok", where="gone", adds="addressed"), ends("ok", adds="addressed sent", gives=ALL))


def _receiving(call: str) -> tuple[Provocation, ...]:
    return waits(call, RECEIVE_SIZE, endings=RECEIVE, cancellable=True)


DATAGRAM = Environment(
    provocations=(
        *creation(),
        *attaching({"open": "", "bound": "addressed", "connected": "addressed linked"}),
        plainly("connect", PEER, adds="linked addressed"),
        failing("connect", EVERYBODY, how="to everybody", adds="addressed"),
        plainly("disconnect", drops="linked refusal"),
        Provocation("send", "", (MESSAGE,), Under.AT_ONCE, SEND),
        failing("send", TOO_LONG, how="too much"),
        Provocation("send_to", "", (MESSAGE, PEER), Under.AT_ONCE, SEND_TO),
        failing("send_to", TOO_LONG, PEER, how="too much", adds="addressed"),
        *_receiving("receive"),
        *_receiving("receive_from"),
        Provocation("shut_down", "sends", ("sends",), Under.AT_ONCE, (ends("sends", adds="mute"),)),
        Provocation("shut_down", "receives", ("receives",), Under.AT_ONCE, (ends("receives", adds="deaf"),)),
        Provocation("shut_down", "both", ("both",), Under.AT_ONCE, (ends("both", adds="mute deaf"),)),
        plainly("get_sock_name"),
        plainly("get_peer_name"),
        Provocation("io_ctl", "", (), Under.AT_ONCE, (ends("ok", where="data", gives=len(MESSAGE)), ends("ok", gives=0))),
        plainly("listen"),
        plainly("accept"),
        plainly("finish_connect"),
        plainly("socket_file"),
        *options(),
        *endings(),
    ),
    peer_actions=(
        peer("peer_sends", where="addressed", unless="data deaf gone", adds="data"),
        peer("peer_reads", where="sent", unless="gone", drops="sent"),
        peer("peer_leaves", where="addressed", unless="gone", adds="gone", drops="sent"),
        peer("peer_returns", where="gone", drops="gone"),
    ),
)

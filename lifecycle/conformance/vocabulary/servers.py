"""The surroundings of a server: who connects to it, and who takes its port."""

from __future__ import annotations

from lifecycle.conformance.model.environment import Environment, Provocation, Under, ends, peer, plainly, waits
from lifecycle.conformance.vocabulary.handles import MESSAGE, RECEIVE_SIZE, attaching, creation, endings, options
from lifecycle.conformance.vocabulary.streams import LISTENER

SERVER = Environment(
    provocations=(
        *creation(),
        *attaching({"open": "", "bound": "addressed", "listening": "addressed listening"}),
        Provocation("listen", "", (), Under.AT_ONCE, (ends("failed", where="taken"), ends("ok", adds="listening"))),
        *waits("accept", endings=(ends("ok", where="waiting", drops="waiting"),)),
        Provocation("accept", "", (), Under.SCARCE, (ends("failed"),)),
        plainly("connect", LISTENER),
        plainly("finish_connect"),
        plainly("send", MESSAGE),
        plainly("receive", RECEIVE_SIZE),
        plainly("send_to", MESSAGE),
        plainly("receive_from", RECEIVE_SIZE),
        plainly("shut_down", "sends", how="sends"),
        plainly("get_sock_name"),
        plainly("get_peer_name"),
        plainly("io_ctl"),
        plainly("socket_file"),
        *options(),
        *endings(),
    ),
    peer_actions=(
        peer("peer_connects", where="listening", unless="waiting", adds="waiting"),
        peer("rival_listens", where="addressed", unless="listening taken", adds="taken"),
        peer("rival_leaves", where="taken", drops="taken"),
    ),
)

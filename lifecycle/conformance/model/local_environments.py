"""The environments of sockets over a path (AF_UNIX): those over IP, except for the differences listed in docs/unix.md.

The differences on Linux: a connect has its result at once; a connection keeps its addresses after its end; a close over what
was not read resets the connection, and a reset is reported before an end; a datagram's send waits while its peer's queue is
full (`full`), and one that finds the peer gone drops what came from it (unix_dgram_disconnected()); descriptors pass. Facts
that a handle does not show (sends that were shut down), and TLS, are tried over IP only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from lifecycle.conformance.model.environment import (
    ALL,
    Environment,
    Handle,
    PeerAction,
    Provocation,
    Under,
    ends,
    failing,
    peer,
    waits,
)
from lifecycle.conformance.model.environments import (
    ENVIRONMENTS,
    LISTENER,
    MESSAGE,
    NOBODY,
    PEER,
    RECEIVE_SIZE,
    REFUSED,
    RESET,
    SENT,
    SILENCE,
)
from lifecycle.conformance.model.tls_environment import TLS_PEER
from lifecycle.roles import ACCEPTED, CLIENT, DATAGRAM, ROLES, SERVER, facts, tls, words

SHOWN_BY_A_HANDLE = (facts.OPEN, facts.BOUND, facts.LISTENING, facts.LINKED, facts.PEER)
"""the states in which a handle is found as it is"""

TOO_LONG = bytes(1 << 20)

CAME = ends("ok", where="data", drops="data", gives=MESSAGE)
ENDS = ends("eof", where="end", unless="reset", gives=b"")
RECEIVE = (
    CAME,
    ends("broken", where="reset_reported"),
    ENDS,
    ends("broken", where="reset", unless="end", adds="reset_reported"),
)
RECEIVE_HANDLES = (CAME, ends("broken", where="reset_reported"), ENDS, RESET)
NO_END_YET = "end reset"
"""facts that must not hold if a receive is to wait"""

STREAM_CALLS = (
    *waits(words.RECEIVE.name, RECEIVE_SIZE, endings=RECEIVE, unless=NO_END_YET),
    *waits(words.RECEIVE_FROM.name, RECEIVE_SIZE, endings=RECEIVE, unless=NO_END_YET),
    *waits(words.RECEIVE_HANDLES.name, RECEIVE_SIZE, endings=RECEIVE_HANDLES, unless=NO_END_YET),
    *waits(words.SEND_HANDLES.name, MESSAGE, (0,), endings=(RESET,), where="full", cancelled="failed", otherwise=SENT),
    failing(words.SEND_HANDLES.name, MESSAGE, (-1,), how="of none"),
)  # fmt: skip
STREAM_PEER = (peer("peer_resets", where="linked sent", unless="reset", adds="reset", drops="sent"),)

CONNECT = (
    Provocation(words.CONNECT.name, "", (LISTENER,), Under.AT_ONCE, (ends("ok"),)),
    Provocation(words.CONNECT.name, "to nobody", (NOBODY,), Under.AT_ONCE, (ends("refused"),)),
    *waits(words.CONNECT.name, SILENCE, how="to silence", endings=(), adds="unanswered", cancelled="interrupted"),
    *waits(words.FINISH_CONNECT.name, endings=(), where="unanswered", cancelled="interrupted"),
)

SENT_MESSAGE = (REFUSED, ends("failed", where="forgotten"), ends("refused", where="gone", adds="forgotten", drops="data"))
MESSAGE_SENT = (ends("ok", adds="sent", gives=ALL),)
ARRIVED = (REFUSED, CAME)
MESSAGES = (
    *waits(words.SEND.name, MESSAGE, endings=SENT_MESSAGE, where="full", cancelled="failed", otherwise=MESSAGE_SENT),
    *waits(words.SEND_HANDLES.name, MESSAGE, (0,), endings=SENT_MESSAGE, where="full", cancelled="failed",
           otherwise=MESSAGE_SENT),
    *waits(words.SEND_TO.name, MESSAGE, PEER, endings=(REFUSED, ends("failed", where="gone")), where="full",
           cancelled="failed", otherwise=MESSAGE_SENT),
    *waits(words.RECEIVE_HANDLES.name, RECEIVE_SIZE, endings=ARRIVED, cancelled="failed"),
    failing(words.SEND.name, TOO_LONG, how="too much"),
    failing(words.SEND_TO.name, TOO_LONG, PEER, how="too much"),
    failing(words.CONNECT.name, NOBODY, how="to nobody"),
)  # fmt: skip

SHOWS_NO_END = (words.SHUT_DOWN.name, words.GET_PEER_NAME.name)
"""calls that succeed on a local connection regardless of the peer's actions"""


def _local(
    role: str, own: tuple[Provocation, ...], peers: tuple[PeerAction, ...], *, without: tuple[str, ...] = ()
) -> Environment:
    """The environment of a role over a path. own: replaces the provocations of the same name. without: peer actions."""
    over_ip = ENVIRONMENTS[role]
    left_out = (*tls.CALLS.split(), *(each.call for each in own if each.call in REPLACED))
    labels = {each.label for each in own}
    kept: list[Provocation] = []
    for each in over_ip.provocations:
        handle = next((argument for argument in each.arguments if isinstance(argument, Handle)), None)
        if (
            each.call in left_out
            or each.label in labels
            or (handle and handle.state and ROLES[role].state(handle.state).facts not in SHOWN_BY_A_HANDLE)
        ):
            continue
        endings = tuple(ending for ending in each.endings if each.call not in SHOWS_NO_END or ending.outcome != "failed")
        kept.append(replace(each, endings=endings))
    names = {each.name for each in (*peers, *TLS_PEER)}.union(without)
    actions = tuple(each for each in over_ip.peer_actions if each.name not in names)
    return Environment((*own, *kept), (*actions, *peers), words_of=over_ip.words_of)


REPLACED = frozenset(
    {words.SEND_HANDLES.name, words.RECEIVE_HANDLES.name, words.FINISH_CONNECT.name, words.SEND_TO.name, words.CONNECT.name}
)
"""calls whose provocations over IP are all replaced if there is one over a path"""

DATAGRAM_PEER = (
    peer("peer_fills", where="addressed", unless="gone full sent", adds="full"),
    peer("peer_reads", where="sent", unless="gone full", drops="sent"),
    peer("peer_turns_away", where="linked sent", unless="gone refusal", adds="refusal", drops="sent"),
)
KNOWS_ITS_PEER = (
    Provocation(words.CONNECT.name, "", (PEER,), Under.AT_ONCE, (ends("failed", where="gone"), ends("ok", drops="forgotten"))),
    Provocation(words.DISCONNECT.name, "", (), Under.AT_ONCE, (ends("ok", drops="refusal forgotten"),)),
    Provocation(words.GET_PEER_NAME.name, "", (), Under.AT_ONCE, (ends("ok", unless="forgotten gone"),)),
)

LOCAL_ENVIRONMENTS: Mapping[str, Environment] = MappingProxyType(
    {
        SERVER.name: _local(SERVER.name, (), (), without=("rival_listens", "rival_leaves")),
        CLIENT.name: _local(CLIENT.name, (*CONNECT, *STREAM_CALLS), STREAM_PEER),
        ACCEPTED.name: _local(ACCEPTED.name, STREAM_CALLS, STREAM_PEER),
        DATAGRAM.name: _local(DATAGRAM.name, (*KNOWS_ITS_PEER, *MESSAGES), DATAGRAM_PEER, without=("peer_returns",)),
    }
)
"""role -> its environment over a path"""

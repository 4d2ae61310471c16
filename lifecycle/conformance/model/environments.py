"""The environments of the package's roles, as data: how each call is provoked, and the actions of peers.

Facts of the state of a socket (socket_words()): `handle`, `addressed`, `listening`, `seeking` (a connect is under way),
`linked` (there is a connection, or a peer is set), `send_ended` and `receive_ended` (shut down here), `end_seen`,
`reset_reported`, `over`. Facts of a stream that peers and calls cause: `data` (something has arrived), `end` (the peer has
ended its stream), `reset` (the connection was reset), `full` (nothing more can be sent), `sent` (the peer has something to
read), `gone` (the peer accepts no more data), and `both_ended`, which follows; of a connect that is under way `answered`,
`refused` or `unanswered`, and `refused_before` (an earlier one was). Of a server: `waiting` (a connection is queued), `taken`
(another socket listens on its port). Of datagrams: `data`, `refusal` (an earlier message found no receiver), `gone`.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from lifecycle import roles
from lifecycle.conformance.model.archive_environment import ARCHIVE
from lifecycle.conformance.model.environment import (
    ALL,
    Ending,
    Environment,
    Facts,
    Follows,
    Handle,
    Place,
    Provocation,
    Under,
    ends,
    failing,
    peer,
    plainly,
    waits,
)
from lifecycle.conformance.model.tls_environment import CUT, ENDED, TLS_CALLS, TLS_PEER, tls_words
from lifecycle.engine import Role
from lifecycle.roles.facts import Facts as SocketFacts
from lifecycle.roles.facts import Link, Receives
from lifecycle.roles.words import ATTACH, SHUT_DOWN, SHUT_DOWN_CHOICES

MESSAGE = b"message"
RECEIVE_SIZE = 65536
NO_OPTION = 9999
BUFFER = 8192
TOO_LONG = bytes(65508)  # for a datagram over IPv4

ANY_PORT, TAKEN = Place("any port"), Place("the taken port")
LISTENER, NOBODY, SILENCE = Place("the listener"), Place("nobody"), Place("silence")
ELSEWHERE, EVERYBODY, PEER = Place("another family"), Place("everybody"), Place("the peer")
FLOOD = Place("a flood")
CONNECTION, NO_CONNECTION = Place("a connection"), Place("no connection")

# -- every role with a socket ------------------------------------------------------------------------------------------------


def socket_words(at: SocketFacts) -> Facts:
    """The facts of a socket's state, as words."""
    is_connected = at.link in (Link.YES, Link.PEER)
    says = {
        "handle": at.handle,
        "addressed": at.address,
        "listening": at.link is Link.LISTENING,
        "seeking": at.link is Link.SEEKING,
        "linked": is_connected or at.link is Link.RESET,
        "send_ended": is_connected and at.is_plain and not at.sends,
        "receive_ended": is_connected and at.is_plain and at.receives is Receives.OFF,
        "end_seen": at.is_plain and at.receives is Receives.EOF,
        "reset_reported": at.link is Link.RESET,
        "over": at.over,
    }
    return frozenset(word for word, is_said in says.items() if is_said) | tls_words(at)


CREATION = (
    plainly("create", ANY_PORT),
    failing("create", TAKEN, how="on a taken port"),
    plainly("open"),
    Provocation("open", "", (), Under.SCARCE, (ends("failed"),)),
    plainly("bind", ANY_PORT),
    failing("bind", TAKEN, how="to a taken port"),
)
"""the calls by which an object gets its socket and its address"""

HANDLING = (
    plainly("socket_file"),
    plainly("get_sock_name"),
    plainly("set_option", socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER),
    failing("set_option", socket.SOL_SOCKET, NO_OPTION, 1, how="unknown"),
    plainly("get_option", socket.SO_RCVBUF),
    failing("get_option", NO_OPTION, how="unknown"),
    plainly("detach"),
    plainly("close"),
)
"""queries, options and close()"""

AVAILABLE = Provocation(
    "io_ctl", "", (), Under.AT_ONCE, (ends("ok", where="data", gives=len(MESSAGE)), ends("ok", unless="tls_begun", gives=0))
)


ENDS_SENDS = SHUT_DOWN_CHOICES[0].name

BROUGHT = {Link.SEEKING: "unanswered", Link.RESET: "reset"}
"""the link of a handle -> the effects of its peer's actions"""


def _attaching(role: Role) -> Iterator[Provocation]:
    """attach() of a handle in each state in which it may be found, and of an object that is not a handle."""
    yield failing(ATTACH.name, Handle(""), how="nothing")  # first, since a refused attach() needs no handle
    for state in role.states:
        if state.name in role.table[role.initial][ATTACH.name]:
            adds = "end" if state.facts.receives is Receives.EOF else BROUGHT.get(state.facts.link, "")
            yield Provocation(ATTACH.name, state.name, (Handle(state.name),), Under.AT_ONCE, (ends(state.name, adds=adds),))


def _shutting_down(*first: Ending) -> Iterator[Provocation]:
    for outcome in SHUT_DOWN_CHOICES:
        endings = (*first, ends(outcome.name, unless="encrypted"))
        if outcome.name == ENDS_SENDS:
            endings = (
                ends(outcome.name, where="notify_sent"),
                ends("broken", where="encrypted reset", adds="reset_reported"),
                *first,
                ends(outcome.name),
            )
        yield Provocation(SHUT_DOWN.name, outcome.name, (outcome.name,), Under.AT_ONCE, endings)


# -- streams -----------------------------------------------------------------------------------------------------------------

RESET = ends("broken", where="reset", adds="reset_reported")
NOT_CONNECTED = (ends("failed", where="reset"), ends("failed", where="both_ended"))
NOT_SHUT_DOWN = (ends("failed", where="reset", unless="encrypted"), ends("failed", where="both_ended"))

RECEIVE = (
    ends("ok", where="data", drops="data", gives=MESSAGE),
    *ENDED,
    ends("broken", where="reset_reported"),  # a reset is reported again; before, Linux reports the end of an ended stream
    ends("eof", where="end", gives=b""),
    RESET,
    CUT,
)
SENT = (
    ends("ok", where="gone", unless="reset", adds="reset", gives=ALL),
    ends("ok", adds="sent", gives=ALL),
)


def _receiving(call: str) -> tuple[Provocation, ...]:
    return (
        *waits(call, RECEIVE_SIZE, endings=RECEIVE, unless="tls_begun"),
        plainly(call, 0, how="nothing", gives=b""),
        failing(call, 1, socket.MSG_OOB, how="out of band"),
    )


def _sending(call: str) -> tuple[Provocation, ...]:
    return (
        *waits(call, MESSAGE, endings=(RESET,), where="full", cancelled="failed", otherwise=SENT),
        *waits(call, FLOOD, how="a flood", endings=(RESET,), adds="full", unless="gone", cancelled="failed", costly=True),
    )


NO_HANDLES_OVER_IP = (
    failing("send_handles", MESSAGE, (), how="over IP"),
    failing("receive_handles", how="over IP"),
)

DATA_PHASE = (
    *NO_HANDLES_OVER_IP,
    *_sending("send"),
    *_receiving("receive"),
    *_sending("send_to"),
    *_receiving("receive_from"),
    *_shutting_down(*NOT_SHUT_DOWN),
    *TLS_CALLS,
    Provocation("get_peer_name", "", (), Under.AT_ONCE, (*NOT_CONNECTED, ends("ok"))),
    AVAILABLE,
    *HANDLING,
    plainly("listen"),
    plainly("accept"),
)

NO_TLS_DATA = "tls_begun shaking_hands notified notify_seen cut cut_seen"

STREAM_PEER = (
    peer("peer_sends", where="linked", unless=f"data end reset receive_ended gone full {NO_TLS_DATA}", adds="data"),
    peer("peer_ends", where="linked", unless=f"end reset full encrypted gone {NO_TLS_DATA}", adds="end"),
    peer("peer_resets", where="linked", unless="reset both_ended gone tls_begun cut", adds="reset"),
    peer("peer_reads", where="sent", unless="reset full gone tls_begun", drops="sent"),
    peer("peer_reads_the_end", where="send_ended linked", unless="reset full gone tls_begun", drops="sent"),
)
"""the actions of the other end of a stream in plain text"""

FOLLOWS = (Follows("both_ended", frozenset({"end", "send_ended"}), unless=frozenset({"full"})),)

CLIENT = Environment(
    provocations=(
        *CREATION,
        Provocation("connect", "", (LISTENER,), Under.AT_ONCE, (ends("pending", adds="answered"),)),
        Provocation("connect", "", (LISTENER,), Under.PATIENTLY, (ends("ok", drops="refused_before"),)),
        Provocation("connect", "to nobody", (NOBODY,), Under.PATIENTLY, (ends("refused", adds="refused_before"),)),
        Provocation("connect", "to nobody", (NOBODY,), Under.AT_ONCE, (ends("pending", adds="refused"),)),
        *waits("connect", SILENCE, how="to silence", endings=(), adds="unanswered", cancelled="interrupted"),
        failing("connect", ELSEWHERE, how="elsewhere"),
        *waits(
            "finish_connect",
            endings=(
                ends("ok", where="answered", drops="answered refused_before"),
                ends("refused", where="refused", drops="refused", adds="refused_before"),
            ),
            cancelled="interrupted",
        ),
        *_attaching(roles.CLIENT),
        *DATA_PHASE,
    ),
    peer_actions=(*STREAM_PEER, *TLS_PEER),
    follows=FOLLOWS,
    words_of=socket_words,
)

ACCEPTED = Environment(
    provocations=(
        *CREATION,
        plainly("accepted"),
        *_attaching(roles.ACCEPTED),
        plainly("connect", LISTENER),
        plainly("finish_connect"),
        *DATA_PHASE,
    ),
    peer_actions=(*STREAM_PEER, *TLS_PEER),
    follows=FOLLOWS,
    words_of=socket_words,
)

# -- servers -----------------------------------------------------------------------------------------------------------------

SERVER = Environment(
    provocations=(
        *CREATION,
        *_attaching(roles.SERVER),
        Provocation("listen", "", (), Under.AT_ONCE, (ends("failed", where="taken"), ends("ok"))),
        *waits("accept", endings=(ends("ok", where="waiting", drops="waiting"),)),
        Provocation("accept", "", (), Under.SCARCE, (ends("failed"),)),
        plainly("connect", LISTENER),
        plainly("finish_connect"),
        plainly("send", MESSAGE),
        plainly("receive", RECEIVE_SIZE),
        plainly("send_to", MESSAGE),
        plainly("receive_from", RECEIVE_SIZE),
        *NO_HANDLES_OVER_IP,
        plainly("shut_down", "sends", how="sends"),
        plainly("get_peer_name"),
        plainly("io_ctl"),
        *HANDLING,
    ),
    peer_actions=(
        peer("peer_connects", where="listening", unless="waiting", adds="waiting"),
        peer("rival_listens", where="addressed", unless="listening taken", adds="taken"),
        peer("rival_leaves", where="taken", drops="taken"),
    ),
    words_of=socket_words,
)

LISTENING_ALONE = frozenset({"listening"}), frozenset({"waiting", "taken"})
"""facts that hold, and facts that do not, of a listener without a connection"""

# -- datagrams ---------------------------------------------------------------------------------------------------------------

REFUSED = ends("refused", where="refusal", drops="refusal")
ARRIVED = ends("ok", where="data", drops="data", gives=MESSAGE)

DATAGRAM = Environment(
    provocations=(
        *CREATION,
        *_attaching(roles.DATAGRAM),
        *NO_HANDLES_OVER_IP,
        plainly("connect", PEER),
        failing("connect", EVERYBODY, how="to everybody"),
        plainly("disconnect", drops="refusal"),
        Provocation(
            "send",
            "",
            (MESSAGE,),
            Under.AT_ONCE,
            (REFUSED, ends("ok", where="gone", adds="refusal", gives=ALL), ends("ok", adds="sent", gives=ALL)),
        ),
        failing("send", TOO_LONG, how="too much"),
        Provocation(
            "send_to",
            "",
            (MESSAGE, PEER),
            Under.AT_ONCE,
            (ends("ok", where="gone"), ends("ok", adds="sent", gives=ALL)),
        ),
        failing("send_to", TOO_LONG, PEER, how="too much"),
        *waits("receive", RECEIVE_SIZE, endings=(REFUSED, ARRIVED), cancelled="failed"),
        *waits("receive_from", RECEIVE_SIZE, endings=(REFUSED, ARRIVED), cancelled="failed"),
        *_shutting_down(),
        plainly("get_peer_name"),
        AVAILABLE,
        plainly("listen"),
        plainly("accept"),
        plainly("finish_connect"),
        *HANDLING,
    ),
    peer_actions=(
        peer("peer_sends", where="addressed", unless="data receive_ended gone", adds="data"),
        peer("peer_reads", where="sent", unless="gone", drops="sent"),
        peer("peer_leaves", where="addressed", unless="gone", adds="gone", drops="sent"),
        peer("peer_returns", where="gone", drops="gone"),
    ),
    words_of=socket_words,
)

# -- files over a connection -------------------------------------------------------------------------------------------------

NEVER = (
    "seek", "seek_to_begin", "seek_to_end", "tell", "get_position", "truncate", "set_length", "get_length", "lock_range",
    "unlock_range", "duplicate", "open", "abort",
)  # fmt: skip
"""calls of files that connections do not support"""

NO_SOCKET = (ends("failed", where="gone"),)  # it was closed below the file
REFUSES_SENDS = (*NO_SOCKET, ends("failed", where="reset_reported"), RESET)  # the socket below is broken

SOCKET_FILE = Environment(
    provocations=(
        plainly("attach", CONNECTION),
        failing("attach", NO_CONNECTION, how="nothing"),
        plainly("archive"),
        *waits("read", RECEIVE_SIZE, False, endings=(*NO_SOCKET, *RECEIVE)),
        *waits(
            "write",
            MESSAGE,
            endings=REFUSES_SENDS,
            where="full",
            otherwise=(ends("ok", adds="sent", gives=ALL),),
        ),
        Provocation(
            "write",
            "a flood",
            (FLOOD,),
            Under.AT_ONCE,
            (*REFUSES_SENDS, ends("pending", where="full"), ends("ok", adds="full")),
            costly=True,
        ),
        plainly("flush"),
        *(plainly(call) for call in NEVER),
        plainly("close"),
    ),
    peer_actions=(
        peer("peer_sends", where="linked", unless="data end reset full gone", adds="data"),
        peer("peer_ends", where="linked", unless="end reset full gone", adds="end"),
        peer("peer_resets", where="linked", unless="reset gone", adds="reset"),
        peer("peer_reads", where="sent", unless="reset full gone", drops="sent"),
        peer("socket_closes", where="linked", unless="gone", adds="gone"),
    ),
    words_of=lambda at: frozenset({"linked"}) if at.attached else frozenset(),
)

ENVIRONMENTS: Mapping[str, Environment] = MappingProxyType(
    dict(zip(roles.ROLES, (SERVER, CLIENT, ACCEPTED, DATAGRAM, SOCKET_FILE, ARCHIVE), strict=True))
)
"""role -> its environment"""

PLAIN_ENVIRONMENTS: Mapping[str, Environment] = MappingProxyType(
    {
        role: replace(each, peer_actions=tuple(action for action in each.peer_actions if action not in TLS_PEER))
        for role, each in ENVIRONMENTS.items()
    }
)
"""the same without TLS, for implementations that do not have it"""

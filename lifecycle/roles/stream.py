"""The roles of a stream connection: a client connects, an accepted socket was connected to; both then share one data phase.

The data phase is the product of two halves: whether sends were ended here, and whether receives were ended here or the end
of the peer's stream was seen. `broken` stands apart: the connection was reset, and data that arrived before may still be read.

    connected ──eof──> peer_closed ──sends──> ended
        │ sends                                 ^
        ├──────> send_shut ─────────eof─────────┘
        │ receives    │ receives
        └──────> receive_shut ──sends──> shut

Legal means portable. Linux delivers data after receives were ended, and answers ENOTCONN to a shutdown() of a connection
that the peer has ended too; Winsock does neither. So the first is illegal here, and the second is the outcome `failed`.

A refused connect returns to the previous state and may be retried. A connect that did not wait until it ended leads to
`connecting`, where finish_connect() gets its result; that may also be a refusal, after which the socket is bound.

An accepted object is constructed empty, filled by a server's accept() and never created: the row (empty, accepted) is the other
half of that call, and both objects are checked before the system is asked.
"""

from dataclasses import replace

from lifecycle.engine import Reason, Role, Rule, State, becomes, expand, expand_reasons, stay, to
from lifecycle.roles import facts, tls
from lifecycle.roles.facts import LINKED, Facts, Link, Receives, Tls
from lifecycle.roles.words import (
    BOUND,
    CLOSED,
    CREATION,
    CREATION_REASONS,
    EMPTY,
    EVERY_SOCKET,
    KEEPS,
    OPEN,
    attaching,
    calls,
    outcomes,
)

IS_CONNECTED = "The socket is already connected; a new connection needs a new object"
SENDS_ENDED = "Sends were ended by shut_down(): the peer was notified that no more data follows"
RECEIVES_ENDED = "Receives were ended by shut_down()"
BOTH_ENDED = "Both sides have ended their streams: Linux has dropped the connection already"
UNDER_WAY = "A connect is under way: finish_connect() gets its result"

DATA_PHASE = (
    State("connected", "Both directions are open.", reason=IS_CONNECTED, facts=LINKED),
    State("send_shut", "Sends were ended here; the peer may still send.", reason=SENDS_ENDED,
          facts=replace(LINKED, sends=False)),
    State("receive_shut", "Receives were ended here; sending goes on.", reason=RECEIVES_ENDED,
          facts=replace(LINKED, receives=Receives.OFF)),
    State("peer_closed", "The end of the peer's stream was seen; sending goes on.", reason=IS_CONNECTED,
          facts=replace(LINKED, receives=Receives.EOF)),
    State("ended", "Sends were ended here and the end of the peer's stream was seen.",
          reason="Both sides have ended their streams: close()", facts=replace(LINKED, sends=False, receives=Receives.EOF)),
    State("shut", "Both directions were ended here.", reason="Both directions were ended by shut_down()",
          facts=replace(LINKED, sends=False, receives=Receives.OFF)),
    State("broken", "The connection was reset; data that arrived before may still be read.",
          reason="The connection is broken: read what is queued, then close()", facts=facts.BROKEN),
)  # fmt: skip
CONNECTING = State("connecting", "A connect is under way.", reason=UNDER_WAY, facts=facts.SEEKING)

WAITS = {"ok": stay, "pending": stay, "timed_out": stay, "failed": stay, "broken": facts.resets}

RECEIVES = WAITS | {"eof": to(receives=Receives.EOF)}


def is_half_open(at: Facts) -> bool:
    """There is a connection, which not both sides have ended."""
    return at.is_linked and not at.is_finished


def has_stream(at: Facts) -> bool:
    """Data can be sent, or can be or could have been received."""
    return at.sends or at.receives is not Receives.OFF or at.link is Link.RESET


STREAM = (
    Rule("send send_to", lambda at: at.sends, WAITS),
    Rule("receive receive_from receive_handles", lambda at: at.receives is Receives.OPEN and at.is_plain, RECEIVES),
    Rule(
        "receive_handles",
        lambda at: at.receives is Receives.EOF and at.is_plain,
        {"eof": stay, "failed": stay, "broken": facts.resets},
    ),  # a local connection reports a reset also after its end
    Rule(
        "receive receive_from", lambda at: at.receives is Receives.OPEN and at.is_secured, RECEIVES | {"truncated": facts.cuts}
    ),
    Rule("receive receive_from", lambda at: at.receives is Receives.EOF and at.tls is not Tls.CUT, KEEPS | {"eof": stay}),
    Rule("receive receive_from", lambda at: at.tls is Tls.CUT, KEEPS | {"truncated": stay}),
    Rule("receive receive_from receive_handles", lambda at: at.link is Link.RESET, KEEPS | {"broken": stay}),
    Rule("send_handles", lambda at: at.sends and at.is_plain, WAITS),
    Rule("shut_down", lambda at: is_half_open(at) and at.is_plain, facts.SHUT_DOWN_CHANGES | {"failed": stay}),
    Rule("get_peer_name", lambda at: is_half_open(at) or not at.is_plain, KEEPS),
    Rule("io_ctl", lambda at: at.receives is not Receives.OFF and not at.is_finished and at.is_plain, {"ok": stay}),
    Rule("socket_file", lambda at: (at.is_plain and has_stream(at)) or tls.is_open(at), {"ok": stay}),
    *EVERY_SOCKET,
    *tls.RULES,
)

SEEK = {
    "ok": facts.links, "refused": stay, "pending": facts.seeks, "timed_out": facts.seeks, "interrupted": facts.seeks,
}  # fmt: skip
CONNECT = (
    Rule("connect", facts.is_unlinked, SEEK | {"failed": stay}),
    Rule("finish_connect", lambda at: at.link is Link.SEEKING, SEEK | {"refused": to(link=Link.NO)}),
)


def is_shut(at: Facts) -> bool:
    """Both directions were ended here."""
    return at.is_linked and at.is_plain and not at.sends and at.receives is Receives.OFF


DATA_CALLS = "send receive send_to receive_from send_handles receive_handles shut_down get_peer_name io_ctl"

STREAM_REASONS = (
    Reason("socket_file", is_shut, "Both directions were ended by shut_down(): nothing can pass through a file any more"),
    Reason("connect", is_shut, "A socket that was shut down cannot connect again; make a new object"),
    Reason("connect", lambda at: at.is_linked and not at.is_finished, IS_CONNECTED),
    Reason("shut_down get_peer_name", lambda at: at.is_finished and at.is_plain, BOTH_ENDED),
    *tls.REASONS,
)

GONE = (
    "ECONNRESET", "ECONNABORTED", "EPIPE", "ENETRESET", "ENOTCONN", "ESHUTDOWN",
    "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN",
)  # fmt: skip
"""The errors of a connection that is gone; a timeout of the system means that the peer cannot be reached"""

NOT_REACHED = (
    "ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ENETRESET", "ETIMEDOUT",
    "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN",
)  # fmt: skip
"""The errors by which the network refuses a connection; a lack of this machine's own is `failed`"""

DATA_WORDS: dict[str, dict[str, object]] = {
    "send send_to": {"errors": {"broken": (*GONE, tls.REFUSAL)}},
    "send_handles receive_handles": {"errors": {"broken": GONE}},
    "receive receive_from": {"errors": {"broken": (*GONE, tls.REFUSAL), "truncated": (tls.CUT_SHORT,)}},
    "shut_down": {"errors": {"broken": (*tls.GONE, tls.REFUSAL)}},
    "start_tls": {
        "errors": {"refused": (tls.REFUSAL,), "broken": GONE, "unread": (tls.LEFT_UNREAD,), "interrupted": ("EINTR",)}
    },
    "finish_tls": {"errors": {"refused": (tls.REFUSAL,), "broken": GONE, "interrupted": ("EINTR",)}},
    "stop_tls": {"errors": {"broken": (*GONE, tls.REFUSAL)}},
}
CONNECT_WORDS: dict[str, dict[str, object]] = {
    "connect finish_connect": {"errors": {"refused": NOT_REACHED, "interrupted": ("EINTR",)}},
}

CONNECTS_ONLY = "A client connects; a Server listens and accepts"
ATTACHABLE = (OPEN, BOUND, CONNECTING, *DATA_PHASE)
"""The states in which a handle may be found: the keys of TLS are not part of it"""

CLIENT_STATES = (EMPTY, *ATTACHABLE, *tls.STATES, CLOSED)
CLIENT_RULES = (*CREATION, attaching(ATTACHABLE), *CONNECT, *STREAM)
CLIENT_ROWS = expand(CLIENT_RULES, CLIENT_STATES)

CLIENT = Role(
    name="client",
    doc="Connects to a server and exchanges data with it.",
    states=CLIENT_STATES,
    calls=calls(
        "create", "open", "bind", "connect", "finish_connect", "socket_file",
        "send", "receive", "send_to", "receive_from", "send_handles", "receive_handles", "shut_down",
        "get_sock_name", "get_peer_name", "set_option", "get_option", "io_ctl", "attach", *tls.CALLS.split(), "detach", "close",
        words=DATA_WORDS | CONNECT_WORDS,
        listen=CONNECTS_ONLY,
        accept=CONNECTS_ONLY,
    ),
    outcomes=outcomes(ATTACHABLE, *tls.OUTCOMES),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=CLIENT_ROWS,
    reasons=expand_reasons(
        (
            *CREATION_REASONS,
            *STREAM_REASONS,
            Reason(f"socket_file {DATA_CALLS} {tls.CALLS}", facts.is_unlinked, "There is no connection yet"),
            Reason("connect", lambda at: at.link is Link.SEEKING,
                   "A connect is under way already: finish_connect() gets its result"),
        ),
        CLIENT_ROWS,
        CLIENT_STATES,
    ),
)  # fmt: skip

FILLED_BY_ACCEPT = "An accept target gets its handle from a server's accept(), so it is never"
CONNECTED_TO = "The other side made the connection: an accepted socket never connects"
NOT_A_SERVER = "This end of the connection was accepted; only a Server listens and accepts"

ACCEPTED_STATES = (EMPTY, *DATA_PHASE, *tls.STATES, CLOSED)
ACCEPTED_RULES = (Rule("accepted", facts.is_new, {"ok": becomes(LINKED)}), attaching(DATA_PHASE), *STREAM)
ACCEPTED_ROWS = expand(ACCEPTED_RULES, ACCEPTED_STATES)

ACCEPTED = Role(
    name="accepted",
    doc="The server's end of one connection; empty until a server's accept() fills it.",
    states=ACCEPTED_STATES,
    calls=calls(
        "accepted", "socket_file", "send", "receive", "send_to", "receive_from", "send_handles", "receive_handles", "shut_down",
        "get_sock_name", "get_peer_name", "set_option", "get_option", "io_ctl", "attach", *tls.CALLS.split(), "detach", "close",
        words=DATA_WORDS,
        create=f"{FILLED_BY_ACCEPT} created",
        open=f"{FILLED_BY_ACCEPT} opened",
        bind=f"{FILLED_BY_ACCEPT} bound",
        connect=CONNECTED_TO,
        finish_connect=CONNECTED_TO,
        listen=NOT_A_SERVER,
        accept=NOT_A_SERVER,
    ),
    outcomes=outcomes(DATA_PHASE, *tls.OUTCOMES),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=ACCEPTED_ROWS,
    reasons=expand_reasons(
        (
            *(reason for reason in STREAM_REASONS if reason.calls != "connect"),
            Reason("accepted", lambda at: not facts.is_new(at),
                   "The target of an accept() must be empty: this one was used already"),
            Reason(f"socket_file {DATA_CALLS} {tls.CALLS}", facts.is_new, "No connection was accepted into this object yet"),
        ),
        ACCEPTED_ROWS,
        ACCEPTED_STATES,
    ),
)  # fmt: skip

"""The data phase of a stream connection, which a client (client.py) and an accepted socket (accepted.py) share.

It is the product of two halves: whether sends were ended here, and whether receives were ended here or the end of the peer's
stream was seen. `broken` stands apart: the connection was reset, and data that arrived before may still be read.

    connected ──eof──> peer_closed ──sends──> ended
        │ sends                                 ^
        ├──────> send_shut ─────────eof─────────┘
        │ receives    │ receives
        └──────> receive_shut ──sends──> shut

Legal means portable. Linux delivers data after receives were ended, and answers ENOTCONN to a shutdown() of a connection
that the peer has ended too; Winsock does neither. So the first is illegal here, and the second is the outcome `failed`.
"""

from dataclasses import replace

from lifecycle.engine import Reason, Rule, State, stay, to
from lifecycle.roles import facts, tls
from lifecycle.roles.facts import LINKED, Facts, Link, Receives, Tls
from lifecycle.roles.words import EVERY_SOCKET, KEEPS

IS_CONNECTED = "The socket is already connected; a new connection needs a new object"
SENDS_ENDED = "Sends were ended by shut_down(): the peer was notified that no more data follows"
RECEIVES_ENDED = "Receives were ended by shut_down()"
BOTH_ENDED = "Both sides have ended their streams: Linux has dropped the connection already"

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

"""The role of an accepted socket: it was connected to, and then has the data phase of a stream (stream.py).

The object is constructed empty, filled by a server's accept() and never created: the row (empty, accepted) is the other half of
that call, and both objects are checked before the system is asked.
"""

from lifecycle.engine import Reason, Role, Rule, becomes, expand, expand_reasons
from lifecycle.roles import facts, tls
from lifecycle.roles.stream import DATA_CALLS, DATA_PHASE, DATA_WORDS, STREAM, STREAM_REASONS
from lifecycle.roles.words import CLOSED, EMPTY, attaching, calls, outcomes

FILLED_BY_ACCEPT = "An accept target gets its handle from a server's accept(), so it is never"
CONNECTED_TO = "The other side made the connection: an accepted socket never connects"
NOT_A_SERVER = "This end of the connection was accepted; only a Server listens and accepts"

STATES = (EMPTY, *DATA_PHASE, *tls.STATES, CLOSED)
RULES = (Rule("accepted", facts.is_new, {"ok": becomes(facts.LINKED)}), attaching(DATA_PHASE), *STREAM)
ROWS = expand(RULES, STATES)

ACCEPTED = Role(
    name="accepted",
    doc="The server's end of one connection; empty until a server's accept() fills it.",
    states=STATES,
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
    rows=ROWS,
    reasons=expand_reasons(
        (
            *(reason for reason in STREAM_REASONS if reason.calls != "connect"),
            Reason("accepted", lambda at: not facts.is_new(at),
                   "The target of an accept() must be empty: this one was used already"),
            Reason(f"socket_file {DATA_CALLS} {tls.CALLS}", facts.is_new, "No connection was accepted into this object yet"),
        ),
        ROWS,
        STATES,
    ),
)  # fmt: skip

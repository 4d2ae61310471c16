"""The role of a client: it seeks a connection, then enters the data phase.

A connect that is refused returns to the state it came from and may be retried. One that did not wait to its end leads to
`connecting`, where finish_connect() learns how it came out; that may also be a refusal, after which the socket is bound.
"""

from lifecycle.engine.role import Role, State
from lifecycle.roles import data_phase
from lifecycle.roles.vocabulary import BOUND, CLOSED, CREATION_REASONS, EMPTY, OPEN, calls, creation, endings, options, outcomes

NOT_CONNECTED = "There is no connection yet"
ACCEPTS_NOT = "A client seeks a connection; a Server listens and accepts"

CLIENT = Role(
    name="client",
    doc="Seeks a connection to a server and talks over it.",
    states=(
        EMPTY,
        OPEN,
        BOUND,
        State("connecting", "A connect is under way.",
              reason="A connect is under way: finish_connect() learns how it comes out"),
        *data_phase.STATES,
        CLOSED,
    ),
    calls=calls(
        "create", "open", "bind", "connect", "finish_connect", "socket_file",
        "send", "receive", "send_to", "receive_from", "shut_down",
        "get_sock_name", "get_peer_name", "set_option", "get_option", "io_ctl", "attach", "detach", "close",
        listen=ACCEPTS_NOT,
        accept=ACCEPTS_NOT,
    ),
    outcomes=outcomes("open", "bound", "connecting", *data_phase.NAMES),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        *creation("open", "bound", "connecting", *data_phase.NAMES),

        ("open", "connect",
         {"ok": "connected", "refused": "open", "pending": "connecting", "timed_out": "connecting", "failed": "open"}),

        ("bound", "connect",
         {"ok": "connected", "refused": "bound", "pending": "connecting", "timed_out": "connecting", "failed": "bound"}),
        ("bound", "get_sock_name", {"ok": "bound"}),
        *options("bound"),
        *endings("bound"),

        ("connecting", "finish_connect",
         {"ok": "connected", "refused": "bound", "pending": "connecting", "timed_out": "connecting"}),
        ("connecting", "get_sock_name", {"ok": "connecting"}),
        *options("connecting"),
        *endings("connecting"),

        *data_phase.ROWS,
        ("closed", "close", {"ok": "closed"}),
    ),
    reasons={
        **CREATION_REASONS,
        **data_phase.REASONS,
        **{(state, call): NOT_CONNECTED for state in ("open", "bound")
           for call in ("socket_file", "send", "receive", "send_to", "receive_from", "shut_down", "get_peer_name", "io_ctl")},
        ("connecting", "connect"): "A connect is under way already: finish_connect() learns how it comes out",
    },
)  # fmt: skip

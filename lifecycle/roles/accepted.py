"""The role of an accepted connection: constructed empty, filled by a server's accept(), never created.

The row (empty, accepted) is the other half of the server's accept(): that call fires it, and both objects are checked before
the operating system is asked.
"""

from lifecycle.engine.role import Role
from lifecycle.roles import data_phase
from lifecycle.roles.vocabulary import CLOSED, EMPTY, calls, outcomes

FILLED_BY_ACCEPT = "An accept target gets its handle from a server's accept(), so it is never"
NOT_A_SERVER = "This end of the connection was accepted; only a Server listens and accepts"

ACCEPTED = Role(
    name="accepted",
    doc="The server's end of one connection; empty until a server's accept() fills it.",
    states=(EMPTY, *data_phase.STATES, CLOSED),
    calls=calls(
        "accepted", "socket_file", "send", "receive", "send_to", "receive_from", "shut_down",
        "get_sock_name", "get_peer_name", "set_option", "get_option", "io_ctl", "attach", "detach", "close",
        create=f"{FILLED_BY_ACCEPT} created",
        open=f"{FILLED_BY_ACCEPT} opened",
        bind=f"{FILLED_BY_ACCEPT} bound",
        connect="The connection was sought by the other side: an accepted socket never connects",
        finish_connect="The connection was sought by the other side: an accepted socket never connects",
        listen=NOT_A_SERVER,
        accept=NOT_A_SERVER,
    ),
    outcomes=outcomes(*data_phase.NAMES),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        ("empty", "accepted", {"ok": "connected"}),
        ("empty", "attach", {name: name for name in data_phase.NAMES} | {"failed": "empty"}),
        ("empty", "close", {"ok": "closed"}),
        *data_phase.ROWS,
        ("closed", "close", {"ok": "closed"}),
    ),
    reasons={
        **{key: reason for key, reason in data_phase.REASONS.items() if key[1] != "connect"},
        **{(state, "accepted"): "The target of an accept() must be empty: this one has had its connection"
           for state in (*data_phase.NAMES, "closed")},
        **{("empty", call): "No connection was accepted into this object yet"
           for call in ("socket_file", "send", "receive", "send_to", "receive_from", "shut_down", "get_peer_name", "io_ctl")},
    },
)  # fmt: skip

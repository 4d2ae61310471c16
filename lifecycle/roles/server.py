"""The role of a server: it opens a queue for connections and takes them out one by one.

Legal means portable. Linux alone would listen on an unbound socket (on a port of its own choice), and shut a listener down.
"""

from lifecycle.engine.role import Role, State, stays
from lifecycle.roles.vocabulary import BOUND, CLOSED, CREATION_REASONS, EMPTY, OPEN, calls, creation, endings, options, outcomes

NOT_LISTENING = "accept() takes connections from the queue that listen() opens"
NO_DATA = "A listening socket carries no data: talk through the Accepted that accept() returns"

SERVER = Role(
    name="server",
    doc="Listens on a port and hands each connection to an Accepted.",
    states=(
        EMPTY,
        OPEN,
        BOUND,
        State("listening", "Connections queue up and can be accepted.", reason="The socket is listening"),
        CLOSED,
    ),
    calls=calls(
        "create", "open", "bind", "listen", "accept", "get_sock_name", "set_option", "get_option", "attach", "detach", "close",
        connect="A server waits for connections; a Client connects",
        finish_connect="A server waits for connections; a Client connects",
        socket_file="A file lies over a connection: over the Accepted that accept() returns",
        send=NO_DATA,
        receive=NO_DATA,
        send_to=NO_DATA,
        receive_from=NO_DATA,
        shut_down="shut_down() ends a connection, and a listening socket has none: close() it",
        get_peer_name="A listening socket has no peer: ask the Accepted that accept() returns",
        io_ctl=NO_DATA,
    ),
    outcomes=outcomes("open", "bound", "listening"),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        *creation("open", "bound", "listening"),

        ("bound", "listen", {"ok": "listening", "failed": "bound"}),
        ("bound", "get_sock_name", {"ok": "bound"}),
        *options("bound"),
        *endings("bound"),

        ("listening", "listen", {"ok": "listening"}),
        ("listening", "accept", stays("listening", "ok", "pending", "timed_out", "failed")),
        ("listening", "get_sock_name", {"ok": "listening"}),
        *options("listening"),
        *endings("listening"),

        ("closed", "close", {"ok": "closed"}),
    ),
    reasons={
        **CREATION_REASONS,
        ("empty", "accept"): NOT_LISTENING,
        ("open", "accept"): NOT_LISTENING,
        ("bound", "accept"): NOT_LISTENING,
        ("open", "listen"): "A server listens on an address: bind() gives it one (Linux alone would pick a port itself)",
        ("listening", "bind"): "A socket is bound once, and before it listens",
    },
)  # fmt: skip

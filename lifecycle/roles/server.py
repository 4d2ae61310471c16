"""The role of a server: it opens a queue for connections and takes them out one by one.

Legal means portable. Linux alone would listen on an unbound socket (on a port of its own choice), and shut a listener down.
"""

from lifecycle.engine import Reason, Role, Rule, State, expand, expand_reasons, stay, to
from lifecycle.roles import facts
from lifecycle.roles.facts import Link
from lifecycle.roles.words import (
    BOUND,
    CLOSED,
    CREATION,
    CREATION_REASONS,
    EMPTY,
    EVERY_SOCKET,
    OPEN,
    attaching,
    calls,
    outcomes,
)

NOT_LISTENING = "accept() takes connections from the queue that listen() opens"
NO_DATA = "A listening socket carries no data: talk through the Accepted that accept() returns"
CONNECTS = "A server waits for connections; a Client connects"


def is_listening(at: facts.Facts) -> bool:
    """Connections queue up."""
    return at.link is Link.LISTENING


STATES = (
    EMPTY,
    OPEN,
    BOUND,
    State("listening", "Connections queue up and can be accepted.", reason="The socket is listening", facts=facts.LISTENING),
    CLOSED,
)
RULES = (
    *CREATION,
    attaching(STATES[1:-1]),
    Rule("listen", lambda at: at == facts.BOUND, {"ok": to(link=Link.LISTENING), "failed": stay}),
    Rule("listen", is_listening, {"ok": stay}),
    Rule("accept", is_listening, {"ok": stay, "pending": stay, "timed_out": stay, "failed": stay}),
    *EVERY_SOCKET,
)
ROWS = expand(RULES, STATES)

SERVER = Role(
    name="server",
    doc="Listens on a port and hands each connection to an Accepted.",
    states=STATES,
    calls=calls(
        "create", "open", "bind", "listen", "accept", "get_sock_name", "set_option", "get_option", "attach", "detach", "close",
        connect=CONNECTS,
        finish_connect=CONNECTS,
        socket_file="A file needs a connection: the Accepted that accept() returns",
        send=NO_DATA,
        receive=NO_DATA,
        send_to=NO_DATA,
        receive_from=NO_DATA,
        send_handles=NO_DATA,
        receive_handles=NO_DATA,
        shut_down="shut_down() ends a connection, and a listening socket has none: close() it",
        get_peer_name="A listening socket has no peer: ask the Accepted that accept() returns",
        io_ctl=NO_DATA,
    ),
    outcomes=outcomes(STATES[1:-1]),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=ROWS,
    reasons=expand_reasons(
        (
            *CREATION_REASONS,
            Reason("accept", lambda at: not is_listening(at) and not at.over, NOT_LISTENING),
            Reason("listen", lambda at: at == facts.OPEN,
                   "A server listens on an address: bind() gives it one (Linux alone would pick a port itself)"),
            Reason("bind", is_listening, "A socket is bound once, and before it listens"),
        ),
        ROWS,
        STATES,
    ),
)  # fmt: skip

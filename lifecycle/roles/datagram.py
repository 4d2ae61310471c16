"""The role of a datagram socket: it needs no connection, and one call is one message.

connect() only sets the peer; it may be called again, and disconnect() forgets it. Without a peer shut_down() is illegal:
Winsock takes it, Linux answers ENOTCONN, and yet every later receive ends at once. A first send_to() or connect()
binds implicitly, also when the rest of it fails.
"""

from lifecycle.engine.role import Role, Row, State, stays
from lifecycle.roles.vocabulary import BOUND, CLOSED, CREATION_REASONS, EMPTY, OPEN, calls, creation, endings, options, outcomes

NO_CONNECTIONS = "Datagrams need no connection: bind() and receive_from() is all there is to it"
NEEDS_A_PEER = "send() needs a peer: connect() sets one, or use send_to()"
HAS_A_PEER = "The peer is set: use send(), or connect() to another one (the BSDs and macOS answer EISCONN)"
SHUT = "A datagram socket that was shut down stays so; make a new object"


def _receiving(state: str, *more: str) -> tuple[Row, ...]:
    cells = stays(state, "ok", "pending", "timed_out", "failed", *more)
    return (
        (state, "receive", cells),
        (state, "receive_from", cells),
        (state, "io_ctl", {"ok": state}),
    )


def _sending(state: str) -> tuple[Row, ...]:
    return ((state, "send", stays(state, "ok", "refused", "failed")),)


def _always(state: str) -> tuple[Row, ...]:
    return ((state, "get_sock_name", {"ok": state}), *options(state), *endings(state))


DATAGRAM = Role(
    name="datagram",
    doc="Sends and receives messages, each with its own address or all with one peer.",
    states=(
        EMPTY,
        OPEN,
        BOUND,
        State("connected", "The peer is set: messages go to it and come from nobody else.", reason=HAS_A_PEER),
        State("send_shut", "Sends were ended here.", reason=SHUT),
        State("receive_shut", "Receives were ended here.", reason=SHUT),
        State("shut", "Both directions were ended here.", reason=SHUT),
        CLOSED,
    ),
    calls=calls(
        "create", "open", "bind", "connect", "disconnect", "send", "receive", "send_to", "receive_from", "shut_down",
        "get_sock_name", "get_peer_name", "set_option", "get_option", "io_ctl", "attach", "detach", "close",
        socket_file="A file is a stream of bytes, and a datagram socket has messages: it may lose, repeat and reorder them",
        listen=NO_CONNECTIONS,
        accept=NO_CONNECTIONS,
        finish_connect="connect() of a datagram socket only sets the peer, so there is nothing to wait for",
    ),
    outcomes=outcomes("open", "bound", "connected"),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        *creation("open", "bound", "connected"),

        ("open", "connect", {"ok": "connected", "failed": "bound"}),
        ("open", "send_to", {"ok": "bound", "failed": "bound"}),

        ("bound", "connect", {"ok": "connected", "failed": "bound"}),
        ("bound", "send_to", stays("bound", "ok", "failed")),
        *_receiving("bound"),
        *_always("bound"),

        ("connected", "connect", {"ok": "connected", "failed": "connected"}),
        ("connected", "disconnect", {"ok": "bound"}),
        *_sending("connected"),
        *_receiving("connected", "refused"),
        ("connected", "shut_down", {"sends": "send_shut", "receives": "receive_shut", "both": "shut"}),
        ("connected", "get_peer_name", {"ok": "connected"}),
        *_always("connected"),

        *_receiving("send_shut", "refused"),
        ("send_shut", "shut_down", {"sends": "send_shut", "receives": "shut", "both": "shut"}),
        ("send_shut", "get_peer_name", {"ok": "send_shut"}),
        *_always("send_shut"),

        *_sending("receive_shut"),
        ("receive_shut", "shut_down", {"sends": "shut", "receives": "receive_shut", "both": "shut"}),
        ("receive_shut", "get_peer_name", {"ok": "receive_shut"}),
        *_always("receive_shut"),

        ("shut", "shut_down", stays("shut", "sends", "receives", "both")),
        ("shut", "get_peer_name", {"ok": "shut"}),
        *_always("shut"),

        ("closed", "close", {"ok": "closed"}),
    ),
    reasons={
        **CREATION_REASONS,
        ("open", "receive"): "Nothing can arrive at a socket without an address",
        ("open", "receive_from"): "Nothing can arrive at a socket without an address",
        ("open", "send"): NEEDS_A_PEER,
        ("bound", "send"): NEEDS_A_PEER,
        ("open", "shut_down"): "There is no peer to end anything with: close()",
        ("bound", "shut_down"): "There is no peer to end anything with: close()",
        ("open", "disconnect"): "No peer is set",
        ("bound", "disconnect"): "No peer is set",
        ("bound", "bind"): "A socket is bound once, and the first send_to() binds too",
        ("send_shut", "send"): "Sends were ended by shut_down()",
        ("shut", "send"): "Sends were ended by shut_down()",
        ("receive_shut", "receive"): "Receives were ended by shut_down()",
        ("receive_shut", "receive_from"): "Receives were ended by shut_down()",
        ("shut", "receive"): "Receives were ended by shut_down()",
        ("shut", "receive_from"): "Receives were ended by shut_down()",
    },
)  # fmt: skip

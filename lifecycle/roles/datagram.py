"""The role of a datagram socket: it needs no connection, and one call is one message.

connect() only sets the peer; it may be called again, and disconnect() removes it. Without a peer shut_down() is illegal:
Winsock accepts it; Linux answers ENOTCONN, but then every later receive ends at once. A first send_to() or connect()
binds implicitly, even if the rest of it fails.
"""

from dataclasses import replace

from lifecycle.engine import Reason, Role, Rule, State, becomes, expand, expand_reasons, stay
from lifecycle.roles import facts
from lifecycle.roles.facts import PEER, Facts, Link, Receives
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

NO_CONNECTIONS = "Datagrams need no connection: bind() and receive_from() are enough"
NEEDS_A_PEER = "send() needs a peer: connect() sets one, or use send_to()"
HAS_A_PEER = "The peer is set: use send(), or connect() to another one (the BSDs and macOS answer EISCONN)"
SHUT = "A datagram socket that was shut down stays so; make a new object"
SENDS_ENDED = "Sends were ended by shut_down()"
RECEIVES_ENDED = "Receives were ended by shut_down()"

STATES = (
    EMPTY,
    OPEN,
    BOUND,
    State("connected", "The peer is set: messages go to it and come from no other address.", reason=HAS_A_PEER, facts=PEER),
    State("send_shut", "Sends were ended here.", reason=SHUT, facts=replace(PEER, sends=False)),
    State("receive_shut", "Receives were ended here.", reason=SHUT, facts=replace(PEER, receives=Receives.OFF)),
    State("shut", "Both directions were ended here.", reason=SHUT, facts=replace(PEER, sends=False, receives=Receives.OFF)),
    CLOSED,
)


ATTACHABLE = STATES[1:-1]
"""The states in which a handle may be found; only Linux shows which directions were shut down"""


def has_peer(at: Facts) -> bool:
    """The peer is set."""
    return at.link is Link.PEER


RECEIVING = "receive receive_from receive_handles"
WAITS = {"ok": stay, "pending": stay, "timed_out": stay, "failed": stay}

RULES = (
    *CREATION,
    attaching(ATTACHABLE),
    Rule("connect", lambda at: facts.is_unlinked(at) or at == PEER, {"ok": becomes(PEER), "failed": facts.addressed}),
    Rule("disconnect", lambda at: at == PEER, {"ok": becomes(facts.BOUND)}),
    Rule("send_to", lambda at: at == facts.OPEN, {"ok": facts.addressed, "failed": facts.addressed}),
    Rule("send_to", lambda at: at == facts.BOUND, WAITS),
    Rule("send send_handles", lambda at: at.sends, WAITS | {"refused": stay}),
    Rule(RECEIVING, lambda at: at == facts.BOUND, WAITS),
    Rule(RECEIVING, lambda at: at.receives is Receives.OPEN, WAITS | {"refused": stay}),
    Rule("io_ctl", lambda at: at.hears, {"ok": stay}),
    Rule("shut_down", has_peer, facts.SHUT_DOWN_CHANGES),
    Rule("get_peer_name", has_peer, {"ok": KEEPS["ok"]}),
    *EVERY_SOCKET,
)
ROWS = expand(RULES, STATES)

DATAGRAM = Role(
    name="datagram",
    doc="Sends and receives messages, each with its own address or all with one peer.",
    states=STATES,
    calls=calls(
        "create", "open", "bind", "connect", "disconnect", "send", "receive", "send_to", "receive_from", "send_handles",
        "receive_handles", "shut_down",
        "get_sock_name", "get_peer_name", "set_option", "get_option", "io_ctl", "attach", "detach", "close",
        # A datagram that was refused is reported to the sender later, as ECONNREFUSED (POSIX) or WSAECONNRESET (Winsock).
        words={f"send send_handles {RECEIVING}": {"errors": {"refused": ("ECONNREFUSED", "ECONNRESET")}},
               "send send_to receive receive_from": {"refuses_flags": ("MSG_OOB",)},
               "connect": {"waits_for": None, "enables": ("write",)}},
        socket_file="A file is a stream of bytes, but a datagram socket has messages, and may lose, repeat and reorder them",
        listen=NO_CONNECTIONS,
        accept=NO_CONNECTIONS,
        finish_connect="connect() of a datagram socket only sets the peer, so there is nothing to wait for",
    ),
    outcomes=outcomes(ATTACHABLE),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=ROWS,
    reasons=expand_reasons(
        (
            *CREATION_REASONS,
            Reason(RECEIVING, lambda at: at == facts.OPEN, "Nothing can arrive at a socket without an address"),
            Reason("send", facts.is_unlinked, NEEDS_A_PEER),
            Reason("send_handles", facts.is_unlinked, "send_handles() needs a peer: connect() sets one"),
            Reason("shut_down", facts.is_unlinked, "There is no peer, so there is no direction to end: close()"),
            Reason("disconnect", facts.is_unlinked, "No peer is set"),
            Reason("bind", lambda at: at == facts.BOUND, "A socket is bound once, and the first send_to() binds too"),
            Reason("send send_handles", lambda at: has_peer(at) and not at.sends, SENDS_ENDED),
            Reason(RECEIVING, lambda at: has_peer(at) and at.receives is Receives.OFF, RECEIVES_ENDED),
        ),
        ROWS,
        STATES,
    ),
)  # fmt: skip

"""The vocabulary of the tables: calls, states and outcomes, each with one line of documentation.

Calls are MFC's, in snake_case. If a role never allows a call, its table gives the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lifecycle.engine import STANDARD_OUTCOMES, Call, Outcome, Reason, Rule, State, always, becomes, stay
from lifecycle.roles import facts

EMPTY = State(
    "empty",
    "The object exists; it does not hold a system socket yet.",
    reason="The object has no socket of the system yet",
    facts=facts.NEW,
)
OPEN = State(
    "open",
    "It has a socket, which has no local address yet.",
    reason="The socket has no local address yet",
    facts=facts.OPEN,
)
BOUND = State("bound", "The socket has a local address and port.", facts=facts.BOUND)
CLOSED = State(
    "closed",
    "The socket was closed or handed out; the object cannot be used any more.",
    reason="Closed is final: make a new object",
    facts=facts.OVER,
)

HAS_A_SOCKET = "The object has a socket already"

CREATE = Call(
    "create",
    "Get a socket and bind it to a local address: open() and bind() in one.",
    exclusive=True,
    enables=("write",),
    reason=HAS_A_SOCKET,
)
OPEN_ = Call(
    "open", "Get a socket without an address, so that options can be set before bind().", exclusive=True, reason=HAS_A_SOCKET
)
BIND = Call(
    "bind",
    "Give the socket its local address and port; port 0 lets the system choose.",
    exclusive=True,
    enables=("write",),
    reason="A socket is bound once",
)
LISTEN = Call("listen", "Let connections queue up.", exclusive=True)
ACCEPT = Call(
    "accept",
    "Take the first queued connection into an empty Accepted, or wait for one.",
    fires="accepted",
    waits_for="readable",
    announced_by=("accept",),
    enables=("accept",),
)
CONNECT = Call(
    "connect",
    "Connect to a server; for a datagram socket, set the peer.",
    exclusive=True,
    waits_for="writable",
    enables=("connect", "write"),
)
FINISH_CONNECT = Call(
    "finish_connect",
    "Get the result of a connect that did not wait until it ended.",
    exclusive=True,
    waits_for="writable",
    announced_by=("connect",),
    enables=("connect", "write"),
    reason="No connect is under way",
)
ACCEPTED = Call(
    "accepted",
    "A server's accept() fills this object with a connection.",
    exclusive=True,
    fired_by="server.accept",
    enables=("connect", "write"),
)
SOCKET_FILE = Call("socket_file", "Make a SocketFile over it.", fired_by="socket_file.attach")
DISCONNECT = Call("disconnect", "Remove the peer of a datagram socket.", exclusive=True)
SEND = Call(
    "send",
    "Send all of the data to the peer.",
    waits_for="writable",
    announced_by=("write",),
    enables=("write",),
    payload="data",
)
RECEIVE = Call(
    "receive",
    "Receive the data that has arrived, or wait for some; b'' from a stream is its end.",
    waits_for="readable",
    announced_by=("read", "close"),
    enables=("read", "oob"),
    payload="result",
)
SEND_TO = Call(
    "send_to",
    "Send one message to an address; a connected stream ignores the address.",
    exclusive=False,  # the first one binds the socket, and the system takes as many at once as there are
    waits_for="writable",
    announced_by=("write",),
    enables=("write",),
    payload="data",
)
RECEIVE_FROM = Call(
    "receive_from",
    "Receive, together with the sender's address; a stream has none.",
    waits_for="readable",
    enables=("read", "oob"),
    payload="result",
)
SEND_HANDLES = Call(
    "send_handles",
    "Send all of the data, and with its first byte descriptors that the peer gets duplicates of; Unix-domain sockets only.",
    waits_for="writable",
    announced_by=("write",),
    enables=("write",),
    payload="data",
)
RECEIVE_HANDLES = Call(
    "receive_handles",
    "Receive, together with the descriptors that the peer has sent; every other receive drops them.",
    waits_for="readable",
    announced_by=("read", "close"),
    enables=("read", "oob"),
    payload="result",
)
SHUT_DOWN = Call(
    "shut_down",
    "End one direction, or both, without closing: sends, receives or both.",
    settles="before",
    choices=("sends", "receives", "both"),
)
GET_SOCK_NAME = Call("get_sock_name", "The local address and port.", reason="The socket has no local address yet")
GET_PEER_NAME = Call("get_peer_name", "The peer's address and port.", reason="There is no peer")
SET_OPTION = Call("set_option", "Set a socket option.")
GET_OPTION = Call("get_option", "Read a socket option.")
IO_CTL = Call("io_ctl", "Ask how many bytes could be received at once (FIONREAD).", announced_by=("oob",))
ATTACH = Call(
    "attach",
    "Take over an existing system socket, in whatever state it really is.",
    exclusive=True,
    external=True,
    enables=("connect", "write"),
    reason=HAS_A_SOCKET,
)
START_TLS = Call(
    "start_tls",
    "Make the TLS handshake on the connection: data is encrypted from then on.",
    exclusive=True,
    waits_for="readable",
    enables=("write", "read"),
    reason="TLS starts once, on a connection with both directions open",
    payload="received",
)
FINISH_TLS = Call(
    "finish_tls",
    "Get the result of a handshake that did not wait until it ended.",
    exclusive=True,
    waits_for="readable",
    enables=("write", "read"),
    reason="No TLS handshake is under way",
)
STOP_TLS = Call(
    "stop_tls",
    "Go back to plain text on the same connection, after both sides have ended TLS; does not wait for the peer.",
    exclusive=True,
    waits_for="writable",
    enables=("write", "read"),
    reason="There is no TLS to stop",
)
GET_TLS = Call(
    "get_tls",
    "The version, the cipher, the ALPN protocol and the peer's certificate.",
    reason="There is no TLS: start_tls() first",
)
DETACH = Call(
    "detach",
    "Hand the socket out and end the object; the connection lives on.",
    settles="before",
    reason="There is no socket to hand out",
)
CLOSE = Call("close", "Close the socket and end the object; closing again does nothing.", settles="before")  # fmt: skip

CALLS = (
    CREATE, OPEN_, BIND, LISTEN, ACCEPT, CONNECT, FINISH_CONNECT, ACCEPTED, SOCKET_FILE, DISCONNECT, SEND, RECEIVE, SEND_TO,
    RECEIVE_FROM, SEND_HANDLES, RECEIVE_HANDLES, SHUT_DOWN, GET_SOCK_NAME, GET_PEER_NAME, SET_OPTION, GET_OPTION, IO_CTL,
    ATTACH, START_TLS, FINISH_TLS, STOP_TLS, GET_TLS, DETACH, CLOSE,
)  # fmt: skip


def calls(*names: str, words: Mapping[str, Mapping[str, object]] | None = None, **reasons: str) -> tuple[Call, ...]:
    """The calls of those names in the vocabulary's order, each with this role's own reason and words where given.

    words: names of calls, separated by spaces -> fields of Call that differ for this role.
    """
    wanted = set(names) | set(reasons)
    unknown = wanted - {call.name for call in CALLS}
    if unknown:
        raise ValueError(f"not in the vocabulary: {', '.join(sorted(unknown))}")
    own: dict[str, dict[str, object]] = {name: {"reason": reason} for name, reason in reasons.items()}
    for each, fields in (words or {}).items():
        for name in each.split():
            own.setdefault(name, {}).update(fields)
    found = (call for call in CALLS if call.name in wanted)
    return tuple(replace(call, **own[call.name]) if call.name in own else call for call in found)  # type: ignore[arg-type]


SHUT_DOWN_CHOICES = (
    Outcome("sends", "Sends were ended: the peer will see the end of the stream."),
    Outcome("receives", "Receives were ended; the peer is not notified."),
    Outcome("both", "Both directions were ended."),
)


def outcomes(attachable: Sequence[State], *more: Outcome) -> tuple[Outcome, ...]:
    """The standard outcomes, the choices of shut_down, and one for each state in which attach() may find a handle."""
    standard = {outcome.name for outcome in STANDARD_OUTCOMES}
    found = (
        Outcome(state.name, f"The handle was found to be {state.name.replace('_', ' ')}.")
        for state in attachable
        if state.name not in standard
    )
    return (*STANDARD_OUTCOMES, *SHUT_DOWN_CHOICES, *more, *found)


# -- rules that several roles share -------------------------------------------------------------------------------------

KEEPS = {"ok": stay, "failed": stay}

CREATION = (
    Rule("create", facts.is_new, {"ok": becomes(facts.BOUND), "failed": stay}),
    Rule("open", facts.is_new, {"ok": becomes(facts.OPEN), "failed": stay}),
    Rule("bind", lambda at: at.handle and not at.address, {"ok": facts.addressed, "failed": stay}),
)
"""How a server, a client or a datagram socket gets its socket and its address"""

EVERY_SOCKET = (
    Rule("get_sock_name", facts.has_address, {"ok": stay}),
    Rule("set_option get_option", facts.has_handle, KEEPS),
    Rule("detach", facts.can_be_handed_out, {"ok": facts.ends}),
    Rule("close", always, {"ok": facts.ends}),
)
"""Calls that every object with a socket allows; closing is always legal"""

CREATION_REASONS = (
    Reason("create", lambda at: at == facts.OPEN, "create() is open() and bind() in one, and open() was already called"),
)


def attaching(states: Sequence[State]) -> Rule:
    """The rule of attach(): a handle may be found in one of these states, which the outcome of that name says."""
    return Rule("attach", facts.is_new, {state.name: becomes(state.facts) for state in states} | {"failed": stay})

"""The words that the tables share: calls, states and outcomes with their one line of documentation each.

Calls are MFC's, in snake_case. Where a role never takes a call, its table gives that call a reason of its own.
"""

from __future__ import annotations

from dataclasses import replace

from lifecycle.engine.role import STANDARD_OUTCOMES, Call, Outcome, Row, State

EMPTY = State(
    "empty", "The object exists; it has no socket of the system yet.", reason="The object has no socket of the system yet"
)
OPEN = State("open", "It has a socket, which has no local address yet.", reason="The socket has no local address yet")
BOUND = State("bound", "The socket has a local address and port.")
CLOSED = State(
    "closed",
    "The socket is given back or handed out; the object is used up.",
    reason="Closed is final: make a new object",
)

CALLS = (
    Call("create", "Get a socket and bind it to a local address: open() and bind() in one.", exclusive=True,
         reason="The object has a socket already"),
    Call("open", "Get a socket without an address, so that options can be set before bind().", exclusive=True,
         reason="The object has a socket already"),
    Call("bind", "Give the socket its local address and port; port 0 lets the system choose.", exclusive=True,
         reason="A socket is bound once"),
    Call("listen", "Let connections queue up.", exclusive=True),
    Call("accept", "Take the first queued connection into an empty Accepted, or wait for one."),
    Call("connect", "Seek a connection; for a datagram socket, set the peer.", exclusive=True),
    Call("finish_connect", "Learn how a connect that did not wait to its end has come out.", exclusive=True,
         reason="No connect is under way"),
    Call("accepted", "A server's accept() hands its connection over to this object.", exclusive=True,
         fired_by="server.accept"),
    Call("socket_file", "A SocketFile is made over it.", fired_by="socket_file.attach"),
    Call("disconnect", "Forget the peer of a datagram socket.", exclusive=True),
    Call("send", "Send all of the data to the peer."),
    Call("receive", "Receive what has come, or wait for something; b'' from a stream is its end."),
    Call("send_to", "Send one message to an address; a connected stream ignores the address."),
    Call("receive_from", "Receive, together with the address it came from; a stream has none to tell."),
    Call("shut_down", "End one direction, or both, without closing: sends, receives or both."),
    Call("get_sock_name", "The local address and port.",
         reason="The socket has no local address to tell yet"),
    Call("get_peer_name", "The peer's address and port.", reason="There is no peer"),
    Call("set_option", "Set a socket option."),
    Call("get_option", "Read a socket option."),
    Call("io_ctl", "Ask how many bytes could be received at once (FIONREAD)."),
    Call("attach", "Take over a socket of the system that exists already, in whatever state it really is.",
         exclusive=True, external=True, reason="The object has a socket already"),
    Call("detach", "Hand the socket out and end the object; the connection lives on.", at_once=True,
         reason="There is no socket to hand out"),
    Call("close", "Close the socket and end the object; closing again does nothing.", at_once=True),
)  # fmt: skip


def calls(*names: str, **reasons: str) -> tuple[Call, ...]:
    """The calls of those names in the vocabulary's order, each with this role's own reason where one is given."""
    wanted = set(names) | set(reasons)
    unknown = wanted - {call.name for call in CALLS}
    if unknown:
        raise ValueError(f"not in the vocabulary: {', '.join(sorted(unknown))}")
    return tuple(replace(call, reason=reasons.get(call.name, call.reason)) for call in CALLS if call.name in wanted)


SHUT_DOWN_CHOICES = (
    Outcome("sends", "Sending was ended: the peer will see the end of the stream."),
    Outcome("receives", "Receiving was ended; the peer is told nothing."),
    Outcome("both", "Both directions were ended."),
)


def outcomes(*attached: str) -> tuple[Outcome, ...]:
    """The standard outcomes, the choices of shut_down, and one for each state in which attach() may find a handle."""
    standard = {outcome.name for outcome in STANDARD_OUTCOMES}
    found = (
        Outcome(state, f"The handle was found to be {state.replace('_', ' ')}.") for state in attached if state not in standard
    )
    return (*STANDARD_OUTCOMES, *SHUT_DOWN_CHOICES, *found)


def options(state: str) -> tuple[Row, ...]:
    """The rows of the two option calls, which every state with a socket has."""
    keeps = {"ok": state, "failed": state}
    return ((state, "set_option", keeps), (state, "get_option", keeps))


def endings(state: str) -> tuple[Row, ...]:
    """The rows of the two calls that end the object, which every state with a socket has."""
    return ((state, "detach", {"ok": "closed"}), (state, "close", {"ok": "closed"}))


def creation(*attachable: str) -> tuple[Row, ...]:
    """The rows by which an object gets its socket and its address; attach() may find a handle in the given states."""
    return (
        ("empty", "create", {"ok": "bound", "failed": "empty"}),
        ("empty", "open", {"ok": "open", "failed": "empty"}),
        ("empty", "attach", {state: state for state in attachable} | {"failed": "empty"}),
        ("empty", "close", {"ok": "closed"}),
        ("open", "bind", {"ok": "bound", "failed": "open"}),
        *options("open"),
        *endings("open"),
    )


CREATION_REASONS = {("open", "create"): "create() is open() and bind() in one, and open() was called already"}

"""The standard library's words for the calls of the tables: what one call of the package is as methods of `socket.socket`.

The tables of a program's own sockets are derived with it from the package's tables, so that a rule stands in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lifecycle.engine import STANDARD_OUTCOMES, Call, Kind, Outcome, Role, Row, State, stays
from lifecycle.roles.words import SHUT_DOWN_CHOICES

METHODS: Mapping[str, tuple[str, ...]] = {
    "bind": ("bind",),
    "listen": ("listen",),
    "accept": ("accept",),
    "connect": ("connect", "connect_ex"),
    "finish_connect": ("connect", "connect_ex"),
    "send": ("send", "sendall", "sendmsg", "sendfile"),
    "send_to": ("sendto",),
    "receive": ("recv", "recv_into", "recvmsg", "recvmsg_into"),
    "receive_from": ("recvfrom", "recvfrom_into"),
    "shut_down": ("shutdown",),
    "get_sock_name": ("getsockname",),
    "get_peer_name": ("getpeername",),
    "set_option": ("setsockopt",),
    "get_option": ("getsockopt",),
    "detach": ("detach",),
    "close": ("close",),
}
"""the package's call -> the methods that make it; the first one is the word for it in a text"""

PACKAGE_CALLS: Mapping[str, str] = {
    method: call for call, methods in METHODS.items() if call != "finish_connect" for method in methods
}
"""method -> the package's call that it makes"""

WITH_ADDRESS: Mapping[str, str] = {"sendmsg": "sendto"}
"""method -> the method whose row holds when it is given an address"""

SHOWN = frozenset({"getsockname", "getpeername"})
"""the methods that repr() of a socket calls"""

QUESTIONS = frozenset({"getsockname", "getpeername", "getsockopt", "shutdown"})
"""the methods that a careful library calls in any state, inside a `try`: an error is a valid answer"""

FAREWELL = "shutdown"
"""the method among them that has no effect on a closed socket"""

RETURNS_ERROR = frozenset({"connect_ex"})
"""the methods that return the number of an error"""

CALLS = (
    Call("bind", "Give the socket its local address."),
    Call("listen", "Let connections queue up."),
    Call("accept", "Take the first queued connection, or wait for one."),
    Call("connect", "Seek a connection, or learn how it came out; for a datagram socket, set the peer."),
    Call("connect_ex", "The same, telling an error by its number."),
    Call("send", "Send some of the data."),
    Call("sendall", "Send all of the data."),
    Call("sendmsg", "Send from several buffers, with ancillary data; with an address it is a sendto()."),
    Call("sendfile", "Send a file."),
    Call("sendto", "Send a message to an address; a connected stream ignores the address."),
    Call("recv", "Receive what has come, or wait for something; b'' from a stream is its end."),
    Call("recv_into", "The same, into a buffer."),
    Call("recvmsg", "The same, with ancillary data."),
    Call("recvmsg_into", "The same, into several buffers."),
    Call("recvfrom", "Receive, together with the address it came from."),
    Call("recvfrom_into", "The same, into a buffer."),
    Call("shutdown", "End one direction, or both, without closing."),
    Call("makefile", "Make a file over the socket."),
    Call("dup", "Make a second object over the same socket of the system."),
    Call("getsockname", "The local address."),
    Call("getpeername", "The peer's address.", reason="There is no peer"),
    Call("setsockopt", "Set a socket option."),
    Call("getsockopt", "Read a socket option."),
    Call("settimeout", "Set how long calls wait."),
    Call("setblocking", "Set whether calls wait."),
    Call("fileno", "The descriptor: whoever waits for it with select() and the like asks for it."),
    Call("detach", "Hand the descriptor out and end the object; the connection lives on."),
    Call("close", "Close the socket and end the object; closing again does nothing."),
)  # fmt: skip

WATCHED = Outcome("watched", "It goes on, and the descriptor is known, so that the program may wait for it.", Kind.WAITING)
ASKED = Outcome("asked", "SO_ERROR was read, and told of no error.", Kind.WAITING)
CONFIRMED = Outcome("confirmed", "SO_ERROR was read, told of no error, and there is a connection.", Kind.WAITING)

OUTCOMES = (*STANDARD_OUTCOMES, *SHUT_DOWN_CHOICES, WATCHED, ASKED, CONFIRMED)

OF_A_HANDLE = ("makefile", "dup", "settimeout", "setblocking", "fileno")
"""what Python adds, and an object takes as long as it has a socket"""

ALWAYS = ("fileno", "detach", "close")
"""what Python takes even of an object that is closed: fileno() and detach() give -1 then"""


def python_calls(role: Role, **reasons: str) -> tuple[Call, ...]:
    """The calls; what `role` never takes has its reason there, and what is no call of it at all the given one."""
    never = {
        method: in_python_words(role.call(call).reason)
        for method, call in PACKAGE_CALLS.items()
        if any(each.name == call for each in role.calls) and role.never_legal(call)
    }
    return tuple(replace(call, reason=reasons.get(call.name, never.get(call.name, call.reason))) for call in CALLS)


def python_rows(*roles: Role, states: Iterable[str]) -> tuple[Row, ...]:
    """The rows of `roles` for those states, in Python's words: what one of them allows is allowed."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for state in states:
        for role in roles:
            for call, outcomes in role.table.get(state, {}).items():
                for method in METHODS.get(call, ()):
                    cells.setdefault((state, method), {}).update(outcomes)
    return tuple((state, method, outcomes) for (state, method), outcomes in cells.items())


def with_rows(rows: Iterable[Row], *more: Row) -> tuple[Row, ...]:
    """`rows` and `more`; where both have a cell, the outcomes of both."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for state, call, outcomes in (*rows, *more):
        cells.setdefault((state, call), {}).update(outcomes)
    return tuple((state, call, outcomes) for (state, call), outcomes in cells.items())


def handle_rows(states: Iterable[str]) -> tuple[Row, ...]:
    """The rows of what Python adds to every state with a socket."""
    return tuple((state, call, stays(state, "ok", "failed")) for state in states for call in OF_A_HANDLE)


def always_rows(state: str) -> tuple[Row, ...]:
    """The rows of what Python takes of a closed object."""
    return tuple((state, call, stays(state, "ok")) for call in ALWAYS)


def python_reasons(*roles: Role, rows: Iterable[Row], states: Iterable[str]) -> dict[tuple[str, str], str]:
    """Why each cell is illegal that no row takes: in the words of the first role that takes the call in other states.

    What no row takes at all has its reason with the call.
    """
    legal = {(state, call) for state, call, _ in rows}
    sometimes = {call for _, call in legal}
    reasons: dict[tuple[str, str], str] = {}
    for state in states:
        for method, call in PACKAGE_CALLS.items():
            having = [role for role in roles if state in role.table and any(each.name == call for each in role.calls)]
            speaking = sorted(having, key=lambda role: role.never_legal(call))
            if (state, method) not in legal and method in sometimes and speaking and speaking[0].reason(state, call):
                reasons[state, method] = in_python_words(speaking[0].reason(state, call))
    return reasons


def in_python_state(state: State) -> State:
    """A state of the package's tables, with its reason in Python's words."""
    return replace(state, doc=in_python_words(state.doc), reason=in_python_words(state.reason))


_PACKAGE_CALL = re.compile(r"\b([a-z_]+)\(\)")
_OBJECTS = {"an Accepted": "the socket", "the Accepted": "the socket", "a Server": "a server", "a Client": "a client"}


def in_python_words(text: str) -> str:
    """A text of the package's tables about Python's sockets."""
    text = _PACKAGE_CALL.sub(lambda found: f"{METHODS.get(found[1], (found[1],))[0]}()", text)
    for package, python in _OBJECTS.items():
        text = text.replace(package, python)
    return text

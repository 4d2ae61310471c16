"""The role of Python's own stream socket: server, client and accepted in one, in the words of `socket.socket`.

The object is made with a socket of the system, so it begins `open`. Server, client and accepted share their first states, until
listen() or connect() decides. Legal still means portable, by the package's tables; added here is what Python makes of a socket,
and how its programs learn that a connect has come out: they call connect() again, read SO_ERROR, ask for the peer, or wait for
the descriptor. That last step cannot be seen, but a program that waits has asked for the descriptor before: `awaited`. One that
has read SO_ERROR when the connection was there knows of it (`confirmed`); some call connect_ex() even so, and expect EISCONN.
"""

from collections.abc import Iterable, Iterator

from lifecycle.engine import Role, Row, State, stays
from lifecycle.roles.python_vocabulary import (
    CALLS,
    METHODS,
    OUTCOMES,
    always_rows,
    handle_rows,
    in_python_state,
    python_reasons,
    python_rows,
    with_rows,
)
from lifecycle.roles.server import SERVER
from lifecycle.roles.stream import ACCEPTED, CLIENT, DATA_PHASE, IS_CONNECTED
from lifecycle.roles.words import BOUND, CLOSED, OPEN

UNCHECKED = "It was not looked yet how the connect came out: wait until the descriptor can be written, then read SO_ERROR"

_STATES = (
    OPEN,
    BOUND,
    in_python_state(SERVER.state("listening")),
    State("connecting", "A connect is under way.", reason=UNCHECKED),
    State("awaited", "A connect was under way, and the program may have waited until it came out.",
          reason="A connect is under way, or has made a connection"),
    State("confirmed", "Connected, and SO_ERROR has told of no error.", reason=IS_CONNECTED),
    *(in_python_state(state) for state in DATA_PHASE),
    CLOSED,
)  # fmt: skip
_NAMES = tuple(state.name for state in _STATES)
_WITH_HANDLE = tuple(name for name in _NAMES if name != "closed")
_DERIVED = tuple(name for name in _NAMES if name not in ("awaited", "confirmed", "closed"))

_SENDING = (*METHODS["send"], *METHODS["send_to"])
_RECEIVING = (*METHODS["receive"], *METHODS["receive_from"])

_LEARNT = {"ok": "connected", "refused": "bound", "pending": "connecting", "timed_out": "connecting"}
_AFTER_WAITING = {name: "awaited" if state == "connecting" else state for name, state in _LEARNT.items()}
_UNLEARNT = {**stays("awaited", "pending", "timed_out", "failed"), "broken": "broken"}


def _confirmed_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of a connected socket for one of which SO_ERROR was read: it is just connected when something was said."""
    for state, call, outcomes in rows:
        if state == "connected":
            is_said = call in (*_SENDING, *_RECEIVING)
            yield (
                "confirmed",
                call,
                {outcome: "confirmed" if after == state and not is_said else after for outcome, after in outcomes.items()},
            )


_DERIVED_ROWS = python_rows(SERVER, CLIENT, ACCEPTED, states=_DERIVED)

ROWS = with_rows(
    _DERIVED_ROWS,
    *handle_rows(_WITH_HANDLE),
    *always_rows("closed"),

    *((state, call, {"watched": "awaited"}) for state in ("open", "bound", "connecting") for call in METHODS["connect"]),
    ("connecting", "getsockopt", {"asked": "awaited", "confirmed": "confirmed", "refused": "bound"}),
    ("connecting", "fileno", {"ok": "awaited"}),
    ("connecting", "getpeername", {"ok": "connected", "failed": "connecting"}),

    *(("awaited", call, _AFTER_WAITING) for call in METHODS["connect"]),
    *(("awaited", call, {**_UNLEARNT, "ok": "connected"}) for call in _SENDING),
    *(("awaited", call, {**_UNLEARNT, "ok": "connected", "eof": "peer_closed"}) for call in _RECEIVING),
    ("awaited", "shutdown", {"sends": "send_shut", "receives": "receive_shut", "both": "shut", "failed": "awaited"}),
    ("awaited", "getsockname", {"ok": "awaited"}),
    ("awaited", "getpeername", {"ok": "connected", "failed": "awaited"}),
    ("awaited", "setsockopt", stays("awaited", "ok", "failed")),
    ("awaited", "getsockopt", {**stays("awaited", "ok", "asked", "failed"), "confirmed": "confirmed", "refused": "bound"}),
    ("awaited", "detach", {"ok": "closed"}),
    ("awaited", "close", {"ok": "closed"}),

    *_confirmed_rows(_DERIVED_ROWS),
    ("confirmed", "connect_ex", {"ok": "connected"}),

    # a buffered file sends again when it is closed, and is told again that the connection is gone
    *(("broken", call, stays("broken", "broken", "failed")) for call in _SENDING),
    # a last farewell is said to whoever may be gone already
    ("broken", "shutdown", stays("broken", "sends", "receives", "both", "failed")),
)  # fmt: skip

PYTHON_STREAM = Role(
    name="stream",
    doc="A stream socket of the standard library: server, client or accepted connection.",
    states=_STATES,
    calls=CALLS,
    outcomes=OUTCOMES,
    initial="open",
    final=frozenset({"closed"}),
    closes="close",
    rows=ROWS,
    reasons=python_reasons(SERVER, CLIENT, ACCEPTED, rows=ROWS, states=(*_DERIVED, "closed"))
    | {("connecting", call): UNCHECKED for call in (*_SENDING, *_RECEIVING, "shutdown")},
)

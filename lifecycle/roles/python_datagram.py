"""The role of Python's own datagram socket: the package's table in the words of `socket.socket`.

The object is made with a socket of the system, so it begins `open`.
"""

from lifecycle.engine import Role, stays
from lifecycle.roles.datagram import DATAGRAM
from lifecycle.roles.python_vocabulary import (
    METHODS,
    OUTCOMES,
    always_rows,
    handle_rows,
    in_python_state,
    python_calls,
    python_reasons,
    python_rows,
    with_rows,
)

_STATES = tuple(in_python_state(state) for state in DATAGRAM.states if state.name != "empty")
_WITH_HANDLE = tuple(state.name for state in _STATES if state.name != "closed")

ROWS = with_rows(
    (row for row in python_rows(DATAGRAM, states=_WITH_HANDLE) if row[1] != "sendfile"),
    *handle_rows(_WITH_HANDLE),
    *always_rows("closed"),
    *(("connected", call, stays("connected", "pending", "timed_out")) for call in METHODS["send"] if call != "sendfile"),
    *((state, "sendto", stays("bound", "pending", "timed_out")) for state in ("open", "bound")),
)

PYTHON_DATAGRAM = Role(
    name="datagram",
    doc="A datagram socket of the standard library.",
    states=_STATES,
    calls=python_calls(DATAGRAM, sendfile="A file is a stream of bytes, and a datagram socket has messages"),
    outcomes=OUTCOMES,
    initial="open",
    final=frozenset({"closed"}),
    closes="close",
    rows=ROWS,
    reasons=python_reasons(DATAGRAM, rows=ROWS, states=(*_WITH_HANDLE, "closed")),
)

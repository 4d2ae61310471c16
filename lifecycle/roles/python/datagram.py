"""The role of Python's own datagram socket: the package's table with the names of `socket.socket`.

The object is made with a socket of the system, so it begins `open`.
"""

from lifecycle.engine import Role, Rule, expand, stay
from lifecycle.roles.datagram import DATAGRAM
from lifecycle.roles.facts import Link, addressed
from lifecycle.roles.python.derived import EVERY_OBJECT, merged, python_calls, python_reasons, python_rows, python_state
from lifecycle.roles.python.words import METHODS, OUTCOMES
from lifecycle.roles.words import SEND

STATES = tuple(python_state(state) for state in DATAGRAM.states if state.facts.handle or state.facts.over)
SENDING = tuple(method for method in METHODS[SEND.name] if method != "sendfile")

ROWS = merged((
    *(row for row in python_rows(DATAGRAM, states=STATES) if row[1] != "sendfile"),
    *expand(EVERY_OBJECT, STATES),
    *expand((
        Rule(" ".join(SENDING), lambda at: at.link is Link.PEER and at.sends, {"pending": stay, "timed_out": stay}),
        Rule("sendto", lambda at: at.handle and at.link is Link.NO, {"pending": addressed, "timed_out": addressed}),
    ), STATES),
))  # fmt: skip

PYTHON_DATAGRAM = Role(
    name="datagram",
    doc="A datagram socket of the standard library.",
    states=STATES,
    calls=python_calls(DATAGRAM, sendfile="A file is a stream of bytes, but a datagram socket has messages"),
    outcomes=OUTCOMES,
    initial="open",
    final=frozenset({"closed"}),
    closes="close",
    rows=ROWS,
    reasons=python_reasons(DATAGRAM, rows=ROWS, states=STATES),
)

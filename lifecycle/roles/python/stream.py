"""The role of Python's own stream socket: server, client and accepted in one, with the names of `socket.socket`.

The object is made with a socket of the system, so it begins `open`. Server, client and accepted share their first states,
until listen() or connect() decides. Legal still means portable, by the package's tables. Added here is how a program learns the
result of a connect: it calls connect() again, reads SO_ERROR, asks for the peer, or waits for the descriptor. That wait cannot
be observed, but the program must have asked for the descriptor before it: `awaited`. One that read SO_ERROR when the connection
was there is `confirmed`; some call connect_ex() even then, and expect EISCONN.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lifecycle.engine import Kind, Role, Row, Rule, State, becomes, expand, stay, to
from lifecycle.roles import facts
from lifecycle.roles.accepted import ACCEPTED
from lifecycle.roles.client import CLIENT
from lifecycle.roles.facts import Link
from lifecycle.roles.python.derived import (
    EVERY_OBJECT,
    merged,
    python_calls,
    python_facts,
    python_reasons,
    python_rows,
    python_state,
)
from lifecycle.roles.python.words import CONNECT_ERRORS, CONNECTING, OUTCOMES, RECEIVING, SENDING
from lifecycle.roles.server import SERVER
from lifecycle.roles.stream import DATA_PHASE, IS_CONNECTED
from lifecycle.roles.words import BOUND, CLOSED, OPEN

UNCHECKED = "The result of the connect was not read yet: wait until the descriptor can be written, then read SO_ERROR"

CONNECTED = python_state(DATA_PHASE[0])
SEEKING = State("connecting", "A connect is under way.", reason=UNCHECKED, facts=python_facts(facts.SEEKING))
AWAITED = State(
    "awaited",
    "A connect was under way, and the program may have waited until it ended.",
    reason="A connect is under way, or has made a connection",
    facts=replace(python_facts(facts.SEEKING), waited=True),
)
SEEN = State("confirmed", "Connected, and SO_ERROR was read and 0.", reason=IS_CONNECTED,
             facts=replace(python_facts(facts.LINKED), checked=True))  # fmt: skip

_DERIVED = (
    python_state(OPEN),
    python_state(BOUND),
    python_state(SERVER.state("listening")),
    SEEKING,
    *(python_state(state) for state in DATA_PHASE),
)
STATES = (*_DERIVED[:4], AWAITED, SEEN, *_DERIVED[4:], python_state(CLOSED))

LEARNING = (
    Rule(" ".join(CONNECTING), lambda at: at.handle and at.link in (Link.NO, Link.SEEKING),
         {"watched": becomes(AWAITED.facts)}),
    Rule("getsockopt", lambda at: at.link is Link.SEEKING,
         {"asked": to(waited=True), "confirmed": becomes(SEEN.facts), "refused": becomes(python_facts(facts.BOUND))}),
    Rule("fileno", lambda at: at.link is Link.SEEKING, {"ok": to(waited=True)}),
    Rule("getpeername", lambda at: at.link is Link.SEEKING, {"ok": becomes(CONNECTED.facts), "failed": stay}),
    Rule("connect_ex", lambda at: at.checked, {"ok": becomes(CONNECTED.facts)}),
)  # fmt: skip
"""how a program learns the result of a connect"""

PATIENCE = (
    # a buffered file sends again when it is closed, and fails again
    Rule(" ".join(SENDING), lambda at: at.link is Link.RESET, {"broken": stay, "failed": stay}),
    # the last shutdown() of a conversation may find that the peer is gone
    Rule("shutdown", lambda at: at.link is Link.RESET, {"sends": stay, "receives": stay, "both": stay, "failed": stay}),
)
"""what a correct program does with a connection that is gone"""


def as_connected(rows: Iterable[Row], here: str) -> Iterator[Row]:
    """The rows of a connected socket in the state `here`, in which it may be connected already.

    A success shows that it is. A failure says nothing, so it stays in `here`.
    """
    kinds = {outcome.name: outcome.kind for outcome in OUTCOMES}
    for state, call, outcomes in rows:
        if state == CONNECTED.name:
            shows_nothing = {name for name, after in outcomes.items() if after == state and kinds[name] is not Kind.SUCCESS}
            yield here, call, {name: here if name in shows_nothing else after for name, after in outcomes.items()}


def _added_states(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of the two states that the package's tables do not have."""
    connecting = {call: outcomes for state, call, outcomes in rows if state == SEEKING.name}
    for call, outcomes in connecting.items():
        stays = {name: AWAITED.name if after == SEEKING.name else after for name, after in outcomes.items()}
        yield AWAITED.name, call, stays
    yield from (row for row in as_connected(rows, AWAITED.name) if row[1] not in connecting)
    for state, call, outcomes in rows:
        if state == CONNECTED.name:
            is_data = call in (*SENDING, *RECEIVING)  # then the program trusts the connection: it is just connected
            yield (
                SEEN.name,
                call,
                {name: SEEN.name if after == state and not is_data else after for name, after in outcomes.items()},
            )


_SHARED_ROWS = merged((
    *python_rows(SERVER, CLIENT, ACCEPTED, states=_DERIVED),
    *expand((*EVERY_OBJECT, *LEARNING, *PATIENCE), STATES),
))  # fmt: skip
ROWS = merged((*_SHARED_ROWS, *_added_states(_SHARED_ROWS)))

PYTHON_STREAM = Role(
    name="stream",
    doc="A stream socket of the standard library: server, client or accepted connection.",
    states=STATES,
    calls=tuple(
        replace(call, errors={**call.errors, **CONNECT_ERRORS}) if call.name in CONNECTING else call
        for call in python_calls(CLIENT, SERVER)
    ),
    outcomes=OUTCOMES,
    initial="open",
    final=frozenset({"closed"}),
    closes="close",
    rows=ROWS,
    reasons=python_reasons(SERVER, CLIENT, ACCEPTED, rows=ROWS, states=(*_DERIVED, STATES[-1]))
    | {(SEEKING.name, call): UNCHECKED for call in (*SENDING, *RECEIVING, "shutdown")},
)

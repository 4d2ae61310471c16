"""The effects of illegal calls: the roles of Python's sockets, with rows for calls that systems accept.

A checker cannot prevent such a call, and has to know the state of the socket after it: a system may accept the call, or refuse
it and remember it. The rows here are Linux's behaviour (system/linux.csv); without a row, the state stays.

Some states can only be reached by an illegal call. A listener that was shut down is `stopped`: it may listen again, on a new
port if the system chose the first one. A shutdown() before there is a connection fails, and Linux remembers it (`shut_early`):
the connection that is made afterwards has ended before it begins (`poisoned`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lifecycle.engine import Reason, Role, Row, Rule, State, becomes, expand, expand_reasons, stay, to
from lifecycle.roles import facts
from lifecycle.roles.facts import Link, addressed
from lifecycle.roles.python import stream
from lifecycle.roles.python.datagram import PYTHON_DATAGRAM, SENDING
from lifecycle.roles.python.derived import PythonFacts, merged, python_facts
from lifecycle.roles.python.other import PYTHON_SOCKET
from lifecycle.roles.python.stream import PYTHON_STREAM
from lifecycle.roles.python.words import CONNECTING, RECEIVING
from lifecycle.roles.python.words import SENDING as SENDING_STREAM
from lifecycle.roles.server import SERVER
from lifecycle.roles.words import BOUND, OPEN


@dataclass(frozen=True, eq=False)
class ObservedRole:
    """A role, and the system's behaviour.

    law: the role. real: a role with the same calls, in which illegal calls have rows too, and with the states that only they
    reach. namesakes: such a state -> the state of the law whose row applies there, for the same socket without the illegal
    call. reasons: (such a state, call) -> why a call of that row is illegal.
    """

    law: Role
    real: Role
    namesakes: Mapping[str, str]
    reasons: Mapping[tuple[str, str], str]


def observed(
    law: Role,
    rules: Sequence[Rule] = (),
    rows: Iterable[Row] = (),
    states: Sequence[State] = (),
    reasons: Sequence[Reason] = (),
    leads: Sequence[Rule] = (),
) -> ObservedRole:
    """The observed role. rules, rows: the effects of illegal calls. states: those that the law does not have.

    leads: where an outcome of a legal call leads to such a state.
    """
    everything = (*law.states, *states)
    plain = {state.name: replace(state.facts, failed=False, early=False, stopped=False) for state in states}
    namesakes = {name: law.state_of(at) or name for name, at in plain.items()}
    inherited = (
        (name, call, {outcome: name if after == like else after for outcome, after in outcomes.items()})
        for name, like in namesakes.items()
        for call, outcomes in law.table[like].items()
    )
    illegal = (row for row in (*rows, *expand(rules, everything)) if row[1] not in law.table.get(row[0], {}))
    real = replace(
        law, states=everything, rows=merged((*law.rows, *inherited, *illegal, *expand(leads, everything))), reasons={}
    )
    return ObservedRole(law, real, namesakes, expand_reasons(reasons, (), states))


TOO_EARLY = "shutdown() came before there was a peer: it failed, but this system remembers it"
PORT_LOST = "A listener that was shut down may come back on another port: make a new one"
NEVER_CONNECTS = "A socket that has listened does not connect"

EARLY = State("shut_early", "Shut down before it had a peer.", TOO_EARLY, replace(python_facts(facts.OPEN), early=True))
EARLY_BOUND = State(
    "shut_early_bound", "Bound, and shut down before it had a peer.", TOO_EARLY, replace(python_facts(facts.BOUND), early=True)
)
POISONED = State("poisoned", "Connected after it was shut down.", TOO_EARLY, replace(python_facts(facts.LINKED), early=True))
STOPPED = State("stopped", "A listener that was shut down.", "This listener was shut down: make a new one",
                replace(python_facts(facts.BOUND), stopped=True))  # fmt: skip


CONNECT_AGAIN = "A connect on this socket was refused, and POSIX leaves the state of the socket unspecified then"
ANSWERS_WHEN_FAILED: Mapping[str, Mapping[str, str]] = {
    call: {"winsock": "ok", "linux": "ok", "macos": "EINVAL", "freebsd": "EINVAL"} for call in CONNECTING
}
"""call -> what systems answer after a refused connect: POSIX connect(), application usage; reports from macOS and FreeBSD"""

FAILED = State("refused", "A connect was refused.", CONNECT_AGAIN, replace(python_facts(facts.OPEN), failed=True))
FAILED_BOUND = State(
    "refused_bound", "Bound, and a connect was refused.", CONNECT_AGAIN, replace(python_facts(facts.BOUND), failed=True)
)


def shown(state: str) -> str:
    """The name of a state in the package's tables."""
    return _SHOWN.get(state, state)


def is_unlinked(at: PythonFacts) -> bool:
    """The socket has no peer, and never listened."""
    return at.handle and at.link is Link.NO and not at.stopped


SHUT_TOO_EARLY = (
    Rule("shutdown", is_unlinked, dict.fromkeys(("sends", "receives", "both", "failed"), to(failed=False, early=True))),
    Rule("bind", lambda at: at.early and not at.address, {"ok": addressed}),
)

OBSERVED_STREAM = observed(
    PYTHON_STREAM,
    (
        *SHUT_TOO_EARLY,
        Rule(" ".join(CONNECTING), lambda at: at.early and at.link is Link.NO, {"ok": becomes(POISONED.facts)}),
        Rule(" ".join(RECEIVING), lambda at: at.early and at.is_linked, {"eof": stay, "broken": stay}),
        Rule(" ".join(SENDING_STREAM), lambda at: at.early and at.is_linked, {"broken": stay}),
        Rule("listen", lambda at: at.handle, {"ok": becomes(python_facts(facts.LISTENING))}),
        Rule("shutdown", lambda at: at.link is Link.LISTENING, dict.fromkeys(("receives", "both"), becomes(STOPPED.facts))),
        Rule("bind", lambda at: at.stopped, {"ok": to(stopped=False)}),
        Rule(" ".join(CONNECTING), lambda at: at.is_at_end,
             {"ok": becomes(stream.CONNECTED.facts), "pending": becomes(stream.SEEKING.facts)}),
    ),
    rows=stream.as_connected(PYTHON_STREAM.rows, stream.SEEKING.name),
    states=(STOPPED, EARLY, EARLY_BOUND, POISONED, FAILED, FAILED_BOUND),
    leads=(
        Rule(" ".join(CONNECTING), lambda at: is_unlinked(at) and not at.early, {"refused": to(failed=True)}),
        Rule(" ".join((*CONNECTING, "getsockopt")), lambda at: at.link is Link.SEEKING,
             {"refused": becomes(FAILED_BOUND.facts)}),
    ),
    reasons=(
        Reason("listen", lambda at: at.stopped, PORT_LOST),
        Reason(" ".join(CONNECTING), lambda at: at.stopped, NEVER_CONNECTS),
        Reason(" ".join(CONNECTING), lambda at: at.failed, CONNECT_AGAIN),
    ),
)  # fmt: skip

OBSERVED_DATAGRAM = observed(
    PYTHON_DATAGRAM,
    (*SHUT_TOO_EARLY, Rule(" ".join(SENDING), lambda at: at.handle and not at.address and not at.early, {"failed": addressed})),
    states=(EARLY, EARLY_BOUND),
)

OBSERVED_SOCKET = observed(PYTHON_SOCKET)

_SHOWN: Mapping[str, str] = {
    stream.AWAITED.name: stream.SEEKING.name,
    stream.SEEN.name: stream.CONNECTED.name,
    POISONED.name: stream.CONNECTED.name,
    **{each.name: OPEN.name for each in (EARLY, FAILED)},
    **{each.name: BOUND.name for each in (EARLY_BOUND, FAILED_BOUND)},
    STOPPED.name: SERVER.state("listening").name,
}
"""state that only a checker knows -> the state of the package's tables in which the socket is for its user"""

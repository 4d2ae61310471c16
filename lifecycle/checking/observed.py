"""The states of Python's sockets as a checker follows them, including those that only an illegal call reaches.

An object under a role runs the role's table; a socket that is only observed also goes where the role forbids. So an observed
state has two answers for a call: whether the role allows it, and which state the socket is really in after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from lifecycle.engine import Kind, Role
from lifecycle.roles import CLIENT, SERVER
from lifecycle.roles import DATAGRAM as PACKAGE_DATAGRAM
from lifecycle.roles.facts import Facts, Link
from lifecycle.roles.python.derived import PythonFacts, python_facts
from lifecycle.roles.python.observed import OBSERVED_DATAGRAM, OBSERVED_SOCKET, OBSERVED_STREAM, ObservedRole
from lifecycle.roles.python.words import PACKAGE_CALLS

PACKAGE_ROLES = {OBSERVED_STREAM.law.name: (CLIENT, SERVER), OBSERVED_DATAGRAM.law.name: (PACKAGE_DATAGRAM,)}
"""a role of Python's -> the package's roles whose sockets are of the same kind"""


class ObservedState:
    """One state of an observed socket.

    role: the law. stands_for: the state of the law whose row applies here. legal: the calls that the role allows here.
    keeps: those among them whose `ok` stays here.
    """

    __slots__ = ("_all", "_cells", "_observed", "facts", "final", "keeps", "legal", "name", "role", "stands_for")

    def __init__(self, name: str, observed: ObservedRole, every: Mapping[str, ObservedState]) -> None:
        self.name = name
        self.role: Role = observed.law
        self.facts: PythonFacts = observed.real.state(name).facts
        self.final = name in self.role.final
        self.stands_for = observed.namesakes.get(name, name)
        self.legal = frozenset(call for call in self.role.table[self.stands_for] if (name, call) not in observed.reasons)
        self._cells = observed.real.table[name]
        self.keeps = frozenset(call for call in self.legal if self._cells[call].get("ok") == name)
        self._observed = observed
        self._all = every

    def __repr__(self) -> str:
        return f"<{self.role.name} {self.name}>"

    def after(self, call: str, outcome: str) -> ObservedState:
        """The state after `call` has ended in `outcome` on a real system; this one where no row says otherwise."""
        return self._all[self._cells[call].get(outcome, self.name)] if call in self._cells else self

    def lists(self, call: str, outcome: str) -> bool:
        """Whether a row says where this outcome of `call` leads."""
        return outcome in self._cells.get(call, ())

    def has_end(self, call: str) -> bool:
        """Whether `call` can see the end of the peer's data, in some state."""
        return any("eof" in calls.get(call, ()) for calls in self.role.table.values())

    def misleads(self, call: str, outcome: str) -> bool:
        """Whether this outcome of a legal call may be the late effect of a shutdown() that came too early."""
        return self.facts.early and call in self.legal and self.role.outcome(outcome).kind in (Kind.ENDING, Kind.FAILURE)

    def legal_calls(self) -> tuple[str, ...]:
        """The legal calls in the table's order."""
        return tuple(call.name for call in self.role.calls if call.name in self.legal)

    def reason(self, call: str) -> str:
        """Why `call` is illegal here, or ""."""
        if self.stands_for == self.name:
            return self.role.reason(self.name, call)
        return self._observed.reasons.get((self.name, call)) or self._observed.real.state(self.name).reason

    def remedy(self, call: str) -> tuple[str, ...] | None:
        """The shortest path of calls that makes `call` legal; None where there is none, or where it is legal already."""
        return self.role.remedy(self.stands_for, call) if call not in self.role.table[self.stands_for] else None

    def accepts(self, call: str) -> bool:
        """Whether this system accepts an illegal `call`, as measured; a call that is never legal is an error anywhere."""
        return not self.role.never_legal(call) and self._measured(call) in _ACCEPTED

    def hangs(self, call: str) -> bool:
        """Whether an illegal `call` waits for ever: this system lets it wait, and nothing can arrive without an address."""
        return self.facts.handle and not self.facts.address and self._measured(call) == _WAITS

    def is_local(self, call: str) -> bool:
        """Whether an illegal `call` is right for a local socket: only systems that have no such sockets forbid it."""
        is_accepted = self.accepts(call) and self._measured(call, "unix") in _ACCEPTED
        return is_accepted and self.facts.link is not Link.SEEKING and not self.hangs(call)

    def _measured(self, call: str, family: str = "inet") -> str | None:
        return answers(self.role.name, self.name, call, family).get("linux")


_WAITS = "blocks"
_ACCEPTED = frozenset({"ok", _WAITS})


def answers(role: str, state: str, call: str, family: str = "inet") -> Mapping[str, str]:
    """System -> its answer to Python's `call`: as to the package's call that it makes, for a socket with the same facts."""
    from lifecycle.system.platform_answers import platform_answers  # loads the matrices at the first illegal call

    if role not in PACKAGE_ROLES or call not in PACKAGE_CALLS:
        return {}
    at: PythonFacts = _ROLES[role].real.state(state).facts
    if at.early or at.stopped:  # not measured
        return {}
    for package_role in PACKAGE_ROLES[role]:
        package_state = package_role.state_of(at.socket)
        if package_state is not None:
            with suppress(OSError):  # the matrices cannot be read: the program has used up its descriptors, say
                return platform_answers(package_role.name, package_state, PACKAGE_CALLS[call], family=family)
    return {}


class ObservedStates:
    """The states of an observed role, by name and by facts."""

    def __init__(self, observed: ObservedRole) -> None:
        self._observed = observed
        self._states: dict[str, ObservedState] = {}
        for state in observed.real.states:
            self._states[state.name] = ObservedState(state.name, observed, self._states)

    def __getitem__(self, name: str) -> ObservedState:
        return self._states[name]

    @property
    def initial(self) -> ObservedState:
        """The state of a new socket."""
        return self._states[self._observed.law.initial]

    def at(self, facts: Facts) -> ObservedState:
        """The state of a socket of which the system says `facts`; the initial one where the role has no such state."""
        name = self._observed.law.state_of(python_facts(facts))
        return self.initial if name is None else self._states[name]


_ROLES = {each.law.name: each for each in (OBSERVED_STREAM, OBSERVED_DATAGRAM, OBSERVED_SOCKET)}

STREAM, DATAGRAM, OTHER = (ObservedStates(each) for each in (OBSERVED_STREAM, OBSERVED_DATAGRAM, OBSERVED_SOCKET))

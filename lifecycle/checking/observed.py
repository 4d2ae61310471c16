"""The states of Python's sockets as a checker follows them, including those that only an illegal call reaches.

An object under a role runs the role's table; a socket that is only observed also goes where the role forbids. So an observed
state has two answers for a call: whether the role allows it, and which state the socket is really in after it.

Several objects may share one socket of the system (dup, fork, a descriptor passed to C code), and each sees only its own
calls. So the system is asked before anything is reported. SO_ERROR and MSG_PEEK are not used: they would take an error from
the program.
"""

from __future__ import annotations

import _socket
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from lifecycle.engine import Kind, Role
from lifecycle.roles import CLIENT, SERVER
from lifecycle.roles import DATAGRAM as PACKAGE_DATAGRAM
from lifecycle.roles.facts import Facts, Link, Receives
from lifecycle.roles.python.derived import PythonFacts, python_facts
from lifecycle.roles.python.observed import (
    ANSWERS_WHEN_FAILED,
    OBSERVED_DATAGRAM,
    OBSERVED_SOCKET,
    OBSERVED_STREAM,
    ObservedRole,
)
from lifecycle.roles.python.remedies import INSTEAD, WAKING
from lifecycle.roles.python.words import (
    CONFIRMED,
    FAREWELL,
    PACKAGE_CALLS,
    QUESTIONS,
    TELLS_RESULT,
    UNNOTED,
    WITH_ADDRESS,
)
from lifecycle.system.handles import INTERNET_FAMILIES, facts_of, is_bound

PACKAGE_ROLES = {OBSERVED_STREAM.law.name: (CLIENT, SERVER), OBSERVED_DATAGRAM.law.name: (PACKAGE_DATAGRAM,)}
"""a role of Python's -> the package's roles whose sockets are of the same kind"""


class ObservedState:
    """One state of an observed socket.

    role: the law. stands_for: the state of the law whose row applies here. legal: the calls that the role allows here.
    keeps: those among them whose `ok` stays here. simple: those whose arguments do not change that. silent: those that only
    query, or set something that has no part in the order, so that they are not noted; both are empty while every call is kept.
    may_reset: whether close() may take back what was sent. listens: whether it is a listener.
    """

    __slots__ = (
        "_all", "_cells", "_observed", "facts", "final", "keeps", "legal", "listens", "may_reset", "name", "role", "silent",
        "simple", "stands_for",
    )  # fmt: skip

    def __init__(self, name: str, observed: ObservedRole, every: Mapping[str, ObservedState]) -> None:
        self.name = name
        self.role: Role = observed.law
        self.facts: PythonFacts = observed.real.state(name).facts
        self.final = name in self.role.final
        self.stands_for = observed.namesakes.get(name, name)
        self.legal = frozenset(call for call in self.role.table[self.stands_for] if (name, call) not in observed.reasons)
        self.may_reset = self.facts.receives is Receives.OPEN
        self.listens = self.facts.link is Link.LISTENING
        self._cells = observed.real.table[name]
        self.keeps = frozenset(call for call in self.legal if self._cells[call].get("ok") == name)
        self.keep_all(False)
        self._observed = observed
        self._all = every

    def __repr__(self) -> str:
        return f"<{self.role.name} {self.name}>"

    def keep_all(self, is_on: bool) -> None:
        """Note every call from now on, or only those with new information."""
        self.simple = frozenset() if is_on else self.legal.difference(WITH_ADDRESS)
        tells = (call for call in TELLS_RESULT if self.lists(call, CONFIRMED.name))
        self.silent = frozenset() if is_on else self.keeps.intersection(UNNOTED).difference(tells)

    def after(self, call: str, outcome: str) -> ObservedState:
        """The state after `call` has ended in `outcome` on a real system; this one if no row has that outcome."""
        return self._all[self._cells[call].get(outcome, self.name)] if call in self._cells else self

    def lists(self, call: str, outcome: str) -> bool:
        """Whether a row has this outcome of `call`."""
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
        if call in self.role.table[self.stands_for] or self.help(call):
            return None
        return self.role.remedy(self.stands_for, call)

    def help(self, call: str) -> str:
        """What to do about an illegal `call` where no path of calls on this socket helps, or ""."""
        if self.stands_for != self.name and (self.name, call) not in self._observed.reasons:
            return ""
        return next((text for holds, text in INSTEAD if holds(self.facts, call)), "")

    def accepts(self, call: str) -> bool:
        """Whether this system accepts an illegal `call`, as measured; a call that is never legal is an error anywhere."""
        return not self.role.never_legal(call) and self._measured(call) in _ACCEPTED

    @property
    def is_over(self) -> bool:
        """Whether the object is closed, or is a listener that was shut down."""
        return self.final or self.facts.stopped

    def expects_an_answer(self, call: str) -> bool:
        """Whether a guarded `call` is a query or a farewell; a farewell during a connect ends the connect."""
        return call in QUESTIONS and not (call == FAREWELL and self.facts.link is Link.SEEKING)

    def waits(self, call: str) -> bool:
        """Whether `call` may have to wait here."""
        outcomes = self._cells.get(call, ())
        return any(self.role.outcome(outcome).kind is Kind.WAITING for outcome in outcomes)

    def waking(self) -> str:
        """How another thread wakes a call that waits on the socket, before it closes it."""
        return next(how for holds, how in WAKING if holds(self.facts, self.legal))

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


def answers(
    role: str, state: str, call: str, family: str = "inet", *, systems: tuple[str, ...] | None = None
) -> Mapping[str, str]:
    """System -> its answer to Python's `call`: as to the package's call that it makes, for a socket with the same facts."""
    if role not in PACKAGE_ROLES or call not in PACKAGE_CALLS:
        return {}
    at: PythonFacts = _ROLES[role].real.state(state).facts
    if at.failed and call in ANSWERS_WHEN_FAILED:
        known = ANSWERS_WHEN_FAILED[call]
        return {system: known[system] for system in systems or known if system in known}
    if at.early or at.stopped:  # not measured
        return {}
    for package_role in PACKAGE_ROLES[role]:
        package_state = package_role.state_of(at.socket)
        if package_state is not None:
            # They cannot be read after the program has used up its descriptors, changed its root or dropped its privileges.
            with suppress(OSError, ImportError):
                from lifecycle.system.platform_answers import platform_answers  # loads the matrices at the first illegal call

                return platform_answers(package_role.name, package_state, PACKAGE_CALLS[call], systems=systems, family=family)
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

    def __iter__(self) -> Iterator[ObservedState]:
        return iter(self._states.values())

    @property
    def initial(self) -> ObservedState:
        """The state of a new socket."""
        return self._states[self._observed.law.initial]

    def at(self, facts: Facts) -> ObservedState:
        """The state of a socket of which the system says `facts`; the initial one where the role has no such state."""
        return self.like(python_facts(facts))

    def like(self, facts: PythonFacts) -> ObservedState:
        """The state with these facts; the initial one where the role has no such state."""
        name = self._observed.real.state_of(facts)
        return self.initial if name is None else self._states[name]


_ROLES = {each.law.name: each for each in (OBSERVED_STREAM, OBSERVED_DATAGRAM, OBSERVED_SOCKET)}

STREAM, DATAGRAM, OTHER = (ObservedStates(each) for each in (OBSERVED_STREAM, OBSERVED_DATAGRAM, OBSERVED_SOCKET))


UNKNOWN_STATE = OTHER.initial
"""the state of a socket of which only the descriptor is known"""


def keep_all(is_on: bool) -> None:
    """Note every call from now on, or only those with new information."""
    for states in (STREAM, DATAGRAM, OTHER):
        for state in states:
            state.keep_all(is_on)


def state_named(role: str, name: str) -> ObservedState:
    """The state of that name of the role of that name."""
    return next(states[name] for states in (STREAM, DATAGRAM, OTHER) if states.initial.role.name == role)


# -- the state that a socket is really in, read from the system without changing the socket -----------------------------------

INTERNET = frozenset(map(int, INTERNET_FAMILIES))
LOCAL = getattr(socket, "AF_UNIX", socket.AF_INET)

_STREAM_PROTOCOLS = frozenset({0, socket.IPPROTO_TCP, getattr(socket, "IPPROTO_MPTCP", 262)})
_DATAGRAM_PROTOCOLS = frozenset({0, socket.IPPROTO_UDP})

_raw = _socket.socket
_family, _type, _proto = (each.__get__ for each in (_raw.family, _raw.type, _raw.proto))


def family_of(sock: socket.socket) -> int:
    """The family as a number; the socket's own property makes an enum of it first."""
    number: int = _family(sock)
    return number


def _states_of(sock: socket.socket) -> ObservedStates:
    """The states of a socket of this kind."""
    if _family(sock) in INTERNET or _family(sock) == LOCAL:
        if _type(sock) == socket.SOCK_STREAM and _proto(sock) in _STREAM_PROTOCOLS:
            return STREAM
        if _type(sock) == socket.SOCK_DGRAM and _proto(sock) in _DATAGRAM_PROTOCOLS:
            return DATAGRAM
    return OTHER


def first_state(sock: socket.socket) -> ObservedState:
    """The state of a socket that the system has just made."""
    return _states_of(sock).initial


def found_state(sock: socket.socket) -> ObservedState:
    """The state of a socket whose earlier calls are not known."""
    return _states_of(sock).at(facts_of(sock, peek=False))


def corrected(state: ObservedState, sock: socket.socket) -> ObservedState:
    """The state, corrected where the system shows that another object has changed it.

    A socket that had a connection is not corrected: the system does not show, without a peek, what was received or ended.
    """
    at, states = state.facts, _states_of(sock)
    if at.handle and at.link in (Link.NO, Link.LISTENING) and states is not OTHER:
        real = facts_of(sock, peek=False)
        is_unchanged = real == at.socket or (at.link is real.link and at.address)  # Linux releases a port that it chose itself
        if real.handle and not is_unchanged:
            has_failed = at.failed and real.link is Link.NO  # the system does not show this
            return states.like(replace(python_facts(real), failed=has_failed))
    return state


def has_peer(sock: socket.socket) -> bool:
    """Whether the socket has a peer."""
    return bool(_address(_raw.getpeername, sock))


def ends_of(sock: socket.socket) -> tuple[str, str]:
    """The local and the peer's address as text, "" for one that it does not have."""
    local, peer = _address(_raw.getsockname, sock), _address(_raw.getpeername, sock)
    return local if is_bound(sock) else "", peer


def _address(ask: Callable[[socket.socket], Any], sock: socket.socket) -> str:
    try:
        name = ask(sock)
    except OSError:
        return ""
    return f"{name[0]}:{name[1]}" if _family(sock) in INTERNET else str(name or "")

"""The roles of the standard library's sockets: derived from the package's tables, and what is added to them."""

from __future__ import annotations

import socket
import sys

import pytest

from lifecycle.checking import checked_sockets
from lifecycle.checking.observed import DATAGRAM, OTHER, STREAM, ObservedStates, answers
from lifecycle.engine import Role, compiled_table
from lifecycle.roles import ACCEPTED, CLIENT, ROLES, SERVER, tls
from lifecycle.roles import DATAGRAM as PACKAGE_DATAGRAM
from lifecycle.roles.python.datagram import PYTHON_DATAGRAM
from lifecycle.roles.python.observed import OBSERVED_DATAGRAM, OBSERVED_SOCKET, OBSERVED_STREAM, ObservedRole
from lifecycle.roles.python.other import PYTHON_SOCKET
from lifecycle.roles.python.stream import PYTHON_STREAM
from lifecycle.roles.python.words import METHODS, OF_A_HANDLE, PACKAGE_CALLS, RECEIVING, SENDING

OBSERVED = (OBSERVED_STREAM, OBSERVED_DATAGRAM, OBSERVED_SOCKET)
PYTHON_ROLES = (PYTHON_STREAM, PYTHON_DATAGRAM, PYTHON_SOCKET)
PACKAGE_ROLES = {"stream": (SERVER, CLIENT, ACCEPTED), "datagram": (PACKAGE_DATAGRAM,)}

ADDED = {
    # how a program learns the result of a connect
    ("connecting", "getpeername"),
    # an error that comes again, or a last shutdown()
    *(("broken", method) for method in (*METHODS["send"], *METHODS["send_to"], "shutdown")),
    # what Python allows of a closed object
    ("closed", "detach"),
}
"""the cells, apart from those of the state `awaited`, that no table of the package has"""


@pytest.mark.parametrize("role", PYTHON_ROLES, ids=lambda role: role.name)
def test_role_is_a_role_like_any_other(role: Role) -> None:
    """transitions makes the same table of it as its declaration has; it is not one of the package's own roles."""
    assert compiled_table(role) == role.table
    assert role not in ROLES.values()
    assert role.initial == "open"


@pytest.mark.parametrize("role", PYTHON_ROLES[:2], ids=lambda role: role.name)
def test_package_table_holds_in_python_words(role: Role) -> None:
    """What a table of the package allows is allowed, with the same endings to the same states, under Python's names."""
    for package_role in PACKAGE_ROLES[role.name]:
        for state, call, outcome, after in package_role.cells():
            if state in role.table:  # Python's sockets begin open, and have TLS in objects of another class
                for method in METHODS.get(call, ()):
                    if (role.name, method) != ("datagram", "sendfile"):
                        assert role.table[state][method][outcome] == after


@pytest.mark.parametrize("role", PYTHON_ROLES[:2], ids=lambda role: role.name)
def test_nothing_is_allowed_that_no_table_allows(role: Role) -> None:
    """Beyond the package's tables only what is listed here is legal, and what every Python object takes."""
    known = {state.name: state for package_role in PACKAGE_ROLES[role.name] for state in package_role.states}
    more = set()
    for state, calls in role.table.items():
        allowed = {
            method
            for package_role in PACKAGE_ROLES[role.name]
            for call in package_role.table.get(state, {})
            for method in METHODS.get(call, ())
        }
        if state in known:
            more |= {(state, call) for call in calls if call not in allowed and call not in OF_A_HANDLE}
    assert more == {cell for cell in ADDED if cell[0] in known}


@pytest.mark.parametrize("role", PYTHON_ROLES[:2], ids=lambda role: role.name)
def test_every_refusal_has_its_reason(role: Role) -> None:
    """Every cell that is illegal says why, and speaks of Python's methods, not of the package's calls."""
    for state in role.states:
        for call in role.illegal(state.name):
            reason = role.reason(state.name, call)
            assert reason, (state.name, call)
            assert not any(
                f"{name}()" in reason for name in ("shut_down", "receive_from", "send_to", "finish_connect", "create")
            )
            assert "Accepted" not in reason


@pytest.mark.parametrize("observed", OBSERVED, ids=lambda observed: observed.law.name)
def test_observed_role_is_the_role_and_more(observed: ObservedRole) -> None:
    """An observed role is a role like any other, and legal calls lead where the role says, or to a state that is like it."""
    law, real = observed.law, observed.real
    assert compiled_table(real) == real.table
    for state, calls in law.table.items():
        for call, outcomes in calls.items():
            leads = real.table[state][call].items()
            assert {outcome: observed.namesakes.get(after, after) for outcome, after in leads} == outcomes
    assert {state.name for state in real.states} - {state.name for state in law.states} == set(observed.namesakes)


@pytest.mark.parametrize("observed", OBSERVED, ids=lambda observed: observed.law.name)
def test_state_of_an_illegal_call_is_like_its_namesake(observed: ObservedRole) -> None:
    """In a state that only an illegal call reaches, each call of the namesake's row has a row; what it refuses has a reason."""
    for state, like in observed.namesakes.items():
        assert like in observed.law.table
        assert set(observed.law.table[like]) <= set(observed.real.table[state])
    for state, call in observed.reasons:
        assert call in observed.law.table[observed.namesakes[state]]


@pytest.mark.parametrize("states", [STREAM, DATAGRAM, OTHER], ids=["stream", "datagram", "socket"])
def test_observed_states_say_what_the_tables_say(states: ObservedStates) -> None:
    """A state leads where its role's row leads, keeps its state where the row does, and forbids what the row lacks."""
    role = states.initial.role
    for state, call, outcome, after in role.cells():
        reached = states[state].after(call, outcome)
        assert after in (reached.name, reached.stands_for)
        assert states[state].lists(call, outcome)
        assert call in states[state].legal
        assert (call in states[state].keeps) == (role.table[state][call].get("ok") == state)
    for each in role.states:
        assert states[each.name].legal_calls() == role.legal(each.name)
        for call in role.illegal(each.name):
            assert states[each.name].reason(call) == role.reason(each.name, call)
            instead = states[each.name].help(call)
            assert states[each.name].remedy(call) == (None if instead else role.remedy(each.name, call))
        assert states[each.name].after("no such call", "ok") is states[each.name]


def test_what_a_system_did_is_where_an_illegal_call_leads() -> None:
    """A stopped listener takes most calls of a bound socket; an early shutdown() is remembered."""
    stopped, bound = STREAM["stopped"], STREAM["bound"]
    assert bound.legal - stopped.legal == {"listen", "connect", "connect_ex"}
    assert "another port" in stopped.reason("listen")
    assert stopped.after("close", "ok") is STREAM["closed"]
    assert STREAM["open"].after("shutdown", "failed") is STREAM["shut_early"]
    assert STREAM["shut_early"].after("bind", "ok") is STREAM["shut_early_bound"]
    assert STREAM["shut_early"].after("connect", "ok") is STREAM["poisoned"]
    assert STREAM["poisoned"].after("recv", "eof") is STREAM["poisoned"]
    assert STREAM["poisoned"].misleads("recv", "eof")
    assert not STREAM["connected"].misleads("recv", "eof")
    assert STREAM["connected"].after("listen", "ok") is STREAM["listening"]
    assert STREAM["connecting"].after("recv", "eof") is STREAM["peer_closed"]
    assert STREAM["connecting"].after("send", "pending") is STREAM["connecting"]
    assert STREAM["ended"].after("connect", "pending") is STREAM["connecting"]
    assert DATAGRAM["open"].after("send", "failed") is DATAGRAM["bound"]


ACCEPTED_BY_LINUX = {
    "stream": {
        "open": "listen getsockname", "listening": "shutdown", "broken": "bind",
        "connecting": f"{' '.join((*SENDING, *RECEIVING))} shutdown",
        "receive_shut": " ".join(RECEIVING),
        "shut": " ".join(RECEIVING),
    },
    "datagram": {
        "open": f"{' '.join(RECEIVING)} getsockname",
        "connected": "sendto", "send_shut": "connect connect_ex",
        "receive_shut": f"{' '.join(RECEIVING)} sendto connect connect_ex",
        "shut": f"{' '.join(RECEIVING)} connect connect_ex",
    },
}  # fmt: skip
"""the illegal calls that Linux accepts, by state"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="what a system accepts was measured on Linux")


@linux
@pytest.mark.parametrize(("name", "states"), [("stream", STREAM), ("datagram", DATAGRAM)])
def test_illegal_calls_that_linux_accepts(name: str, states: ObservedStates) -> None:
    """Linux accepts these illegal calls, as it was measured, and no others."""
    found = {
        state.name: {call for call in states.initial.role.illegal(state.name) if states[state.name].accepts(call)}
        for state in states.initial.role.states
    }
    expected = {state: set(calls.split()) for state, calls in ACCEPTED_BY_LINUX[name].items()}
    assert {state: calls for state, calls in found.items() if calls} == expected


@linux
def test_rules_for_other_systems_spare_local_sockets() -> None:
    """A local socket may make the illegal calls that Linux accepts of it, but for one that would wait for ever."""
    assert STREAM["open"].is_local("getsockname")
    assert STREAM["listening"].is_local("shutdown")
    assert not STREAM["open"].is_local("listen")
    assert not STREAM["connecting"].is_local("shutdown")
    assert DATAGRAM["receive_shut"].is_local("recv")
    assert DATAGRAM["open"].hangs("recv")
    assert not DATAGRAM["open"].is_local("recv")
    assert not DATAGRAM["receive_shut"].hangs("recv")


def test_answers_of_systems_are_those_to_a_socket_with_the_same_facts() -> None:
    """A state that only Python has is looked up as the socket that it is; what was not measured has no answer."""
    assert answers("stream", "awaited", "listen") == answers("stream", "connecting", "listen") != {}
    assert answers("stream", "confirmed", "connect") == answers("stream", "connected", "connect") != {}
    assert answers("stream", "listening", "connect")["winsock"] == "WSAEINVAL"
    assert answers("stream", "shut_early", "recv") == answers("socket", "open", "recv") == {}
    assert answers("stream", "open", "makefile") == {}


def test_every_package_call_has_python_words() -> None:
    """Each call that a socket of the package has is known in Python's words, but for what only an object of the package has."""
    calls = {call.name for role in (SERVER, CLIENT, ACCEPTED, PACKAGE_DATAGRAM) for call in role.calls}
    own = {"create", "open", "attach", "accepted", "socket_file", "disconnect", "io_ctl", "finish_connect"} | {
        "send_handles",
        "receive_handles",
        *tls.CALLS.split(),
    }
    assert calls - own == set(PACKAGE_CALLS.values())


def test_answers_that_cannot_be_loaded_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that has used up its descriptors, or changed its root, goes on: what systems answer is unknown then."""
    monkeypatch.setitem(sys.modules, "lifecycle.system.platform_answers", None)  # importing it raises ImportError
    assert answers("stream", "listening", "connect") == {}
    with checked_sockets() as findings, socket.socket() as sock:
        sock.listen()
    assert [finding.call for finding in findings] == ["listen"]

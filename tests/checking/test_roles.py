"""The roles of the standard library's sockets: derived from the package's tables, and what is added to them."""

from __future__ import annotations

import pytest

from lifecycle.checking.findings import platform_answers_of
from lifecycle.checking.observed import DATAGRAM, OTHER, STREAM
from lifecycle.engine import Role, compiled_table
from lifecycle.roles import ACCEPTED, CLIENT, ROLES, SERVER
from lifecycle.roles import DATAGRAM as PACKAGE_DATAGRAM
from lifecycle.roles.python_datagram import PYTHON_DATAGRAM
from lifecycle.roles.python_socket import PYTHON_SOCKET
from lifecycle.roles.python_stream import PYTHON_STREAM
from lifecycle.roles.python_systems import DATAGRAM_SYSTEMS, STREAM_SYSTEMS, Systems
from lifecycle.roles.python_vocabulary import METHODS, OF_A_HANDLE, PACKAGE_CALLS

PYTHON_ROLES = (PYTHON_STREAM, PYTHON_DATAGRAM, PYTHON_SOCKET)
PACKAGE_ROLES = {"stream": (SERVER, CLIENT, ACCEPTED), "datagram": (PACKAGE_DATAGRAM,)}

ADDED = {
    # how a program learns that a connect has come out
    ("connecting", "getpeername"),
    # told again, or said to somebody who may have gone
    *(("broken", method) for method in (*METHODS["send"], *METHODS["send_to"], "shutdown")),
    # Python's own manners
    ("closed", "detach"),
}
"""the cells, apart from those of the state `awaited`, that no table of the package has"""


@pytest.mark.parametrize("role", PYTHON_ROLES, ids=lambda role: role.name)
def test_role_is_a_role_like_any_other(role: Role) -> None:
    """transitions makes the same table of it as its declaration has; it is none of the package's own roles."""
    assert compiled_table(role) == role.table
    assert role not in ROLES.values()
    assert role.initial == "open"


@pytest.mark.parametrize("role", PYTHON_ROLES[:2], ids=lambda role: role.name)
def test_package_table_holds_in_python_words(role: Role) -> None:
    """What a table of the package allows is allowed, with the same endings to the same states, under Python's names."""
    for package_role in PACKAGE_ROLES[role.name]:
        for state, call, outcome, after in package_role.cells():
            if state != "empty":
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


@pytest.mark.parametrize("systems", [STREAM_SYSTEMS, DATAGRAM_SYSTEMS], ids=lambda systems: systems.role.name)
def test_what_linux_takes_is_what_was_measured(systems: Systems) -> None:
    """The forbidden calls that Linux is said to take are those that it took when it was measured, and no others."""
    measured = {
        (state.name, call)
        for state in systems.role.states
        for call in systems.role.illegal(state.name)
        if platform_answers_of(systems.role.name, state.name, call).get("linux") in ("ok", "blocks")
    }
    assert systems.takes == {(state, call) for state, call in measured if not systems.role.never_legal(call)}
    assert systems.local <= systems.takes
    assert systems.hangs <= systems.takes


@pytest.mark.parametrize("systems", [STREAM_SYSTEMS, DATAGRAM_SYSTEMS], ids=lambda systems: systems.role.name)
def test_rows_of_systems_are_about_what_the_role_forbids(systems: Systems) -> None:
    """A row of a system leads from a call that the role forbids, or from a state that no legal order reaches."""
    beyond = {each.state.name for each in systems.beyond}
    for state, call, outcomes in systems.rows:
        assert state in beyond or call not in systems.role.table[state], (state, call)
        assert set(outcomes.values()) <= beyond | set(systems.role.table)


def test_observed_states_say_what_the_tables_say() -> None:
    """A phase leads where its role's row leads, keeps its state where the row does, and forbids what the row lacks."""
    for table, role in ((STREAM, PYTHON_STREAM), (DATAGRAM, PYTHON_DATAGRAM), (OTHER, PYTHON_SOCKET)):
        for state, call, outcome, after in role.cells():
            assert table[state].after(call, outcome).name == after
            assert call in table[state].legal
        for state in role.states:
            assert table[state.name].legal_calls() == role.legal(state.name)
            for call in role.illegal(state.name):
                assert table[state.name].reason(call) == role.reason(state.name, call)
                assert table[state.name].remedy(call) == role.remedy(state.name, call)


def test_a_state_beyond_the_law_is_like_its_namesake() -> None:
    """A stopped listener takes what a bound socket takes, but for what its own row refuses."""
    stopped, bound = STREAM["stopped"], STREAM["bound"]
    assert bound.legal - stopped.legal == {"listen", "connect", "connect_ex"}
    assert "another port" in stopped.reason("listen")
    assert stopped.after("close", "ok") is STREAM["closed"]
    assert STREAM["poisoned"].misleads("recv", "eof")
    assert STREAM["open"].after("shutdown", "failed") is STREAM["shut_early"]
    assert STREAM["shut_early"].after("connect", "ok") is STREAM["poisoned"]


def test_every_package_call_has_python_words() -> None:
    """Each call that a socket of the package has is known in Python's words, but for what only an object of the package has."""
    calls = {call.name for role in (SERVER, CLIENT, ACCEPTED, PACKAGE_DATAGRAM) for call in role.calls}
    own = {"create", "open", "attach", "accepted", "socket_file", "disconnect", "io_ctl", "finish_connect"}
    assert calls - own == set(PACKAGE_CALLS.values())

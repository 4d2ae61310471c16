"""The Hypothesis machine: a default run reaches nearly everything, and what it finds is shrunk and can be repeated."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from conformance.faulty import LAMP, forgetful, half_shut, lamps, tougher_lamps
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from long_form import WHOLE, part

from lifecycle import ACCEPTED, CLIENT, DATAGRAM, ROLES, SERVER, Role
from lifecycle.conformance import (
    Adapter,
    GovernedAdapter,
    NonConformance,
    SocketAdapter,
    conformance_machine,
    run_machine,
    target_named,
)

QUICK = settings(max_examples=25, phases=[Phase.generate, Phase.shrink], database=None, deadline=None, print_blob=False)

DEFAULT = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
"""what a state machine has by default, outside this suite"""

SHORT = ("server", "datagram", "archive")
"""the roles of the suite's short form"""

REACHED = 0.95 if WHOLE else 0.7
"""of the cells of three roles: runs of 10 examples reached 84, 89 and 93 %, of 25 examples 95, 98 and 99.9 %"""


@pytest.mark.parametrize("role", ROLES.values() if WHOLE else [ROLES[name] for name in SHORT], ids=lambda role: role.name)
def test_a_default_run_reaches_every_state_and_nearly_every_cell(role: Role) -> None:
    """With the default settings, one run is in every state of the role, and reaches at least 95 % of its cells."""
    coverage = run_machine(conformance_machine(role, GovernedAdapter), DEFAULT)
    assert coverage.reached_states == coverage.states
    assert len(coverage.reached) >= 0.95 * len(coverage.possible), coverage.table()


def test_objects_of_several_roles_live_side_by_side() -> None:
    """A server, a client and an accepted connection, each among its peers; in the whole form all states are reached."""
    machine = conformance_machine([SERVER, CLIENT, ACCEPTED], GovernedAdapter)
    coverage = run_machine(machine, DEFAULT if WHOLE else settings(QUICK, max_examples=15))
    assert coverage.reached_states == coverage.states or not WHOLE
    assert {role for role, _ in coverage.reached_states} == {"server", "client", "accepted"}
    assert len(coverage.reached) >= REACHED * len(coverage.possible), coverage.table()


def test_two_objects_of_one_role_have_rules_of_their_own() -> None:
    """Two datagram sockets: each call is a rule of each of them."""
    machine = conformance_machine([DATAGRAM, DATAGRAM], GovernedAdapter)
    names = {name for name in vars(machine) if name.startswith("datagram")}
    assert {"datagram1_send", "datagram2_send", "datagram1_peer_leaves", "datagram2_peer_leaves"} <= names
    run_machine(machine, settings(QUICK, max_examples=10))


def test_there_is_a_rule_for_each_call_and_each_action_of_a_peer() -> None:
    """Legal or illegal, every call of the table is a rule."""
    machine = conformance_machine(CLIENT, GovernedAdapter)
    wanted = {f"client_{call.name}" for call in CLIENT.calls} | {"client_peer_sends", "client_peer_ends", "client_peer_resets"}
    assert wanted <= {name for name, step in vars(machine).items() if hasattr(step, "hypothesis_stateful_rule")}


def test_what_is_found_is_shrunk_to_the_shortest_sequence() -> None:
    """A class that goes to the wrong state fails with a program of the fewest steps, which imports the adapter by its name."""
    with pytest.raises(NonConformance) as caught:
        run_machine(conformance_machine(CLIENT, half_shut), QUICK)
    divergence = caught.value.divergence
    assert (divergence.call, divergence.expected, divergence.got) == ("shut_down", "then state shut", "state receive_shut")
    assert len(divergence.steps) <= 3
    program = str(caught.value).partition("\n\n")[2]
    assert "replay(\n    'conformance.faulty:half_shut', 'client'" in program


def test_the_program_of_a_finding_runs() -> None:
    """What the error shows, shrunk or not, can be run as it stands, and shows the difference again."""
    with pytest.raises(NonConformance) as caught:
        run_machine(conformance_machine(CLIENT, half_shut), settings(QUICK, phases=[Phase.generate]))
    program = str(caught.value).partition("\n\n")[2].partition("Failing test case")[0]
    ran = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, timeout=60, check=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )  # fmt: skip
    assert "got state receive_shut" in ran.stdout


def test_arguments_are_drawn() -> None:
    """A class that sends all of nothing but the suite's own message is found by the bytes that Hypothesis draws."""
    with pytest.raises(NonConformance) as caught:
        run_machine(conformance_machine(CLIENT, forgetful), settings(QUICK, max_examples=200, phases=[Phase.generate]))
    assert (caught.value.divergence.call, caught.value.divergence.got) == ("send", "ok giving 1")


def test_strategies_can_be_overridden() -> None:
    """A caller with strategies of its own decides what is drawn: here nothing that is long enough to be lost."""
    short = {"send": st.tuples(st.binary(min_size=1, max_size=1))}
    run_machine(conformance_machine(CLIENT, forgetful, strategies=short), settings(QUICK, max_examples=15))


def test_an_adapter_can_bring_strategies() -> None:
    """An adapter's own method strategies(role) is used where the caller gives no strategies."""
    drawn: list[bytes] = []

    class Choosing(GovernedAdapter):
        def strategies(self, role: Role) -> dict[str, Any]:
            return {"send": st.tuples(st.just(b"chosen").map(lambda data: drawn.append(data) or data))}

    run_machine(conformance_machine(CLIENT, Choosing), settings(QUICK, max_examples=15))
    assert set(drawn) == {b"chosen"}


def test_a_role_of_ones_own_has_a_machine() -> None:
    """The engine serves any role, and so does the suite: a lamp is reached whole, and one that is too tough is found."""
    coverage = run_machine(conformance_machine(LAMP, lamps), settings(QUICK, max_examples=100))  # 25 may miss a cell
    assert set(coverage.reached) == coverage.possible
    with pytest.raises(NonConformance) as caught:
        run_machine(conformance_machine(LAMP, tougher_lamps), QUICK)
    assert caught.value.divergence.steps == ("overheats", "switch_on")
    assert caught.value.divergence.expected == "broken"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a table of what sockets answer to illegal calls")
@pytest.mark.parametrize("role", [SERVER, CLIENT, ACCEPTED, DATAGRAM], ids=lambda role: role.name)
def test_raw_sockets_differ_as_their_table_says(role: Role) -> None:
    """The standard library's sockets refuse little; what they answer is explained by the platform's table, step for step."""
    coverage = run_machine(
        conformance_machine(role, target_named("socket").adapter), settings(QUICK, max_examples=part(60, 25))
    )
    assert coverage.explained
    plain = {(role.name, state.name) for state in role.states if state.facts.is_plain}  # a bare socket has no TLS
    assert coverage.reached_states == coverage.states & plain


def memory() -> Adapter:
    """Sockets in memory."""
    return target_named("memory").adapter()


def system() -> Adapter:
    """The standard library's sockets, without a table that would explain anything."""
    return SocketAdapter(__import__("socket").socket, name="system")


@pytest.mark.parametrize(("make", "is_found"), [(memory, False), (system, True)])
def test_what_accepts_illegal_calls_is_found_unless_explained(make: Callable[[], Adapter], is_found: bool) -> None:
    """Sockets in memory refuse what the contract forbids; those of a system do not, and nothing explains it without a table."""
    machine = conformance_machine(DATAGRAM, make)
    if is_found:
        with pytest.raises(NonConformance):
            run_machine(machine, QUICK)
    else:
        run_machine(machine, QUICK)

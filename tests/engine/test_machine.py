"""The compiled table and the transitions machine that it was read back from."""

from __future__ import annotations

import pytest
from hypothesis import given
from strategies import awkward_names, roles
from transitions import MachineError

from lifecycle import ROLES
from lifecycle.engine import Role, compiled_table, machine_of
from lifecycle.engine.reference import fire


def assert_same(role: Role) -> None:
    """Every (state, call, outcome) has the same answer in the declaration, the compiled table and the live machine."""
    table, machine = compiled_table(role), machine_of(role)
    for state in role.states:
        for call in role.calls:
            for outcome in role.outcomes:
                declared = role.table[state.name].get(call.name, {}).get(outcome.name)
                assert table[state.name].get(call.name, {}).get(outcome.name) == declared
                if declared is None:
                    with pytest.raises(MachineError):
                        fire(machine, state.name, call.name, outcome.name)
                else:
                    assert fire(machine, state.name, call.name, outcome.name) == declared


@pytest.mark.parametrize("name", ROLES)
def test_compiled_table_is_the_machine(name: str) -> None:
    """Of every role, every (state, call, outcome) is the same in the compiled table and when fired through transitions."""
    assert_same(ROLES[name])


@given(roles(awkward_names))
def test_compiled_table_is_the_machine_for_any_role(role: Role) -> None:
    """The same holds for roles that nobody thought of, with names of any letters."""
    assert_same(role)


@pytest.mark.parametrize("name", ROLES)
def test_compiled_table_keeps_the_order_of_calls(name: str) -> None:
    """The compiled table lists the calls of each state in the order of the role's declaration."""
    role = ROLES[name]
    for state, row in compiled_table(role).items():
        assert list(row) == list(role.table[state])


def test_machine_is_shared_and_has_no_model() -> None:
    """One machine serves all objects of a role, and holds none of them."""
    for role in ROLES.values():
        assert machine_of(role) is machine_of(role)
        assert machine_of(role).models == []


def test_table_is_read_from_the_machine_and_not_from_the_declaration() -> None:
    """A machine that differs from its declaration shows in the compiled table: nothing else is compiled."""
    from lifecycle.engine import Call, State

    role = Role(
        name="door",
        doc="A door.",
        states=(State("shut", ""), State("gone", "")),
        calls=(Call("burn", ""),),
        rows=(("shut", "burn", {"ok": "gone"}),),
        initial="shut",
        final=frozenset({"gone"}),
    )
    machine_of(role).add_transition("burn.failed", "shut", None)
    assert compiled_table(role)["shut"]["burn"] == {"ok": "gone", "failed": "shut"}
    assert role.table["shut"]["burn"] == {"ok": "gone"}

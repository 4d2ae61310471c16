"""The declaration of a role, and what its construction refuses."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest
from hypothesis import given
from strategies import awkward_names, roles

from lifecycle.engine import Call, Outcome, Role, RoleError, State, UnlistedOutcome, stays

GOOD: dict[str, Any] = {
    "name": "turnstile",
    "doc": "Lets one person through for a coin.",
    "states": (State("locked", "Shut."), State("unlocked", "Open for one."), State("removed", "Gone.", reason="It is gone")),
    "calls": (
        Call("coin", "Pay."),
        Call("push", "Go through.", reason="Pay first"),
        Call("kick", "Break it.", reason="Never kick it"),
        Call("remove", "Take it away."),
    ),
    "rows": (
        ("locked", "coin", {"ok": "unlocked", "failed": "locked"}),
        ("unlocked", "push", {"ok": "locked"}),
        ("locked", "remove", {"ok": "removed"}),
        ("unlocked", "remove", {"ok": "removed"}),
        ("removed", "remove", {"ok": "removed"}),
    ),
    "initial": "locked",
    "final": frozenset({"removed"}),
    "reasons": {("unlocked", "coin"): "It was paid already"},
}


def declared(**changes: Any) -> Role:
    """The good declaration with some fields changed."""
    return Role(**{**GOOD, **changes})


def more(row: Any) -> dict[str, Any]:
    """The good rows and one more."""
    return {"rows": (*GOOD["rows"], row)}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (more(("lokced", "push", {"ok": "locked"})), "row lokced.push: no state 'lokced'; did you mean 'locked'?"),
        (more(("locked", "psuh", {"ok": "locked"})), "row locked.psuh: no call 'psuh'; did you mean 'push'?"),
        (more(("locked", "push", {"okay": "locked"})), "row locked.push.okay: no outcome 'okay'"),
        (more(("locked", "push", {"ok": "unlokced"})), "row locked.push.ok -> unlokced: no state 'unlokced'"),
        (more(("locked", "coin", {"ok": "locked"})), "row locked.coin: a duplicate cell"),
        (more(("locked", "push", {})), "row locked.push: no outcome"),
        (more(("removed", "coin", {"ok": "locked"})), "row removed.coin.ok -> locked: 'removed' is final"),
        (more(("unlocked", "coin", {"ok": "unlocked"})), "row unlocked.coin: is legal, yet has a reason"),
        ({"states": (*GOOD["states"], State("melted", "Too hot."))}, "state 'melted': no path from 'locked'"),
        (
            {
                "states": (*GOOD["states"], State("stuck", "For ever.")),
                "rows": (*GOOD["rows"], ("locked", "kick", {"ok": "stuck"})),
            },
            "state 'stuck': no path from it leads to a final state",
        ),
        ({"final": frozenset()}, "no path from it leads to a final state"),
        ({"initial": "nowhere"}, "initial: no state 'nowhere'"),
        ({"final": frozenset({"gone"})}, "final: no state 'gone'"),
        ({"closes": "clsoe"}, "closes: no call 'clsoe'"),
        ({"reasons": {("locked", "fly"): "No wings"}}, "no call 'fly'"),
        ({"reasons": {("loose", "push"): "?"}}, "no state 'loose'"),
        ({"name": ""}, "a role needs a name"),
        ({"calls": (*GOOD["calls"], Call("pass", "", reason="x", fired_by="somebody"))}, "fired_by 'somebody' is"),
        (
            {
                "calls": (*GOOD["calls"], Call("pass", "Be passed.", fired_by="guard.wave")),
                "rows": (*GOOD["rows"], ("locked", "pass", {"ok": "locked", "failed": "locked"})),
            },
            "row locked.pass: a call that another one fires can only end in 'ok'",
        ),
        (more(("locked", "push")), "row ('locked', 'push'): a row is (state, call, {outcome: next state})"),
        (more(("locked", "push", "locked")), "row ('locked', 'push', 'locked'): a row is"),
        ({"states": ("locked", "removed")}, "states: 'locked' is not a State"),
        ({"calls": ("coin",)}, "calls: 'coin' is not a Call"),
        ({"final": "removed"}, "final: expected a set of state names, not the text 'removed'"),
        ({"calls": (*GOOD["calls"], Call("fly", "Up."))}, "'fly': it is legal in no state; add a row, or a reason"),
        ({"states": (*GOOD["states"], State("", "Nameless."))}, "a state with an empty name"),
        ({"calls": (*GOOD["calls"], Call("", "Nameless."))}, "a call with an empty name"),
        ({"calls": (*GOOD["calls"], Call("coin", "Again."))}, "call 'coin' is declared twice"),
        ({"states": (*GOOD["states"], State("*", "Any."))}, "wildcard of transitions"),
        ({"outcomes": (Outcome("a.b", "Dotted."),)}, "has a dot"),
        ({"calls": (*GOOD["calls"][:-1], Call("remove", "Take it away.", settles="soon"))},  # type: ignore[arg-type]
         """call 'remove': settles 'soon' is neither "before" nor "after\""""),
        ({"calls": (*GOOD["calls"][:-1], Call("remove", "Take it away.", errors={"lost": ("EIO",)}))},
         "call 'remove': errors for an unknown outcome 'lost'"),
        ({"states": (State("locked", "Shut.", facts=1), State("unlocked", "Open.", facts=1), GOOD["states"][2])},
         "states 'locked' and 'unlocked' have the same facts"),
    ],
)  # fmt: skip
def test_bad_declaration_is_refused_and_its_row_named(changes: dict[str, Any], named: str) -> None:
    """A declaration that contradicts itself raises RoleError, a ValueError, whose text names the role and the row."""
    with pytest.raises(RoleError) as caught:
        declared(**changes)
    assert named in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_role_is_frozen() -> None:
    """Neither the role nor anything in its table can be changed after construction."""
    role = declared()
    with pytest.raises(dataclasses.FrozenInstanceError):
        role.name = "other"  # type: ignore[misc]
    for mapping in (role.table, role.table["locked"], role.table["locked"]["coin"], role.reasons):
        with pytest.raises(TypeError):
            mapping["x"] = "y"  # type: ignore[index]


def test_role_does_not_keep_the_callers_mappings() -> None:
    """Changing a mapping that was given to the declaration changes no role."""
    outcomes, reasons = {"ok": "unlocked", "failed": "locked"}, {("unlocked", "coin"): "Paid"}
    role = declared(rows=(("locked", "coin", outcomes), *GOOD["rows"][1:]), reasons=reasons)
    outcomes["ok"] = "removed"
    reasons.clear()
    assert role.table["locked"]["coin"]["ok"] == "unlocked"
    assert role.reason("unlocked", "coin") == "Paid"


def test_legal_and_illegal_are_in_the_tables_order() -> None:
    """legal() and illegal() split the calls of the role, each in the order of their declaration."""
    role = declared()
    assert role.legal("locked") == ("coin", "remove")
    assert role.illegal("locked") == ("push", "kick")
    assert role.legal("removed") == ("remove",)


@given(roles(awkward_names))
def test_next_is_the_table_as_a_pure_function(role: Role) -> None:
    """next() gives the state of every row, and raises UnlistedOutcome for every triple that no row has."""
    rows = {(state, call, outcome): after for state, call, outcome, after in role.cells()}
    for state in role.states:
        for call in role.calls:
            for outcome in role.outcomes:
                cell = state.name, call.name, outcome.name
                if cell in rows:
                    assert role.next(*cell) == rows[cell]
                else:
                    with pytest.raises(UnlistedOutcome):
                        role.next(*cell)


def test_state_of_finds_the_name_of_a_point() -> None:
    """state_of() gives the name of the state with these facts, and None for a point that has no name."""
    states = (State("locked", "Shut.", facts=(0,)), State("unlocked", "Open.", facts=(1,)), GOOD["states"][2])
    assert declared(states=states).state_of((1,)) == "unlocked"
    assert declared(states=states).state_of((2,)) is None


def test_nearest_reason_wins() -> None:
    """A cell's own reason comes before that of a call that is never legal, then the state's, then the call's."""
    role = declared()
    assert role.reason("unlocked", "coin") == "It was paid already"
    assert role.reason("removed", "kick") == "Never kick it"
    assert role.reason("removed", "push") == "It is gone"
    assert role.reason("locked", "push") == "Pay first"
    assert role.reason("unlocked", "kick") == "Never kick it"


def test_remedy_is_the_shortest_path() -> None:
    """The remedy names the calls to make first; it is empty for a legal call and None where no path leads."""
    role = declared()
    assert role.remedy("locked", "push") == ("coin",)
    assert role.remedy("locked", "coin") == ()
    assert role.remedy("locked", "kick") is None
    assert role.remedy("removed", "coin") is None


def test_unknown_names_are_key_errors() -> None:
    """Asking a role for a state, call or outcome that it does not have raises KeyError."""
    for ask in (declared().state, declared().call, declared().outcome):
        with pytest.raises(KeyError):
            ask("nothing")


@given(roles(awkward_names))
def test_any_role_survives_pickling(role: Role) -> None:
    """A role that went through pickle says the same, whatever its names are."""
    again = pickle.loads(pickle.dumps(role))
    assert again.table == role.table
    assert again.cells() == role.cells()
    assert repr(again) == repr(role)


def test_stays_makes_cells_that_keep_the_state() -> None:
    """stays() is the row of a call that leaves the state as it is however it ends."""
    assert stays("open", "ok", "failed") == {"ok": "open", "failed": "open"}

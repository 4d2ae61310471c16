"""Rules over facts, and the rows that are expanded from them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.engine import Reason, RoleError, Rule, State, always, becomes, expand, expand_reasons, stay, to


@dataclass(frozen=True)
class Facts:
    """A lamp: whether it is lit, and how many bulbs it has."""

    lit: bool = False
    bulbs: int = 0


STATES = tuple(
    State(f"{'lit' if lit else 'dark'}_{bulbs}", "A lamp.", facts=Facts(lit, bulbs))
    for lit in (False, True)
    for bulbs in range(3)
)


@given(st.sets(st.sampled_from(STATES)), st.sampled_from((stay, to(lit=True), to(bulbs=0), becomes(Facts(True, 2)))))
def test_a_rule_has_a_row_in_each_state_where_it_holds(where: set[State], change: object) -> None:
    """A rule is expanded to one row for each call and each state where it holds, and to none elsewhere."""
    points = {state.facts for state in where}
    rows = expand((Rule("switch dim", points.__contains__, {"ok": change}),), STATES)  # type: ignore[dict-item]
    names = {state.facts: state.name for state in STATES}
    assert {(state, call): outcomes["ok"] for state, call, outcomes in rows} == {
        (state.name, call): names[change(state.facts)]  # type: ignore[operator]
        for state in where
        for call in ("switch", "dim")
    }


def test_an_outcome_that_leads_to_a_point_without_a_name_is_refused() -> None:
    """A change to facts that no state has raises RoleError, which names the call, the state, the outcome and the facts."""
    with pytest.raises(RoleError) as caught:
        expand((Rule("break", always, {"ok": to(bulbs=-1)}),), STATES)
    assert str(caught.value) == f"rule for break, state {STATES[0].name}: ok leads to {Facts(False, -1)}, which no state has"


def test_the_first_reason_that_fits_is_given_where_no_row_is() -> None:
    """Reasons are expanded to the cells without a row, and the first that holds there wins."""
    rows = expand((Rule("switch", lambda at: at.bulbs > 0, {"ok": stay}),), STATES)
    found = expand_reasons(
        (Reason("switch", lambda at: at.lit, "It is lit"), Reason("switch", always, "It has no bulb")), rows, STATES
    )
    assert found == {("dark_0", "switch"): "It has no bulb", ("lit_0", "switch"): "It is lit"}

"""Every row and every refusal of every table, on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from evidence import ARGUMENTS, ending_is_listed, evidence, legality_is_portable, stated_endings_hold
from kernel import snapshot
from provocations.tables import PROVOKE
from states import SOCKET_ROLES, STATES, world

from lifecycle import IllegalCall
from lifecycle.engine import Kind, Role

STATES_OF_ROLES = [(role, state.name) for role in SOCKET_ROLES.values() for state in role.states]

each_state = pytest.mark.parametrize(
    ("role", "state"), STATES_OF_ROLES, ids=lambda value: value.name if isinstance(value, Role) else value
)
"""One test for each state of each role, which goes through the state's cells and notes the one that fails."""


@contextmanager
def cell(*names: str) -> Iterator[None]:
    """What fails in the block names the cell of the state."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the cell {'.'.join(names)}")
        raise


@each_state
def test_rows_are_seen_on_real_sockets(role: Role, state: str) -> None:
    """Every (state, call, outcome) of the table happens on real sockets and leads to the state the system agrees with."""
    seen_by_journals: set[tuple[str, str, str, str]] = set()
    for call, outcomes in role.table[state].items():
        for outcome in outcomes:
            with cell(state, call, outcome):
                seen_by_journals |= evidence(role, (state, call, outcome))
    wanted = {(role.name, state, call, outcome) for call, outcomes in role.table[state].items() for outcome in outcomes}
    assert wanted <= seen_by_journals, f"never reached: {wanted - seen_by_journals}"


@each_state
def test_no_ending_is_missing(role: Role, state: str) -> None:
    """No ending that real sockets have for a legal call is missing from the table."""
    for call, outcomes in role.table[state].items():
        for outcome in PROVOKE[role.name][call]:
            if outcome not in outcomes:
                with cell(state, call, outcome):
                    ending_is_listed(role, (state, call, outcome))


@each_state
def test_legality_is_portable(role: Role, state: str) -> None:
    """A call is legal just where both measured systems take it, or where the design says otherwise, with the reason."""
    for call in role.calls:
        with cell(state, call.name):
            legality_is_portable(role, state, call.name)
            stated_endings_hold(role, state, call.name)


@each_state
def test_refusals_change_nothing_and_advise_well(role: Role, state: str) -> None:
    """An illegal call raises IllegalCall, names the legal calls and a remedy, and neither object nor system has changed."""
    with world(role, state) as w:
        for call in role.illegal(state):
            with cell(state, call):
                before = snapshot(w.subject)
                with pytest.raises(IllegalCall) as caught:
                    getattr(w.subject, call)(*ARGUMENTS.get(call, ()))
                assert snapshot(w.subject) == before
                error = caught.value
                assert (error.role, error.state, error.call) == (role.name, state, call)
                assert error.legal == w.subject.legal == tuple(name for name in role.legal(state))
                assert error.reason, "a beginner would try this, and gets no reason"
                assert call in str(error)
                assert state in str(error)


@each_state
def test_remedies_lead_where_the_call_is_legal(role: Role, state: str) -> None:
    """Following the remedy on a real object ends where the call is legal, no shorter way exists, and None means no way."""
    for call in role.illegal(state):
        with cell(state, call):
            _remedy_leads_where_the_call_is_legal(role, state, call)


def _remedy_leads_where_the_call_is_legal(role: Role, state: str, call: str) -> None:
    error = IllegalCall(role, state, call, role.name.title(), lambda *_: {})
    reachable = _shortest(role, state, call)
    if error.remedy is None:
        assert reachable is None
        return
    assert len(error.remedy) == reachable
    with world(role, state) as w:
        for number, (step, kind) in enumerate(role.steps_to(state, call) or ()):
            assert step == error.remedy[number]
            last = number == len(error.remedy) - 1
            step = step.rpartition(".")[2] if step == "server.accept" else step  # noqa: PLW2901 - the call of this role
            _follow(w, role, step, call if last else None, ends=kind is Kind.ENDING)
        assert call in w.subject.legal


def _follow(w: object, role: Role, step: str, wanted: str | None, *, ends: bool) -> None:
    """Make one step of a remedy: successfully, or to its end, or pending where only that leads on."""
    step = "accepted" if step == "accept" and role.name == "accepted" else step
    state = w.subject.state  # type: ignore[attr-defined]
    outcomes = role.table[state][step]
    good = (
        "eof"
        if ends
        else next((o for o in outcomes if o in ("ok", "sends") and (wanted is None or wanted in role.table[outcomes[o]])), None)
    )
    PROVOKE[role.name][step][good or "pending"](w)  # type: ignore[arg-type]


def _shortest(role: Role, state: str, call: str) -> int | None:
    """The least number of successful, or else waiting, calls after which `call` is legal; breadth first, on the bare rows."""
    good = {"ok", "sends", "receives", "both"}
    for allowed in (good, good | {"pending", "timed_out", "interrupted"}, good | {"eof"}):
        here, seen, steps = {state}, {state}, 0
        while here:
            if any(call in role.table[each] for each in here):
                return steps
            here = {
                after
                for each in here
                for name, outcomes in role.table[each].items()
                for outcome, after in outcomes.items()
                if outcome in allowed and name != "attach"
            } - seen
            seen |= here
            steps += 1
    return None


def test_every_state_is_arranged() -> None:
    """Each state of each role can be reached on real sockets, by calls of the object."""
    for name, states in STATES.items():
        for state in states:
            with world(SOCKET_ROLES[name], state) as w:
                assert w.subject.state == state

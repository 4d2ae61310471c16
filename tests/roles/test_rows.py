"""Every row and every refusal of every table, on real sockets."""

from __future__ import annotations

import pytest
from evidence import ARGUMENTS, Cell, ending_is_listed, evidence, legality_is_portable, stated_endings_hold
from kernel import snapshot
from provocations import PROVOKE
from states import SOCKET_ROLES, STATES, world

from lifecycle import IllegalCall
from lifecycle.engine import Kind, Role

ROWS = [(role, (state, call, outcome)) for role in SOCKET_ROLES.values() for state, call, outcome, _ in role.cells()]

UNLISTED = [
    (role, (state, call, outcome))
    for role in SOCKET_ROLES.values()
    for state, calls in role.table.items()
    for call, outcomes in calls.items()
    for outcome in PROVOKE[role.name][call]
    if outcome not in outcomes
]

CELLS = [(role, state.name, call.name) for role in SOCKET_ROLES.values() for state in role.states for call in role.calls]

ILLEGAL = [
    (role, state.name, call) for role in SOCKET_ROLES.values() for state in role.states for call in role.illegal(state.name)
]


attempted: set[tuple[str, str, str, str]] = set()
seen_by_journals: set[tuple[str, str, str, str]] = set()


def _name(value: object) -> str:
    return value.name if isinstance(value, Role) else ".".join(value) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize(("role", "cell"), ROWS, ids=_name)
def test_row_is_seen_on_real_sockets(role: Role, cell: Cell) -> None:
    """Every (state, call, outcome) of the table happens on real sockets and leads to the state the system agrees with."""
    attempted.add((role.name, *cell))
    seen_by_journals.update(evidence(role, cell))


@pytest.mark.parametrize(("role", "cell"), UNLISTED, ids=_name)
def test_no_ending_is_missing(role: Role, cell: Cell) -> None:
    """No ending that real sockets have for a legal call is missing from the table."""
    ending_is_listed(role, cell)


@pytest.mark.parametrize(("role", "state", "call"), CELLS, ids=_name)
def test_legality_is_portable(role: Role, state: str, call: str) -> None:
    """A call is legal just where both measured systems take it, but for the exceptions that are named with their reasons."""
    legality_is_portable(role, state, call)


@pytest.mark.parametrize(("role", "state", "call"), CELLS, ids=_name)
def test_stated_endings_hold(role: Role, state: str, call: str) -> None:
    """The endings that handlers look up in the table (of attach, of a stream) are just those stated in the tests."""
    stated_endings_hold(role, state, call)


@pytest.mark.parametrize(("role", "state", "call"), ILLEGAL, ids=_name)
def test_refusal_changes_nothing_and_advises_well(role: Role, state: str, call: str) -> None:
    """An illegal call raises IllegalCall, names the legal calls and a remedy, and neither object nor system has changed."""
    with world(role, state) as w:
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


@pytest.mark.parametrize(("role", "state", "call"), ILLEGAL, ids=_name)
def test_remedy_leads_where_the_call_is_legal(role: Role, state: str, call: str) -> None:
    """Following the remedy on a real object ends where the call is legal, no shorter way exists, and None means no way."""
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


def test_every_row_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the rows whose evidence ran in this session, as journals saw them, none is missing; a full run reaches every row."""
    for name, role in SOCKET_ROLES.items():
        wanted = {(name, state, call, outcome) for state, call, outcome, _ in role.cells()}
        found = wanted & seen_by_journals
        if len(attempted & wanted) == len(wanted):
            with capsys.disabled():
                print(f"\nreached {len(found)} of {len(wanted)} rows of {name}", end="")
            assert found == wanted, f"never reached: {wanted - found}"


def test_every_state_is_arranged() -> None:
    """Each state of each role can be reached on real sockets, by calls of the object."""
    for name, states in STATES.items():
        for state in states:
            with world(SOCKET_ROLES[name], state) as w:
                assert w.subject.state == state

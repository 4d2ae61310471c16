"""What a checker knows of each state of Python's sockets, and of each call in it, as a whole."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from checking.golden import golden

from lifecycle.checking.milestones import Milestone, Reached, milestone_of
from lifecycle.checking.observed import DATAGRAM, OTHER, STREAM, ObservedState, state_named

STATES = {f"{state.role.name} {state.name}": state for states in (STREAM, DATAGRAM, OTHER) for state in states}


def listed(title: str, calls: Iterable[str]) -> list[str]:
    """One line for the calls of which something holds."""
    found = " ".join(calls)
    return [f"  {title}: {found}"] if found else []


def described(state: ObservedState) -> list[str]:
    """Everything that the state says of itself, and of each call."""
    names = [call.name for call in state.role.calls]
    kinds = [outcome.name for outcome in state.role.outcomes]
    flags = {"final": state.final, "over": state.is_over, "may reset": state.may_reset, "listens": state.listens}
    lines = [f"  {', '.join(name for name, holds in flags.items() if holds)}; stands for {state.stands_for}"]
    lines += [f"  to wake: {state.waking()}"] if any(map(state.waits, names)) else []
    lines += listed("legal", state.legal_calls())
    lines += listed("stays", sorted(state.keeps))
    lines += listed("simple", sorted(state.simple))
    lines += listed("silent", sorted(state.silent))
    for title, holds in (
        ("accepted though illegal", lambda call: call not in state.legal and state.accepts(call)),
        ("expects an answer", state.expects_an_answer),
        ("waits", state.waits),
        ("hangs", lambda call: call not in state.legal and state.hangs(call)),
        ("right for a local socket", lambda call: call not in state.legal and state.is_local(call)),
        ("may see the end", state.has_end),
    ):
        lines += listed(title, filter(holds, names))
    for call in names:
        misled = [kind for kind in kinds if state.misleads(call, kind)]
        leads = [f"{kind} {state.after(call, kind).name}" for kind in kinds if state.lists(call, kind)]
        lines += listed(f"{call}, misled by", misled) + listed(f"{call}, leads by", [", ".join(leads)] if leads else [])
    told: dict[str, list[str]] = {}
    for call in names:
        if call not in state.legal:
            remedy = state.remedy(call)
            text = f"{state.reason(call)} | {state.help(call)} | {None if remedy is None else ' '.join(remedy)}"
            told.setdefault(text, []).append(call)
    lines += [f"  illegal: {' '.join(calls)}\n    {text}" for text, calls in told.items()]
    return lines


@pytest.mark.parametrize("name", STATES)
def test_state_is_as_recorded(name: str) -> None:
    """Each state has the recorded calls: legal ones with where they lead, illegal ones with the reason and what helps."""
    state = STATES[name]
    text = "\n".join(described(state))
    assert text.splitlines() == golden("states", name, text).splitlines()
    assert state_named(state.role.name, state.name) is state
    assert repr(state) == f"<{name}>"


@pytest.mark.parametrize("name", STATES)
def test_milestone_steps_only_over_what_says_nothing_else(name: str) -> None:
    """A legal call that ends usually leads to the state that the role says, and notes it; all else is to be looked at."""
    state = STATES[name]
    first = milestone_of(Reached(2, state, state))
    shared, watched = first.but(shared=True), first.but(watched=True)
    looked_at = {"sendmsg", "setsockopt"}
    for call in (each.name for each in state.role.calls):
        step = first.steps[call]
        is_usual = call in state.legal and call not in looked_at and not state.misleads(call, "ok")
        assert (step is not None) is is_usual
        assert shared.steps[call] is None
        for outcome in (None, "pending", "eof", "asked"):
            assert first.steps[call, outcome] is None
        if step is not None:
            assert step.state is state.after(call, "ok")
            assert (call in step.reached.noted) is True
            assert step.reached.noted - {call} == (first.reached.noted if step.state is state else frozenset())
            assert step.reached.has_sent is (call in SENDING)
            assert step.may_reset is (step.state.may_reset and call in SENDING)
            again = step.noting(call)
            assert again is step
    assert (first.curious, watched.curious) == (True, "fileno" not in state.keeps)
    _keeps_what_it_notes(first)


def _keeps_what_it_notes(first: Milestone) -> None:
    """A frequent call is quiet once it is noted, where it changes nothing, and not before."""
    for call in ("recv", "send", "sendto", "accept"):
        assert getattr(first, call) is False
        assert getattr(first.noting(call), call) is (call in first.state.keeps)
        assert getattr(first.noting((call, "pending")), call) is False


SENDING = {"send", "sendall", "sendmsg", "sendfile", "sendto"}

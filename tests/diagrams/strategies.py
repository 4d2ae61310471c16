"""The Hypothesis strategies of this floor: generated journals."""

from __future__ import annotations

from hypothesis import strategies as st
from strategies import roles

from lifecycle.engine import Record, Role
from lifecycle.roles import ROLES

durations = st.integers(min_value=0, max_value=20_000_000).map(lambda microseconds: microseconds / 1e6)


@st.composite
def journals(draw: st.DrawFn, names: st.SearchStrategy[str] | None = None, most: int = 40) -> list[Record]:
    """Random walks of a few objects along their roles, with calls that are refused, that overlap, and that still run."""
    declared = draw(st.lists(st.sampled_from(list(ROLES.values())) if names is None else roles(names), min_size=1, max_size=4))
    places = {f"{role.name.capitalize()}#{number}": (role, role.initial) for number, role in enumerate(declared, 1)}
    records: list[Record] = []
    clock = 0.0
    for subject in draw(st.lists(st.sampled_from(list(places)), max_size=most)):
        role, state = places[subject]
        record = draw(_calls(role, subject, state, clock))
        clock = round(clock + draw(st.sampled_from([0.0, 0.001, 0.5])), 6)
        places[subject] = (role, record.next_state or state)
        records.append(record)
    return records


@st.composite
def _calls(draw: st.DrawFn, role: Role, subject: str, state: str, began: float) -> Record:
    call = draw(st.sampled_from([call.name for call in role.calls]))
    record = Record(
        role.name, subject, state, call, "main", "program.py", 1, draw(st.sampled_from(["", "1, None", "b'x', 0"])), began
    )
    listed = role.table[state].get(call)
    if listed is None:
        record.outcome, record.next_state = "illegal", state
        record.error = f"IllegalCall: {call}() is not legal in state {state!r}.\n  Because.\n  Call that first. Legal here: x."
        record.ended = began
        return record
    if draw(st.booleans()):
        record.outcome = draw(st.sampled_from(list(listed)))
        record.next_state = listed[record.outcome]
        record.ended = round(began + draw(durations), 6)
    return record

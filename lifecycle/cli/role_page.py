"""A role as text: its states, its calls, and for each state the legal calls with their next states, and the refused calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lifecycle.diagrams.details import call_details, error_details, facts_text
from lifecycle.engine import Call, Role, State

HEADING, STATE, LEGAL, ILLEGAL = "bold", "cyan", "green", "red"


def role_page(role: Role) -> Iterator[RenderableType]:
    """The parts of the page, to be printed one after the other."""
    yield Text(f"{role.name}: {role.doc}", HEADING)
    yield ""
    yield Text("States", HEADING)
    yield _indented(_grid(_state_row(role, state) for state in role.states))
    yield ""
    yield Text("Calls", HEADING)
    used = [call for call in role.calls if not role.never_legal(call.name)]
    yield _indented(_grid(_call_row(call) for call in used))
    never = {call.name: _sentence(call.reason) for call in role.calls if role.never_legal(call.name)}
    if never:
        yield ""
        yield Text("Refused in every state", HEADING)
        yield from _refusals(never)
    for state in role.states:
        yield ""
        mark = _mark(role, state.name)
        yield Text.assemble(("In state ", HEADING), (state.name, f"{HEADING} {STATE}"), f" ({mark})" if mark else "")
        yield _indented(_grid(_legal_rows(role, state.name)))
        refused = {call: text for call, text in _illegal(role, state.name).items() if never.get(call) != text}
        if refused:
            yield "  Refused:"
            yield from _refusals(refused, indent=4)


def _call_row(call: Call) -> tuple[Text | str, ...]:
    return Text(call.name, LEGAL), "\n".join((call.doc, *call_details(call), *error_details(call)))


def _legal_rows(role: Role, state: str) -> Iterator[tuple[Text | str, ...]]:
    for name, outcomes in role.table[state].items():
        call = role.call(name)
        title = Text(f"({call.fired_by})" if call.fired_by else name, LEGAL)
        for endings, after in _by_next_state(outcomes):
            yield title, endings, Text(f"-> {after}", STATE)
            title = Text()


def _by_next_state(outcomes: Mapping[str, str]) -> list[tuple[str, str]]:
    """("ok, failed", next state) for each next state; outcomes named like their next state are grouped."""
    namesakes = [outcome for outcome, after in outcomes.items() if outcome == after]
    if len(namesakes) < 2:
        namesakes = []
    endings: dict[str, list[str]] = {}
    for outcome, after in outcomes.items():
        endings.setdefault("the state it names" if outcome in namesakes else after, []).append(outcome)
    return [(", ".join(names), after) for after, names in endings.items()]


def _illegal(role: Role, state: str) -> dict[str, str]:
    """call -> the reason why it is refused in `state`, and what to call first."""
    found = {}
    for call in role.illegal(state):
        text = _sentence(role.reason(state, call))
        remedy = role.remedy(state, call)
        if remedy:
            text += f" Call {', then '.join(f'{step}()' for step in remedy)} first."
        found[call] = text.strip()
    return found


def _refusals(reasons: Mapping[str, str], indent: int = 2) -> Iterator[RenderableType]:
    """Each reason once, below the calls that it applies to."""
    grouped: dict[str, list[str]] = {}
    for call, reason in reasons.items():
        grouped.setdefault(reason, []).append(call)
    for reason, names in grouped.items():
        yield _indented(Text(", ".join(names), ILLEGAL), indent)
        yield _indented(Text(reason), indent + 4)


def _state_row(role: Role, state: State) -> tuple[Text | str, ...]:
    facts = facts_text(state)
    return Text(state.name, STATE), _mark(role, state.name), f"{state.doc}\n[{facts}]" if facts else state.doc


def _mark(role: Role, state: str) -> str:
    marks = ["initial"] if state == role.initial else []
    return ", ".join([*marks, "final"] if state in role.final else marks)


def _sentence(reason: str) -> str:
    return f"{reason}." if reason else ""


def _grid(rows: Iterable[tuple[Text | str, ...]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for row in rows:
        if not grid.columns:
            grid.add_column(no_wrap=True)
        grid.add_row(*row)
    return grid


def _indented(part: RenderableType, by: int = 2) -> Padding:
    return Padding(part, (0, 0, 0, by), expand=False)

"""The graph as Markdown tables: states, calls, legal calls with their outcomes, and refused calls with reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lifecycle.diagrams.graph import NAMED_STATE, CallEntry, Graph, Mark, Note, StateBox
from lifecycle.diagrams.lettering import markdown_text, visible
from lifecycle.system.output import printable

SYSTEMS = {
    "winsock": "Winsock answers",
    "linux": "Linux answers",
    "mfc": "MFC answers",
    "macos": "macOS answers",
    "freebsd": "FreeBSD answers",
}
IN_WORDS = {"ok": "accepts it", "blocks": "waits for ever"}


def markdown(graph: Graph) -> str:
    """The graph as a section of a page."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield f"# {_name(graph.name)}"
    yield ""
    yield _text(graph.doc)
    yield ""
    yield "## States"
    yield ""
    states = [(_name(node.name), _marks(node), _text(node.doc), _text(node.facts)) for node in graph.nodes]
    yield from _table(("state", "mark", "meaning", "facts"), states)
    yield ""
    yield "## Calls"
    yield ""
    yield from _table(("call", "meaning", "system errors"), [_call(entry) for entry in graph.calls])
    yield ""
    yield "## Legal calls"
    yield ""
    yield from _table(("state", "call", "outcomes and next states"), list(_legal(graph)))
    yield ""
    yield "## Refused calls"
    yield ""
    systems = [system for system in SYSTEMS if any(system in dict(note.answers) for note in graph.notes)]
    head = ("state", "call", "why", "call first", *(SYSTEMS[system] for system in systems))
    yield from _table(head, [_refused(note, systems) for note in graph.notes])


def _call(entry: CallEntry) -> tuple[str, ...]:
    errors = "; ".join(f"{_name(outcome)}: {', '.join(map(_text, names))}" for outcome, names in entry.errors)
    return _name(entry.name), " ".join(map(_text, (entry.doc, *entry.details))), errors


def _legal(graph: Graph) -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for state, call, outcome, after in graph.cells:
        found[state, call][after].append(outcome)
    for (state, call), outcomes in found.items():
        yield _name(state), _name(call), _endings(outcomes)


def _endings(outcomes: dict[str, list[str]]) -> str:
    """Groups outcomes that lead to the same state, and outcomes that are named after their state."""
    named = [after for after, each in outcomes.items() if after in each]
    clauses = []
    if len(named) > 1:
        clauses.append(f"{', '.join(map(_name, named))}: {NAMED_STATE}")
        outcomes = {after: [outcome for outcome in each if outcome != after] for after, each in outcomes.items()}
    clauses += [
        f"{', '.join(map(_name, each))} \N{RIGHTWARDS ARROW} {_name(after)}" for after, each in outcomes.items() if each
    ]
    return "; ".join(clauses)


def _refused(note: Note, systems: Sequence[str]) -> tuple[str, ...]:
    answers = dict(note.answers)
    remedy = "no call leads there" if note.remedy is None else ", ".join(map(_name, note.remedy))
    marks = dict(note.marks)
    return (
        _name(note.state),
        _name(note.call),
        _text(note.reason),
        remedy,
        *(_answer(answers.get(system), marks.get(system, "")) for system in systems),
    )


def _answer(answer: str | None, mark: str) -> str:
    """A system's answer, with its evidence."""
    if answer is None:
        return mark
    return f"{IN_WORDS.get(answer) or _text(answer)} ({mark})"


def _marks(node: StateBox) -> str:
    marks = ["initial"] * node.is_initial + ["final"] * node.is_final
    marks += {Mark.PRESENT: ["the present state"], Mark.VISITED: ["visited"], Mark.NONE: []}[node.mark]
    return ", ".join(marks)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _name(name: str) -> str:
    return f"`{name}`" if name.isascii() and name.replace(".", "_").isidentifier() else markdown_text(visible(name))


def _text(text: str) -> str:
    return markdown_text(printable(text))

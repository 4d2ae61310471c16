"""Builds the graph of a role.

Successes between the same two states are one edge, failures another. States that share an edge (every open socket can be
closed) become a group with one edge; otherwise such edges would hide all others. States that the role assigns to a part have a
picture of their own, with the edges that touch them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lifecycle.diagrams.details import call_details, facts_text
from lifecycle.diagrams.graph import CallEntry, Endings, Graph, Group, Link, Note, Picture, StateBox, StateEdge
from lifecycle.diagrams.highlight import NOTHING, Highlight
from lifecycle.diagrams.lettering import visible
from lifecycle.engine import Kind, Role
from lifecycle.roles import ROLES
from lifecycle.system.matrices import Cell, Mark
from lifecycle.system.platform_answers import platform_cells

LEAST_GROUP = 3
MANY_FAILURES = 2
MANY_SUCCESSES = 4

Pair = tuple[str, str]
"""(call, outcome)"""

Arrow = tuple[str, str, bool]
"""(state, next state, whether it is a failure)"""


def graph_of(role: Role, highlight: Highlight = NOTHING) -> Graph:
    """The graph of a role, with its highlighting."""
    arrows: dict[Arrow, list[Pair]] = defaultdict(list)
    keeps: dict[str, list[Pair]] = {state: [] for state in role.table}
    for state, call, outcome, after in role.cells():
        if after == state:
            keeps[state].append((call, outcome))
        else:
            arrows[state, after, _is_failure(role, outcome)].append((call, outcome))
    pictures = list(_pictures(role, arrows, keeps, highlight))
    nodes = tuple(
        StateBox(
            name=state.name,
            doc=state.doc,
            facts=facts_text(state),
            is_initial=state.name == role.initial,
            is_final=state.name in role.final,
            keeps=_endings(role, keeps[state.name]),
            mark=highlight.mark(state.name),
            part=state.part,
        )
        for state in role.states
    )
    calls = tuple(
        CallEntry(call.name, call.doc, tuple(call_details(call)), tuple(call.errors.items()))
        for call in role.calls
        if not role.never_legal(call.name)
    )
    return Graph(role.name, role.doc, nodes, tuple(pictures), tuple(_notes(role)), role.cells(), calls)


def _pictures(
    role: Role, arrows: dict[Arrow, list[Pair]], keeps: dict[str, list[Pair]], highlight: Highlight
) -> Iterator[Picture]:
    """The main picture, then the parts' in the order of their first states. Groups take their cells from `keeps`."""
    part = {state.name: state.part for state in role.states}
    order = {state.name: number for number, state in enumerate(role.states)}
    for name in dict.fromkeys(["", *part.values()]):
        inside = {arrow: pairs for arrow, pairs in arrows.items() if name == (part[arrow[0]] or part[arrow[1]])}
        states = tuple(state for state in role.table if part[state] == name)
        leaving = {arrow: pairs for arrow, pairs in inside.items() if arrow[0] in states}
        group = _group(role, leaving, keeps, f"any of these {name} states" if name else "any of these")
        links = tuple(_links(inside, part)) if name else ()
        edges = _group_edges(role, inside, group, highlight) if group else []
        for (state, after, is_failure), pairs in inside.items():
            if pairs:
                edges.append(StateEdge(state, after, _endings(role, pairs), is_failure, highlight.has_taken(state, pairs)))
        edges.sort(key=lambda edge: (_place(edge.source, order), _place(edge.target, order), edge.is_failure))
        edges = _shortened(edges)
        touched = {end for edge in edges for end in (edge.source, "" if edge.is_short else edge.target) if isinstance(end, str)}
        outside = tuple(state for state in role.table if state in touched and part[state] != name)
        yield Picture(name, states, tuple(edges), group, outside, links)


def _shortened(edges: Sequence[StateEdge]) -> list[StateEdge]:
    """The edges; those to a state with many edges, or to a target of the group, are short: they would cross the picture."""
    failures = Counter((edge.target, edge.is_failure) for edge in edges)
    ends = {edge.target for edge in edges if isinstance(edge.source, Group)}
    return [
        replace(
            edge,
            is_short=failures[edge.target, edge.is_failure] >= (MANY_FAILURES if edge.is_failure else MANY_SUCCESSES)
            or (edge.target in ends and not edge.is_failure),
        )
        if isinstance(edge.source, str)
        else edge
        for edge in edges
    ]


def _links(arrows: Mapping[Arrow, Sequence[Pair]], part: Mapping[str, str]) -> Iterator[Link]:
    """A link for the arrows of a part from, and to, each state of the main picture; failures have separate ones."""
    texts: dict[tuple[str, bool, bool], dict[str, None]] = defaultdict(dict)
    for (state, after, is_failure), pairs in arrows.items():
        main, enters = (after, False) if part[state] else (state, True)
        if not part[main]:
            texts[main, enters, is_failure].update(dict.fromkeys(outcome if is_failure else call for call, outcome in pairs))
    entered = {main for main, enters, _ in texts if enters}
    for (main, enters, is_failure), names in texts.items():
        text = ", ".join(map(visible, names))
        yield Link(main, enters, f"[{text}]" if is_failure else text, is_failure, main in entered)


def _notes(role: Role) -> Iterator[Note]:
    """Every illegal cell. The systems' answers are known for the package's own roles."""
    is_own = ROLES.get(role.name) is role
    for state in role.table:
        for call in role.illegal(state):
            cells = platform_cells(role.name, state, call) if is_own else {}
            if all(cell.mark is Mark.UNKNOWN for cell in cells.values()):
                cells = {}
            answers = tuple((system, _answer(cell)) for system, cell in cells.items() if cell.mark is not Mark.UNKNOWN)
            marks = tuple((system, cell.mark.value) for system, cell in cells.items())
            yield Note(state, call, role.reason(state, call), role.remedy(state, call), answers, marks)


def _answer(cell: Cell) -> str:
    return f"{cell.answer}: {cell.note}" if cell.note else cell.answer


def _group(role: Role, arrows: Mapping[Arrow, list[Pair]], keeps: dict[str, list[Pair]], title: str) -> Group | None:
    """The states whose group saves the most edges: those that lead to one state by the same calls.

    Calls that keep all of them are removed from `keeps`, unless they can also lead elsewhere.
    """
    shared: dict[tuple[str, bool, tuple[Pair, ...]], list[str]] = defaultdict(list)
    for (state, after, is_failure), pairs in arrows.items():
        shared[after, is_failure, tuple(pairs)].append(state)
    states = max(shared.values(), key=len, default=[])
    if len(states) < LEAST_GROUP:
        return None
    common = _common(
        [[pair for pair in keeps[state] if set(role.table[state][pair[0]].values()) == {state}] for state in states]
    )
    for state in states:
        keeps[state] = [pair for pair in keeps[state] if pair not in common]
    return Group(tuple(states), _endings(role, common), title)


def _group_edges(role: Role, arrows: dict[Arrow, list[Pair]], group: Group, highlight: Highlight) -> list[StateEdge]:
    """The edges of the group; their cells are removed from `arrows`."""
    edges = []
    for after, is_failure in {(after, is_failure): None for _, after, is_failure in arrows if after not in group.states}:
        common = _common([arrows.get((state, after, is_failure), []) for state in group.states])
        if common:
            taken = any(highlight.has_taken(state, common) for state in group.states)
            edges.append(StateEdge(group, after, _endings(role, common), is_failure, taken))
            for state in group.states:
                arrows[state, after, is_failure] = [pair for pair in arrows[state, after, is_failure] if pair not in common]
    for source in dict.fromkeys(state for state, _, _ in arrows if state not in group.states):
        for call, outcomes in role.table[source].items():
            found = [outcome for outcome, after in outcomes.items() if outcome == after]
            if set(found) == set(group.states):
                pairs = [(call, outcome) for outcome in found]
                is_failure = all(_is_failure(role, outcome) for outcome in found)
                endings = Endings((call,), group.states, role.call(call).fired_by or "", finds=True)
                edges.append(StateEdge(source, group, (endings,), is_failure, highlight.has_taken(source, pairs)))
                for outcome in found:
                    arrows[source, outcome, _is_failure(role, outcome)].remove((call, outcome))
    return edges


def _common(lists: Sequence[Sequence[Pair]]) -> list[Pair]:
    """The items of the first that are in all others."""
    return [pair for pair in lists[0] if all(pair in pairs for pairs in lists)]


def _is_failure(role: Role, outcome: str) -> bool:
    return role.outcome(outcome).kind is Kind.FAILURE


def _endings(role: Role, pairs: Iterable[Pair]) -> tuple[Endings, ...]:
    """The pairs, calls with the same outcomes together."""
    outcomes: dict[str, list[str]] = defaultdict(list)
    for call, outcome in pairs:
        outcomes[call].append(outcome)
    calls: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for call, endings in outcomes.items():
        calls[tuple(endings), role.call(call).fired_by or ""].append(call)
    return tuple(Endings(tuple(names), endings, fired_by) for (endings, fired_by), names in calls.items())


def _place(end: str | Group, order: Mapping[str, int]) -> int:
    return order[end.states[-1]] if isinstance(end, Group) else order[end]

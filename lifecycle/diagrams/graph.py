"""The model that every renderer of state diagrams reads: states, edges, groups, parts, calls, notes, highlighting.

A drawing shows the whole role: Graph.drawn() returns every (state, call, outcome, next state).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from lifecycle.diagrams.lettering import visible

Writer = Callable[[str], str]
"""How a format writes a name, made visible()"""

NAMED_STATE = "the state it names"


class Mark(StrEnum):
    """How a state is highlighted."""

    NONE = ""
    VISITED = "visited"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Endings:
    """Calls with the same outcomes. If `finds` is set, each outcome leads to the state of that name."""

    calls: tuple[str, ...]
    outcomes: tuple[str, ...]
    fired_by: str = ""
    finds: bool = False

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every (call, outcome)."""
        return ((call, outcome) for call in self.calls for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class StateBox:
    """A state. `facts` are its facts, in words; `keeps` are the calls that keep it."""

    name: str
    doc: str
    facts: str
    is_initial: bool
    is_final: bool
    keeps: tuple[Endings, ...]
    mark: Mark = Mark.NONE
    part: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """States that share edges: one drawn from the group leaves each of them, one drawn to it may enter any of them.

    `keeps` are the calls that leave each of them as it is.
    """

    states: tuple[str, ...]
    keeps: tuple[Endings, ...]
    title: str


@dataclass(frozen=True, slots=True)
class StateEdge:
    """A change of state; `source` and `target` name states, or are the group. Successes and failures have separate edges.

    is_short: it ends in a small box that names the target, since many failures lead there.
    """

    source: str | Group
    target: str | Group
    endings: tuple[Endings, ...]
    is_failure: bool
    is_taken: bool = False
    is_short: bool = False

    def cells(self) -> Iterator[tuple[str, str, str, str]]:
        """Every (state, call, outcome, next state) that the edge represents."""
        sources = self.source.states if isinstance(self.source, Group) else (self.source,)
        for source in sources:
            for each in self.endings:
                for call, outcome in each.pairs():
                    yield source, call, outcome, outcome if isinstance(self.target, Group) else self.target


@dataclass(frozen=True, slots=True)
class Link:
    """Edges between a state of the main picture and a part's box, which represents all states of the part.

    `enters` is the direction. `text` names the calls, or the outcomes of failures: the edges are drawn in the part's own
    picture. If nothing enters the part from that state, the box may say so instead: is_drawn is False.
    """

    state: str
    enters: bool
    text: str
    is_failure: bool
    is_drawn: bool = True


@dataclass(frozen=True, slots=True)
class Picture:
    """States and edges that are drawn together: those of one part of the role, or the main ones, whose name is "".

    For a part, `outside` are the states of other pictures that its edges touch, and `links` represent it in the main picture.
    """

    name: str
    states: tuple[str, ...]
    edges: tuple[StateEdge, ...]
    group: Group | None
    outside: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A call that is legal in some state: its documentation, further sentences, and (outcome, system errors that mean it)."""

    name: str
    doc: str
    details: tuple[str, ...]
    errors: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """The reason why a call is refused in a state, and the calls that lead to a state where it is legal, or None.

    `answers` are the answers by system; empty if they are not known. `marks` is the evidence for each
    answer: measured, documented or unknown; empty if nothing is known of any system.
    """

    state: str
    call: str
    reason: str
    remedy: tuple[str, ...] | None
    answers: tuple[tuple[str, str], ...] = ()
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """One role, ready to be drawn.

    pictures: the main one, then one for each part. cells: every (state, call, outcome, next state), in the table's order.
    notes: its illegal cells. calls: those that are legal in some state.
    """

    name: str
    doc: str
    nodes: tuple[StateBox, ...]
    pictures: tuple[Picture, ...]
    notes: tuple[Note, ...]
    cells: tuple[tuple[str, str, str, str], ...]
    calls: tuple[CallEntry, ...]

    @property
    def edges(self) -> tuple[StateEdge, ...]:
        """The edges of all pictures, in their order."""
        return tuple(edge for picture in self.pictures for edge in picture.edges)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups of all pictures, in their order."""
        return tuple(picture.group for picture in self.pictures if picture.group)

    def errors_of(self, pairs: Iterable[tuple[str, str]]) -> list[str]:
        """Which of the system's errors lead to one of the (call, outcome), as "send, receive broken: ECONNRESET, ..."."""
        known = {(call.name, outcome): errors for call in self.calls for outcome, errors in call.errors}
        calls: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
        for call, outcome in pairs:
            if (call, outcome) in known:
                calls[outcome, known[call, outcome]].append(visible(call))
        return [f"{', '.join(names)} {visible(outcome)}: {', '.join(errors)}" for (outcome, errors), names in calls.items()]

    def drawn(self) -> Iterator[tuple[str, str, str, str]]:
        """The cells that the nodes, the group and the edges represent, in no particular order."""
        for node in self.nodes:
            for keep in node.keeps:
                for call, outcome in keep.pairs():
                    yield node.name, call, outcome, node.name
        for group in self.groups:
            for state in group.states:
                for keep in group.keeps:
                    for call, outcome in keep.pairs():
                        yield state, call, outcome, state
        for edge in self.edges:
            yield from edge.cells()


def label(endings: Endings, write: Writer = visible) -> str:
    """The calls and, unless it is only `ok`, their outcomes in brackets."""
    text = ", ".join(map(write, endings.calls))
    if endings.fired_by:
        text += f" (by {write(endings.fired_by)})"
    if endings.finds:
        return f"{text} [{NAMED_STATE}]"
    if endings.outcomes != ("ok",):
        text += f" [{', '.join(map(write, endings.outcomes))}]"
    return text


def labels(each: Iterable[Endings], write: Writer = visible) -> list[str]:
    """One label for each group of calls with the same outcomes."""
    return [label(endings, write) for endings in each]


def group_label(group: Group, write: Writer = visible) -> str:
    """The label of a group: the calls that keep each of its states; its title if there are none."""
    kept = "; ".join(labels(group.keeps, write))
    return f"each of these takes {kept}" if kept else write(group.title)

"""The graph for a terminal: a box for each state with the calls that keep it, and its arrows below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from lifecycle.diagrams.graph import Graph, Group, Mark, StateEdge, labels
from lifecycle.diagrams.lettering import cells, visible, wrapped
from lifecycle.system.output import printable

SIGNS = {Mark.NONE: "", Mark.VISITED: " <- was here", Mark.PRESENT: " <== is here"}


def text(graph: Graph, *, width: int = 80) -> str:
    """The graph as plain text of at most `width` columns.

    `(o)` is the initial state and `(x)` a final one; `-->` is a success, `..>` a failure, `==>` the path that was taken.
    """
    return "".join(f"{line.rstrip()}\n" for line in _lines(graph, width))


def _lines(graph: Graph, width: int) -> Iterator[str]:
    yield from wrapped(f"{visible(graph.name)}: {printable(graph.doc)}", width, "  ")
    leaving: dict[object, list[StateEdge]] = defaultdict(list)  # the name of a state, or a group -> its edges
    for edge in graph.edges:
        leaving[edge.source].append(edge)
    for node in graph.nodes:
        sign = "(o)" if node.is_initial else "(x)" if node.is_final else ""
        yield ""
        yield from _box(f"{sign} {visible(node.name)}".strip(), SIGNS[node.mark])
        yield from _keeps(labels(node.keeps), width)
        yield from _arrows(leaving[node.name], width)
    for group in graph.groups:
        yield ""
        yield from _box(visible(group.title), "")
        yield from wrapped(f"  | {', '.join(map(visible, group.states))}", width, "  |   ")
        yield from _keeps(labels(group.keeps), width)
        yield from _arrows(leaving[group], width)


def _box(title: str, mark: str) -> Iterator[str]:
    border = f"+-{'-' * cells(title)}-+"
    yield border
    yield f"| {title} |{mark}"
    yield border


def _keeps(texts: Iterable[str], width: int) -> Iterator[str]:
    for line in texts:
        yield from wrapped(f"  | {line}", width, "  |   ")


def _arrows(edges: Iterable[StateEdge], width: int) -> Iterator[str]:
    for edge in edges:
        shaft, tip = ("==", "==>") if edge.is_taken else ("..", "..>") if edge.is_failure else ("--", "-->")
        target = visible(edge.target.title if isinstance(edge.target, Group) else edge.target)
        for line in labels(edge.endings):
            yield from wrapped(f"  +{shaft} {line} {tip} {target}", width, "  |   ")

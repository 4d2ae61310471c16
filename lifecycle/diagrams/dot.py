"""The graph in the DOT language of Graphviz, from which SVG and PNG are drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lifecycle.diagrams.graph import Graph, Group, Mark, StateBox, StateEdge, group_label, labels
from lifecycle.diagrams.lettering import cells, visible, wrapped, xml_text
from lifecycle.system.output import printable

BOX_WIDTH = 38  # letters
LABEL_WIDTH = 20
LONG_LABEL, LONG_LABEL_WIDTH = 80, 32
FONT = "Helvetica,Arial,sans-serif"
INK, QUIET, FAINT, FAILURE, TAKEN = "#1c2430", "#5b6676", "#b9c1cc", "#b42318", "#0b6bb8"
FILLS = {Mark.NONE: "#f5f7fa", Mark.VISITED: "#d9ecfb", Mark.PRESENT: "#ffe08a"}

GRAPH = f'compound=true newrank=true nodesep=0.3 ranksep=0.35 bgcolor=white fontname="{FONT}" fontsize=12'
NODE = f'shape=box style="rounded,filled" color="{QUIET}" fontname="{FONT}" fontsize=12 fontcolor="{INK}" margin="0.12,0.07"'
GROUP = f'margin=14 labeljust=l labelloc=b style="rounded,dashed" color="{FAINT}" fontsize=10 fontcolor="{QUIET}"'
EDGE = f'color="{QUIET}" fontname="{FONT}" fontsize=10 fontcolor="{INK}" arrowsize=0.7'

_ENTITY = re.compile(r"&(?=#?\w+;)")
"""What Graphviz would read as a character reference"""


def dot(graph: Graph) -> str:
    """The graph as a `digraph`."""
    return "".join(f"{line}\n" for line in _lines(graph))


def edge_id(number: int) -> str:
    """The SVG id of the edge with that number."""
    return f"edge-{number}"


def node_id(number: int) -> str:
    """The SVG id of the state with that number."""
    return f"state-{number}"


def _lines(graph: Graph) -> Iterator[str]:
    yield f"digraph {_name(graph.name)} {{"
    yield f"    graph [{GRAPH} tooltip={_quoted(printable(graph.doc))}]"
    yield f"    node [{NODE}]"
    yield f"    edge [{EDGE}]"
    yield '    "" [shape=circle style=filled fillcolor="' + INK + '" width=0.15 label="" tooltip="a new object"]'
    grouped = graph.group.states if graph.group else ()
    if graph.group:
        yield "    subgraph cluster_group {"
        yield f"        graph [label={_quoted(group_label(graph.group))} {GROUP}]"
    placed = _placed(graph)
    for number, node in placed:
        if node.name in grouped:
            yield f"        {_name(node.name)} [{_box(node, number)}]"
    if graph.group:
        yield "    }"
    for number, node in placed:
        if node.name not in grouped:
            yield f"    {_name(node.name)} [{_box(node, number)}]"
    for node in graph.nodes:
        if node.is_initial:
            yield f'    "" -> {_name(node.name)}'
    for number, edge in enumerate(graph.edges):
        yield f"    {_edge(edge, number, graph.errors_of(pair for each in edge.endings for pair in each.pairs()))}"
    yield "}"


def _placed(graph: Graph) -> list[tuple[int, StateBox]]:
    """The states in the order in which Graphviz places them from the left: first those that failures lead to.

    These edges are the longest and have the longest labels; on the right they would stick out of the group.
    """
    failures = {edge.target for edge in graph.edges if edge.is_failure}
    return sorted(enumerate(graph.nodes), key=lambda numbered: numbered[1].name not in failures)


def _box(node: StateBox, number: int) -> str:
    title = f"<B>{_html(visible(node.name))}</B>"
    lines = [line for text in labels(node.keeps) for line in wrapped(text, BOX_WIDTH, "   ")]
    if lines:
        small = "".join(f'{_html(line)}<BR ALIGN="LEFT"/>' for line in lines)
        row = f'<TR><TD ALIGN="LEFT" BALIGN="LEFT"><FONT POINT-SIZE="9" COLOR="{QUIET}">{small}</FONT></TD></TR>'
        title = f'<TABLE BORDER="0" CELLPADDING="2" CELLSPACING="0"><TR><TD>{title}</TD></TR>{row}</TABLE>'
    attributes = [f"label=<{title}>", f'fillcolor="{FILLS[node.mark]}"', f"id={_quoted(node_id(number))}"]
    attributes.append(f"tooltip={_quoted(printable(node.doc))}")
    if node.is_final:
        attributes.append("peripheries=2")
    if node.mark is Mark.PRESENT:
        attributes.append("penwidth=2.5")
    return " ".join(attributes)


def _edge(edge: StateEdge, number: int, errors: Sequence[str]) -> str:
    texts = labels(edge.endings)
    width = LABEL_WIDTH if sum(map(cells, texts)) < LONG_LABEL else LONG_LABEL_WIDTH
    lines = [line for text in texts for line in wrapped(text, width, "  ")]
    label = "".join(f"  {_escaped(line)}  \\l" for line in lines)
    attributes = [f'label="{label}"', f"id={_quoted(edge_id(number))}"]
    if errors:
        tooltip = _quoted("; ".join(errors))
        attributes.append(f"tooltip={tooltip} labeltooltip={tooltip}")
    if edge.is_failure:
        attributes.append(f'class=failure style=dashed color="{FAILURE}" fontcolor="{FAILURE}"')
    if edge.is_taken:
        attributes.append(f'penwidth=2.5 color="{TAKEN}"')
    if isinstance(edge.source, Group):
        attributes.append("ltail=cluster_group")
    if isinstance(edge.target, Group):
        attributes.append("lhead=cluster_group")
    ends = (_anchor(edge.source, last=True), _anchor(edge.target, last=False))
    return f"{ends[0]} -> {ends[1]} [{' '.join(attributes)}]"


def _anchor(end: str | Group, *, last: bool) -> str:
    """The node at which an edge ends; an edge of a group is clipped at the group's border."""
    if isinstance(end, Group):
        return _name(end.states[-1 if last else 0])
    return _name(end)


def _name(name: str) -> str:
    """The name of a node or graph. Quotes, entities and a leading %, which marks names made by Graphviz, are escaped."""
    shown = _ENTITY.sub("&amp;", visible(name))
    return '"' + ("\\" if shown.startswith("%") else "") + shown.replace('"', '\\"') + '"'


def _html(text: str) -> str:
    """A line of an HTML-like label. Graphviz stops reading at a line that begins with a closing bracket."""
    escaped = xml_text(text)
    return f"&#93;{escaped[1:]}" if escaped.startswith("]") else escaped


def _quoted(text: str) -> str:
    """A string that is shown: a backslash in it would begin an escape of DOT."""
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("\\", "\\\\").replace('"', '\\"')

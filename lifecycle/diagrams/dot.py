"""The graph in the DOT language of Graphviz, from which SVG and PNG are drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lifecycle.diagrams.graph import Graph, Group, Link, Mark, Picture, StateBox, StateEdge, group_label, labels
from lifecycle.diagrams.lettering import cells, visible, wrapped, xml_text
from lifecycle.system.output import printable

BOX_WIDTH = 32  # letters
LABEL_WIDTH = 17
GROUP_WIDTH = 64
LONG_LABEL, LONG_LABEL_WIDTH = 80, 32
FONT = "Helvetica"
"""Graphviz knows the widths of its letters even if the font is not installed; SVG names further fonts"""
INK, QUIET, FAINT, FAILURE, TAKEN = "#1c2430", "#5b6676", "#b9c1cc", "#b42318", "#0b6bb8"
PART = "#eaf3ef"
FILLS = {Mark.NONE: "#f5f7fa", Mark.VISITED: "#d9ecfb", Mark.PRESENT: "#ffe08a"}

GRAPH = f'compound=true newrank=true nodesep=0.16 ranksep=0.35 bgcolor=white fontname="{FONT}" fontsize=12'
NODE = f'shape=box style="rounded,filled" color="{QUIET}" fontname="{FONT}" fontsize=12 fontcolor="{INK}" margin="0.12,0.07"'
GROUP = f'margin=14 labeljust=l labelloc=b style="rounded,dashed" color="{FAINT}" fontsize=10 fontcolor="{QUIET}"'
PART_FRAME = f'margin=18 labeljust=l style="rounded,filled" color="{FAINT}" fillcolor="#fbfcfd" fontsize=13 fontcolor="{INK}"'
EDGE = f'color="{QUIET}" fontname="{FONT}" fontsize=10 fontcolor="{INK}" arrowsize=0.7'

SMALL = 'class=outside style="rounded,dashed" fontsize=11'
SHORT = 1000
"""Above the numbers of parts: those of the boxes of short edges"""

WIDEST = 0.15
"""The assumed width of a letter in inches if Graphviz does not know it"""

_UNMEASURED = re.compile(r"[^\w ,.()\[\]]|[^\x00-\x7f]")
_ENTITY = re.compile(r"&(?=#?\w+;)")
"""Text that Graphviz would read as a character reference"""


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
    for place, picture in enumerate(graph.pictures):
        yield from _boxes(graph, picture, place)
    for node in graph.nodes:
        if node.is_initial:
            yield f'    "" -> {_name(node.name)}'
    number = 0
    for place, picture in enumerate(graph.pictures):
        yield from (f"    {_link(link, place)}" for link in picture.links if link.is_drawn)
        for edge in picture.edges:
            errors = graph.errors_of(pair for each in edge.endings for pair in each.pairs())
            yield f"    {_edge(edge, number, errors, picture, place)}"
            number += 1
    yield "}"


def _boxes(graph: Graph, picture: Picture, place: int) -> Iterator[str]:
    """The states of a picture. A part has a frame below the main picture, which has a box for the part."""
    indent = "    "
    if place:
        exits = [f"{visible(link.state)}: {link.text}" for link in picture.links if not link.is_drawn]
        lines = [line for text in exits for line in wrapped(f"to {text}", LABEL_WIDTH, "   ")]
        label = _titled(picture.name, [f"{len(picture.states)} states: see below", *lines])
        yield f'    {_apart(place)} [label=<{label}> fillcolor="{PART}" id="part-{place}" class=part {_width(picture.name)}]'
        main = graph.pictures[0]
        leaving = {edge.source for edge in main.edges if not edge.is_short}
        above = [_name(node.name) for node in graph.nodes if not node.part and node.name not in leaving]
        above += [_short_end(edge, number) for number, edge in enumerate(main.edges) if edge.is_short]
        below = _end((*picture.outside, *picture.states)[0], picture, place)
        yield from (
            f"    {name} -> {below} [style=invis weight={int(not number)}]" for number, name in enumerate(above)
        )  # the first pulls it below
        yield f"    subgraph cluster_part_{place} {{"
        title = f"{visible(graph.name)}: the states of {visible(picture.name)}"
        yield f'        graph [label="{_label_of_frame(title)}" {PART_FRAME}]'
        indent += "    "
    first = sum(len(each.edges) for each in graph.pictures[:place])
    short = [(number, edge) for number, edge in enumerate(picture.edges, first) if edge.is_short]
    placed = [(number, node) for number, node in _placed(graph, picture) if node.name in picture.states]
    if picture.group:
        yield f"{indent}subgraph {_cluster(place)} {{"
        yield f'{indent}    graph [label="{_label_of_frame(group_label(picture.group))}" {GROUP}]'
        yield from (
            f"{indent}    {_name(node.name)} [{_box(node, n)}]" for n, node in placed if node.name in picture.group.states
        )
        yield from (f"{indent}    {_short_box(edge, n)}" for n, edge in short if edge.source in picture.group.states)
        yield f"{indent}}}"
    grouped = picture.group.states if picture.group else ()
    yield from (f"{indent}{_name(node.name)} [{_box(node, number)}]" for number, node in placed if node.name not in grouped)
    yield from (f"{indent}{_short_box(edge, n)}" for n, edge in short if edge.source not in grouped)
    reached = {edge.target for edge in picture.edges if not edge.is_short}
    under = {edge.target: edge.source for _, edge in short if edge.target in picture.states and edge.target not in reached}
    yield from (f"{indent}{_name(str(source))} -> {_name(str(target))} [style=invis]" for target, source in under.items())
    for number, node in enumerate(graph.nodes):
        if node.name in picture.outside:
            label = f"label={_quoted(visible(node.name))} id={_quoted(f'{node_id(number)}-{place}')} {_width(node.name)}"
            yield f"{indent}{_apart(place, node.name)} [{label} {SMALL}]"
    if place:
        yield "    }"


def _short_box(edge: StateEdge, number: int) -> str:
    """The small box at the end of a short edge, which names the state."""
    name = str(edge.target)
    return f"{_short_end(edge, number)} [label={_quoted(visible(name))} {_width(name)} {SMALL}]"


def _short_end(edge: StateEdge, number: int) -> str:
    return _apart(SHORT + number, str(edge.target))


def _placed(graph: Graph, picture: Picture) -> list[tuple[int, StateBox]]:
    """The states in the order in which Graphviz places them from the left: first those that failures lead to.

    These edges are the longest and have the longest labels; on the right they would extend beyond the group.
    """
    failures = {edge.target for edge in picture.edges if edge.is_failure}
    return sorted(enumerate(graph.nodes), key=lambda numbered: numbered[1].name not in failures)


def _cluster(place: int) -> str:
    return f"cluster_group_{place}" if place else "cluster_group"


def _apart(place: int, name: str = "") -> str:
    """The name of a part's box, or of a state's second box: it begins with a space, as no visible name does."""
    return _escaped_name(f" {place}{name and ' '}{visible(name)}")


def _link(link: Link, place: int) -> str:
    label = "".join(f"  {_escaped(line)}  \\l" for line in wrapped(link.text, LABEL_WIDTH, "  "))
    ends = (_name(link.state), _apart(place)) if link.enters else (_apart(place), _name(link.state))
    failure = f' class=failure style=dashed color="{FAILURE}" fontcolor="{FAILURE}"' if link.is_failure else ""
    return f'{ends[0]} -> {ends[1]} [label="{label}"{failure}]'


def _box(node: StateBox, number: int) -> str:
    lines = [line for text in labels(node.keeps) for line in wrapped(text, BOX_WIDTH, "   ")]
    attributes = [f"label=<{_titled(node.name, lines)}>", f'fillcolor="{FILLS[node.mark]}"', f"id={_quoted(node_id(number))}"]
    attributes.append(f"tooltip={_quoted(printable(node.doc))}")
    attributes.append(_width(node.name, *lines))
    if node.is_final:
        attributes.append("peripheries=2")
    if node.mark is Mark.PRESENT:
        attributes.append("penwidth=2.5")
    return " ".join(filter(None, attributes))


def _label_of_frame(text: str) -> str:
    return "".join(f"{_escaped(line)}\\l" for line in wrapped(text, GROUP_WIDTH))


def _width(name: str, *lines: str) -> str:
    """A minimum width for a box with letters whose width Graphviz may not know."""
    texts = [text for text in (visible(name), *lines) if _UNMEASURED.search(text) or len(text) > GROUP_WIDTH]
    return f"width={max(map(cells, texts)) * WIDEST:.2f}" if texts else ""


def _titled(name: str, lines: Sequence[str]) -> str:
    title = f"<B>{_html(visible(name))}</B>"
    if not lines:
        return title
    small = "".join(f'{_html(line)}<BR ALIGN="LEFT"/>' for line in lines)
    row = f'<TR><TD ALIGN="LEFT" BALIGN="LEFT"><FONT POINT-SIZE="9" COLOR="{QUIET}">{small}</FONT></TD></TR>'
    return f'<TABLE BORDER="0" CELLPADDING="2" CELLSPACING="0"><TR><TD>{title}</TD></TR>{row}</TABLE>'


def _edge(edge: StateEdge, number: int, errors: Sequence[str], picture: Picture, place: int) -> str:
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
        attributes.append(f"ltail={_cluster(place)}")
        if edge.target in picture.outside:  # its label is outside the group, too
            attributes.append("minlen=3")
    if isinstance(edge.target, Group):
        attributes.append(f"lhead={_cluster(place)}")
    # an edge of a group ends at one of its states, and is clipped at the group's border
    source = edge.source.states[-1] if isinstance(edge.source, Group) else edge.source
    target = edge.target.states[0] if isinstance(edge.target, Group) else edge.target
    end = _short_end(edge, number) if edge.is_short else _end(target, picture, place)
    return f"{_end(source, picture, place)} -> {end} [{' '.join(attributes)}]"


def _end(state: str, picture: Picture, place: int) -> str:
    return _apart(place, state) if state in picture.outside else _name(state)


def _name(name: str) -> str:
    """The name of a node or graph. Quotes, entities and a leading %, which marks names made by Graphviz, are escaped."""
    return _escaped_name(visible(name))


def _escaped_name(name: str) -> str:
    shown = _ENTITY.sub("&amp;", name)
    return '"' + ("\\" if shown.startswith("%") else "") + shown.replace('"', '\\"') + '"'


def _html(text: str) -> str:
    """A line of an HTML-like label. Graphviz stops reading at a line that begins with a closing bracket."""
    escaped = xml_text(text)
    return f"&#93;{escaped[1:]}" if escaped.startswith("]") else escaped


def _quoted(text: str) -> str:
    """A displayed string: a backslash in it would begin an escape of DOT."""
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("\\", "\\\\").replace('"', '\\"')

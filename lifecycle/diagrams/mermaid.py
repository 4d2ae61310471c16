"""The graph as a Mermaid state diagram, which GitHub and many documentation tools draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lifecycle.diagrams.graph import Graph, Group, Mark, StateBox, StateEdge, group_label, labels
from lifecycle.diagrams.lettering import identifiers, mermaid_text, visible, wrapped

RESERVED = (
    "as", "class", "classDef", "click", "default", "direction", "end", "fork", "hide", "href", "join", "choice", "note",
    "scale", "state", "stateDiagram", "style", "accTitle", "accDescr", "GROUP", "linkStyle", "root", "divider", "start",
    "constructor", "toString", "toLocaleString", "valueOf", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
)  # fmt: skip
"""Words that the parser does not accept as a state's id, and the names that every JavaScript object has"""

GROUP = "GROUP"
LABEL_WIDTH, BOX_WIDTH = 16, 48  # letters
SPACING = {"nodeSpacing": 30, "rankSpacing": 90}
"""With wider texts, less space, or another order of states and edges, Mermaid puts labels on top of each other, and of boxes:
measured on the package's own roles in three fonts"""

COLOURS = {Mark.VISITED: "fill:#d9ecfb,stroke:#0b6bb8", Mark.PRESENT: "fill:#ffe08a,stroke:#1c2430,stroke-width:3px"}
DASHED = "stroke-dasharray: 6 4; stroke: #b42318;"
TAKEN = "stroke-width: 3px; stroke: #0b6bb8;"


def mermaid(graph: Graph) -> str:
    """The graph as the text of a `stateDiagram-v2`."""
    return "".join(f"{line}\n" for line in _lines(graph))


def _lines(graph: Graph) -> Iterator[str]:
    ids = identifiers((node.name for node in graph.nodes), RESERVED)
    yield from _front_matter(graph)
    yield "stateDiagram-v2"
    for node in graph.nodes:
        if node.is_initial:
            yield f"    [*] --> {ids[node.name]}"
    if graph.group:
        yield f'    state "{mermaid_text(group_label(graph.group))}" as {GROUP} {{'
        for name in _placed(graph, graph.group):
            yield f"        {ids[name]}"
        yield "    }"
    for node in graph.nodes:
        yield from _state(node, ids[node.name])
    for edge in _ordered(graph):
        text = _written(labels(edge.endings), LABEL_WIDTH)
        yield f"    {_end(edge.source, ids)} --> {_end(edge.target, ids)} : {text}"
    for node in graph.nodes:
        if node.is_final:
            yield f"    {ids[node.name]} --> [*]"
    for mark, colours in COLOURS.items():
        marked = [ids[node.name] for node in graph.nodes if node.mark is mark]
        if marked:
            yield f"    classDef {mark} {colours}"
            yield f"    class {','.join(marked)} {mark}"


def _front_matter(graph: Graph) -> Iterator[str]:
    """State diagrams have no syntax for dashes: edges are styled by number, and some tools ignore that."""
    first = sum(node.is_initial for node in graph.nodes)
    rules = [
        f'[data-id="edge{first + number}"] {{ {style} }}'
        for number, edge in enumerate(_ordered(graph))
        if (style := _style(edge))
    ]
    yield from ("---", "config:", "  state:", *(f"    {name}: {pixels}" for name, pixels in SPACING.items()))
    if rules:
        yield "  themeCSS: |"
        yield from (f"    {rule}" for rule in rules)
    yield "---"


def _style(edge: StateEdge) -> str:
    return (DASHED if edge.is_failure else "") + (TAKEN if edge.is_taken else "")


def _state(node: StateBox, id: str) -> Iterator[str]:
    yield f"    {id} : {mermaid_text(visible(node.name))}"
    yield from (f"    {id} : {_written([text], BOX_WIDTH)}" for text in labels(node.keeps))


def _ordered(graph: Graph) -> list[StateEdge]:
    """Failures last, where they are placed around the others."""
    return sorted(graph.edges, key=lambda edge: edge.is_failure)


def _placed(graph: Graph, group: Group) -> list[str]:
    """The states of the group, first those that failures lead to, so that Mermaid places them at one side of the others."""
    failures = {edge.target for edge in graph.edges if edge.is_failure}
    return sorted(group.states, key=lambda state: state not in failures)


def _written(texts: Iterable[str], width: int) -> str:
    """Each text on its own line; long ones are broken here, so that Mermaid does not break them."""
    return "<br/>".join(mermaid_text(line) for text in texts for line in wrapped(text, width))


def _end(end: str | Group, ids: Mapping[str, str]) -> str:
    return GROUP if isinstance(end, Group) else ids[end]

"""The graph as a Mermaid state diagram, which GitHub and many documentation tools draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lifecycle.diagrams.graph import Graph, Group, Mark, Picture, StateBox, StateEdge, group_label, labels
from lifecycle.diagrams.lettering import identifiers, mermaid_text, visible, wrapped

RESERVED = (
    "as", "class", "classDef", "click", "default", "direction", "end", "fork", "hide", "href", "join", "choice", "note",
    "scale", "state", "stateDiagram", "style", "accTitle", "accDescr", "GROUP", "linkStyle", "root", "divider", "start",
    "PART", "constructor", "toString", "toLocaleString", "valueOf", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
)  # fmt: skip
"""Words that the parser does not accept as a state's id, and the attributes of every JavaScript object"""

GROUP, PART = "GROUP", "PART"
SHORT = 1000
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
    short = [(at, edge, _short_end(edge, n, ids)) for n, (at, _, edge) in enumerate(_ordered(graph)) if edge.is_short]
    for place, picture in enumerate(graph.pictures):
        yield from _frames(picture, place, ids, [(edge.source, end) for at, edge, end in short if at == place])
    for node in graph.nodes:
        yield from _state(node, ids[node.name])
    for place, picture in enumerate(graph.pictures):
        for state in picture.outside:
            yield f"    {_end(state, picture, place, ids)} : {mermaid_text(visible(state))}"
    for _, edge, end in short:  # Mermaid would put its label on others: the box has it
        yield f"    {end} : {mermaid_text(visible(str(edge.target)))}"
        yield f"    {end} : {_written(labels(edge.endings), LABEL_WIDTH)}"
    for number, (place, picture, edge) in enumerate(_ordered(graph)):
        source, target = (_end(end, picture, place, ids) for end in (edge.source, edge.target))
        if edge.is_short:
            yield f"    {source} --> {_short_end(edge, number, ids)}"
        else:
            yield f"    {source} --> {target} : {_written(labels(edge.endings), LABEL_WIDTH)}"
    for place, picture in enumerate(graph.pictures):
        for link in picture.links:
            ends = (ids[link.state], f"{PART}_{place}")
            source, target = ends if link.enters else ends[::-1]
            yield f"    {source} --> {target} : {_written([link.text], LABEL_WIDTH)}"
    for node in graph.nodes:
        if node.is_final:
            yield f"    {ids[node.name]} --> [*]"
    for mark, colours in COLOURS.items():
        marked = [ids[node.name] for node in graph.nodes if node.mark is mark]
        if marked:
            yield f"    classDef {mark} {colours}"
            yield f"    class {','.join(marked)} {mark}"


def _frames(picture: Picture, place: int, ids: Mapping[str, str], short: Sequence[tuple[str | Group, str]]) -> Iterator[str]:
    """The frame of a group; the frame of a part encloses it, and contains the outside states that its arrows touch."""
    if place:
        yield f'    state "{mermaid_text(visible(picture.name))}" as {PART}_{place} {{'
    if picture.group:
        yield f'    state "{mermaid_text(group_label(picture.group))}" as {_end(picture.group, picture, place, ids)} {{'
        yield from (f"        {ids[name]}" for name in picture.group.states)
        yield from (f"        {end}" for source, end in short if source in picture.group.states)
        yield "    }"
    if place:
        grouped = picture.group.states if picture.group else ()
        yield from (f"        {ids[name]}" for name in picture.states if name not in grouped)
        yield from (f"        {_end(state, picture, place, ids)}" for state in picture.outside)
        yield from (f"        {end}" for source, end in short if source not in grouped)
        yield "    }"


def _front_matter(graph: Graph) -> Iterator[str]:
    """State diagrams have no syntax for dashes: edges are styled by number, and some tools ignore that."""
    first = sum(node.is_initial for node in graph.nodes)
    styles = [_style(edge) for _, _, edge in _ordered(graph)]
    styles += [DASHED if link.is_failure else "" for picture in graph.pictures for link in picture.links]
    rules = [f'[data-id="edge{first + number}"] {{ {style} }}' for number, style in enumerate(styles) if style]
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


def _ordered(graph: Graph) -> list[tuple[int, Picture, StateEdge]]:
    """The edges with their pictures; failures first, since then the fewest labels overlap in Mermaid."""
    edges = [(place, picture, edge) for place, picture in enumerate(graph.pictures) for edge in picture.edges]
    return sorted(edges, key=lambda each: not each[2].is_failure)


def _written(texts: Iterable[str], width: int) -> str:
    """Each text on its own line; long ones are broken here, so that Mermaid does not break them."""
    return "<br/>".join(mermaid_text(line) for text in texts for line in wrapped(text, width))


def _short_end(edge: StateEdge, number: int, ids: Mapping[str, str]) -> str:
    """The id of the box at the end of a short edge."""
    return f"{PART}_{SHORT + number}_{ids[str(edge.target)]}"


def _end(end: str | Group, picture: Picture, place: int, ids: Mapping[str, str]) -> str:
    ending = f"_{place}" if place else ""
    if isinstance(end, Group):
        return f"{GROUP}{ending}"
    return f"{PART}{ending}_{ids[end]}" if end in picture.outside else ids[end]

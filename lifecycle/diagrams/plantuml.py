"""The graph as a PlantUML state diagram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lifecycle.diagrams.graph import Graph, Group, Mark, StateBox, StateEdge, group_label, labels
from lifecycle.diagrams.lettering import identifiers, plantuml_text, visible

RESERVED = (
    "as", "begin", "caption", "end", "endif", "footer", "header", "hide", "legend", "left", "note", "partition", "right",
    "scale", "show", "skinparam", "state", "title", "top", "GROUP",
)  # fmt: skip

GROUP = "GROUP"
COLOURS = {Mark.NONE: "", Mark.VISITED: " #D9ECFB", Mark.PRESENT: " #FFE08A"}
FAILURE, TAKEN = "#B42318", "#0B6BB8"
LOOK = (
    "skinparam shadowing false",
    *(
        f"skinparam state{part}Color #{colour}"
        for part, colour in (("Background", "F5F7FA"), ("Border", "5B6676"), ("Arrow", "5B6676"))
    ),
)
"""Its own arrows are red, as failures are"""


def plantuml(graph: Graph) -> str:
    """The graph between `@startuml` and `@enduml`."""
    return "".join(f"{line}\n" for line in _lines(graph))


def _lines(graph: Graph) -> Iterator[str]:
    ids = identifiers((node.name for node in graph.nodes), RESERVED)
    grouped = {state for group in graph.groups for state in group.states}
    yield "@startuml"
    yield "hide empty description"
    yield from LOOK
    yield f"title {_name(graph.name)}"
    for group in graph.groups:
        yield f'state "{group_label(group, _name)}" as {_end(group, ids)} {{'
        for node in graph.nodes:
            if node.name in group.states:
                yield f"  {_declaration(node, ids)}"
        yield "}"
    for node in graph.nodes:
        if node.name not in grouped:
            yield _declaration(node, ids)
    for node in graph.nodes:
        yield from (f"{ids[node.name]} : {text}" for text in labels(node.keeps, _name))
    for node in graph.nodes:
        if node.is_initial:
            yield f"[*] --> {ids[node.name]}"
    for edge in graph.edges:
        text = "\\n".join(labels(edge.endings, _name))
        yield f"{_end(edge.source, ids)} -{_style(edge)}-> {_end(edge.target, ids)} : {text}"
    for node in graph.nodes:
        if node.is_final:
            yield f"{ids[node.name]} --> [*]"
    yield "@enduml"


def _declaration(node: StateBox, ids: Mapping[str, str]) -> str:
    return f'state "{_name(node.name)}" as {ids[node.name]}{COLOURS[node.mark]}'


def _style(edge: StateEdge) -> str:
    styles = []
    if edge.is_failure:
        styles += ["dashed"]
    if edge.is_taken:
        styles += ["bold"]
    colour = TAKEN if edge.is_taken else FAILURE if edge.is_failure else ""
    return f"[{','.join(filter(None, [colour, *styles]))}]" if styles else ""


def _end(end: str | Group, ids: Mapping[str, str]) -> str:
    return f"{GROUP}_{ids[end.states[0]]}" if isinstance(end, Group) else ids[end]


def _name(name: str) -> str:
    return plantuml_text(visible(name))

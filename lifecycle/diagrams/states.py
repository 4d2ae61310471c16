"""State diagrams of a role, by format."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lifecycle.diagrams import pictures
from lifecycle.diagrams.dot import dot
from lifecycle.diagrams.extraction import graph_of
from lifecycle.diagrams.formats import unknown_format
from lifecycle.diagrams.graph import Graph
from lifecycle.diagrams.highlight import Highlighted, highlight_of
from lifecycle.diagrams.markdown import markdown
from lifecycle.diagrams.mermaid import mermaid
from lifecycle.diagrams.plantuml import plantuml
from lifecycle.diagrams.scxml import scxml
from lifecycle.diagrams.text import text
from lifecycle.engine import Role
from lifecycle.engine.role import checked_role

DIAGRAM_FORMATS: Mapping[str, Callable[[Graph], str]] = {
    "mermaid": mermaid,
    "dot": dot,
    "plantuml": plantuml,
    "scxml": scxml,
    "markdown": markdown,
    "text": text,
    "svg": lambda graph: pictures.svg(dot(graph)),
}
"""format -> renderer"""


ELSEWHERE = {"png": " PNG is drawn by state_png().", "html": " The page to explore is written by explorer_page()."}
"""format that is not the text of one role -> a sentence about the function that makes it"""


def state_diagram(role: Role, format: str = "mermaid", *, highlight: Highlighted | None = None, width: int = 80) -> str:
    """The picture of a role, derived from its table.

    format: one of DIAGRAM_FORMATS. highlight: an object of the role, the name of a state, or the records of one object, to show
    its current state and path. width: columns of the text format.

    Raises UnknownFormat; WrongHighlight if the highlighted item is not of the role; NoRenderer for SVG, if neither
    Graphviz nor the extra `diagrams` is installed.

    >>> from lifecycle import SERVER
    >>> print(state_diagram(SERVER, "text").splitlines()[0])
    server: Listens on a port and hands each connection to an Accepted.
    """
    if format not in DIAGRAM_FORMATS:
        raise unknown_format(format, DIAGRAM_FORMATS, beside=ELSEWHERE.get(format, ""))
    graph = graph_of(checked_role(role), highlight_of(role, highlight))
    return text(graph, width=width) if format == "text" else DIAGRAM_FORMATS[format](graph)


def state_png(role: Role, *, highlight: Highlighted | None = None, dpi: int = 144) -> bytes:
    """The picture of a role as PNG, with `dpi` dots per inch; arguments and errors as for state_diagram()."""
    return pictures.png(dot(graph_of(checked_role(role), highlight_of(role, highlight))), dpi=dpi)

"""Which format a file's name asks for, and writing a chart of a run into one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lifecycle.diagrams.errors import UnknownFormat
from lifecycle.diagrams.explorer import explorer_page
from lifecycle.diagrams.sequence import CHART_FORMATS, sequence_chart
from lifecycle.engine import Record

SUFFIXES = {
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".puml": "plantuml",
    ".plantuml": "plantuml",
    ".scxml": "scxml",
    ".md": "markdown",
    ".txt": "text",
    ".svg": "svg",
    ".png": "png",
    ".html": "html",
    ".htm": "html",
}
"""suffix -> format"""

RUN_FORMATS = (*CHART_FORMATS, "html")
"""The formats of a recorded run: its charts, and the page in which it can be stepped through"""


def format_of(path: str | Path, known: Iterable[str]) -> str:
    """The format that a file's suffix asks for. Raises UnknownFormat, naming the suffixes of the formats that are `known`."""
    known = tuple(known)
    found = SUFFIXES.get(Path(path).suffix.lower())
    if found not in known:
        suffixes = ", ".join(suffix for suffix, format in SUFFIXES.items() if format in known)
        raise UnknownFormat(f"what format is {str(path)!r} to have? Known suffixes: {suffixes}.")
    return found


def save_run(records: Iterable[Record], path: str | Path) -> None:
    """Write a recorded run to a file: a chart (.txt, .mmd, .svg), or the page in which it can be stepped through (.html).

    Raises UnknownFormat for another suffix, before anything is written; OSError when the file cannot be written.
    """
    format = format_of(path, RUN_FORMATS)
    text = explorer_page(records=records) if format == "html" else sequence_chart(records, format, width=120)
    Path(path).write_text(text, encoding="utf-8", newline="\n")

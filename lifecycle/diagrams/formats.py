"""The names of the formats, and the suffixes of their files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from lifecycle.engine import LifecycleError

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


class UnknownFormat(LifecycleError, ValueError):
    """There is no renderer of that name; the message lists the known ones."""


def unknown_format(format: str, known: Iterable[str], *, beside: str = "") -> UnknownFormat:
    """The error for an unknown format. beside: a sentence about where else to get it."""
    known = tuple(known)
    near = difflib.get_close_matches(format.lower(), known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UnknownFormat(f"no format {format!r}.{hint} Known formats: {', '.join(known)}.{beside}")


def format_of(path: str | Path, known: Iterable[str]) -> str:
    """The format of a file's suffix. Raises UnknownFormat, naming the suffixes of the `known` formats."""
    known = tuple(known)
    found = SUFFIXES.get(Path(path).suffix.lower())
    if found not in known:
        suffixes = ", ".join(suffix for suffix, format in SUFFIXES.items() if format in known)
        raise UnknownFormat(f"{str(path)!r} has no suffix of a known format. Known suffixes: {suffixes}.")
    return found

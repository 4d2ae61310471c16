"""What the diagrams say when they cannot be drawn."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from lifecycle.engine import LifecycleError


class UnknownFormat(LifecycleError, ValueError):
    """No renderer has that name; the text names those that are known."""


class NoRenderer(LifecycleError):
    """Nothing on this system draws pictures of graphs; the text names what to install."""


class NotAJournal(LifecycleError, ValueError):
    """A line is no record of a journal; the text names the line."""


def unknown_format(format: str, known: Iterable[str], *, beside: str = "") -> UnknownFormat:
    """The error for a format that is not among those known. beside: a sentence on where else it is had."""
    known = tuple(known)
    near = difflib.get_close_matches(format.lower(), known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UnknownFormat(f"no format {format!r}.{hint} Known formats: {', '.join(known)}.{beside}")

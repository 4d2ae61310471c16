"""What is written at an edge or inside a state's box, the same in every format."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lifecycle.diagrams.graph import Endings, Group
from lifecycle.diagrams.lettering import visible

Writer = Callable[[str], str]
"""How a format writes a name; it makes it visible() itself"""

NAMED_STATE = "the state so named"


def label(endings: Endings, write: Writer = visible) -> str:
    """The calls and, where it is not `ok` alone, their outcomes in brackets."""
    text = ", ".join(map(write, endings.calls))
    if endings.fired_by:
        text += f" (by {write(endings.fired_by)})"
    if endings.finds:
        return f"{text} [{NAMED_STATE}]"
    if endings.outcomes != ("ok",):
        text += f" [{', '.join(map(write, endings.outcomes))}]"
    return text


def labels(each: Iterable[Endings], write: Writer = visible) -> list[str]:
    """One label for each group of calls that end alike."""
    return [label(endings, write) for endings in each]


def group_label(group: Group, write: Writer = visible) -> str:
    """What stands at a group: that it is any of its states, and what keeps all of them."""
    return " - ".join(filter(None, (group.title, "; ".join(labels(group.keeps, write)))))

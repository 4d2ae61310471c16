"""Known differences of an implementation, which have names and are not findings."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from lifecycle.conformance.driving.run import Divergence


@dataclass(frozen=True, slots=True)
class Known:
    """A known difference of one implementation: its name, and where it shows. An empty field matches everything.

    call: a call, with or without how it is made, a peer action, or the label of a data cell. expected, got: their beginnings.
    """

    name: str
    call: str = ""
    state: str = ""
    got: str = ""
    role: str = ""
    expected: str = ""

    def covers(self, found: Divergence) -> bool:
        """Whether this is that difference."""
        is_there = self.role in ("", found.role) and self.state in ("", found.state)
        is_it = self.call in ("", found.call, found.steps[-1])
        return is_there and is_it and found.got.startswith(self.got) and found.expected.startswith(self.expected)


KEYS = ("role", "state", "call", "expected", "got")


def table_of(name: str) -> tuple[Known, ...]:
    """The known differences of the implementation of that name; none if it has no table.

    A line has the role, the state, the call (with or without how it is made), the beginnings of the expectation and the answer,
    the reason, and how that was checked by hand; * matches everything.
    """
    table = files("lifecycle.conformance") / "tables" / f"{name}.tsv"
    if not table.is_file():
        return ()
    lines = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return tuple(
        Known(f"{name}: {why}", **{key: "" if word == "*" else word for key, word in zip(KEYS, words, strict=True)})
        for *words, why, _checked in lines
    )


class Knowing:
    """Part of an adapter whose implementation has known differences."""

    def __init__(self, known: tuple[Known, ...]) -> None:
        self.known = known
        self.shown: set[Known] = set()
        """those of the known differences that have shown"""

    def explains(self, found: Divergence) -> str:
        """The name of the known difference that this is, or ""."""
        for known in self.known:
            if known.covers(found):
                self.shown.add(known)
                return known.name
        return ""

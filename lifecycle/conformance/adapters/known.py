"""What an implementation is known to do otherwise: differences that have names, and are not findings."""

from __future__ import annotations

from dataclasses import dataclass

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

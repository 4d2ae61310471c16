"""Seeing what a governed object itself reports for its calls."""

from __future__ import annotations

from lifecycle.engine.journal import OBSERVERS, Record


class Watcher:
    """Sees which outcome an object itself reports for its calls; it is set on one object after the other.

    target: the object, or None for any.
    """

    def __init__(self) -> None:
        self.target: object = None
        self.reported: str | None = None
        self.next_state: str | None = None

    def began(self, record: Record, target: object) -> None:
        """Part of Observer."""

    def ended(self, record: Record, target: object) -> None:
        """Part of Observer: remember the outcome, and the state that it led to."""
        if self.target is None or target is self.target:
            self.reported, self.next_state = record.outcome or NOTHING, record.next_state

    def start(self) -> None:
        """Watch from now on."""
        OBSERVERS.add(self)

    def stop(self) -> None:
        """Watch no longer."""
        OBSERVERS.remove(self)


NOTHING = "nothing"
"""reported where arguments were refused before anything happened"""

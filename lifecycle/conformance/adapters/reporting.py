"""Stages whose objects tell themselves how a call ended.

How the calls of a socket end can be seen from outside, by the errors of the system. Other objects raise errors of their own
classes: there the outcome is the one that the object reports, and it is checked beside it that a caller gets an error just
where the outcome is none of success.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from lifecycle.conformance.adapters.outcomes import system_answer, text_of
from lifecycle.conformance.adapters.protocol import Answer
from lifecycle.conformance.adapters.watching import NOTHING, Watcher
from lifecycle.conformance.model.environment import Provocation
from lifecycle.engine import Kind, Role


class ReportingStage(ABC):
    """An object whose outcomes are those that it reports."""

    role: Role
    subject: Any

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    @property
    def state(self) -> str:
        """The object's state."""
        return str(self.subject.state)

    @property
    def legal(self) -> tuple[str, ...]:
        """What the object says is legal."""
        legal: tuple[str, ...] = self.subject.legal
        return legal

    @abstractmethod
    def make(self, provocation: Provocation) -> Any:
        """Make the call."""

    def call(self, provocation: Provocation) -> Answer:
        """Make the call, and tell what the object reports."""
        self._watcher.reported = None
        try:
            value = self.make(provocation)
        except Exception as error:  # whatever comes is an answer
            return Answer(self._reported("raises"), None, text_of(error), system_answer(error))
        return Answer(self._reported("returns"), value)

    def _reported(self, how: str) -> str:
        outcome = self._watcher.reported or NOTHING
        known = next((each for each in self.role.outcomes if each.name == outcome), None)
        fails = known is None or known.kind in (Kind.FAILURE, Kind.WAITING)
        if known is None or fails == (how == "raises") or outcome == "eof":
            return outcome
        return f"{outcome}, and {how}"

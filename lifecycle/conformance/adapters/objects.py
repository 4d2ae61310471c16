"""Objects that report their own outcomes, and the adapter of a class that is governed by a role of your own.

The outcome of a socket's call can be seen from outside, by the system's errors. Other objects raise errors of their own
classes: for them the outcome is the one that the object reports to observers, and in addition the suite checks that the caller
gets an error exactly if the outcome is not a success.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from lifecycle.conformance.adapters.outcomes import system_answer, text_of
from lifecycle.conformance.adapters.protocol import Answer, Verdict, compared
from lifecycle.conformance.model.environment import Environment, Provocation
from lifecycle.conformance.model.graph import Edge
from lifecycle.engine import Kind, Lifecycle, Role
from lifecycle.engine.journal import OBSERVERS, Record

NOTHING = "nothing"
"""reported if arguments were refused before anything happened"""


class OutcomeTrace:
    """An observer that keeps the outcome of the last call of an object. target: the object, or None for any."""

    def __init__(self) -> None:
        self.target: object = None
        self.reported: str | None = None
        self.next_state: str | None = None
        self._is_on = False

    def began(self, record: Record, target: object) -> None:
        """Part of Observer."""

    def ended(self, record: Record, target: object) -> None:
        """Part of Observer: keep the outcome, and the state that it led to."""
        if self.target is None or target is self.target:
            self.reported, self.next_state = record.outcome or NOTHING, record.next_state

    def turn(self, on: bool) -> None:
        """Start or stop observing."""
        if on != self._is_on:
            self._is_on = on
            (OBSERVERS.add if on else OBSERVERS.remove)(self)


class ReportingStage(ABC):
    """An object that reports its own outcomes."""

    role: Role
    subject: Any

    def __init__(self, trace: OutcomeTrace) -> None:
        self._trace = trace

    @property
    def state(self) -> str:
        return str(self.subject.state)

    @property
    def legal(self) -> tuple[str, ...]:
        legal: tuple[str, ...] = self.subject.legal
        return legal

    @abstractmethod
    def make(self, provocation: Provocation) -> Any:
        """Make the call."""

    def call(self, provocation: Provocation) -> Answer:
        """Make the call; its outcome is what the object reports."""
        self._trace.reported = None
        try:
            value = self.make(provocation)
        except Exception as error:  # any error is an answer
            return Answer(self._reported("raises"), None, text_of(error), system_answer(error))
        return Answer(self._reported("returns"), value)

    def _reported(self, how: str) -> str:
        outcome = self._trace.reported or NOTHING
        kind = next((each.kind for each in self.role.outcomes if each.name == outcome), None)
        fails = kind in (None, Kind.FAILURE, Kind.WAITING)
        if kind in (None, Kind.ENDING) or fails == (how == "raises"):
            return outcome
        return f"{outcome}, and {how}"


Acts = Mapping[str, Callable[[Any], object]]
"""the name of a peer action -> what it does to the object"""


class ObjectStage(ReportingStage):
    """One object of a class of your own."""

    def __init__(self, subject: Lifecycle, acts: Acts, trace: OutcomeTrace) -> None:
        super().__init__(trace)
        self.role = subject.role
        self.subject = subject
        self._acts = acts
        trace.target = subject

    def make(self, provocation: Provocation) -> Any:
        """Make the call."""
        return getattr(self.subject, provocation.call)(*provocation.arguments)

    def act(self, action: str) -> None:
        """Apply the action to the object."""
        self._acts[action](self.subject)

    def close(self) -> None:
        """End the object by the call that closes it, where its role has one and it is legal."""
        closing = self.role.closes
        if closing is not None and closing in self.subject.legal:
            getattr(self.subject, closing)()


class ObjectAdapter:
    """Objects of a class that is governed by a role of your own.

    make: the class, or what makes an object of it. environment: how its calls are provoked, and which actions others can do;
    acts: action -> what it does to the object. Raises TypeError where `make` makes something else.
    """

    governed = True
    needs_network = False

    def __init__(self, make: Callable[[], Any], environment: Environment, acts: Acts | None = None) -> None:
        first = make()
        if not isinstance(first, Lifecycle):
            raise TypeError(f"expected an object of a class with a role, not {first!r}")
        self.name = type(first).__name__
        self.roles = (first.role,)
        self._make = make
        self._environment = environment
        self._acts = acts or {}
        self._trace = OutcomeTrace()
        ObjectStage(first, self._acts, self._trace).close()

    def environment(self, role: Role) -> Environment:
        """The environment that was given. Raises KeyError for another role than the class's."""
        if role not in self.roles:
            raise KeyError(role.name)
        return self._environment

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """Everything."""
        return True

    def stage(self, role: Role) -> ObjectStage:
        """A new object."""
        self._trace.turn(True)
        return ObjectStage(self._make(), self._acts, self._trace)

    def verdict(self, edge: Edge, answer: Answer) -> Verdict:
        """The usual one."""
        return compared(edge, answer)

    def close(self) -> None:
        """Stop observing."""
        self._trace.turn(False)

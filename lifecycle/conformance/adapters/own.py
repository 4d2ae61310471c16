"""The adapter of a class that is governed by a role of one's own: no sockets, and peers only as far as one gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lifecycle.conformance.adapters.protocol import Answer, Verdict, compared
from lifecycle.conformance.adapters.reporting import ReportingStage
from lifecycle.conformance.adapters.watching import Watcher
from lifecycle.conformance.model.environment import Environment, Provocation
from lifecycle.conformance.model.graph import Edge
from lifecycle.engine import Lifecycle, Role

Acts = Mapping[str, Callable[[Any], object]]
"""the name of a peer action -> what it does to the object"""


class ObjectStage(ReportingStage):
    """One object of a class of one's own."""

    def __init__(self, subject: Lifecycle, acts: Acts, watcher: Watcher) -> None:
        super().__init__(watcher)
        self.role = subject.role
        self.subject = subject
        self._acts = acts
        watcher.target = subject

    def make(self, provocation: Provocation) -> Any:
        """Make the call."""
        return getattr(self.subject, provocation.call)(*provocation.arguments)

    def act(self, action: str) -> None:
        """Do to the object what the action means."""
        self._acts[action](self.subject)

    def close(self) -> None:
        """End the object by the call that closes it, where its role has one and it is legal."""
        closing = self.role.closes
        if closing is not None and closing in self.subject.legal:
            getattr(self.subject, closing)()


class ObjectAdapter:
    """Objects of a class that is governed by a role of one's own.

    make: the class, or what makes an object of it. environment: how its calls are provoked, and which actions others can do;
    acts: action -> what it does to the object. Raises TypeError where `make` makes something else.
    """

    governed = True

    def __init__(self, make: Callable[[], Any], environment: Environment, acts: Acts | None = None) -> None:
        first = make()
        if not isinstance(first, Lifecycle):
            raise TypeError(f"an object of a class that is governed by a role was to be made, and got {first!r}")
        self.name = type(first).__name__
        self.roles = (first.role,)
        self._make = make
        self._environment = environment
        self._acts = acts or {}
        self._watcher = Watcher()
        self._is_watching = False
        ObjectStage(first, self._acts, self._watcher).close()

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
        if not self._is_watching:
            self._is_watching = True
            self._watcher.start()
        return ObjectStage(self._make(), self._acts, self._watcher)

    def verdict(self, edge: Edge, answer: Answer) -> Verdict:
        """The usual one."""
        return compared(edge, answer)

    def close(self) -> None:
        """Watch no longer."""
        self._is_watching = False
        self._watcher.stop()

"""The protocol between a conformance run and an implementation: an adapter of your own takes a dozen lines.

    class MyAdapter:
        name = "mine"
        governed = True                           # it refuses illegal calls by IllegalCall, and reports its state

        def environment(self, role): ...          # how calls are provoked: lifecycle.conformance.ENVIRONMENTS[role.name]
        def offers(self, role, provocation, *, legal): ...  # whether it has this call, where it is legal or illegal
        def stage(self, role): ...                # a new object among its peers: a Stage
        def verdict(self, edge, answer): ...      # AGREES, or how it differs: compared(edge, answer) says the usual
        def close(self): ...                      # give everything back

A socket with the methods of `socket.socket` needs none of it: SocketAdapter(factory) is all; nor does a class that is governed
by a role of your own: ObjectAdapter(class, environment) is. An asynchronous implementation runs each call to its end inside
Stage.call(). A method strategies(role) may give Hypothesis strategies for the arguments of calls, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lifecycle.conformance.model.environment import ANYTHING, Environment, Provocation
from lifecycle.conformance.model.graph import Edge
from lifecycle.engine import Role


class Answer(NamedTuple):
    """The result of a call.

    outcome: in the role's words, or "illegal". value: what the caller got, bytes alone where something was received.
    detail: the error, as text. system: "ok", "blocks" or the error's name, for those who set it beside a platform table.
    reported: the outcome that the implementation itself reports, or None.
    """

    outcome: str
    value: object = None
    detail: str = ""
    system: str = "ok"
    reported: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an answer compares with what was expected; `explanation` says what explains a difference, or is ""."""

    agrees: bool
    expected: str = ""
    got: str = ""
    explanation: str = ""


AGREES = Verdict(True)


class Mismatch(Exception):
    """A peer did not see what it should have seen."""

    def __init__(self, expected: object, got: object) -> None:
        super().__init__(f"{got!r} instead of {expected!r}")
        self.expected = expected
        self.got = got

    def __reduce__(self) -> tuple[type[Mismatch], tuple[object, object]]:
        return type(self), (self.expected, self.got)


class Stage(Protocol):
    """One object under test among its peers.

    If the effects of peers' actions take time to arrive, a method settle(facts) waits for them.
    """

    @property
    def state(self) -> str | None:
        """The state that the object reports, or None if it reports none."""
        ...

    @property
    def legal(self) -> tuple[str, ...] | None:
        """The calls that the object reports as legal, or None if it reports none."""
        ...

    def call(self, provocation: Provocation) -> Answer:
        """Make the call; its exceptions become answers."""
        ...

    def act(self, action: str) -> None:
        """Make a peer act. Raises Mismatch if the peer sees something wrong."""
        ...

    def close(self) -> None:
        """End the object and its peers, in any state."""
        ...


class Adapter(Protocol):
    """One implementation under test; see the top of this file."""

    @property
    def name(self) -> str:
        """Its name in reports."""
        ...

    @property
    def governed(self) -> bool:
        """Whether it refuses illegal calls itself, by IllegalCall, and reports its state."""
        ...

    def environment(self, role: Role) -> Environment:
        """How its calls are provoked in this role. Raises KeyError for a role that it does not have."""
        ...

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """Whether it has this call, as a legal or an illegal one, and whether it can be provoked in this way here."""
        ...

    def stage(self, role: Role) -> Stage:
        """A new object in the role's initial state."""
        ...

    def verdict(self, edge: Edge, answer: Answer) -> Verdict:
        """How an answer compares with what the edge expects."""
        ...

    def close(self) -> None:
        """Give back everything that stages have shared."""
        ...


def made_by(make: Callable[[], Adapter]) -> Adapter:
    """The adapter that `make` makes. Raises TypeError where it makes something else, such as the object under test."""
    made = make()
    if not hasattr(made, "environment"):
        raise TypeError(f"{made!r} is not an adapter: pass a factory of a SocketAdapter, a GovernedAdapter or an ObjectAdapter")
    return made


def compared(edge: Edge, answer: Answer) -> Verdict:
    """The usual verdict: the outcome, and the value if one is expected, must be the expected ones."""
    if answer.outcome != edge.outcome:
        return Verdict(False, str(edge.outcome), f"{answer.outcome} ({answer.detail})" if answer.detail else answer.outcome)
    if answer.reported is not None and answer.reported != edge.outcome:
        return Verdict(False, f"{edge.outcome}, and so reported", f"reported as {answer.reported}")
    if edge.gives is not ANYTHING and answer.value != edge.gives:
        return Verdict(False, f"{edge.outcome} giving {edge.gives!r}", f"{answer.outcome} giving {answer.value!r}")
    return AGREES

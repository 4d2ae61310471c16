"""One object run along edges of the graph: every step is checked against the role and its surroundings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Self

from lifecycle.conformance.adapters.outcomes import ANY_ERROR, error_text, message_of, text_of
from lifecycle.conformance.adapters.protocol import Adapter, Mismatch, compared
from lifecycle.conformance.driving.watchdog import WATCHDOG, Hangs
from lifecycle.conformance.model.environment import ANYTHING, Facts
from lifecycle.conformance.model.graph import ILLEGAL, Cell, Edge, Model

DATA = "data: "
"""the beginning of the labels of data cells"""

NUMBERS = re.compile(r"\b\d{4,}\b|\b\d+\.\d+(?= s\b)|(?<=', )\d+(?=\))")
HANGS, RAISED = "no answer: it hangs", "raised "
BREACH = "not an answer of the protocol: "
"""the beginning of the text about an answer that breaks the protocol"""
TARDY = 1.0  # the duration in seconds from which on a differing step is not tried again
REFUSALS, WAITS = (ILLEGAL, "failed"), ("pending", "timed_out")
"""outcomes for which every other outcome has the same cause"""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first difference in one sequence of steps.

    call: the call or the peer action that shows it. expected, got: in a few words. steps: the labels of the steps up to and
    including it. explanation: such as "linux: inet stream reset_fetched recv = ok:0", or "". cell: the (state, call, outcome)
    that was to be reached; None of a peer action. local: whether the sockets were over a path (AF_UNIX).
    """

    adapter: str
    role: str
    state: str
    call: str
    expected: str
    got: str
    steps: tuple[str, ...]
    explanation: str = ""
    cell: Cell | None = None
    local: bool = False

    @property
    def cause(self) -> tuple[str, str, str, str]:
        """The key of a cause: the call, its expected result and its actual one."""
        return self.role, self.call, self.expected, self.got

    @property
    def line(self) -> tuple[str, ...]:
        """The key of a report's line.

        An unexpected error is one cause, whatever was expected, and so is a missing refusal or failure, a missing wait, a call
        that hangs, and a program that breaks the protocol of agents; large numbers, ports and measured seconds are ignored.
        """
        if self.explanation:
            return self.role, self.explanation
        expected, got = (NUMBERS.sub("N", text) for text in (self.expected, self.got))
        if BREACH in got:
            return "", "an answer", BREACH
        if got == HANGS:
            return self.call, "an answer", got
        if self.steps and self.steps[0].startswith(DATA):
            return DATA, expected, got
        outcome = "" if self.cell is None else self.cell[2]
        is_error = got.endswith(")") and not got.startswith("ok giving")
        if got.startswith(RAISED) or (is_error and outcome not in REFUSALS):
            return self.call, "", got
        return self.call, "a refusal" if outcome in REFUSALS else "to wait" if outcome in WAITS else expected, got

    def __str__(self) -> str:
        where = " over a path" if self.local else ""
        return f"{self.role}{where}[{self.state}] {self.call}: expected {self.expected}, got {self.got}"


class NonConformance(AssertionError):
    """An implementation differs from its role; `divergence` says where."""

    def __init__(self, divergence: Divergence, text: str) -> None:
        super().__init__(text)
        self.divergence = divergence

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.divergence, str(self))


class Run:
    """One object under test, from its creation on; `node` is its node according to the role.

    reached: the cells that were reached, in order, without the diverging one.
    """

    def __init__(self, adapter: Adapter, model: Model) -> None:
        self._adapter = adapter
        self._model = model
        self.node = model.start
        self.steps: list[str] = []
        self.reached: list[Cell] = []
        self._stage: Any = None
        self._unmade = ""
        self._is_usual = adapter.verdict is compared
        WATCHDOG.begin()
        try:
            self._stage = adapter.stage(model.role)
        except Mismatch as mismatch:
            self._unmade = str(mismatch.got)
        except Hangs as error:
            self._unmade = str(error) or HANGS
        except (*ANY_ERROR, KeyboardInterrupt) as error:
            if WATCHDOG.is_of_the_user(error):
                raise
            self._unmade = error_text(error)
        finally:
            WATCHDOG.end()
        self._settle: Callable[[Facts], object] = getattr(self._stage, "settle", _at_once)

    @property
    def role(self) -> str:
        """The name of the role."""
        return self._model.role.name

    @property
    def stage(self) -> Any:
        """The object among its peers; None if it could not be made."""
        return self._stage

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the object and its peers."""
        if self._stage is not None:
            WATCHDOG.close(self._stage)

    def take(self, edge: Edge) -> Divergence | None:
        """Make the step of an edge that leaves the present node; return the difference, or None.

        A step that has hung, or has differed after a long time, is not tried again: it would take as long again.
        """
        self.steps.append(edge.label)
        if self._stage is None:
            return self._differs(edge, "that it can be made, and closed", self._unmade, "a new object")
        model = self._model
        if (model.hanging or model.tardy) and (known := self._known(edge)) is not None:
            return known
        if WATCHDOG.beat is not None:
            WATCHDOG.beat(model.role.name, self.steps)
        began = monotonic()
        WATCHDOG.count += 1  # inlines begin()
        try:
            stage = self._stage
            if edge.outcome is None:
                stage.act(edge.name)
            else:
                answer = stage.call(edge.step)
                agrees = answer.outcome == edge.outcome and edge.gives is ANYTHING and answer.reported is None
                if not (agrees and self._is_usual):  # otherwise compared() is not needed
                    verdict = self._adapter.verdict(edge, answer)
                    if not verdict.agrees:
                        found = self._differs(edge, verdict.expected, verdict.got, "", verdict.explanation)
                        return self._late(edge, began, found)
                self.reached.append(edge.cell)
            if edge.brings:
                self._settle(edge.brings)
            self.node = node = edge.target
            state = stage.state
            if state is not None and state != node.state:
                return self._late(edge, began, self._not_reached(edge, f"then state {node.state}", f"state {state}"))
            return None
        except Hangs as error:
            if getattr(self._adapter, "is_fresh", True):  # otherwise an earlier step may be the cause
                model.hanging[edge.source.state, edge.name, edge.expected] = str(error) or HANGS
            return self._differs(edge, edge.expected, str(error) or HANGS)
        except Mismatch as mismatch:
            return self._differs(edge, str(mismatch.expected), str(mismatch.got))
        except OSError as error:  # not in the call, but in the preparations for it
            return self._differs(edge, "it can be tried" if edge.is_call else edge.expected, text_of(error))
        except (*ANY_ERROR, KeyboardInterrupt) as error:  # the implementation is inspected here, not called
            if WATCHDOG.is_of_the_user(error):
                raise
            return self._differs(edge, edge.expected, f"raised {type(error).__name__} ({message_of(error)})")
        finally:
            WATCHDOG.count += 1

    def _late(self, edge: Edge, began: float, found: Divergence) -> Divergence:
        """A difference; noted if the step took long."""
        if not found.explanation and monotonic() - began > TARDY:
            self._model.tardy[edge.source.state, edge.label, edge.expected] = (found.expected, found.got)
        return found

    def _known(self, edge: Edge) -> Divergence | None:
        hangs = self._model.hanging.get((edge.source.state, edge.name, edge.expected))
        if hangs is not None:
            return self._differs(edge, edge.expected, hangs)
        known = self._model.tardy.get((edge.source.state, edge.label, edge.expected))
        return None if known is None else self._differs(edge, *known)

    def look(self, edge: Edge) -> Divergence | None:
        """Compare the calls that the object reports as legal after its last step, along `edge`; the difference, or None."""
        legal = self._stage.legal
        if legal is not None and legal != self.node.legal:
            return self._not_reached(edge, f"then legal {', '.join(self.node.legal)}", ", ".join(legal))
        return None

    def follow(self, edges: Iterable[Edge], *, looks: bool = True) -> Divergence | None:
        """Make these steps; return the first difference, or None. looks: whether to compare the legal calls at the end."""
        last = None
        for last in edges:
            divergence = self.take(last)
            if divergence is not None:
                return divergence
        return self.look(last) if looks and last is not None else None

    def _not_reached(self, edge: Edge, expected: str, got: str) -> Divergence:
        if edge.is_call:
            self.reached.pop()
        return self._differs(edge, expected, got)

    def _differs(self, edge: Edge, expected: str, got: str, call: str = "", explanation: str = "") -> Divergence:
        call = call or edge.name
        if expected == ILLEGAL:
            expected = f"a refusal: {call} is illegal"
        cell = edge.cell if edge.is_call else None
        return differing(self._adapter, self.role, edge.source.state, call, expected, got, tuple(self.steps), explanation, cell)


def differing(
    adapter: Adapter,
    role: str,
    state: str,
    call: str,
    expected: str,
    got: str,
    steps: tuple[str, ...],
    explanation: str = "",
    cell: Cell | None = None,
) -> Divergence:
    """A difference, with the adapter's name for it if it is a known one."""
    local = getattr(adapter, "local", False)
    found = Divergence(adapter.name, role, state, call, expected, got, steps, explanation, cell, local)
    explains = getattr(adapter, "explains", None)
    return found if explanation or explains is None else replace(found, explanation=explains(found))


def _at_once(facts: Facts) -> None:
    """The settle() of a stage that has none: the effects of all actions arrive at once."""

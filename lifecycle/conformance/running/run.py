"""One object run along edges of the graph: every step is checked against what the role and its surroundings say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from lifecycle.conformance.adapters.outcomes import text_of
from lifecycle.conformance.adapters.protocol import Adapter, Mismatch
from lifecycle.conformance.model.environment import Facts, PeerAction
from lifecycle.conformance.model.graph import ILLEGAL, Cell, Edge, Model
from lifecycle.conformance.running.divergence import Divergence
from lifecycle.conformance.running.hanging import WATCH, Hangs

HANGS = "no answer: it hangs"


class Run:
    """One object under test, from its beginning on; `node` is where the role says that it is.

    reached: the cells that were reached, in order, the diverging one not included.
    """

    def __init__(self, adapter: Adapter, model: Model) -> None:
        self._adapter = adapter
        self._model = model
        self.node = model.start
        self.steps: list[str] = []
        self.reached: list[Cell] = []
        self._stage: Any = None
        self._unmade = ""
        WATCH.begin()
        try:
            self._stage = adapter.stage(model.role)
        except Mismatch as mismatch:
            self._unmade = str(mismatch.got)
        except Hangs:
            self._unmade = HANGS
        finally:
            WATCH.end()
        self._settle: Callable[[Facts], object] = getattr(self._stage, "settle", _at_once)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the object and its peers."""
        if self._stage is None:
            return
        WATCH.begin()
        try:
            self._stage.close()
        except Hangs:  # which is counted; the call close() itself has cells of its own
            pass
        finally:
            WATCH.end()

    def take(self, edge: Edge) -> Divergence | None:
        """Make the step of an edge that leaves the present node; what differs, or None.

        A step that has hung is not tried again: it would cost as much time again.
        """
        self.steps.append(edge.label)
        name = _name_of(edge)
        if self._stage is None:
            return self._diverging(edge, "a new object", "that it can be made, and closed", self._unmade)
        expected = edge.outcome or "the peer can do so"
        if (edge.source.state, name, expected) in self._model.hanging:
            return self._diverging(edge, name, expected, HANGS)
        WATCH.begin()
        try:
            return self._made(edge)
        except Hangs:
            self._model.hanging.add((edge.source.state, name, expected))
            return self._diverging(edge, name, expected, HANGS)
        except Mismatch as mismatch:
            return self._diverging(edge, name, str(mismatch.expected), str(mismatch.got))
        finally:
            WATCH.end()

    def _made(self, edge: Edge) -> Divergence | None:
        step = edge.step
        if isinstance(step, PeerAction):
            try:
                self._stage.act(step.name)
            except OSError as error:
                return self._diverging(edge, step.name, "the peer can do so", text_of(error))
        else:
            try:
                answer = self._stage.call(step)
            except OSError as error:  # not the call's: of what must be there before it can be made
                return self._diverging(edge, step.call, "it can be tried", text_of(error))
            verdict = self._adapter.verdict(edge, answer)
            if not verdict.agrees:
                return self._diverging(edge, step.call, verdict.expected, verdict.got, verdict.explanation)
            self.reached.append(edge.cell)
        if edge.brings:
            self._settle(edge.brings)
        node = self.node = edge.target
        state = self._stage.state
        if state is not None and state != node.state:
            return self._unreached(edge, f"then state {node.state}", f"state {state}")
        return None

    def look(self, edge: Edge) -> Divergence | None:
        """See what the object says is legal after its last step, along `edge`; what differs, or None."""
        legal = self._stage.legal
        if legal is not None and legal != self.node.legal:
            return self._unreached(edge, f"then legal {', '.join(self.node.legal)}", ", ".join(legal))
        return None

    def follow(self, edges: Iterable[Edge], *, looks: bool = True) -> Divergence | None:
        """Make these steps; the first thing that differs, or None. looks: whether to see what is legal at the end."""
        last = None
        for last in edges:
            divergence = self.take(last)
            if divergence is not None:
                return divergence
        return self.look(last) if looks and last is not None else None

    def _unreached(self, edge: Edge, expected: str, got: str) -> Divergence:
        if edge.outcome is not None:
            self.reached.pop()
        return self._diverging(edge, _name_of(edge), expected, got)

    def _diverging(self, edge: Edge, call: str, expected: str, got: str, explanation: str = "") -> Divergence:
        if expected == ILLEGAL:
            expected = f"a refusal: {call} is illegal"
        return Divergence(
            self._adapter.name,
            self._model.role.name,
            edge.source.state,
            call,
            expected,
            got,
            tuple(self.steps),
            explanation,
            edge.cell if edge.is_call else None,
        )


def _name_of(edge: Edge) -> str:
    return edge.step.name if isinstance(edge.step, PeerAction) else edge.step.call


def _at_once(facts: Facts) -> None:
    """What happens on a stage that does not say otherwise has happened."""

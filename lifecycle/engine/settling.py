"""How a call settles: what an object's class answers, and how its state moves from one node to the next.

The lock guards only "is the node still this one? then set it". Nothing is called while it is held, so that a
signal handler, which can run at any call, may close the very object that it interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import starmap
from typing import Any, ClassVar, TypeVar, cast

from lifecycle.engine.errors import ClosedDuringCall, IllegalCall, StateChangedDuringCall
from lifecycle.engine.journal import Observer
from lifecycle.engine.role import Role, UnlistedOutcome
from lifecycle.engine.steps import LOCK, Claim, one_step
from lifecycle.engine.table import StateNode
from lifecycle.engine.vocabulary import Call

Value = TypeVar("Value")


class Settled:
    """A handler's result together with the outcome it means."""

    __slots__ = ("outcome", "value")

    def __init__(self, outcome: str, value: object) -> None:
        self.outcome = outcome
        self.value = value


class SettledEarly(BaseException):
    """Leaves the body of an inlined handler that returned settled(...)."""

    def __init__(self, settled: Settled) -> None:
        self.settled = settled


def settled(outcome: str, value: Value) -> Value:
    """Return this from a handler whose call ended otherwise than `ok`: the caller gets `value`, the table `outcome`."""
    return cast(Value, Settled(outcome, value))


class Kept(list[Any]):
    """Keeps what a handler returned, in case an exception of a signal handler comes before its caller has it."""

    __slots__ = ()

    def result_of(self, handler: Callable[..., Any], arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        """Run a handler and keep its result, in one step: such an exception comes between two instructions of Python."""
        next(map(self.append, starmap(partial(handler, **keywords) if keywords else handler, (arguments,))))
        return self[0]


class Settling:
    """An object's present node, and how its calls settle."""

    __slots__ = ("__weakref__", "_claim", "_journal", "_node")

    role: ClassVar[Role]
    _Settled: ClassVar = Settled
    _SettledEarly: ClassVar = SettledEarly
    _specs: ClassVar[Mapping[str, Call]]

    @staticmethod
    def _unsettled(result: Value) -> Value:
        """The value that an inlined handler returns, unless it is settled(...)."""
        if result.__class__ is Settled:
            raise SettledEarly(cast(Settled, result))
        return result

    _lock: ClassVar[Any] = LOCK
    _fresh: ClassVar[Mapping[str, object]] = {"_claim": None, "_journal": None}
    """attributes of a new object of the class, in addition to those of its bases"""
    _node: StateNode
    _claim: Claim | None
    _journal: Observer | None
    """the observers of this object's calls alone"""

    @property
    def state(self) -> str:
        """The name of the present state."""
        return self._node._state

    # -- what a subclass answers --------------------------------------------------------------------------------------------

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """The outcome that an exception of a handler means: "failed", unless a subclass knows better.

        None means that nothing happened, as when arguments were refused. Either way the caller gets the exception, and an
        outcome that the table does not list for the call in the present state leaves the state as it is.
        """
        return "failed"

    def outcome_before(self, call: str, *arguments: Any, **keywords: Any) -> str:
        """The outcome of a call that settles before its handler runs, by its arguments: "ok" unless a subclass knows better.

        What it raises refuses the arguments; nothing was touched then.
        """
        return "ok"

    def actual_state(self, call: str) -> str | None:
        """The state that the object is really in, after an exception in `call`; None, here, where that is not known.

        Asked when a call that changes the state has not ended as its row says: an exception of a signal handler, as Ctrl-C is,
        may have come when the handler had done its work, and before the state was changed.
        """
        return None

    def note_results(self, call: str, error: BaseException, results: list[Any]) -> None:
        """Note on an error what the call that it ended had done; results: what the handler returned, or nothing.

        Does nothing here: of most calls the state says it.
        """

    def _complete(self, call: str) -> None:
        """Do what is left of a call that settled before, which an exception has ended; it may have been done already."""
        if call == self.role.closes:
            self._release()

    @staticmethod
    def platform_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """The answers of real systems to a refused call, by system; none are known here."""
        return {}

    @staticmethod
    def busy_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """The answers of real systems to a call while another one is running, by system; none are known here."""
        return {}

    def refusal_kind(self, state: str, call: str) -> type[IllegalCall]:
        """The class of the error that refuses `call` in `state`: a subclass may have one that its users know already."""
        return IllegalCall

    def _release(self) -> None:
        """Release what the object holds, now; it may be called twice.

        Called when the first call of an object ends after it was closed, when the call that was to fill it has failed, and
        for a forgotten object whose closing is awaited.
        """

    # -- settling -------------------------------------------------------------------------------------------------------------

    def _settle_call(self, node: StateNode, call: str, outcome: str) -> None:
        """Move to the state that this ending of a call begun in `node` leads to; raises when another call came between."""
        after = node._after(call, outcome)
        if after is None:
            raise self._unlisted(node, call, outcome)
        if after is node and not (self._specs[call].exclusive and self._node._final):
            return
        if self._moved(node, after, call, outcome) or (self._node._allows(call) and not self._node._final):
            return  # another call may have found out more meanwhile, and this one is still legal: then that stands
        raise self._overtaken(node, call)

    def _settle_result(self, node: StateNode, call: str, result: Settled) -> Any:
        """Settle a call whose handler returned settled(...); what the caller gets."""
        self._settle_call(node, call, result.outcome)
        return result.value

    def _settle_error(self, node: StateNode, call: str, error: BaseException, after: StateNode | None = None) -> str | None:
        """Classify a handler's exception and settle it; the caller raises it again. Raises when a close came between.

        after: where a call that settled before has led to; it goes on to where the outcome leads from `node`, if listed.
        """
        if self._specs[call].settles_before:
            if self._node._final and self._node is not after and isinstance(error, Exception):
                raise self._overtaken(node, call, error) from error
            outcome = self.outcome_of(call, error)
            back = None if outcome is None else node._after(call, outcome)
            if back is not None:
                self._moves(after, back)
            return outcome
        outcome = None if self._node is not node and self._is_overtaken(node, call) else self.outcome_of(call, error)
        if self._node is not node and self._is_overtaken(node, call):
            if not isinstance(error, Exception):
                return None  # a request to stop the program is not overruled
            if isinstance(error, StateChangedDuringCall) and error.call == call:
                return None  # the handler has seen it, and says so
            raise self._overtaken(node, call, error) from error
        now = None if outcome is None else node._after(call, outcome)
        if outcome is not None and now is not None and (now is not node or self._node is not node or node._final):
            self._settle_call(node, call, outcome)
        return outcome

    def _moved(self, now: StateNode, after: StateNode | None, call: str, outcome: str) -> bool:
        """Set the state from `now` to `after`, or from what it has become to what the table says for that."""
        while after is not None:
            if self._moves(now, after):
                return True
            now = self._node
            after = now._after(call, outcome)
        return False

    def _true_up(self, node: StateNode, call: str, error: BaseException) -> None:
        """After an exception in a call begun in `node`: have the state that the object is really in, if that is an ending.

        What an error of the system means is the table's to say.
        """
        now = self._node
        if self._specs[call].settles_before:
            if now is not node:
                self._complete(call)
        elif node._after(call, "ok") is not node:
            row = self.role.table[node._state].get(call, {})
            if isinstance(error, OSError) and self.outcome_of(call, error) in row:
                return
            endings = [node._after(call, outcome) for outcome in row]
            if now is node or now in endings:  # else another call has moved on from here
                actual = self.actual_state(call)
                after = next((each for each in endings if each is not None and each._state == actual), None)
                if after is not None:
                    self._moves(now, after)

    def _true_up_fired(self, node: StateNode, call: str, error: BaseException) -> None:
        """_true_up(), of a call that another object's may have fired: what that has not filled is released."""
        self._true_up(node, call, error)
        if self._specs[call].fired_by is not None and self._node._state == self.role.initial:
            self._release()

    @one_step
    def _claims(self, node: StateNode, after: StateNode | None, claim: Claim | None) -> bool:
        """Claim the object for an exclusive call, and take the step of one that settles before, if nothing has changed."""
        if self._node is node and (claim is None or self._claim is None):
            if claim is not None:
                self._claim = claim
            if after is not None:
                self._node = after
            return True
        return False

    @one_step
    def _give_up(self, claim: Claim) -> None:
        """Give up a claim; this may be repeated, and that of another call stays."""
        if self._claim is claim:
            self._claim = None

    @one_step
    def _moves(self, now: StateNode | None, after: StateNode) -> bool:
        if self._node is now:
            self._node = after
            return True
        return False

    def _is_overtaken(self, node: StateNode, call: str) -> bool:
        """Whether a call begun in `node` finds a state that does not take it any more."""
        now = self._node
        return now is not node and not now._allows(call)

    def _refuse_if_overtaken(self, call: str) -> None:
        """Raise when the state no longer takes a call that runs, also where that state is taken back before the call ends."""
        now = self._node
        if not now._allows(call):
            raise self._refusal(now, call, ClosedDuringCall if now._final else StateChangedDuringCall)

    def _overtaken(self, node: StateNode, call: str, error: Exception | None = None) -> IllegalCall:
        """The error of a call begun in `node` that found another state in the end.

        error: of its handler; what was noted on it (as how much of a send went out) is noted on this error, too. What it has
        installed in an object that held nothing is released; whatever the object held before belongs to the call that has
        overtaken this one, and may be on its way out of the object (detach).
        """
        now = self._node
        if now._final and node._state == self.role.initial:
            self._release()
        refusal = self._refusal(now, call, ClosedDuringCall if now._final else StateChangedDuringCall)
        vars(refusal).update({} if error is None else vars(error) | vars(refusal))
        return refusal

    def _refusal(self, node: StateNode, call: str, kind: type[IllegalCall] | None = None) -> IllegalCall:
        """The error that says that `call` is not legal in the state of `node`."""
        if kind is None:
            kind = self.refusal_kind(node._state, call)
        return kind(self.role, node._state, call, type(self).__name__, self.platform_answers)

    def _unlisted(self, node: StateNode, call: str, outcome: str) -> UnlistedOutcome:
        listed = ", ".join(self.role.table[node._state].get(call, ()))
        where = f"{self.role.name}: {call} cannot end in {outcome!r} in state {node._state!r}"
        return UnlistedOutcome(f"{where}; its row lists {listed}")

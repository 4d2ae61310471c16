"""How a call runs on the slow path: checks, claims, observers, overrides, partners, and how it settles.

The generated methods (methods.py) handle the usual case in their own frame and call Governed for the rest: refusals, exclusive
calls that compete, observers, the reference engine, outcomes other than `ok`, and calls that another call has overtaken.
A plain and an awaited call differ in one line each: an awaited one ends when its coroutine does, and whatever is thrown into
that at an await (a cancellation) is an ending like any other exception.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from inspect import isawaitable, unwrap
from types import CoroutineType, TracebackType
from typing import Any, ClassVar, NoReturn

from lifecycle.engine import journal
from lifecycle.engine.errors import CallInProgress, IllegalCall
from lifecycle.engine.journal import OBSERVERS, Record
from lifecycle.engine.settling import Kept, Settled, Settling
from lifecycle.engine.steps import Claim, claim_of, is_stale
from lifecycle.engine.table import StateNode

Handler = Callable[..., Any]
AwaitedHandler = Callable[..., Coroutine[Any, Any, Any]]
Arguments = tuple[Any, ...]
Keywords = Mapping[str, Any]


class Governed(Settling):
    """An object under a role: how its calls run. See Lifecycle, its only subclass."""

    __slots__ = ()

    internal_modules: ClassVar[tuple[str, ...]] = ("lifecycle.engine",)
    _fired: ClassVar[Mapping[str, str]]
    _overridden: ClassVar[frozenset[str]] = frozenset()

    def _fired_by(self, firer: Governed) -> None:
        """Called when a call of `firer` has moved this object to another state; does nothing here."""

    # -- running a call -------------------------------------------------------------------------------------------------------

    def _run_call(self, call: str, handler: Handler, arguments: Arguments, keywords: Keywords) -> Any:
        if not (OBSERVERS.present or self._journal or self._node._allows(call) or self._overridden):
            raise self._refusal(self._node, call)
        claim, node, kept = claim_of(call), self._node, Kept()
        try:
            try:
                try:
                    with self._begin_call(call, arguments, keywords, claim) as scope:
                        return scope.value(kept.result_of(handler, (self, *arguments), keywords))
                except BaseException as error:
                    if not isinstance(error, IllegalCall):
                        self._true_up(node, call, error)
                    raise
                finally:
                    self._give_up(claim)
            finally:
                self._give_up(claim)  # once more: an exception of a signal handler may have come in the first
        except BaseException as error:
            self.note_results(call, error, kept)
            raise

    async def _run_awaited_call(self, call: str, handler: AwaitedHandler, arguments: Arguments, keywords: Keywords) -> Any:
        if not (OBSERVERS.present or self._journal or self._node._allows(call) or self._overridden):
            raise self._refusal(self._node, call)
        claim, node, kept = claim_of(call), self._node, Kept()
        try:
            try:
                with self._begin_call(call, arguments, keywords, claim) as scope:
                    kept.append(await handler(self, *arguments, **keywords))
                    return scope.value(kept[0])
            except BaseException as error:
                if not isinstance(error, IllegalCall):
                    self._true_up(node, call, error)
                self.note_results(call, error, kept)
                raise
            finally:
                self._give_up(claim)
        finally:
            self._give_up(claim)

    def _fire(self, call: str, handler: Handler, arguments: Arguments, keywords: Keywords) -> Any:
        """Run the handler of a call that moves a partner too: check and claim the partner first, and move it at the end."""
        partner, fired, arguments = self._partner_of(call, handler, arguments)
        if partner is None:
            return handler(self, *arguments, **keywords)
        node, claim = partner._node, claim_of(fired)
        after: StateNode | None = getattr(node, fired)
        try:
            try:  # the usual case, in this frame: an exclusive call of a partner that is not observed
                if after is not None and partner._specs[fired].exclusive and partner._claims(node, None, claim):
                    scope = CallScope(partner, fired, node, None, None, None)
                else:
                    scope = partner._begin_call(fired, (), {}, claim)
                with scope:
                    result = handler(self, *arguments, **keywords)
                    scope.value(None)
                partner._fired_by(self)
                return result
            finally:
                partner._give_up(claim)
        finally:
            partner._give_up(claim)

    async def _fire_awaited(self, call: str, handler: AwaitedHandler, arguments: Arguments, keywords: Keywords) -> Any:
        partner, fired, arguments = self._partner_of(call, handler, arguments)
        if partner is None:
            return await handler(self, *arguments, **keywords)
        claim = claim_of(fired)
        try:
            try:
                with partner._begin_call(fired, (), {}, claim) as scope:
                    result = await handler(self, *arguments, **keywords)
                    scope.value(None)
                partner._fired_by(self)
                return result
            finally:
                partner._give_up(claim)
        finally:
            partner._give_up(claim)

    def _partner_of(self, call: str, handler: Handler, arguments: Arguments) -> tuple[Governed | None, str, Arguments]:
        """The partner whose row this call fires, or None; its call; the arguments. Raises TypeError for another class."""
        kind, default = getattr(handler, "__fires_into__", (None, None))
        partner = arguments[0] if arguments else None
        if partner is None and default is not None:
            partner = default(self)
            arguments = (partner, *arguments[1:])
        if kind is not None and not isinstance(partner, kind):
            expected, got = _names(kind, type(partner))
            raise TypeError(f"{type(self).__name__}.{call}() takes a {expected}, not a {got}")
        partner = getattr(partner, "__governed__", partner)  # an object may stand for a governed one
        fired = partner._fired.get(f"{self.role.name}.{call}") if isinstance(partner, Governed) else None
        return (None, "", arguments) if fired is None else (partner, fired, arguments)

    def _run_override(self, call: str, override: Handler, arguments: Arguments, keywords: Keywords) -> Any:
        """A subclass's own method for a call: checked before it runs, and settled here unless it called super()."""
        outer, kept = _overrides.get(), Kept()
        try:
            try:
                with OverrideScope(self, call, arguments, keywords) as scope:
                    return scope.value(kept.result_of(override, (self, *arguments), keywords))
            finally:
                _overrides.set(outer)  # once more: an exception of a signal handler may have come when the scope ended
        except BaseException as error:
            self.note_results(call, error, kept)
            raise

    async def _run_awaited_override(self, call: str, override: Handler, arguments: Arguments, keywords: Keywords) -> Any:
        """Like _run_override(); the override may also be a plain method that returns an awaitable or a value."""
        outer = _overrides.get()
        try:
            with OverrideScope(self, call, arguments, keywords) as scope:
                given = override(self, *arguments, **keywords)
                return scope.value(await given if isawaitable(given) else given)
        finally:
            _overrides.set(outer)

    # -- beginning ------------------------------------------------------------------------------------------------------------

    def _begin_call(self, call: str, arguments: Arguments, keywords: Keywords, mine: Claim) -> CallScope:
        """Check, claim, and take the step of a call that settles before; the scope in which its handler runs.

        mine: the claim, if the call is exclusive; the caller gives it up, whatever happens.
        """
        spec = self._specs[call]
        override = running_override(self, call) if call in self._overridden else None
        refusal: BaseException | None = None
        ahead: str | None = None
        after: StateNode | None = None
        while True:
            node = self._node
            claim = self._claim
            if not node._allows(call):
                refusal = self._refusal(node, call)
                break
            if spec.exclusive and claim is not None:
                if is_stale(claim):
                    self._give_up(claim)
                    continue
                refusal = CallInProgress(self.role, node._state, call, type(self).__name__, self.busy_answers, claim[0])
                break
            if spec.settles_before:
                if ahead is None:
                    try:
                        ahead = self.outcome_before(call, *arguments, **keywords)
                    except Exception as error:  # it refuses the arguments; recorded below and raised again
                        refusal = error
                        break
                after = node._after(call, ahead)
                if after is None:
                    raise self._unlisted(node, call, ahead)
            if self._claims(node, after, mine if spec.exclusive else None):
                break
        record = self._record_of(call, node, arguments, keywords, override)
        if refusal is not None:
            if record is not None:
                record.end("illegal" if isinstance(refusal, IllegalCall) else None, self.state, refusal)
                observe_end(record, self)
            try:
                raise refusal
            finally:
                del refusal  # its traceback holds this frame, which must not hold it
        return CallScope(self, call, node, after, ahead, record)

    def _record_of(
        self, call: str, node: StateNode, arguments: Arguments, keywords: Keywords, override: OverrideScope | None
    ) -> Record | None:
        """The record of a call that begins: that of an override which hands the call on, or a new one while it is observed."""
        if override is not None:
            return override.hand_on()
        observers = observers_of(self)
        if not observers:
            return None
        payload = self._specs[call].payload
        handler = unwrap(getattr(type(self), call, _run_nothing))
        arguments, keywords = journal.without_defaults(handler, arguments, keywords)
        hidden, others = journal.without_payload(handler, payload, arguments, keywords) if payload else (arguments, keywords)
        begin = (self.role.name, node._state, call, hidden, others, self.internal_modules)
        if payload and any(getattr(each, "payloads", False) for each in observers):
            record = journal.begin_record(*begin, journal.RecordWithPayload)
            assert isinstance(record, journal.RecordWithPayload)
            record.shown = journal.begin_record(*begin)
            record.shown.arguments = journal.shown_arguments(arguments, keywords)
        else:
            record = journal.begin_record(*begin)
        for observer in observers:
            observer.began(record, self)
        return record

    def _refuse_coroutine(self, call: str, coroutine: Any) -> NoReturn:
        """Raise for a plain handler that returned a coroutine, which has not begun: the call would be over before it ran."""
        coroutine.close()
        raise TypeError(
            f"{type(self).__name__}.{call}() is a plain method and returned a coroutine: make it `async def`, and what wraps it"
        )


def _names(*kinds: type) -> list[str]:
    """The names of the classes, with their modules if two of them have the same name."""
    names = [kind.__qualname__ for kind in kinds]
    return names if len(set(names)) > 1 else [f"{kind.__module__}.{kind.__qualname__}" for kind in kinds]


def _run_nothing() -> None:
    """Stands for the handler of a call that only another object's call fires."""


def observers_of(target: Governed) -> tuple[journal.Observer, ...]:
    """The observers of an object's calls: those of all objects, and its own."""
    own, present = target._journal, OBSERVERS.present
    return present if own is None or own in present else (*present, own)


def observe_end(record: Record, target: Governed) -> None:
    """Notify the observers that the call of `record` has ended."""
    for observer in observers_of(target):
        observer.ended(record, target)


class CallScope:
    """A `with` block around a handler: the call ends with what is given to value(), or with the exception that leaves it."""

    __slots__ = ("_after", "_ahead", "_call", "_node", "_outcome", "_record", "_settling", "_target")

    def __init__(
        self, target: Governed, call: str, node: StateNode, after: StateNode | None, ahead: str | None, record: Record | None
    ) -> None:
        self._target = target
        self._call = call
        self._node = node
        self._after = after
        self._ahead = ahead
        self._record = record
        self._outcome: str | None = None
        self._settling = False

    def __enter__(self) -> CallScope:
        return self

    def value(self, result: Any) -> Any:
        """Settle the call with what its handler returned; what the caller gets."""
        if result.__class__ is CoroutineType:
            self._target._refuse_coroutine(self._call, result)
        self._settling = True
        ended, value = (result.outcome, result.value) if result.__class__ is Settled else ("ok", result)
        if self._ahead is None:
            self._target._settle_call(self._node, self._call, ended)
        self._outcome = self._ahead or ended
        if self._record is not None and self._target._specs[self._call].payload == journal.RESULT:
            self._record.result = repr(journal.Payload(value))
        return value

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        failure = error
        target = self._target
        try:
            if error is not None:
                if not self._settling:
                    self._outcome = target._settle_error(self._node, self._call, error, self._after)
                target._true_up_fired(self._node, self._call, error)
        except BaseException as overruling:
            failure = overruling
            raise
        finally:
            if self._record is not None:
                self._record.end(self._outcome, target.state, failure)
                observe_end(self._record, target)
            del failure  # its traceback holds this frame, which must not hold it


class OverrideScope:
    """A `with` block around a subclass's own method for a call; making it checks the call.

    While it runs, the method that it overrides finds this scope, by the object and the call, in the context of its thread or
    task: the call is then handed on, and settled there. An override that does not hand the call on is settled here.
    """

    __slots__ = ("_arguments", "_call", "_is_handed_on", "_keywords", "_node", "_outer", "_record", "_target")

    def __init__(self, target: Governed, call: str, arguments: Arguments, keywords: Keywords) -> None:
        self._target = target
        self._call = call
        self._arguments = arguments
        self._keywords = keywords
        self._is_handed_on = False
        self._node = node = target._node
        self._outer = _overrides.get()
        self._record = target._record_of(call, node, arguments, keywords, running_override(target, call))
        if not node._allows(call):
            refusal = target._refusal(node, call)
            self._end_record("illegal", refusal)
            try:
                raise refusal
            finally:
                del refusal  # its traceback holds this frame, which must not hold it

    def __enter__(self) -> OverrideScope:
        _overrides.set(self)
        return self

    def hand_on(self) -> Record | None:
        """The overridden method runs the call now, and settles it; the record that it has to complete."""
        self._is_handed_on = True
        return self._record

    def value(self, result: Any) -> Any:
        """Settle the call with what the override returned, unless it was handed on; what the caller gets."""
        target = self._target
        if result.__class__ is CoroutineType:
            target._refuse_coroutine(self._call, result)
        if result.__class__ is Settled:
            node = target._node if self._is_handed_on else self._node
            self._settle(node, result.outcome)
            return result.value
        if not self._is_handed_on:
            before = target._specs[self._call].settles_before
            self._settle(self._node, target.outcome_before(self._call, *self._arguments, **self._keywords) if before else "ok")
        return result

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        _overrides.set(self._outer)
        if error is not None and not self._is_handed_on:
            self._is_handed_on = True
            outcome = self._target._settle_error(self._node, self._call, error)
            self._end_record(outcome, error)

    def _settle(self, node: StateNode, outcome: str) -> None:
        is_handed_on, self._is_handed_on = self._is_handed_on, True
        self._target._settle_call(node, self._call, outcome)
        if not is_handed_on:
            self._end_record(outcome, None)

    def _end_record(self, outcome: str | None, error: BaseException | None) -> None:
        if self._record is not None:
            self._record.end(outcome, self._target.state, error)
            observe_end(self._record, self._target)

    def is_of(self, target: Governed, call: str) -> bool:
        """Whether it is the scope of this call on this object, and has not been handed on."""
        return self._target is target and self._call == call and not self._is_handed_on

    @property
    def outer(self) -> OverrideScope | None:
        """The override that was running in this context before."""
        return self._outer


_overrides: ContextVar[OverrideScope | None] = ContextVar("overrides that run", default=None)


def running_override(target: Governed, call: str) -> OverrideScope | None:
    """The override of `call` on `target` that runs in this context and has not handed the call on; None where there is none."""
    scope = _overrides.get()
    while scope is not None and not scope.is_of(target, call):
        scope = scope.outer
    return scope

"""How a governed call runs the long way, plainly or awaited.

How a call begins and settles is the same for both (performing.py); an awaited one ends when its coroutine does, and
whatever is thrown into that at an await (a cancellation) is an ending like any other exception.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from inspect import isawaitable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lifecycle.engine import journal
from lifecycle.engine.journal import OBSERVERS, Record
from lifecycle.engine.performing import Settled, begin, refuse, settle, settle_error, tell_ended
from lifecycle.engine.rows import Row

if TYPE_CHECKING:
    from lifecycle.engine.governed import Lifecycle

Handler = Callable[..., Any]
Awaited = Callable[..., Coroutine[Any, Any, Any]]
Arguments = tuple[Any, ...]
Keywords = Mapping[str, Any]


def perform(self: Lifecycle, call: str, handler: Handler, arguments: Arguments, keywords: Keywords) -> Any:
    """The long way of a call: the claim of an exclusive one, observers, either engine; refusals are made here."""
    row = self._row
    if not OBSERVERS.present and not row._allows(call):
        raise refuse(self, row, call)
    claimed = [False]
    try:
        row, record = begin(self, call, arguments, keywords, claimed)
        with Ending(self, row, record, call) as ending:
            return ending.value(handler(self, *arguments, **keywords))
    finally:
        if claimed[0]:
            self._claim = None


async def perform_awaited(self: Lifecycle, call: str, handler: Awaited, arguments: Arguments, keywords: Keywords) -> Any:
    """As perform()."""
    row = self._row
    if not OBSERVERS.present and not row._allows(call):
        raise refuse(self, row, call)
    claimed = [False]
    try:
        row, record = begin(self, call, arguments, keywords, claimed)
        with Ending(self, row, record, call) as ending:
            return ending.value(await handler(self, *arguments, **keywords))
    finally:
        if claimed[0]:
            self._claim = None


def perform_override(self: Lifecycle, call: str, override: Handler, arguments: Arguments, keywords: Keywords) -> Any:
    """A subclass's own method for a call: checked before it runs, and settled here unless it handed the call on to super()."""
    with OverrideEnding(self, call, arguments, keywords) as ending:
        return ending.value(override(self, *arguments, **keywords))


async def perform_override_awaited(
    self: Lifecycle, call: str, override: Handler, arguments: Arguments, keywords: Keywords
) -> Any:
    """As perform_override(); the override may be a plain method, which hands an awaitable on, or a value."""
    with OverrideEnding(self, call, arguments, keywords) as ending:
        given = override(self, *arguments, **keywords)
        return ending.value(await given if isawaitable(given) else given)


class Ending:
    """A `with` block around a handler: the call ends with what it gives to value(), or with the exception that leaves it."""

    __slots__ = ("_call", "_outcome", "_record", "_row", "_self", "_settling")

    def __init__(self, target: Lifecycle, row: Row, record: Record | None, call: str) -> None:
        self._self = target
        self._row = row
        self._record = record
        self._call = call
        self._outcome: str | None = None
        self._settling = False

    def __enter__(self) -> Ending:
        return self

    def value(self, result: Any) -> Any:
        """Settle the call with what its handler returned; what the caller gets."""
        self._settling = True
        ended, value = (result.outcome, result.value) if result.__class__ is Settled else ("ok", result)
        if self._self._specs[self._call].settles_before:
            self._self._settlements += 1
        else:
            settle(self._self, self._row, self._call, ended)
        self._outcome = ended
        return value

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        failure = error
        try:
            if error is not None and not self._settling:
                self._outcome = settle_error(self._self, self._row, self._call, error)
        except BaseException as overruling:
            failure = overruling
            raise
        finally:
            if self._record is not None:
                self._record.end(self._outcome, self._self.state, failure)
                tell_ended(self._record, self._self)
            del failure  # its traceback holds this frame, which must not hold it


class OverrideEnding:
    """As Ending, for a subclass's own method; making it checks the call.

    An override that does not hand the call on is no check-and-set among threads. `_settlements` tells which one it is: it
    counts every ending but an `ok` of a generated method, which the state shows or which keeps it.
    """

    __slots__ = ("_call", "_record", "_row", "_self", "_settlements")

    def __init__(self, target: Lifecycle, call: str, arguments: tuple[object, ...], keywords: Mapping[str, object]) -> None:
        self._self = target
        self._call = call
        self._row = row = target._row
        self._settlements = target._settlements
        observed = OBSERVERS.present
        self._record = journal.begin_record(target.role.name, row._state, call, arguments, keywords) if observed else None
        if not row._allows(call):
            refusal = refuse(target, row, call)
            _tell_override(target, self._record, "illegal", refusal)
            try:
                raise refusal
            finally:
                del refusal  # its traceback holds this frame, which must not hold it

    def __enter__(self) -> OverrideEnding:
        return self

    def value(self, result: Any) -> Any:
        """Settle the call with what the override returned, unless it handed the call on; what the caller gets."""
        if not self._is_settled():
            ended, result = (result.outcome, result.value) if result.__class__ is Settled else ("ok", result)
            settle(self._self, self._row, self._call, ended)
            _tell_override(self._self, self._record, ended, None)
        return result

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is not None and not self._is_settled():
            outcome = settle_error(self._self, self._row, self._call, error)
            _tell_override(self._self, self._record, outcome, error)

    def _is_settled(self) -> bool:
        return self._self._row is not self._row or self._self._settlements != self._settlements


def _tell_override(self: Lifecycle, record: Record | None, outcome: str | None, error: BaseException | None) -> None:
    """Tell of a call that an override has made without handing it on, which is known only now."""
    if record is not None:
        for observer in OBSERVERS.present:
            observer.began(record, self)
        record.end(outcome, self.state, error)
        tell_ended(record, self)

"""How a governed call begins and settles when it goes the long way.

The generated methods (generate.py) do the usual case in their own frame and come here, or to running.py, for the rest:
refusals, claims, observers, the reference engine, outcomes other than `ok`, and calls that another call has overtaken.

The lock of an object guards only "is the row still this one? then set it". Nothing is called while it is held, so that a
signal handler, which can run at any call, may close the very object that it interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from lifecycle.engine import journal
from lifecycle.engine.errors import CallInProgress, ClosedDuringCall, IllegalCall
from lifecycle.engine.journal import OBSERVERS, Record
from lifecycle.engine.role import UnlistedOutcome
from lifecycle.engine.rows import Row

if TYPE_CHECKING:
    from lifecycle.engine.governed import Lifecycle

Value = TypeVar("Value")


class Settled:
    """A handler's result together with the outcome it means."""

    __slots__ = ("outcome", "value")

    def __init__(self, outcome: str, value: object) -> None:
        self.outcome = outcome
        self.value = value


class SettledAhead(str):
    """The name of an outcome whose cell was taken before the system acted; see settle_ahead."""

    __slots__ = ()


def settled(outcome: str, value: Value) -> Value:
    """Return this from a handler whose call ended otherwise than `ok`: the caller gets `value`, the table `outcome`."""
    return cast(Value, Settled(outcome, value))


def begin(
    self: Lifecycle, call: str, arguments: tuple[object, ...], keywords: Mapping[str, object], claimed: list[bool]
) -> tuple[Row, Record | None]:
    """Check and claim; the row in which the call begins, and its record while somebody observes.

    claimed: its one item is set to True together with the claim, which is the caller's to give up, whatever happens.
    """
    spec = self._specs[call]
    refusal: IllegalCall | None = None
    while True:
        row = self._row
        claim = self._claim
        if not row._allows(call):
            refusal = refuse(self, row, call)
            break
        if spec.exclusive and claim is not None:
            self._settlements += 1
            refusal = CallInProgress(self.role, row._state, call, type(self).__name__, self.platform_answers, claim)
            break
        after = (row._after(call, "ok") or row) if spec.settles_before else row
        with self._lock:
            if self._row is row and (self._claim is None or not spec.exclusive):
                self._row = after
                if spec.exclusive:
                    self._claim = call
                    claimed[0] = True
                break
    record = None
    if OBSERVERS.present:
        record = journal.begin_record(self.role.name, row._state, call, arguments, keywords)
        for observer in OBSERVERS.present:
            observer.began(record, self)
    if refusal is not None:
        if record is not None:
            record.end("illegal", row._state, refusal)
            tell_ended(record, self)
        try:
            raise refusal
        finally:
            del refusal  # its traceback holds this frame, which must not hold it
    return row, record


def settle(self: Lifecycle, row: Row, call: str, outcome: str) -> None:
    """Move to the state that this ending of a call begun in `row` leads to; raises when another call came between."""
    self._settlements += 1
    if outcome.__class__ is SettledAhead:
        return
    after = row._after(call, outcome)
    if after is None:
        listed = ", ".join(self.role.table[row._state].get(call, ()))
        where = f"{self.role.name}: {call} cannot end in {outcome!r} in state {row._state!r}"
        raise UnlistedOutcome(f"{where}; its row lists {listed}")
    if after is row and not (self._specs[call].exclusive and self._row._final):
        return
    if _moved(self, row, after, call, outcome) or (self._row._allows(call) and not self._row._final):
        return  # it may be that another call has learnt more meanwhile, and this one is still legal: then that stands
    raise overtaken(self, row, call)


def settle_ahead(self: Lifecycle, call: str, outcome: str) -> tuple[SettledAhead, Callable[[], None]]:
    """Take the cell of a running call before the system acts on it.

    For a call by which other calls of the same object end: they find the state that explains it. Gives the outcome to return
    with settled(), and what takes the cell back when the system does not act.
    """
    row = self._row
    after = row._after(call, outcome)
    if after is None or not _moved(self, row, after, call, outcome):
        raise overtaken(self, row, call)

    def take_back() -> None:
        with self._lock:
            if self._row is after:
                self._row = row

    return SettledAhead(outcome), take_back


def _moved(self: Lifecycle, now: Row, after: Row | None, call: str, outcome: str) -> bool:
    """Set the state from `now` to `after`, or from what it has become to what the table says for that."""
    while after is not None:
        with self._lock:
            if self._row is now:
                self._row = after
                return True
        now = self._row
        after = now._after(call, outcome)
    return False


def settle_error(self: Lifecycle, row: Row, call: str, error: BaseException) -> str | None:
    """Classify a handler's exception and settle it; the caller raises it again. Raises when a close came between."""
    self._settlements += 1
    if self._specs[call].settles_before:
        return self.outcome_of(call, error)
    outcome = None if _is_overtaken(self, row, call) else self.outcome_of(call, error)
    if _is_overtaken(self, row, call):
        if not isinstance(error, Exception):
            return None  # the program is told to stop, and that is not overruled
        raise overtaken(self, row, call) from error
    if outcome is not None and row._after(call, outcome) is not None:
        settle(self, row, call, outcome)
    return outcome


def _is_overtaken(self: Lifecycle, row: Row, call: str) -> bool:
    """Whether a call begun in `row` finds a state that does not take it any more."""
    now = self._row
    return now is not row and not now._allows(call)


def overtaken(self: Lifecycle, row: Row, call: str) -> IllegalCall:
    """The error of a call begun in `row` that found another state in the end.

    What it has installed in an object that held nothing is given back; whatever the object held before belongs to the call
    that has overtaken this one, and may be on its way out of the object (detach).
    """
    now = self._row
    if not now._final:
        return refuse(self, now, call)
    if row._state == self.role.initial:
        self._release()
    return refuse(self, now, call, ClosedDuringCall)


def refuse(self: Lifecycle, row: Row, call: str, kind: type[IllegalCall] | None = None) -> IllegalCall:
    """The error that says that `call` is not legal in `row`."""
    self._settlements += 1
    if kind is None:
        kind = self.refusal_kind(row._state, call)
    return kind(self.role, row._state, call, type(self).__name__, self.platform_answers)


def tell_ended(record: Record, target: Lifecycle) -> None:
    """Tell whoever observes that the call has ended."""
    for observer in OBSERVERS.present:
        observer.ended(record, target)

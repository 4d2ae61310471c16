"""Lifecycle, the base class that attaches a class's own methods to a role as its side-effect handlers.

How one call travels: the method generated for it looks its name up in the row of the present state; where it is absent, an
IllegalCall is raised and nothing was touched; the handler runs; its result or exception is classified to an outcome; the row
gives the next state; observers are told; the caller gets the handler's own return value or exception.
"""

from __future__ import annotations

import warnings
from _thread import allocate_lock
from collections.abc import Awaitable, Mapping
from inspect import iscoroutinefunction
from types import TracebackType
from typing import ClassVar, NoReturn, TypeVar

from lifecycle.engine.attaching import attach, attach_overrides
from lifecycle.engine.errors import IllegalCall
from lifecycle.engine.firing import Firing
from lifecycle.engine.role import Role, checked_role
from lifecycle.engine.rows import Row, default_engine, initial_row
from lifecycle.engine.vocabulary import Call

Self = TypeVar("Self", bound="Lifecycle")


class Lifecycle:
    """Base class of objects whose calls are governed by a role.

    `class Door(Lifecycle, role=DOOR)` defines a method for each call of DOOR that is legal in some state; each is replaced by
    a checked one of the same signature. Calls that are never legal need no method: they refuse with the table's reason.
    A subclass may override a handler and stays checked. An `__init__` of its own calls super().__init__().

    engine: "compiled" (the default) or "reference", which asks transitions at every step.
    """

    __slots__ = ("__weakref__", "_claim", "_lock", "_row", "_settlements")

    role: ClassVar[Role]
    _specs: ClassVar[Mapping[str, Call]]
    _first_rows: ClassVar[dict[str, Row]]
    _fired: ClassVar[Mapping[str, str]]
    _closing_is_awaited: ClassVar[bool] = False

    def __init_subclass__(cls, role: Role | None = None, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        if role is not None:
            cls.role = checked_role(role)
            cls._first_rows = {}
            cls._fired = {call.fired_by: call.name for call in role.calls if call.fired_by is not None}
            cls._specs = {call.name: call for call in role.calls}
            attach(cls, Lifecycle)
        elif hasattr(cls, "role"):
            attach_overrides(cls)
        if hasattr(cls, "role") and cls.role.closes is not None:
            cls._closing_is_awaited = iscoroutinefunction(getattr(cls, cls.role.closes))

    def __init__(self, *, engine: str | None = None) -> None:
        try:
            rows = self._first_rows
        except AttributeError:
            kind = type(self).__name__
            raise TypeError(f"{kind} has no role: write `class {kind}(Lifecycle, role=...)`") from None
        self._row: Row = rows.get(default_engine() if engine is None else engine) or self._first_row(engine)
        self._lock = allocate_lock()
        self._claim: str | None = None
        self._settlements = 0

    @property
    def state(self) -> str:
        """The name of the present state."""
        return self._row._state

    @property
    def legal(self) -> tuple[str, ...]:
        """The calls that are legal in the present state, in the table's order."""
        return self._row._legal

    @property
    def engine(self) -> str:
        """Which engine runs this object: "compiled" or "reference"."""
        return self._row._engine

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """How an exception of a handler classifies: "failed", unless a subclass knows better.

        None means that nothing happened, as when arguments were refused. Either way the caller gets the exception, and an
        outcome that the table does not list for the call in the present state leaves the state as it is.
        """
        return "failed"

    @staticmethod
    def platform_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """What real systems would have answered to a refused call, by system; here nothing is known."""
        return {}

    def refusal_kind(self, state: str, call: str) -> type[IllegalCall]:
        """The class of the error that refuses `call` in `state`: a subclass may have one that its users know already."""
        return IllegalCall

    def _release(self) -> None:
        """Give back what the object holds, at once.

        Called when the first call of an object ends and it was closed meanwhile; and of a forgotten object whose closing is
        awaited.
        """

    def _firing(self, call: str, partner: Lifecycle) -> Firing:
        """A context in which this object's running `call` also fires the call of `partner` that its role names for it.

        Entering checks and claims the partner before anything is asked of the operating system. Raises TypeError when the
        partner's role names none, IllegalCall or CallInProgress when it is not legal or another call is running.
        """
        return Firing(self, call, partner)

    @classmethod
    def _first_row(cls, engine: str | None) -> Row:
        row = cls._first_rows[default_engine() if engine is None else engine] = initial_row(cls.role, engine)
        return row

    def __enter__(self: Self) -> Self:
        if self._closing_is_awaited:
            raise TypeError(f"{type(self).__name__}.{self.role.closes}() is awaited: write `async with`")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._close_if_legal()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        closing = self._close_if_legal()
        if isinstance(closing, Awaitable):
            await closing

    def __del__(self) -> None:
        try:
            row = self._row
        except AttributeError:  # it was never initialised
            return
        if self.role.closes is None or row._final or row._state == self.role.initial:
            return
        try:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        finally:
            if self._closing_is_awaited:  # and nobody is there to await it
                self._release()
            else:
                self._close_if_legal()

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} {self.state}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds something live and cannot be copied or pickled")

    def _close_if_legal(self) -> object:
        closes = self.role.closes
        if closes is not None and self._row._allows(closes):
            return getattr(self, closes)()
        return None

"""The composite rule of two roles: one object's call fires a row of another object's table.

The table of the second role names the call that fires it (`Call.fired_by`). Both objects are checked before the operating
system is asked, and the second is claimed meanwhile, so that nobody else fills it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from lifecycle.engine.journal import Record
from lifecycle.engine.performing import begin, overtaken, tell_ended
from lifecycle.engine.role import UnlistedOutcome

if TYPE_CHECKING:
    from lifecycle.engine.governed import Lifecycle


class Firing:
    """One object's call firing a row of another object; see Lifecycle.firing."""

    __slots__ = ("_call", "_claimed", "_partner", "_record", "_row", "taken")

    def __init__(self, firer: Lifecycle, call: str, partner: Lifecycle) -> None:
        fired = getattr(type(partner), "_fired", {}).get(f"{firer.role.name}.{call}")
        if fired is None:
            raise TypeError(f"{type(firer).__name__}.{call}() cannot fill a {type(partner).__name__}")
        self._partner = partner
        self._call = fired
        self._row = partner._row
        self._record: Record | None = None
        self._claimed = [False]
        self.taken = False

    def __enter__(self) -> Firing:
        try:
            self._row, self._record = begin(self._partner, self._call, (), {}, self._claimed)
        except BaseException:
            self._give_up_claim()
            raise
        return self

    def take(self, install: Callable[[], None]) -> None:
        """The firing call succeeded: run `install` and move the partner.

        Raises ClosedDuringCall when the partner was closed meanwhile; it has given back what was installed then.
        """
        partner = self._partner
        after = self._row._after(self._call, "ok")
        if after is None:
            raise UnlistedOutcome(f"{partner.role.name}.{self._call} cannot end in 'ok' in {self._row._state!r}")
        install()
        with partner._lock:
            if partner._row is self._row:
                partner._row = after
                self.taken = True
                return
        raise overtaken(partner, self._row, self._call)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        partner = self._partner
        self._give_up_claim()
        if self._record is not None:
            self._record.end("ok" if error is None else None, partner.state, error)
            tell_ended(self._record, partner)

    def _give_up_claim(self) -> None:
        if self._claimed[0]:
            self._partner._claim = None

"""An adapter that is made again after a call has hung: later answers of a hung implementation prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lifecycle.conformance.adapters.outcomes import ANY_ERROR
from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.driving.watchdog import WATCHDOG
from lifecycle.engine import Role


def _unknown(found: object) -> str:
    return ""


class Renewing:
    """Stands for the present adapter of a target.

    make: makes one. An adapter that has a method restart() is asked to do so instead of being made again.
    """

    def __init__(self, make: Callable[[], Adapter]) -> None:
        self._make = make
        self._hung = WATCHDOG.hung
        self._use(make())

    def _use(self, adapter: Adapter) -> None:
        self.present: Any = adapter
        self.name: str = adapter.name
        self.governed: bool = adapter.governed
        self.environment = adapter.environment
        self.offers = adapter.offers
        self.verdict = adapter.verdict
        self.explains: Any = getattr(adapter, "explains", _unknown)
        self.would_wait: Any = getattr(adapter, "would_wait", _waits_not)
        self.is_fresh = True
        """whether the present object is the first one of its instance"""
        self._stages = 0

    def stage(self, role: Role) -> Any:
        """A new object; of a new instance if the last one has hung."""
        if self._hung != WATCHDOG.hung:
            self._hung = WATCHDOG.hung
            self._renew()
        self._stages += 1
        self.is_fresh = self._stages == 1
        return self.present.stage(role)

    def _renew(self) -> None:
        restart = getattr(self.present, "restart", None)
        if restart is not None:
            restart()
            self._stages = 0
            return
        old = self.present
        self._use(self._make())
        with suppress(*ANY_ERROR):  # it has hung, and may not be able to close
            old.close()

    def close(self) -> None:
        """Close the present one."""
        self.present.close()


def _waits_not(edge: object) -> bool:
    return False

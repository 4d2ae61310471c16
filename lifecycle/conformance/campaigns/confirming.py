"""Repeats the shortest sequence of each cause, each time on a new instance, to see whether the difference shows again.

A sequence that does not repeat alone may need earlier sequences on the same instance: those are reduced to the ones that are
needed. One that repeats sometimes is flaky, and the report says how often it did.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from lifecycle.conformance.data_cells.registry import BY_LABEL
from lifecycle.conformance.driving.data import run_data_cell
from lifecycle.conformance.driving.results import Cluster, Trail
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.driving.sequences import model_for, replayed
from lifecycle.conformance.driving.watchdog import WATCHDOG
from lifecycle.conformance.targets import Target
from lifecycle.engine import Role

TRIES = 5
ENOUGH = 0.1  # seconds after which a sequence that has always repeated is not tried again


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a sequence had the same result again. needs: the sequences that must be run before it on the same instance."""

    times: int
    tries: int
    needs: Trail = ()

    @property
    def is_flaky(self) -> bool:
        """Whether it repeats, but not each time."""
        return self.times < self.tries and not self.needs

    def __str__(self) -> str:
        if self.needs:
            count = len(self.needs)
            return f"repeats after {count} other {'sequence' if count == 1 else 'sequences'}"
        return f"flaky ({self.times} of {self.tries})" if self.is_flaky else f"repeats ({self.times} of {self.tries})"


class Confirming:
    """Repeats the findings of a run, over IP or a path as they were made. seconds: the limit for all of them."""

    def __init__(self, target: Target, roles: dict[str, Role], seconds: float) -> None:
        self._target = target
        self._roles = roles
        self._ends = time.monotonic() + seconds

    def repeats(self, cluster: Cluster) -> Repeats | None:
        """Whether the cluster's shortest sequence repeats; None if time is over, or nothing can be tried."""
        first = cluster.shortest
        if first.role not in self._roles:
            return None
        times, tries, began = 0, 0, time.monotonic()
        while tries < TRIES and time.monotonic() < self._ends and not WATCHDOG.has_given_up:
            if times == tries and tries and time.monotonic() - began > ENOUGH:
                break
            tries += 1
            times += self._shows(first, ())
        return Repeats(times, tries) if tries else None

    def after(self, cluster: Cluster, trail: Trail) -> Repeats | None:
        """The sequences to run before the cluster's shortest one on the same instance; None if that does not help."""
        first = cluster.shortest
        if not trail or first.role not in self._roles or time.monotonic() > self._ends or not self._shows(first, trail):
            return None
        return Repeats(0, TRIES, self._needed(first, trail))

    def _needed(self, first: Divergence, trail: Trail) -> Trail:
        """The part of the trail that the difference needs, found by leaving out more and more."""
        width = max(len(trail) // 2, 1)
        while width and time.monotonic() < self._ends:
            begin = 0
            while begin < len(trail) and time.monotonic() < self._ends:
                part = trail[:begin] + trail[begin + width :]
                if self._shows(first, part):
                    trail = part
                else:
                    begin += width
            width //= 2
        return trail

    def _shows(self, first: Divergence, before: Trail) -> bool:
        """Whether the same difference shows on a new instance after these sequences."""
        adapter = self._target.making(local=first.local)()
        try:
            for role, *steps in before:
                chosen = self._roles[role]
                replayed(adapter, model_for(adapter, chosen), tuple(steps))
            model = model_for(adapter, self._roles[first.role])
            cell = BY_LABEL.get(first.steps[-1])
            found = replayed(adapter, model, first.steps) if cell is None else run_data_cell(adapter, model, cell)
        finally:
            WATCHDOG.close(adapter)
        return isinstance(found, Divergence) and found.line == first.line

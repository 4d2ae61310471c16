"""Repeats one sequence, step by step: used by the programs that reports print for a failure."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

from lifecycle.conformance.adapters.abilities import LeftOut
from lifecycle.conformance.adapters.loopback import Loopback
from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.campaigns.bare_calls import BARE, STDLIB, differences
from lifecycle.conformance.campaigns.conform import closing_in_time
from lifecycle.conformance.data_cells.registry import BY_LABEL
from lifecycle.conformance.driving.data import run_data_cell
from lifecycle.conformance.driving.run import Divergence, Run
from lifecycle.conformance.driving.sequences import model_for
from lifecycle.conformance.driving.watchdog import WATCHDOG
from lifecycle.conformance.targets import Target, target_named, target_of
from lifecycle.engine import Role


class ReplayedStep(NamedTuple):
    """One step: its expected result, and the difference if it had another one."""

    label: str
    expected: str
    divergence: Divergence | None


def replay(target: str | Target | Any, role: str | Role, *steps: str, local: bool = False) -> Divergence | None:
    """Make these steps on a new object of the implementation and print each; the first difference, or None.

    target: as for `lifecycle conform`, or the implementation itself. role: a role or its name, or "bare stream" and "bare
    datagram" for calls beside the standard library's. local: over a path (AF_UNIX) instead of IP. Raises ValueError for steps
    that are not a sequence of that role, and for a role or family that the target lacks.
    """
    found = (
        target if isinstance(target, Target) else target_named(target) if isinstance(target, str) else target_of("it", target)
    )
    with WATCHDOG.watching(), closing_in_time(found.name, found.making(local=local)) as adapter:
        if isinstance(role, str) and role.startswith(BARE):
            return _bare(found, adapter, role.removeprefix(BARE), steps)
        chosen = found.role_named(role) if isinstance(role, str) else role
        if chosen is None:
            raise ValueError(f"{found.name} has no role {role!r}; it has {', '.join(each.name for each in found.roles)}")
        last = None
        for last in replayed_steps(adapter, chosen, steps):
            print(f"{last.label:40} {last.expected:20}", "" if last.divergence is None else f"got {last.divergence.got}")
        return None if last is None else last.divergence


def replayed_steps(adapter: Adapter, role: Role, steps: tuple[str, ...]) -> Iterator[ReplayedStep]:
    """The steps, up to the first difference."""
    if len(steps) == 1 and steps[0] in BY_LABEL:
        found = run_data_cell(adapter, model_for(adapter, role), BY_LABEL[steps[0]])
        difference = found if isinstance(found, Divergence) else None
        yield ReplayedStep(steps[0], str(found) if isinstance(found, LeftOut) else "as it should be", difference)
        return
    edges = model_for(adapter, role).follow(steps)
    if edges is None:
        raise ValueError(f"no sequence of {role.name!r}: {', '.join(steps)}")
    with Run(adapter, model_for(adapter, role)) as run:
        for edge in edges:
            divergence = run.take(edge)
            expected = divergence.expected if divergence is not None else edge.outcome or ""
            yield ReplayedStep(edge.label, expected, divergence)
            if divergence is not None:
                return


def _bare(target: Target, adapter: Adapter, kind: str, steps: tuple[str, ...]) -> Divergence | None:
    if target.bare is None:
        raise ValueError(f"the bare calls of {target.name} are not compared")
    loopback = Loopback(socket.socket)
    try:
        found = list(differences(STDLIB, target.bare(adapter), kind, steps, loopback))
    finally:
        loopback.close()
    for divergence in found:
        print(f"{', '.join(divergence.steps)}: the standard library {divergence.expected}, {target.name} {divergence.got}")
    return found[0] if found else None

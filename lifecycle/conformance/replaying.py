"""Makes one sequence of steps again, and tells each: what reports print of a failure, to be run by itself."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lifecycle.conformance.adapters.loopback import Loopback
from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.running.differential import BARE, STDLIB, differences
from lifecycle.conformance.running.divergence import Divergence
from lifecycle.conformance.running.exhaustive import model_for
from lifecycle.conformance.running.hanging import WATCH, closing_in_time
from lifecycle.conformance.running.run import Run
from lifecycle.conformance.targets import Target, target_named, target_of
from lifecycle.engine import Role


class ReplayedStep(NamedTuple):
    """One step: what it should have brought, and the difference where it brought something else."""

    label: str
    expected: str
    divergence: Divergence | None


def replay(target: str | Target | Any, role: str | Role, *steps: str) -> Divergence | None:
    """Make these steps on a new object of the implementation, print each, and give the first difference, or None.

    target: as for `lifecycle conform`, or the implementation itself. role: a role or its name, or "bare stream" and "bare
    datagram" for calls beside the standard library's. Raises ValueError for steps that are no sequence of that role, and for
    a role that the target does not have.
    """
    found = (
        target if isinstance(target, Target) else target_named(target) if isinstance(target, str) else target_of("it", target)
    )
    with WATCH.watching(), closing_in_time(found.adapter()) as adapter:
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
        raise ValueError(f"{target.name} is compared with nothing call by call")
    loopback = Loopback(socket.socket)
    try:
        found = list(differences(STDLIB, target.bare(adapter), kind, steps, loopback))
    finally:
        loopback.close()
    for divergence in found:
        print(f"{', '.join(divergence.steps)}: the standard library {divergence.expected}, {target.name} {divergence.got}")
    return found[0] if found else None


def snippet(target: str | Callable[[], Adapter], divergence: Divergence) -> str:
    """A program that makes the failing sequence again.

    target: as for `lifecycle conform`, or what makes the adapter; one that has no name to be imported by, as a lambda has
    none, is called `adapter` in the program.
    """
    name = target if isinstance(target, str) else _importable(target)
    steps = "".join(f",\n    {step!r}" for step in divergence.steps)
    which = repr(name) if name else "adapter"
    note = "" if name else "# adapter: what was handed to the suite\n"
    return f"from lifecycle.conformance import replay\n\n{note}replay(\n    {which}, {divergence.role!r}{steps},\n)\n"


def _importable(make: Callable[[], Adapter]) -> str | None:
    module, name = getattr(make, "__module__", None), getattr(make, "__qualname__", "<nothing>")
    return f"{module}:{name}" if module and "<" not in name else None

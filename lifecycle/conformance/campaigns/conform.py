"""A whole run: every role of an implementation, exhaustively and by walks, and its bare calls beside the standard ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.campaigns.bare_calls import SEQUENCES, compare
from lifecycle.conformance.driving.results import RoleResult
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.driving.sequences import exhaust, model_for, walk
from lifecycle.conformance.driving.watchdog import WATCHDOG, Hangs
from lifecycle.conformance.model.graph import Cell
from lifecycle.conformance.targets import Target, UnknownTarget
from lifecycle.engine import Role

DEFAULT_DEPTH, DEFAULT_WALKS = 2, 500

Progress = Callable[[str, int, int], None]
"""Is called with (what is running, how much of it is done, of how much)"""


@dataclass(slots=True)
class Conformance:
    """The result of a run.

    bare: the differences in bare calls; compared: how many sequences of them were compared.
    gave_up: whether the rest was left out, since step after step hung.
    """

    target: str
    depth: int
    walks: int
    seed: int
    roles: list[RoleResult] = field(default_factory=list)
    bare: list[Divergence] = field(default_factory=list)
    compared: int = 0
    gave_up: bool = False
    seconds: float = 0.0

    @property
    def divergences(self) -> list[Divergence]:
        """Every difference, role by role, then those of the bare calls."""
        return [*(each for role in self.roles for each in role.divergences), *self.bare]

    @property
    def unexplained(self) -> list[Divergence]:
        """The differences that nothing explains: the findings."""
        return [each for each in self.divergences if not each.explanation]

    @property
    def missing(self) -> dict[str, list[Cell]]:
        """role -> the cells that were offered, and neither reached nor explained."""
        return {role.role: cells for role in self.roles if (cells := role.missing)}

    @property
    def passes(self) -> bool:
        """Whether every offered cell was reached or is explained, and no difference is without explanation."""
        return not self.unexplained and not self.missing and not self.gave_up


def conform(
    target: Target,
    roles: Sequence[Role],
    *,
    depth: int = DEFAULT_DEPTH,
    walks: int = DEFAULT_WALKS,
    seed: int = 0,
    progress: Progress = lambda what, done, total: None,
) -> Conformance:
    """Run everything; roles that the target does not have are left out.

    depth: of the exhaustive driver. walks: so many per role.
    """
    began = time.perf_counter()
    report = Conformance(target.name, depth, walks, seed)
    with WATCHDOG.watching():
        with closing_in_time(target.name, target.adapter) as adapter:
            _run(adapter, roles, report, depth, walks, progress)
            if target.bare is not None:
                report.compared = SEQUENCES
                report.bare.extend(compare(target.bare(adapter), seed=seed, progress=partial(progress, "bare calls")))
        if target.watched is not None:
            with closing_in_time(target.name, target.watched) as adapter:
                _run(adapter, roles, report, 1, 0, progress)
        report.gave_up = WATCHDOG.has_given_up
    report.seconds = time.perf_counter() - began
    return report


@contextmanager
def closing_in_time(name: str, make: Callable[[], Adapter]) -> Iterator[Adapter]:
    """Make an adapter, and close it at the end, unless that hangs. Raises UnknownTarget where it cannot be made in time."""
    try:
        with WATCHDOG:
            adapter = make()
    except Hangs:
        raise UnknownTarget(f"a socket of {name} cannot be made: it hangs") from None
    try:
        yield adapter
    finally:
        WATCHDOG.close(adapter)


def _run(adapter: Adapter, roles: Sequence[Role], report: Conformance, depth: int, walks: int, progress: Progress) -> None:
    for role in roles:
        try:
            model = model_for(adapter, role)
        except KeyError:  # the implementation has no such role
            continue
        show, began = partial(progress, role.name), time.perf_counter()
        found = exhaust(adapter, model, depth=depth, progress=show)
        walk(adapter, model, walks=walks, seed=report.seed, into=found, progress=show)
        found.seconds = time.perf_counter() - began
        earlier = next((each for each in report.roles if each.role == role.name), None)
        if earlier is None:
            report.roles.append(found)
        else:
            earlier.merge(found)

"""A whole run: every role of an implementation, exhaustively and by walks, and its bare calls beside the standard ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.model.graph import Cell
from lifecycle.conformance.running.differential import SEQUENCES, compare
from lifecycle.conformance.running.divergence import Divergence
from lifecycle.conformance.running.exhaustive import exhaust, model_for
from lifecycle.conformance.running.hanging import WATCH, Hangs, closing_in_time
from lifecycle.conformance.running.result import RoleResult
from lifecycle.conformance.running.walks import walk
from lifecycle.conformance.targets import Target, UnknownTarget
from lifecycle.engine import Role

DEFAULT_DEPTH, DEFAULT_WALKS = 2, 500

Progress = Callable[[str, int, int], None]
"""Told (what is running, how much of it is done, of how much)."""


@dataclass(slots=True)
class Conformance:
    """What came of a run.

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
        found = {role.role: role.missing for role in self.roles}
        return {role: cells for role, cells in found.items() if cells}

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
    with WATCH.watching():
        _run_all(target, roles, report, progress)
        report.gave_up = WATCH.has_given_up
    report.seconds = time.perf_counter() - began
    return report


def _run_all(target: Target, roles: Sequence[Role], report: Conformance, progress: Progress) -> None:
    depth, walks, seed = report.depth, report.walks, report.seed
    with closing_in_time(_adapter(target.name, target.adapter)) as adapter:
        _run(adapter, roles, report, depth, walks, progress)
        if target.bare is not None:
            told = partial(progress, "bare calls")
            report.compared = SEQUENCES
            report.bare.extend(compare(target.bare(adapter), seed=seed, progress=told))
    if target.watched is not None:
        with closing_in_time(_adapter(target.name, target.watched)) as adapter:
            _run(adapter, roles, report, 1, 0, progress)


def _adapter(name: str, make: Callable[[], Adapter]) -> Adapter:
    WATCH.begin()
    try:
        return make()
    except Hangs:
        raise UnknownTarget(f"a socket of {name} cannot be made: it hangs") from None
    finally:
        WATCH.end()


def _run(adapter: Adapter, roles: Sequence[Role], report: Conformance, depth: int, walks: int, progress: Progress) -> None:
    for role in roles:
        try:
            model = model_for(adapter, role)
        except KeyError:  # the implementation has no such role
            continue
        tell, began = partial(progress, role.name), time.perf_counter()
        found = exhaust(adapter, model, depth=depth, progress=tell)
        walk(adapter, model, walks=walks, seed=report.seed, into=found, progress=tell)
        found.seconds = time.perf_counter() - began
        for earlier in report.roles:
            if earlier.role == role.name:
                earlier.merge(found)
                break
        else:
            report.roles.append(found)

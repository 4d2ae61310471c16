"""A complete run: every role of an implementation, exhaustively and by walks, and its bare calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from lifecycle.conformance.adapters.abilities import LeftOut
from lifecycle.conformance.adapters.loopback import no_loopback
from lifecycle.conformance.adapters.outcomes import ANY_ERROR, error_text
from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.campaigns.bare_calls import SEQUENCES, compare
from lifecycle.conformance.campaigns.confirming import Confirming, Repeats
from lifecycle.conformance.campaigns.renewing import Renewing
from lifecycle.conformance.driving.data import run_data_cells
from lifecycle.conformance.driving.results import RoleResult, clusters
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.driving.sequences import exhaust, model_for, unprovoked_cells, walk
from lifecycle.conformance.driving.watchdog import OVER, WATCHDOG, Hangs
from lifecycle.conformance.model.graph import Cell
from lifecycle.conformance.targets import Target, UnknownTarget
from lifecycle.engine import Role
from lifecycle.roles.words import CONNECT

DEFAULT_DEPTH, DEFAULT_WALKS = 2, 500
CONFIRMS_WITHIN = 3.0  # the limit in seconds for repeating the findings

Progress = Callable[[str, int, int], None]
"""Called with (what is running, how much of it is done, of how much)"""


@dataclass(slots=True)
class Conformance:
    """The result of a run.

    bare: the differences in bare calls; compared: how many sequences of them were compared. gave_up: whether the rest was left
    out because too many steps hung. stopped: why the report is partial, or "". left_out: the abilities that the implementation
    or its peers lack. peers: those without which nothing can be judged. repeats: line of a cause -> how often it repeats.
    unprovoked: role -> the cells that the role's environment cannot provoke. unseen: the known differences that did not show in
    this run.
    """

    target: str
    depth: int
    walks: int
    seed: int
    roles: list[RoleResult] = field(default_factory=list)
    bare: list[Divergence] = field(default_factory=list)
    compared: int = 0
    gave_up: bool = False
    stopped: str = ""
    left_out: list[LeftOut] = field(default_factory=list)
    peers: list[Divergence] = field(default_factory=list)
    repeats: dict[tuple[str, ...], Repeats] = field(default_factory=dict)
    unprovoked: dict[str, list[Cell]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def divergences(self) -> list[Divergence]:
        """Every difference, role by role, then those of the bare calls."""
        return [*self.peers, *(each for role in self.roles for each in role.divergences), *self.bare]

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
        """Whether every offered cell was reached or is explained, and every difference is explained.

        If the time was over, only the part that was run is judged.
        """
        is_whole = not self.missing or self.stopped == OVER
        return not self.unexplained and is_whole and not self.gave_up and self.stopped in ("", OVER)


def conform(
    target: Target,
    roles: Sequence[Role],
    *,
    depth: int = DEFAULT_DEPTH,
    walks: int = DEFAULT_WALKS,
    seed: int = 0,
    seconds: float | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Conformance:
    """Run everything; roles that the target does not have are left out.

    depth: of the exhaustive driver. walks: their number per role. seconds: the time limit; the report is then partial.
    """
    began = time.perf_counter()
    report = Conformance(target.name, depth, walks, seed)
    WATCHDOG.stopped, WATCHDOG.ends = "", float("inf") if seconds is None else time.monotonic() + seconds
    with WATCHDOG.watching():
        with closing_in_time(target.name, lambda: Renewing(target.adapter)) as adapter:
            assert isinstance(adapter, Renewing)
            if getattr(adapter.present, "needs_network", True) and (why := no_loopback()):
                WATCHDOG.stopped = why
            report.left_out.extend(getattr(adapter.present, "left_out", ()))
            report.peers.extend(_of_peers(adapter.present))
            _run(adapter, roles, report, depth, walks, progress)
            report.unseen.extend(
                each.name for each in getattr(adapter.present, "known", ()) if each not in adapter.present.shown
            )
            if target.bare is not None:
                report.compared = SEQUENCES
                report.bare.extend(compare(target.bare(adapter.present), seed=seed, progress=partial(progress, "bare calls")))
        if target.watched is not None:
            with closing_in_time(target.name, target.watched) as adapter:
                _run(adapter, roles, report, 1, 0, progress, looks_at_data=False)
        if target.local is not None:
            with closing_in_time(target.name, target.local) as adapter:
                _run(adapter, roles, report, depth, 0, progress, looks_at_data=False)
        report.gave_up = WATCHDOG.has_given_up and not WATCHDOG.stopped
        report.stopped, WATCHDOG.ends = WATCHDOG.stopped, float("inf")
        WATCHDOG.stopped = ""
        confirm(target, report, roles)
    report.seconds = time.perf_counter() - began
    return report


@contextmanager
def closing_in_time(name: str, make: Callable[[], Adapter]) -> Iterator[Adapter]:
    """Make an adapter, and close it at the end, unless that hangs. Raises UnknownTarget if it cannot be made in time."""
    try:
        with WATCHDOG:
            adapter = make()
    except Hangs as error:
        raise UnknownTarget(f"a socket of {name} cannot be made: {str(error) or 'it hangs'}") from None
    except (*ANY_ERROR, KeyboardInterrupt) as error:
        if isinstance(error, UnknownTarget) or WATCHDOG.is_of_the_user(error):
            raise
        raise UnknownTarget(f"a socket of {name} cannot be made: {error_text(error)}") from error
    try:
        yield adapter
    finally:
        WATCHDOG.close(adapter)


def confirm(target: Target, report: Conformance, roles: Sequence[Role], seconds: float = CONFIRMS_WITHIN) -> None:
    """Repeat the shortest sequence of each cause on new instances, and keep how often the difference shows again."""
    again = Confirming(target, {role.name: role for role in roles}, seconds)
    found = clusters(report.unexplained)
    for cluster in found:
        repeats = again.repeats(cluster)
        if repeats is not None:
            report.repeats[cluster.shortest.line] = repeats
    for cluster in found:
        line = cluster.shortest.line
        if line in report.repeats and not report.repeats[line].times:
            trail = next((role.trails[line] for role in report.roles if line in role.trails), ())
            report.repeats[line] = again.after(cluster, trail) or report.repeats[line]


def _of_peers(adapter: Adapter) -> Iterator[Divergence]:
    """The abilities that peers of the implementation's own kind lack, and without which nothing can be judged."""
    abilities = getattr(adapter, "abilities", None)
    if abilities is not None and abilities.connects:
        expected = "two sockets of the implementation can be connected"
        yield Divergence(adapter.name, "peers", "", CONNECT.name, expected, abilities.connects, ("peers connect",))


def _run(
    adapter: Adapter,
    roles: Sequence[Role],
    report: Conformance,
    depth: int,
    walks: int,
    progress: Progress,
    *,
    looks_at_data: bool = True,
) -> None:
    for role in roles:
        try:
            model = model_for(adapter, role)
        except KeyError:  # the implementation has no such role
            continue
        show, began = partial(progress, role.name), time.perf_counter()
        found = exhaust(adapter, model, depth=depth, progress=show)
        if looks_at_data:
            run_data_cells(adapter, model, found)
        walk(adapter, model, walks=walks, seed=report.seed, into=found, progress=show)
        found.seconds = time.perf_counter() - began
        earlier = next((each for each in report.roles if each.role == role.name), None)
        if earlier is None:
            if cells := unprovoked_cells(adapter, role):
                report.unprovoked[role.name] = cells
            report.roles.append(found)
        else:
            earlier.merge(found)

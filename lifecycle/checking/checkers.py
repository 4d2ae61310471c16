"""The active checkers, which receive the findings, and the action of each mode."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from operator import length_hint

from lifecycle.checking import milestones, observed
from lifecycle.checking.call_sites import CallSite
from lifecycle.checking.findings import Finding, finding_of
from lifecycle.checking.formats.codes import code_of_hazard
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.observed import UNKNOWN_STATE, ObservedState
from lifecycle.checking.settings import Mode
from lifecycle.checking.track import SocketTrack
from lifecycle.roles.python.hazards import Hazard

PER_PLACE = 100
"""how many findings of one cause at one place are kept; a server that leaks may make millions"""

_ONCE = frozenset({FindingKind.TLS})
"""kinds that recur for each connection of a program, so that one finding at a place is enough"""


class LifecycleWarning(RuntimeWarning):
    """The warning of mode `warn`: a socket call out of order, a leak, a race."""


class Checker:
    """Collects the findings of one check. left_out: how many were dropped because of PER_PLACE.

    mode: see Mode. keep_all: keep every call of every socket, for charts. on_finding: called with each finding.
    systems: the systems to be portable to, by the names of the platform tables; empty for all. strict: keep notes, too.
    """

    def __init__(
        self,
        mode: Mode,
        *,
        keep_all: bool = False,
        on_finding: Callable[[Finding], None] | None = None,
        systems: Sequence[str] = (),
        strict: bool = False,
    ) -> None:
        self.mode = mode
        self.keep_all = keep_all
        self.findings: list[Finding] = []
        self.tracks: list[SocketTrack] = []
        self._made_before = _made()
        self.left_out = 0
        self.owner = ""
        self._counts: Counter[tuple[object, ...]] = Counter()
        self._on_finding = on_finding
        self._systems = tuple(systems)
        self._strict = strict

    def report(self, finding: Finding) -> None:
        """Add a finding, unless every system that matters accepts the call."""
        if not self.matters(finding):
            return
        cause = (finding.kind, finding.state, finding.call, finding.place)
        self._counts[cause] += 1
        if self._counts[cause] > (1 if finding.kind in _ONCE else PER_PLACE):
            self.left_out += finding.kind not in _ONCE
            return
        self.findings.append(finding)
        if self._on_finding is not None:
            self._on_finding(finding)

    @property
    def sockets(self) -> int:
        """How many sockets were made since the check began."""
        return _made() - self._made_before

    def matters(self, finding: Finding) -> bool:
        """Whether a system that matters may refuse the call of the finding; a note matters to a strict checker only."""
        if finding.kind is FindingKind.NOTE:
            return self._strict
        return not self._systems or finding.matters_on(self._systems)

    def forget(self) -> None:
        """Drop the findings of the process that this one was forked from."""
        self.findings.clear()
        self.tracks.clear()
        self.left_out, self._made_before = 0, _made()
        self._counts.clear()


in_turn: list[Checker] = []
"""the active checkers, the outermost first"""

only: Checker | None = None
"""the active checker, if there is exactly one and only findings are needed"""

keeping_all = False
"""whether some active checker keeps every call of every socket; read at every call"""

_END = sys.maxsize

numbers = iter(range(1, _END))
"""the numbers of sockets, in the order in which they were made"""

_others = 0  # how many of the numbers no new socket has


def other_number() -> int:
    """A number that no new socket has."""
    global _others
    _others += 1
    return next(numbers)


def _made() -> int:
    """How many sockets were made."""
    return _END - 1 - length_hint(numbers) - _others


def active() -> Checker | None:
    """The innermost checker, whose mode applies; None while nothing is checked."""
    return in_turn[-1] if in_turn else None


def owner() -> str:
    """The test that runs now, as the innermost checker names it."""
    return in_turn[-1].owner if in_turn else ""


def begin(checker: Checker) -> None:
    """Make `checker` the innermost one."""
    in_turn.append(checker)
    _update()


def end(checker: Checker) -> None:
    """Remove `checker`; one that is not active is ignored."""
    if checker in in_turn:
        in_turn.remove(checker)
    _update()


def _update() -> None:
    global keeping_all, only
    former, keeping_all = keeping_all, any(each.keep_all for each in in_turn)
    only = None if len(in_turn) != 1 or keeping_all or milestones.looks_at_all else in_turn[0]
    if keeping_all is not former:
        observed.keep_all(keeping_all)
        milestones.keep_all(keeping_all)


def report_hazard(
    hazard: Hazard,
    track: SocketTrack | None,
    call: str,
    place: CallSite,
    *,
    state: ObservedState | None = None,
    reason: str = "",
    is_note: bool = False,
) -> None:
    """Report a hazard, once for a socket at a place. track: None where only a descriptor is known.

    is_note: the program expects it.
    """
    if track is not None:
        if (hazard, place) in track.reported:
            return
        track.reported |= {hazard, (hazard, place)}
    kind = FindingKind.NOTE if is_note or hazard.on_request else code_of_hazard(hazard).kind
    at = state or (UNKNOWN_STATE if track is None else track.state)
    report(track, kind, at, call, place, hazard=hazard, reason=reason)


def report(
    track: SocketTrack | None,
    kind: FindingKind,
    state: ObservedState,
    call: str,
    place: CallSite,
    *,
    is_new: bool = True,
    hazard: Hazard | None = None,
    answer: str = "",
    thread: str = "",
    reason: str = "",
    row: str = "",
) -> bool:
    """Pass a finding, made by finding_of(), to every active checker, and warn in mode `warn`.

    is_new: False if they have it already. Returns whether it matters to the innermost one.
    """
    test = "" if kind is FindingKind.LEAK else owner()
    details = {"answer": answer, "thread": thread, "reason": reason, "row": row, "test": test}
    finding = finding_of(track, kind, state, call, place, hazard=hazard, **details)
    matters = bool(in_turn) and in_turn[-1].matters(finding)
    if is_new:
        for checker in in_turn:
            checker.report(finding)
        if matters and in_turn[-1].mode is Mode.WARN:
            if finding.kind in _AT_THE_CALL:
                _warn(finding)
            else:
                _WarnsWhenCollected(finding)
    return matters


_AT_THE_CALL = (FindingKind.ORDER, FindingKind.PORTABILITY, FindingKind.NOTE)


def _warn(finding: Finding) -> None:
    warnings.warn_explicit(str(finding), LifecycleWarning, finding.file, finding.line)


class _WarnsWhenCollected:
    """Emits the warning from a finalizer, so that -W error prints it instead of raising it in an unrelated call.

    Python reports an unclosed socket, which can be noticed anywhere too, in the same way.
    """

    def __init__(self, finding: Finding) -> None:
        self.finding = finding

    def __del__(self) -> None:
        _warn(self.finding)

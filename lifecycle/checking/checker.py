"""Who is told of findings, and what is to be done about them: the checkers that are active at present."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from lifecycle.checking.findings import Finding, FindingKind
from lifecycle.checking.track import Track


class Mode(StrEnum):
    """What happens to an illegal call."""

    OBSERVE = "observe"
    WARN = "warn"
    ENFORCE = "enforce"


class LifecycleWarning(RuntimeWarning):
    """What `warn` mode warns with: a socket call out of order, a leak, a race."""


PER_PLACE = 100
"""how many findings of one cause at one place are kept; a server that leaks may make millions"""


class Checker:
    """Takes the findings of a stretch of a program. left_out: how many were too many of their place.

    mode: see Mode. keep_all: keep every call of every socket, as charts need them. tell: called with each finding.
    """

    def __init__(self, mode: Mode, *, keep_all: bool = False, tell: Callable[[Finding], None] | None = None) -> None:
        self.mode = mode
        self.keep_all = keep_all
        self.findings: list[Finding] = []
        self.tracks: list[Track] = []
        self.sockets = 0
        self.left_out = 0
        self.owner = ""
        self._counts: Counter[tuple[object, ...]] = Counter()
        self._tell = tell

    def report(self, finding: Finding) -> None:
        """Take a finding."""
        cause = (finding.kind, finding.state, finding.call, finding.place)
        self._counts[cause] += 1
        if self._counts[cause] > PER_PLACE:
            self.left_out += 1
            return
        self.findings.append(finding)
        if self._tell is not None:
            self._tell(finding)

    def forget(self) -> None:
        """Forget what was found in the process that this one was forked from."""
        self.findings.clear()
        self.tracks.clear()
        self.sockets = self.left_out = 0
        self._counts.clear()


_active: list[Checker] = []
_keeps_all = False  # asked for at every call that is noted

numbers = itertools.count(1)
"""the numbers of sockets, in the order in which they were made"""


def active() -> Checker | None:
    """The innermost checker, whose mode holds; None while nothing is checked."""
    return _active[-1] if _active else None


def owner() -> str:
    """What runs at present, as the innermost checker names it."""
    return _active[-1].owner if _active else ""


def keeps_all() -> bool:
    """Whether some active checker wants every call of every socket."""
    return _keeps_all


def all_active() -> tuple[Checker, ...]:
    """Every checker that is to be told, the outermost first."""
    return tuple(_active)


def begin(checker: Checker) -> None:
    """Make `checker` the innermost one."""
    _active.append(checker)
    _look_again()


def end(checker: Checker) -> None:
    """Take `checker` away; one that is not active is ignored."""
    if checker in _active:
        _active.remove(checker)
    _look_again()


def _look_again() -> None:
    global _keeps_all
    _keeps_all = any(each.keep_all for each in _active)


def report(finding: Finding) -> None:
    """Tell every active checker, and warn where the innermost one wants that."""
    for checker in _active:
        checker.report(finding)
    if _active and _active[-1].mode is Mode.WARN:
        if finding.kind in (FindingKind.ORDER, FindingKind.PORTABILITY):
            _warn(finding)
        else:
            _Aside(finding)


def _warn(finding: Finding) -> None:
    warnings.warn_explicit(str(finding), LifecycleWarning, finding.file, finding.line)


class _Aside:
    """Warns of what is no fault of the call in which it is noticed: a warning that is an error is not raised there.

    Python tells of it as it does of an unclosed socket, which is noticed anywhere too.
    """

    def __init__(self, finding: Finding) -> None:
        self.finding = finding

    def __del__(self) -> None:
        _warn(self.finding)

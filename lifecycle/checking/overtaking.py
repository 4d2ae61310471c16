"""Calls that a close has overtaken: told apart from those that had ended already, and only waited for Python's lock.

At the moment of the close the frames show which calls are on their way. One that then fails with the descriptor gone, or lasts
on, was inside the system: that is a race. One that ends at once had done its work before.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from lifecycle.checking import checker
from lifecycle.checking.findings import FindingKind, finding_of
from lifecycle.checking.outcomes import CLOSED_ERRORS
from lifecycle.checking.phases import Phase
from lifecycle.checking.places import Place
from lifecycle.checking.track import Track, clock, thread_name

REASON = "close() does not wake a call that waits (on Linux), and the descriptor may soon be another socket's: shutdown() first"
AT_ONCE = 0.05  # seconds; what lasts longer after a close was waiting for the network, not for Python's lock


class Overtaken(NamedTuple):
    """A call on its way at the moment of a close. thread: its number and its name."""

    track: Track
    phase: Phase
    call: str
    place: Place
    thread: tuple[int, str]
    closed: float


_on_their_way: list[Overtaken] = []


def note_overtaken(track: Track, phase: Phase, call: str, place: Place, thread: int) -> None:
    """A call is on its way while its socket is closed."""
    _on_their_way.append(Overtaken(track, phase, call, place, (thread, thread_name(thread)), clock()))


def overtaken_has_ended(track: Track, phase: Phase, call: str, place: Place, error: BaseException | None) -> None:
    """A call on a socket that was closed meanwhile has ended, in its own thread."""
    here = threading.get_ident()
    has_failed = isinstance(error, OSError) and error.errno in CLOSED_ERRORS
    for each in [one for one in _on_their_way if one.track is track and one.thread[0] == here]:
        _on_their_way.remove(each)
        if has_failed or clock() - each.closed > AT_ONCE:
            _report(each)
        return
    if has_failed:
        _report(Overtaken(track, phase, call, place, (here, thread_name()), clock()))


def judge_those_on_their_way() -> None:
    """Report the calls that have not ended since their socket was closed, and forget them all.

    A call whose socket was closed just now is given its time to end.
    """
    if _on_their_way:
        left = AT_ONCE - (clock() - _on_their_way[-1].closed)
        time.sleep(max(0.0, left))
    while _on_their_way:
        _report(_on_their_way.pop())


def _report(each: Overtaken) -> None:
    checker.report(
        finding_of(
            each.track, FindingKind.RACE, each.phase, each.call, each.place, answer="", thread=each.thread[1], reason=REASON
        )
    )

"""Calls that a close has overtaken: told apart from those that had ended already, and only waited for Python's lock.

At the moment of the close the frames show which calls are on their way. One that then fails with the descriptor gone, or lasts
on, was inside the system: that is a race. One that ends at once had done its work before.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from lifecycle.checking import checker
from lifecycle.checking.findings import FindingKind, finding_of
from lifecycle.checking.outcomes import CLOSED_ERRORS
from lifecycle.checking.phases import Phase
from lifecycle.checking.places import Place, place_of
from lifecycle.checking.racing import Running, is_running_on, waits_in_system
from lifecycle.checking.track import Track, clock, thread_name

REASON = "close() does not wake a call that waits (on Linux), and the descriptor may soon be another socket's: shutdown() first"
AT_ONCE = 0.25  # seconds; what lasts longer after a close was waiting for the network, not for Python's lock


@dataclass(slots=True, eq=False)
class Overtaken:
    """A call on its way at the moment of a close."""

    track: Track
    phase: Phase
    call: str
    place: Place
    thread: int
    thread_name: str
    closed: float
    is_told: bool = False

    def tell(self) -> None:
        """Report it, once."""
        if not self.is_told:
            self.is_told = True
            checker.report(
                finding_of(
                    self.track,
                    FindingKind.RACE,
                    self.phase,
                    self.call,
                    self.place,
                    answer="",
                    thread=self.thread_name,
                    reason=REASON,
                    test=checker.owner(),
                )
            )


_on_their_way: list[Overtaken] = []


def note_overtaken(track: Track, phase: Phase, running: Running) -> None:
    """A call is on its way, and its socket was closed; where the system says that it waits there, that is told at once."""
    place, name = place_of(running.frame), thread_name(running.thread)
    each = Overtaken(track, phase, running.call, place, running.thread, name, clock())
    _on_their_way.append(each)
    match waits_in_system(running):
        case True:
            each.tell()
        case False if each in _on_their_way:
            _on_their_way.remove(each)


def overtaken_has_ended(track: Track, phase: Phase, call: str, place: Place, error: BaseException | None) -> None:
    """A call on a socket that was closed meanwhile has ended, in its own thread."""
    here = threading.get_ident()
    has_failed = isinstance(error, OSError) and error.errno in CLOSED_ERRORS
    for each in [one for one in _on_their_way if one.track is track and one.thread == here]:
        _on_their_way.remove(each)
        if has_failed or clock() - each.closed > AT_ONCE:
            each.tell()
        return
    if has_failed:
        Overtaken(track, phase, call, place, here, thread_name(), clock()).tell()


def judge_those_on_their_way() -> None:
    """Report the calls that have not ended since their socket was closed, and forget them all.

    A call whose socket was closed just now is given its time to end.
    """
    left = [each.closed + AT_ONCE - clock() for each in _on_their_way if not each.is_told]
    if left:
        time.sleep(max(0.0, *left))
    while _on_their_way:
        each = _on_their_way.pop()
        if is_running_on(each.track.key, each.thread):
            each.tell()

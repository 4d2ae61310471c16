"""Ends a step that would never end: an implementation may hang, and the suite must not.

The system's timer looks again and again whether the step under way is still the same, and interrupts one that is. Only the
main thread of a process can be interrupted so, where the system has that timer, and nobody else uses it; elsewhere a step that
hangs is left to whoever runs the suite.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from lifecycle.conformance.adapters.protocol import Adapter

TICK = 0.25  # seconds
PATIENCE = 24  # ticks: longer than all that a peer waits for in one step
IMPATIENCE = 2  # ticks, once something has hung: it will do so again
MOST = 40
"""so many steps may hang until the whole implementation is given up"""


class Hangs(BaseException):
    """What a step is interrupted by; no Exception, since what is under test may catch those."""


class Watch:
    """Which step is under way, and for how long. A step is counted at its begin and its end, so that an odd count is one."""

    def __init__(self) -> None:
        self.count = 0
        self.hung = 0
        self._seen = 0
        self._ticks = 0
        self._is_watching = False

    @property
    def has_given_up(self) -> bool:
        """Whether so much has hung that there is no use in trying the rest."""
        return self.hung >= MOST

    def begin(self) -> None:
        """A step begins: from here on it may be interrupted, by Hangs."""
        self.count += 1

    def end(self) -> None:
        """It has ended."""
        self.count += 1

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The steps inside are watched, where that is possible."""
        if self._is_watching or not _is_timer_free():
            yield
            return
        self.count = self.hung = self._ticks = 0
        self._is_watching = True
        _start_timer(self._look)
        try:
            yield
        finally:
            _stop_timer()
            self._is_watching = False

    def _look(self, number: int, frame: FrameType | None) -> None:
        if self.count != self._seen or self.count % 2 == 0:
            self._seen, self._ticks = self.count, 0
            return
        self._ticks += 1
        if self._ticks >= (IMPATIENCE if self.hung else PATIENCE):
            self._ticks = 0
            self.hung += 1
            raise Hangs


WATCH = Watch()
"""the one of this process"""


@contextmanager
def closing_in_time(adapter: Adapter) -> Iterator[Adapter]:
    """Closes an adapter at the end, unless that hangs, too."""
    try:
        yield adapter
    finally:
        WATCH.begin()
        try:
            adapter.close()
        except Hangs:  # which is counted
            pass
        finally:
            WATCH.end()


Look = Callable[[int, FrameType | None], None]

if sys.platform != "win32":

    def _is_timer_free() -> bool:
        if threading.current_thread() is not threading.main_thread():
            return False
        return signal.getsignal(signal.SIGALRM) is signal.SIG_DFL and not any(signal.getitimer(signal.ITIMER_REAL))

    def _start_timer(look: Look) -> None:
        signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)

    def _stop_timer() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

else:

    def _is_timer_free() -> bool:
        return False

    def _start_timer(look: Look) -> None: ...

    def _stop_timer() -> None: ...

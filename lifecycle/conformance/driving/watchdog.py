"""Interrupts a step that would never end: an implementation may hang, and the suite must not.

The system's interval timer looks whether the step under way is still the same, and interrupts it after some ticks. Only the
main thread of a process can be interrupted so, where the system has that timer and nothing else uses it; elsewhere a step that
hangs is left to the caller of the suite.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from lifecycle.conformance.adapters.outcomes import ANY_ERROR

TICK = 0.25  # seconds
PATIENCE = 24  # ticks: longer than all that a peer waits for in one step
IMPATIENCE = 2  # ticks, once something has hung: it will do so again
OVER = "time is over"
MOST = 40
"""so many steps may hang until the whole implementation is given up"""


class Hangs(BaseException):
    """Interrupts a step. It is not an Exception, since the code under test may catch those."""


class Closes(Protocol):
    """What can be closed."""

    def close(self) -> object:
        """Close it."""
        ...


class Watchdog:
    """Counts steps at their begin and their end, so that an odd count is one step under way; `with` it, a block is a step."""

    def __init__(self) -> None:
        self.count = 0
        self.hung = 0
        self.stopped = ""
        """why the rest is not tried: a signal, or the end of the budget"""
        self.ends = float("inf")
        """when the budget ends, by time.monotonic()"""
        self.handles_interrupts = False
        """whether Ctrl-C stops the run by a handler, so that an interrupt is of the implementation"""
        self.beat: Callable[[str, Sequence[str]], object] | None = None
        """called with what is under way as long as the run goes on; a process that supervises this one hears it"""
        self._seen = 0
        self._ticks = 0
        self._is_watching = False

    @property
    def has_given_up(self) -> bool:
        """Whether the rest is not tried: so much has hung, time is over, or the run was stopped."""
        if not self.stopped and self.ends < time.monotonic():
            self.stopped = OVER
        return self.hung >= MOST or bool(self.stopped)

    def begin(self, role: str = "", steps: Sequence[str] = ()) -> None:
        """A step begins, the last one of `steps`: from here on it may be interrupted, by Hangs."""
        if self.beat is not None:
            self.beat(role, steps)
        self.count += 1

    def end(self) -> None:
        """The step has ended."""
        self.count += 1

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *error: object) -> None:
        self.end()

    def is_of_the_user(self, error: BaseException) -> bool:
        """Whether it is the user who interrupts, and not the implementation that raises KeyboardInterrupt."""
        return isinstance(error, KeyboardInterrupt) and (bool(self.stopped) or not self.handles_interrupts)

    @contextmanager
    def unless_under_way(self) -> Iterator[None]:
        """A block is a step, unless it is part of one already."""
        if self.count % 2:
            yield
            return
        with self:
            yield

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """What is done inside has a deadline of its own, and is not interrupted."""
        if self.count % 2 == 0:
            yield
            return
        with self:  # the count is even inside
            yield

    def close(self, thing: Closes) -> None:
        """Close an adapter or a stage, unless that hangs, which is counted: the call close() has cells of its own."""
        self.begin()
        try:
            thing.close()
        except (Hangs, *ANY_ERROR):
            return
        finally:
            self.end()

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
            if self.beat is not None:
                self.beat("", ())
            return
        self._ticks += 1
        if self._ticks >= (IMPATIENCE if self.hung else PATIENCE):
            self._ticks = 0
            self.hung += 1
            raise Hangs


WATCHDOG = Watchdog()
"""the one of this process"""

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

"""Interrupts a step that would never end: an implementation may hang, but the suite must not.

A handler of the system's interval timer checks whether the same step is still running, and interrupts it after some ticks. This
works only in the main thread, and if the system has that timer and nothing else uses it; elsewhere the caller of the suite has
to deal with a hanging step.
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
PATIENCE = 24  # ticks: longer than a peer waits in one step
IMPATIENCE = 2  # ticks after the first hang, which will not be the last
OVER = "time is over"
MOST = 40
"""the number of hanging steps after which the whole implementation is given up"""


class Hangs(BaseException):
    """Interrupts a step. It is not an Exception, because the code under test may catch those."""


class Closes(Protocol):
    """Something that can be closed."""

    def close(self) -> object:
        """Close it."""
        ...


class Watchdog:
    """Counts the beginnings and ends of steps, so that an odd count means a running step; a `with` block of it is a step."""

    def __init__(self) -> None:
        self.count = 0
        self.hung = 0
        self.stopped = ""
        """why the rest is not tried: a signal, or the time limit"""
        self.ends = float("inf")
        """the time limit, as of time.monotonic()"""
        self.handles_interrupts = False
        """whether a handler of Ctrl-C stops the run, so that a KeyboardInterrupt is the implementation's"""
        self.beat: Callable[[str, Sequence[str]], object] | None = None
        """called with the present step while the run goes on; reports to a supervising process"""
        self._seen = 0
        self._ticks = 0
        self._is_watching = False

    @property
    def has_given_up(self) -> bool:
        """Whether the rest is not tried: too many steps have hung, time is over, or the run was stopped."""
        if not self.stopped and self.ends < time.monotonic():
            self.stopped = OVER
        return self.hung >= MOST or bool(self.stopped)

    def begin(self, role: str = "", steps: Sequence[str] = ()) -> None:
        """Begin a step, the last one of `steps`: from here on Hangs may interrupt it."""
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
        """Whether a KeyboardInterrupt is the user's, and not raised by the implementation."""
        return isinstance(error, KeyboardInterrupt) and (bool(self.stopped) or not self.handles_interrupts)

    @contextmanager
    def unless_under_way(self) -> Iterator[None]:
        """Make the block a step, unless it is part of one already."""
        if self.count % 2:
            yield
            return
        with self:
            yield

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """Do not interrupt the block, which has a deadline of its own."""
        if self.count % 2 == 0:
            yield
            return
        with self:  # the count is even inside
            yield

    def close(self, thing: Closes) -> None:
        """Close an adapter or a stage; count it if that hangs: the call close() has cells of its own."""
        self.begin()
        try:
            thing.close()
        except (Hangs, *ANY_ERROR):
            return
        finally:
            self.end()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the steps of the block, if that is possible."""
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

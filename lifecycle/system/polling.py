"""Waiting until a socket is ready, in a way that another thread can end.

The sockets are non-blocking underneath: a call is tried first, and waits here only when it would block. A bare close() of a
descriptor does not wake a thread that is blocked on it (Linux, POSIX); a byte in a second descriptor does, on every system.
"""

from __future__ import annotations

import math
import os
import select
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

MAX_SPARE_WAKERS = 4
LONGEST_WAIT = 1_000_000.0  # seconds: poll(2) counts milliseconds in an int; a longer wait is made of several


class Waker:
    """A pair of connected sockets: a byte written into the one makes the other readable."""

    __slots__ = ("_reader", "_writer")

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """The descriptor to wait for besides one's own."""
        return self._reader.fileno()

    def wake(self) -> None:
        """End the wait that uses this waker; one that has ended meanwhile only sees a byte too many."""
        with suppress(OSError):  # full: it is awake already; closed: the wait is over
            self._writer.send(b"\0")

    def drain(self) -> None:
        """Forget the bytes that were written."""
        with suppress(BlockingIOError):
            while self._reader.recv(64):
                pass

    def close(self) -> None:
        """Close both ends."""
        self._reader.close()
        self._writer.close()


class Wait:
    """One call's wait, which other threads may end; `cancelled` says that cancel_blocking_call() did."""

    __slots__ = ("_is_woken", "_waker", "cancelled")

    def __init__(self) -> None:
        self.cancelled = self._is_woken = False
        try:
            self._waker = _spare_wakers.pop()
        except IndexError:
            self._waker = Waker()

    def wake(self) -> None:
        """End the wait."""
        self._is_woken = True
        self._waker.wake()

    def until_ready(self, descriptors: Sequence[int], *, writing: bool, deadline: float | None) -> bool:
        """Wait until one of the descriptors is ready, wake() is called, or time.monotonic() passes `deadline`.

        False when the time has passed; True otherwise, and the caller tries: it may have waited for nothing.
        """
        woken, ready = _poll(descriptors, self._waker.fileno(), writing, deadline)
        if woken:
            self._waker.drain()
        return woken or ready or deadline is None or time.monotonic() < deadline

    def finish(self) -> None:
        """Give the waker back."""
        if self._is_woken:
            self._waker.drain()
        if len(_spare_wakers) < MAX_SPARE_WAKERS:
            _spare_wakers.append(self._waker)
        else:
            self._waker.close()


_spare_wakers: list[Waker] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_spare_wakers.clear)


def deadline_after(timeout: float | None) -> float | None:
    """The time.monotonic() at which `timeout` seconds from now have passed; None for no time-out."""
    return None if timeout is None else time.monotonic() + timeout


def _seconds_until(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    seconds = deadline - time.monotonic()
    return 0.0 if seconds < 0 else min(LONGEST_WAIT, seconds)


def _poll_by_select(descriptors: Sequence[int], waker: int | None, writing: bool, deadline: float | None) -> tuple[bool, bool]:
    seconds = _seconds_until(deadline)
    reading = ([] if waker is None else [waker]) + ([] if writing else [*descriptors])
    # Windows reports a connect that failed by the third list only.
    readable, writable, failed = select.select(reading, descriptors if writing else [], descriptors, seconds)
    return waker in readable, bool(writable or failed or set(readable) - {waker})


_poll: Callable[[Sequence[int], int | None, bool, float | None], tuple[bool, bool]] = _poll_by_select

if sys.platform != "win32":

    def _poll_by_poll(
        descriptors: Sequence[int], waker: int | None, writing: bool, deadline: float | None
    ) -> tuple[bool, bool]:
        poller = select.poll()
        for descriptor in descriptors:
            poller.register(descriptor, select.POLLOUT if writing else select.POLLIN)
        if waker is not None:
            poller.register(waker, select.POLLIN)
        seconds = _seconds_until(deadline)
        woken = ready = False
        for number, _ in poller.poll(None if seconds is None else math.ceil(seconds * 1000)):
            if number == waker:
                woken = True
            else:
                ready = True
        return woken, ready

    _poll = _poll_by_poll


def is_ready(fileno: int, *, writing: bool) -> bool:
    """Whether the descriptor is ready now."""
    return _poll((fileno,), None, writing, time.monotonic())[1]


if sys.platform == "win32":

    def until_exceptional(descriptor: int, waker: Waker) -> bool:
        """Wait for out-of-band data, or for the waker; whether there is some."""
        return bool(select.select([waker], [], [descriptor])[2])

else:

    def until_exceptional(descriptor: int, waker: Waker) -> bool:
        """Wait for out-of-band data, or for the waker; whether there is some."""
        poller = select.poll()
        poller.register(descriptor, select.POLLPRI)
        poller.register(waker, select.POLLIN)
        return any(events & select.POLLPRI for number, events in poller.poll() if number == descriptor)

"""Waits until a socket is ready, which another thread can end.

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
from weakref import ref

from lifecycle.engine.steps import process

MAX_WAKERS = 8
"The maximum number of wakers of a process. If more calls wait, they share them: a wait does not take a descriptor"

SLICE = 0.01
"Seconds for which a wait ignores a descriptor that was ready in vain, or a waker that was for another wait"
SOON = 0.005
"""Seconds to wait for an answer without a Wait, which takes as long to make as a round trip over the loopback interface.

Not less: a timer that would be the system's next one costs as much again, above all in a virtual machine.
"""
LONGEST_WAIT = 1_000_000.0  # seconds: poll(2) counts milliseconds in an int; a longer wait is made of several


class Glance:
    """A wait of SOON, which has no waker: a cancellation or a close is noticed at its end."""

    __slots__ = ("cancelled", "process")

    def __init__(self) -> None:
        self.cancelled = False
        self.process = process[0]

    def wake(self) -> None:
        """Do nothing: the wait ends by itself."""


class Waker:
    """A pair of connected sockets: a byte written into the one makes the other readable. members: the waits that use it."""

    __slots__ = ("_reader", "_writer", "members")

    def __init__(self) -> None:
        self.members: set[ref[Wait]] = set()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """The descriptor to wait for in addition."""
        return self._reader.fileno()

    def wake(self) -> None:
        """End the waits that use this waker; one that has ended meanwhile only sees an extra byte."""
        with suppress(OSError):  # full: it is awake already; closed: the wait is over
            self._writer.send(b"\0")

    def is_for_another(self) -> bool:
        """Whether one of its waits was woken and has not noticed; if not, the bytes are dropped."""
        if self._has_woken():
            return True
        with suppress(BlockingIOError):
            while self._reader.recv(64):
                pass
        if self._has_woken():  # meanwhile, and its byte may be gone
            self.wake()
        return False

    def _has_woken(self) -> bool:
        return any(wait is not None and wait._is_woken for wait in (each() for each in self.members.copy()))

    def close(self) -> None:
        """Close both ends."""
        self._reader.close()
        self._writer.close()

    def __del__(self) -> None:
        try:  # noqa: SIM105 - as the interpreter ends suppress() may be gone already
            self.close()  # without a ResourceWarning, whichever module goes first
        except AttributeError:  # without a descriptor there is no pair
            pass


class Wait:
    """One call's wait, which other threads may end; `cancelled` says that cancel_blocking_call() did."""

    __slots__ = ("__weakref__", "_is_woken", "_waker", "cancelled", "process")

    def __init__(self) -> None:
        self.cancelled = False
        self.process = process[0]
        self._is_woken = False
        self._waker = _least_used_waker()
        if self._waker is not None:
            self._waker.members.add(ref(self, self._waker.members.discard))

    def wake(self) -> None:
        """End the wait."""
        self._is_woken = True  # before the byte, so that who takes the byte sees whose it is
        if self._waker is not None:
            self._waker.wake()

    def until_ready(self, descriptors: Sequence[int], *, writing: bool, deadline: float | None, in_vain: bool = False) -> bool:
        """Wait until one of the descriptors is ready, wake() is called, or time.monotonic() passes `deadline`.

        in_vain: ignore the descriptors for a moment first: they were reported ready again and again, but were not.
        False if the time is over; True otherwise, and the caller tries again, perhaps in vain.
        """
        looks_away = in_vain
        while not self._is_woken:
            waker = self._waker
            until = deadline
            if looks_away or waker is None:
                moment = time.monotonic() + SLICE
                until = moment if deadline is None else min(moment, deadline)
            woken, ready = _poll(() if in_vain else descriptors, None if waker is None else waker.fileno(), writing, until)
            if ready:
                return True
            looks_away = in_vain = False
            if woken and not self._is_woken and waker is not None:
                try:
                    if waker.is_for_another() and _poll(descriptors, None, writing, time.monotonic() + SLICE / 10)[1]:
                        return True
                except OSError:  # the program has closed all descriptors, as daemons do
                    self._waker = None
                    with suppress(ValueError):
                        wakers.remove(waker)
                        _permits.append(None)
            if deadline is not None and time.monotonic() >= deadline:
                break
        was_woken, self._is_woken = self._is_woken, False
        if was_woken and self._waker is not None:
            with suppress(OSError):
                self._waker.is_for_another()
        return was_woken

    def finish(self) -> None:
        """Release the waker; may be repeated."""
        waker, self._waker = self._waker, None
        if waker is not None:
            waker.members.discard(ref(self))
            if self._is_woken:
                with suppress(OSError):
                    waker.is_for_another()


wakers: list[Waker] = []
_permits: list[None] = [None] * MAX_WAKERS
"""One item for each waker that may still be made; taken atomically, so that threads that begin to wait together make no more"""


def _make_waker() -> None:
    """Make one more waker, if the maximum and the descriptors allow it."""
    try:
        permit = _permits.pop()
    except IndexError:
        return
    try:
        wakers.append(Waker())
    except OSError:
        _permits.append(permit)


def provide_waker() -> None:
    """Make a waker before a call waits, if a descriptor is left; without wakers, waits poll at intervals."""
    if not wakers:
        _make_waker()


def _least_used_waker() -> Waker | None:
    if _permits and all(waker.members for waker in tuple(wakers)):
        _make_waker()
    return min(tuple(wakers), key=lambda waker: len(waker.members), default=None)


def _leave_wakers() -> None:
    """Close all wakers, as in a forked child, whose wakers are its parent's."""
    while wakers:
        wakers.pop().close()
    _permits[:] = [None] * MAX_WAKERS


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_wakers)


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
    if waker is None and not descriptors:  # which select() of Windows refuses
        time.sleep(0 if seconds is None else seconds)
        return False, False
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

    def is_readable_soon(descriptor: int) -> bool:
        """Whether the descriptor is readable within SOON, in which nothing but a signal ends the wait."""
        return bool(select.select([descriptor], [], [], SOON)[0])

    def until_exceptional(descriptor: int, waker: Waker) -> bool:
        """Wait for out-of-band data, or for the waker; whether there is some."""
        return bool(select.select([waker], [], [descriptor])[2])

else:
    new_poller, READING, MILLISECONDS = select.poll, select.POLLIN, math.ceil(SOON * 1000)

    def is_readable_soon(descriptor: int) -> bool:
        """Whether the descriptor is readable within SOON, in which nothing but a signal ends the wait."""
        poller = new_poller()
        poller.register(descriptor, READING)
        return bool(poller.poll(MILLISECONDS))

    def until_exceptional(descriptor: int, waker: Waker) -> bool:
        """Wait for out-of-band data, or for the waker; whether there is some."""
        poller = select.poll()
        poller.register(descriptor, select.POLLPRI)
        poller.register(waker, select.POLLIN)
        return any(events & select.POLLPRI for number, events in poller.poll() if number == descriptor)

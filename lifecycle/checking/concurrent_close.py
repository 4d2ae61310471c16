"""Calls during which another thread closed their socket: was the call still in the kernel, or did it wait for the GIL?

At a close, the frames of the other threads show which calls are running on the socket. One that then fails because the
descriptor is gone, or goes on for a while, was in the kernel: that is a race, since close() does not wake it on Linux. One that
ends at once had returned from the kernel before.
"""

from __future__ import annotations

import _socket
import platform
import socket
import sys
import threading
import time
from _thread import get_ident
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import NamedTuple

from lifecycle.checking import checkers
from lifecycle.checking.call_sites import CallSite, FileKind, call_site, kind_of
from lifecycle.checking.handed import named_site
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.observed import ObservedState
from lifecycle.checking.outcomes import lost_descriptor
from lifecycle.checking.track import SocketTrack, clock, thread_name
from lifecycle.checking.waiting import WAITS, waits_for
from lifecycle.roles.python.hazards import CLOSED_WAITED_FOR
from lifecycle.roles.python.words import NOT_WOKEN
from lifecycle.system.threads import frames_of_threads

_fileno = _socket.socket.fileno

AT_ONCE = 0.25  # seconds; a call that goes on for longer after the close was waiting for the network, not for the GIL

_FUTEX = {"x86_64": "202", "aarch64": "98", "riscv64": "98", "armv7l": "240", "ppc64le": "221", "s390x": "238"}
"""machine -> the number of futex(), the system call in which a thread waits for the GIL on Linux"""

_NEAR = range(4)  # frames of the checker itself between a watched method and the system

WATCHED: dict[int, str] = {}
"""id() of the code of a watched method, whose own hash() reads all of it -> the call that it makes"""


class InFlight(NamedTuple):
    """A call that another thread is making. is_wait: it waits for descriptors, this socket's among them."""

    call: str
    frame: FrameType
    thread: int
    is_wait: bool = False


def in_flight(sock: socket.socket) -> Iterator[InFlight]:
    """The calls that other threads are making on `sock`, and those by which they wait for it without a time-out.

    They are found in the threads' frames, so that a call does not pay for being found.
    """
    frames = frames_of_threads()
    frames.pop(get_ident(), None)  # this frame: it must not hold itself
    for thread, top in frames.items():
        frame: FrameType | None = top
        wait: FrameType | None = None
        for _ in _NEAR:
            if frame is None or (number := id(frame.f_code)) in WATCHED:
                break
            if number in WAITS and wait is None and WAITS[number](frame, _fileno(sock), sock):
                wait = frame
            frame = frame.f_back
        else:
            frame = None
        if frame is not None:
            if frame.f_locals.get("self") is sock:
                yield InFlight(WATCHED[id(frame.f_code)], frame, thread)
        elif wait is not None:
            yield InFlight(wait.f_code.co_name, wait, thread, is_wait=True)


def _goes_on(suspect: Suspect) -> bool:
    """Whether the suspect's thread is still in the call."""
    top = frames_of_threads().get(suspect.thread)
    if top is None or suspect.begun_by is not _started(suspect.thread):
        return False
    if suspect.is_wait:
        sock = suspect.track()
        return sock is not None and any(True for _ in waits_for(top, suspect.number, sock))
    found = _watched_frame(top)
    return found is not None and id(found.f_locals.get("self")) == suspect.track.key


def is_in_kernel(call: InFlight) -> bool | None:
    """Whether the call is blocked in the kernel, by /proc; False where it waits for the GIL. None where that is not known."""
    native = _native_id(call.thread)
    futex = _FUTEX.get(platform.machine()) if sys.platform == "linux" else None
    if native is None or futex is None:
        return None
    try:
        with open(f"/proc/self/task/{native}/syscall", encoding="ascii") as file:
            number = file.read().split()[0]
    except OSError:
        return None
    top = frames_of_threads().get(call.thread)
    if top is None or _watched_frame(top) is not call.frame:  # it has continued while the file was opened
        return False
    return None if number == "running" else number != futex


def _started(thread: int) -> object:
    """The event that signals the thread's start: each thread has its own, and it refers to no object of the program."""
    active: dict[int, threading.Thread] = getattr(threading, "_active", {})
    return getattr(active.get(thread), "_started", None)


def _native_id(thread: int) -> int | None:
    active: dict[int, threading.Thread] = getattr(threading, "_active", {})
    return active[thread].native_id if thread in active else None


def _watched_frame(top: FrameType) -> FrameType | None:
    frame: FrameType | None = top
    for _ in _NEAR:
        if frame is None:
            return None
        if id(frame.f_code) in WATCHED:
            return frame
        frame = frame.f_back
    return None


@dataclass(slots=True, eq=False)
class Suspect:
    """A call that was in flight when its socket was closed. closed: when, by clock(). number: the descriptor it had.

    begun_by: distinguishes the thread from a later one with the same number.
    """

    track: SocketTrack
    state: ObservedState
    call: str
    place: CallSite
    thread: int
    thread_name: str
    closed: float
    is_wait: bool = False
    number: int = -1
    begun_by: object = None
    is_reported: bool = False

    def report(self) -> None:
        """Report it as a race, once."""
        if not self.is_reported:
            self.is_reported = True
            details = self.state, self.call, self.place
            hazard = CLOSED_WAITED_FOR if self.is_wait else None
            reason = "" if self.is_wait else f"{NOT_WOKEN}: {self.state.waking()}"
            checkers.report(self.track, FindingKind.RACE, *details, hazard=hazard, thread=self.thread_name, reason=reason)


suspects: list[Suspect] = []
_MANY = 100  # suspects; then those that have ended are dropped


def socket_closed(track: SocketTrack, state: ObservedState, call: InFlight, number: int = -1) -> None:
    """The socket was closed in `state` while `call` was in flight; report it now where it is known to be in the kernel."""
    place = call_site(call.frame) if call.is_wait else named_site(call.frame, call.call, call.thread)
    if kind_of(place.file) is not FileKind.PROGRAM:  # a library's loop: only the close() is the program's
        place = track.events[-1].place
    about = call.thread, thread_name(call.thread), clock(), call.is_wait, number, _started(call.thread)
    suspect = Suspect(track, state, call.call, place, *about)
    if len(suspects) > _MANY:
        suspects[:] = [each for each in suspects if _goes_on(each)]
    suspects.append(suspect)
    if not call.is_wait:  # another descriptor may still wake the wait
        match is_in_kernel(call):
            case True:
                suspect.report()
            case False if suspect in suspects:
                suspects.remove(suspect)


def call_ended(track: SocketTrack, error: BaseException | None) -> None:
    """A call has ended in this thread, on a socket that was closed meanwhile."""
    here = threading.get_ident()
    has_failed = isinstance(error, OSError) and lost_descriptor(error.errno)
    for suspect in [each for each in suspects if each.track is track and each.thread == here]:
        suspects.remove(suspect)
        if has_failed or clock() - suspect.closed > AT_ONCE:
            suspect.report()
        return


def judge_overdue() -> None:
    """Report the calls that go on for long after their socket was closed; the present action may end them."""
    if not suspects:
        return
    for suspect in suspects[:]:
        if not suspect.is_reported and clock() - suspect.closed > AT_ONCE:
            if _goes_on(suspect):
                suspect.report()
            elif suspect in suspects:
                suspects.remove(suspect)


def judge_in_flight() -> None:
    """Report the calls that have not ended since their socket was closed, and forget them all.

    A call whose socket was closed less than AT_ONCE ago is given the rest of that time.
    """
    left = [each.closed + AT_ONCE - clock() for each in suspects if not each.is_reported]
    if left:
        time.sleep(max(0.0, *left))
    while suspects:
        suspect = suspects.pop()
        if _goes_on(suspect):
            suspect.report()

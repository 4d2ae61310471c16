"""The frames of the process's threads, and waiting until the system calls that other threads have begun are over."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from _thread import get_ident
from types import FrameType

from lifecycle.engine.steps import IS_ONE_STEP
from lifecycle.system import polling

PATIENCE = 1.0  # seconds to wait at most
DEPTH = 6  # frames between a call of an object and the system

_IN_ITS_TURN = threading.RLock()  # a signal handler may close a socket while its own thread is in here


def frames_of_threads() -> dict[int, FrameType]:
    """The current frame of each thread, by thread identifier; no garbage collection runs meanwhile.

    Before CPython 3.11.9 the interpreter locks its list of threads while it creates the frames. A collection in between may
    close a file or a socket, which releases the GIL. A second thread that asks then holds the GIL while it waits for the
    list, and both are deadlocked (python/cpython#106883).
    """
    with _IN_ITS_TURN:
        was_enabled = gc.isenabled()
        try:
            gc.disable()
            return sys._current_frames()
        finally:
            if was_enabled:
                gc.enable()


if hasattr(os, "register_at_fork"):  # a child has only the thread that forks, so that nobody else is in the middle of it
    os.register_at_fork(before=_IN_ITS_TURN.acquire, after_in_parent=_IN_ITS_TURN.release, after_in_child=_IN_ITS_TURN.release)


def until_calls_have_ended(*things: object) -> None:
    """Wait at most PATIENCE until no other thread is in a system call for one of `things`.

    A thread reads the descriptor's number, releases the GIL, and then enters the system call. Changes that another thread
    makes to the descriptor in between, such as its blocking mode, apply to that call. The caller must first ensure that no
    new call can read the number, and wake the calls that wait. Without the GIL the variables of other threads cannot be
    read, so this waits for every thread that is in a call of this package.
    """
    frames = frames_of_threads()
    frames.pop(get_ident(), None)  # this frame: it must not hold itself
    at = {thread: (frame, frame.f_lasti) for thread, frame in frames.items() if _is_concerned(frame, things)}
    deadline, pause = time.monotonic() + PATIENCE, 0.0001
    while at and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(2 * pause, 0.01)  # without the GIL each look stops all threads
        frames = frames_of_threads()
        at = {
            thread: (frame, place)
            for thread, (frame, place) in at.items()
            if frames.get(thread) is frame and frame.f_lasti == place
        }
        frames.clear()


def _is_concerned(frame: FrameType, things: tuple[object, ...]) -> bool:
    module: str = frame.f_globals.get("__name__", "")
    if not module.startswith("lifecycle.") or module == polling.__name__:
        return False
    above: FrameType | None = frame
    for _ in range(DEPTH if IS_ONE_STEP else 0):
        if above is None:
            return False
        if any(each is thing for each in above.f_locals.values() for thing in things):
            return True
        above = above.f_back
    return not IS_ONE_STEP

"""The other threads of the process: where they are, and waiting until those that are about to ask the system have done so."""

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

PATIENCE = 1.0  # seconds; a thread that the system has not let run for so long is not waited for
DEPTH = 6  # frames between a call of an object and the system

_IN_ITS_TURN = threading.RLock()  # a signal handler may close a socket while its own thread is in here


def frames_of_threads() -> dict[int, FrameType]:
    """The frames in which the threads run, asked for while no collection can begin.

    Before CPython 3.11.9 the interpreter holds its list of threads while it makes the frames. A collection in between may end
    a file or a socket, which lets go of the GIL; the next thread that asks would then wait for the list with the GIL in its
    hands, for ever (python/cpython#106883).
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
    """Wait until each other thread that may be in a system call for one of `things` has left that, at most PATIENCE.

    A thread lets go of the GIL with the descriptor's number in its hands, before it is in the system: what is changed there
    meanwhile, as the blocking mode, it would find. Whoever calls this has seen to it that no call gets the number any more,
    and that the waits are woken. Without the GIL another thread's variables must not be read: every thread in a call of this
    package counts then.
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

"""Which calls are inside the system at this moment: what a close() in another thread cuts off, and does not wake on Linux."""

from __future__ import annotations

import platform
import socket
import sys
import threading
from _thread import _count, get_ident
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import NamedTuple

_LOCK_CALLS = {"x86_64": "202", "aarch64": "98", "riscv64": "98", "armv7l": "240", "ppc64le": "221", "s390x": "238"}
"""machine -> the number of futex(), in which Linux waits for a lock"""

_DEPTH = 4  # frames of the checker itself between a watched method and the system

WATCHED: dict[CodeType, str] = {}
"""code of a watched method -> the call that it makes"""


class Running(NamedTuple):
    """A call that another thread, or an interrupted frame of this one, is making."""

    call: str
    frame: FrameType
    thread: int


def running_on(sock: socket.socket) -> Iterator[Running]:
    """The calls that other threads are making on `sock`.

    The frames of the threads tell it, so that a call pays nothing for being found.
    """
    if not _count():
        return
    frames = sys._current_frames()
    frames.pop(get_ident(), None)  # this frame: it must not hold itself
    for thread, frame in frames.items():
        found = _watched_frame(frame)
        if found is not None and found.f_locals.get("self") is sock:
            yield Running(WATCHED[found.f_code], found, thread)


def is_running_on(key: int, thread: int) -> bool:
    """Whether that thread is making a call on the socket whose id() is `key`."""
    top = sys._current_frames().get(thread)
    found = None if top is None else _watched_frame(top)
    return found is not None and id(found.f_locals.get("self")) == key


def waits_in_system(running: Running) -> bool | None:
    """Whether that call waits inside the system; one that waits for Python's lock does not. None where nobody tells."""
    native = _native_number(running.thread)
    lock_call = _LOCK_CALLS.get(platform.machine()) if sys.platform == "linux" else None
    if native is None or lock_call is None:
        return None
    try:
        with open(f"/proc/self/task/{native}/syscall", encoding="ascii") as file:
            now = file.read().split()[0]
    except OSError:
        return None
    top = sys._current_frames().get(running.thread)
    if top is None or _watched_frame(top) is not running.frame:  # it has gone on while the file was opened
        return False
    return None if now == "running" else now != lock_call


def _native_number(thread: int) -> int | None:
    active: dict[int, threading.Thread] = getattr(threading, "_active", {})
    return active[thread].native_id if thread in active else None


def _watched_frame(top: FrameType) -> FrameType | None:
    frame: FrameType | None = top
    for _ in range(_DEPTH):
        if frame is None:
            return None
        if frame.f_code in WATCHED:
            return frame
        frame = frame.f_back
    return None

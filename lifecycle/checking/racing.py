"""Which calls are inside the system at this moment: what a close() in another thread cuts off, and does not wake on Linux."""

from __future__ import annotations

import socket
import sys
import threading
from _thread import _count
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import NamedTuple

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
    here = threading.get_ident()
    for thread, frame in sys._current_frames().items():
        if thread != here:
            found = _watched_frame(frame)
            if found is not None and found.f_locals.get("self") is sock:
                yield Running(WATCHED[found.f_code], found, thread)


def _watched_frame(top: FrameType) -> FrameType | None:
    frame: FrameType | None = top
    for _ in range(_DEPTH):
        if frame is None:
            return None
        if frame.f_code in WATCHED:
            return frame
        frame = frame.f_back
    return None

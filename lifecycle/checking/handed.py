"""Calls that a program hands to others, as `Thread(target=sock.recv)` does: the line of the program that names the call."""

from __future__ import annotations

import sys
import threading
from _thread import get_ident
from collections.abc import Callable, Iterator
from functools import wraps
from types import CodeType, FrameType
from typing import Any

from lifecycle.checking.call_sites import CallSite, FileKind, call_site, kind_of, site_at
from lifecycle.checking.replacements import Replacements

_FRAMES = 8  # of the code that starts a thread
_STARTED = "_lifecycle_started"

_replacements = Replacements()

Place = tuple[CodeType, int]
"""a code object, and the offset of an instruction in it"""


def install() -> None:
    """Remember, from now on, where each thread is started."""
    _replacements.wrap(threading.Thread, "start", _watched_start)


def uninstall() -> None:
    """Restore what was replaced."""
    _replacements.restore()


def _watched_start(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def start(self: Any) -> None:
        frame: FrameType | None
        places: list[Place] = []
        frame = sys._getframe(1)
        while frame is not None and len(places) < _FRAMES:
            places.append((frame.f_code, frame.f_lasti))
            frame = frame.f_back
        self.__dict__[_STARTED] = places
        original(self)

    return start


def _frames(frame: FrameType | None) -> Iterator[Place]:
    while frame is not None:
        yield frame.f_code, frame.f_lasti
        frame = frame.f_back


def named_site(frame: FrameType | None, call: str, number: int | None = None) -> CallSite:
    """The line of the program that makes `call`, or that names it, where a function calls what it was given.

    frame: the caller of the watched method. number: of the thread, where it is not this one.
    """
    usual = call_site(frame)
    while frame is not None and kind_of(frame.f_code.co_filename) is FileKind.INTERNAL:
        frame = frame.f_back
    if frame is None or kind_of(frame.f_code.co_filename) not in (FileKind.PROGRAM, FileKind.LOOP):
        return usual  # a library makes the call in its own way
    thread = threading._active.get(get_ident() if number is None else number)  # type: ignore[attr-defined] # current_thread() may make one
    around: list[Place] = [*_frames(frame), *vars(thread).get(_STARTED, ())] if thread is not None else [*_frames(frame)]
    own = [each for each in around if kind_of(each[0].co_filename) is FileKind.PROGRAM]
    naming = [each for each in own if call in each[0].co_names or call in each[0].co_consts]
    if naming or kind_of(usual.file) is not FileKind.PROGRAM:
        return next((site_at(code, instruction) for code, instruction in naming or own), usual)
    return usual


def entry_site(frame: FrameType | None) -> CallSite:
    """The line by which the thread that runs now has come into the program: the outermost one at or above `frame`."""
    usual = call_site(frame)
    own = [each for each in _frames(frame) if kind_of(each[0].co_filename) is FileKind.PROGRAM]
    return site_at(*own[-1]) if own else usual

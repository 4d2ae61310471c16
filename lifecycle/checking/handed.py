"""Calls that a program hands to others, as `Thread(target=sock.recv)` does: the line of the program that names the call."""

from __future__ import annotations

import os
import sys
import threading
from _thread import get_ident
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from lifecycle.checking.call_sites import STDLIB, CallSite, FileKind, call_site, kind_of, site_at
from lifecycle.checking.replacements import Replacements

_FRAMES = 8  # of the code that starts a thread
_STARTED = "_lifecycle_started"

POOLS = "concurrent.futures.thread"
_POOLS_FILE = os.path.join(STDLIB, "concurrent", "futures", "thread.py")

_replacements = Replacements()
_of_pools = Replacements()

Place = tuple[CodeType, int]
"""a code object, and the offset of an instruction in it"""


def install() -> None:
    """Begin to remember where each thread is started."""
    _replacements.wrap(threading.Thread, "start", _watched_start)


def install_pools() -> None:
    """Begin to remember where work is submitted to a pool of threads, a module that the program has loaded."""
    _of_pools.wrap(sys.modules[POOLS]._WorkItem, "__init__", _watched_submit)


def uninstall() -> None:
    """Restore what was replaced."""
    _replacements.restore()


def uninstall_pools() -> None:
    """Restore what was replaced for pools."""
    _of_pools.restore()


def _watched_start(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def start(self: Any) -> None:
        self.__dict__[_STARTED] = _places(sys._getframe(1))
        original(self)

    return start


def _watched_submit(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def made(self: Any, *arguments: Any, **keywords: Any) -> None:
        original(self, *arguments, **keywords)
        self.__dict__[_STARTED] = _places(sys._getframe(1))

    return made


def _places(frame: FrameType | None) -> list[Place]:
    return list(islice(_frames(frame), _FRAMES))


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
    around = [*_frames(frame), *_begun_at(frame, number)]
    own = [each for each in around if kind_of(each[0].co_filename) is FileKind.PROGRAM]
    naming = [each for each in own if call in each[0].co_names or call in each[0].co_consts]
    if naming or kind_of(usual.file) is not FileKind.PROGRAM:
        return next((site_at(code, instruction) for code, instruction in naming or own), usual)
    return usual


def _begun_at(frame: FrameType | None, number: int | None = None) -> list[Place]:
    """Where the work that runs at `frame` was given to a pool, or its thread was started."""
    caller = frame
    while caller is not None:
        given = vars(caller.f_locals["self"]).get(_STARTED) if _is_work(caller.f_code) else None
        if given is not None:
            return list(given)
        caller = caller.f_back
    thread = threading._active.get(get_ident() if number is None else number)  # type: ignore[attr-defined] # current_thread() may make one
    return [] if thread is None else list(vars(thread).get(_STARTED, ()))


def _is_work(code: CodeType) -> bool:
    return code.co_name == "run" and code.co_filename == _POOLS_FILE


def begun_site(frame: FrameType) -> CallSite | None:
    """The line of the program that has begun the work in which a library runs at `frame`, or None."""
    own = (each for each in _begun_at(frame) if kind_of(each[0].co_filename) is FileKind.PROGRAM)
    return next((site_at(*each) for each in own), None)


def entry_site(frame: FrameType | None) -> CallSite:
    """The line by which the thread that runs now has come into the program: the outermost one at or above `frame`."""
    usual = call_site(frame)
    own = [each for each in _frames(frame) if kind_of(each[0].co_filename) is FileKind.PROGRAM]
    return site_at(*own[-1]) if own else usual

"""Where in a program a socket call was made: the line that its author wrote, and the library's own where one is between."""

from __future__ import annotations

import os
import socket
from enum import IntEnum
from types import CodeType, FrameType
from typing import NamedTuple


class Place(NamedTuple):
    """A line of the program. library: "file:line function" of the library's line that makes the call for it, or ""."""

    file: str
    line: int
    function: str
    library: str = ""

    def __str__(self) -> str:
        between = f" (through {self.library})" if self.library else ""
        return f"{self.file}:{self.line} in {self.function}{between}"


NOWHERE = Place("<unknown>", 0, "<unknown>")


class Kind(IntEnum):
    """What a file is. A LOOP runs callbacks that somebody else has made: what called it says nothing about them.

    INSTALLED is what the program's author has most likely not written: a package, or the script that starts one.
    """

    PROGRAM = 0
    INSTALLED = 1
    LIBRARY = 2
    LOOP = 3
    PLUMBING = 4


_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_NOT_STDLIB = tuple(_STDLIB + part + os.sep for part in ("site-packages", "dist-packages", "test"))
_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep
_PACKAGE = os.path.dirname(os.path.dirname(_OWN)) + os.sep
_PACKAGES = tuple(f"{os.sep}{folder}{os.sep}" for folder in ("site-packages", "dist-packages"))
_SCRIPTS = frozenset({"bin", "Scripts"})
_SOCKET = socket.__file__
_SSL = os.path.join(os.path.dirname(_SOCKET), "ssl.py")
_LOOPS = tuple(
    os.path.join(_STDLIB, *parts)
    for parts in (("asyncio", "events.py"), ("threading.py",), ("concurrent", "futures", "thread.py"))
)
_INSTALLED_LOOPS = tuple(
    os.sep + os.path.join(*parts) for parts in (("trio", "_core", "_run.py"), ("twisted", "python", "context.py"))
)

_kinds: dict[str, Kind] = {
    _SOCKET: Kind.PLUMBING,
    _SSL: Kind.PLUMBING,
    os.path.join(_STDLIB, "asyncio", "trsock.py"): Kind.PLUMBING,
    **dict.fromkeys(_LOOPS, Kind.LOOP),
}


def kind_of(file: str) -> Kind:
    """What a code object's file is."""
    kind = _kinds.get(file)
    if kind is None:
        kind = _kinds[file] = _found_kind(file)
    return kind


def _found_kind(file: str) -> Kind:
    if file.startswith((_OWN, "<lifecycle ")):
        return Kind.PLUMBING
    if file.startswith("<frozen ") or (file.startswith(_STDLIB) and not file.startswith(_NOT_STDLIB)):
        return Kind.LIBRARY
    if file.endswith(_INSTALLED_LOOPS):
        return Kind.LOOP
    if is_own(file):
        return Kind.PROGRAM
    is_installed = any(folder in file for folder in _PACKAGES) or os.path.basename(os.path.dirname(file)) in _SCRIPTS
    return Kind.INSTALLED if is_installed else Kind.PROGRAM


def is_own(file: str) -> bool:
    """Whether the file is of this package."""
    return file.startswith(_PACKAGE)


def place_of(frame: FrameType | None) -> Place:
    """The nearest line of the program at or above `frame`.

    Where a loop or a thread is reached first, or there are installed packages alone, the nearest line of a package, and where
    there is none the library's own.
    """
    nearest: FrameType | None = None
    installed: FrameType | None = None
    while frame is not None:
        kind = kind_of(frame.f_code.co_filename)
        if kind is Kind.PROGRAM:
            return _place(frame, nearest)
        if kind is not Kind.PLUMBING and nearest is None:
            nearest = frame
        if kind is Kind.LOOP:
            break
        if kind is Kind.INSTALLED and installed is None:
            installed = frame
        frame = frame.f_back
    if installed is not None:
        return _place(installed, nearest)
    return NOWHERE if nearest is None else _place(nearest, nearest)


def _place(frame: FrameType, nearest: FrameType | None) -> Place:
    code = frame.f_code
    library = "" if nearest is None or nearest is frame else _library(nearest)
    return Place(code.co_filename, frame.f_lineno or 0, code.co_name, library)


def _library(frame: FrameType) -> str:
    file = frame.f_code.co_filename
    for folder in _PACKAGES:
        file = file.rpartition(folder)[2]
    return f"{file.removeprefix(_STDLIB)}:{frame.f_lineno} {frame.f_code.co_name}"


_KEEPERS = frozenset(
    os.path.join(_STDLIB, "multiprocessing", file) for file in ("managers.py", "forkserver.py", "resource_sharer.py")
)
"""files of the standard library whose sockets last as long as their process, by design"""


def is_kept_by_design(frame: FrameType | None) -> bool:
    """Whether a socket that is made at `frame` belongs to a part of the standard library that never closes it."""
    while frame is not None and kind_of(frame.f_code.co_filename) > Kind.INSTALLED:
        if frame.f_code.co_filename in _KEEPERS:
            return True
        frame = frame.f_back
    return False


RACES_BY_DESIGN = frozenset({(os.path.join(_STDLIB, "asyncio", "selector_events.py"), "_write_to_self")})
"""functions of the standard library that may be overtaken by a close, are ready for it, and lose nothing by it"""


def races_by_design(frame: FrameType) -> bool:
    """Whether the call that `frame` makes may be overtaken by a close without harm."""
    caller = frame.f_back
    return caller is not None and (caller.f_code.co_filename, caller.f_code.co_name) in RACES_BY_DESIGN


SHOWING = frozenset({"getsockname", "getpeername"})
"""the calls that repr() makes, which is no step of the program's, and may be the interpreter's own, for a warning"""


def is_shown(frame: FrameType) -> bool:
    """Whether the call at `frame` is made to show the socket."""
    caller = frame.f_back
    while caller is not None and kind_of(caller.f_code.co_filename) is Kind.PLUMBING:
        if caller.f_code.co_name == "__repr__":
            return True
        caller = caller.f_back
    return False


PROBES = frozenset({(_SSL, "_create")})
"""functions of the standard library that ask a question by making a call, and take an error for the answer"""

QUESTIONS = frozenset({"getsockname", "getpeername", "getsockopt", "shutdown"})
"""calls that a careful library makes without knowing the state: it asks, or says a farewell, and expects an error"""


_WRAPPERS = 3  # frames of libraries between the call and what asks by it


def is_probe(frame: FrameType, call: str, *, is_over: bool) -> bool:
    """Whether the call that `frame` makes is a question to which an error is an answer; is_over: the socket is closed."""
    is_question = call in QUESTIONS
    is_farewell = is_over and call == "shutdown"  # said again, to nobody, and without any effect
    caller: FrameType | None = frame
    passed = 0
    while caller is not None and passed < _WRAPPERS:
        code = caller.f_code
        kind = kind_of(code.co_filename)
        if (code.co_filename, code.co_name) in PROBES:
            return True
        if kind is Kind.LOOP:
            return False
        if kind is not Kind.PLUMBING:
            if is_question and _is_guarded(code, caller.f_lasti):
                return is_farewell or kind is not Kind.PROGRAM
            if kind is Kind.PROGRAM:
                return False
            passed += 1
        caller = caller.f_back
    return False


def is_file(frame: FrameType) -> bool:
    """Whether the call is made by a file that lies over the socket."""
    return frame.f_code.co_filename == _SOCKET and frame.f_code.co_name in ("write", "readinto")


def _is_guarded(code: CodeType, instruction: int) -> bool:
    """Whether the instruction at that offset stands in a `try` or a `with`."""
    table = iter(code.co_exceptiontable)

    def number() -> int:
        byte = next(table)
        value = byte & 63
        while byte & 64:
            byte = next(table)
            value = value << 6 | byte & 63
        return value

    try:
        while True:
            start, length = number() * 2, number() * 2
            number()  # the handler's place
            number()  # and its depth
            if start <= instruction < start + length:
                return True
    except StopIteration:
        return False

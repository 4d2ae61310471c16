"""The place of a socket call: the line of the program, and the line of the library if a library makes the call."""

from __future__ import annotations

import os
import socket
import sys
from enum import IntEnum
from types import CodeType, FrameType
from typing import NamedTuple


class CallSite(NamedTuple):
    """A line of the program.

    library: "file:line function" of the library that makes the call for it, or "". asked: the library's function that the line
    calls, or "".
    """

    file: str
    line: int
    function: str
    library: str = ""
    asked: str = ""

    def __str__(self) -> str:
        between = f" (through {self.library})" if self.library else ""
        return f"{self.file}:{self.line} in {self.function}{between}"

    def as_data(self) -> dict[str, str | int]:
        """The place for JSON."""
        return {"file": self.file, "line": self.line, "function": self.function, "library": self.library}


UNKNOWN = CallSite("<unknown>", 0, "<unknown>")


class FileKind(IntEnum):
    """The owner of a source file.

    PROGRAM: the code under test. INSTALLED: a package, or the script that starts one. LIBRARY: the standard library.
    LOOP: an event loop or a thread's start; its callers are not responsible for the callbacks it runs.
    INTERNAL: `socket`, `ssl` and the checker itself, which are never reported.
    """

    PROGRAM = 0
    INSTALLED = 1
    LIBRARY = 2
    LOOP = 3
    INTERNAL = 4


_PROGRAM, _INSTALLED, _LIBRARY, _LOOP, _INTERNAL = FileKind

STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_NOTSTDLIB = tuple(STDLIB + part + os.sep for part in ("site-packages", "dist-packages", "test"))
_CHECKER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LIFECYCLE = os.path.dirname(os.path.dirname(_CHECKER)) + os.sep
_PACKAGES = tuple(f"{os.sep}{folder}{os.sep}" for folder in ("site-packages", "dist-packages"))
_SCRIPTS = frozenset({"bin", "Scripts"})
SOCKET = socket.__file__
SSL = os.path.join(os.path.dirname(SOCKET), "ssl.py")
_LOOPS = tuple(
    os.path.join(STDLIB, *parts)
    for parts in (("asyncio", "events.py"), ("threading.py",), ("concurrent", "futures", "thread.py"))
)
_INSTALLED_LOOPS = tuple(
    os.sep + os.path.join(*parts) for parts in (("trio", "_core", "_run.py"), ("twisted", "python", "context.py"))
)


class _Kinds(dict[str, FileKind]):
    def __missing__(self, file: str) -> FileKind:
        kind = self[file] = _find_kind(file)
        if kind is _PROGRAM and not is_in_lifecycle(file):
            followed.add(file)
        return kind


kinds = _Kinds(
    {
        SOCKET: FileKind.INTERNAL,
        SSL: FileKind.INTERNAL,
        os.path.join(STDLIB, "asyncio", "trsock.py"): FileKind.INTERNAL,
        **dict.fromkeys(_LOOPS, FileKind.LOOP),
    }
)
"""the owners of the files"""

followed: set[str] = set()
"""the files seen so far that belong to the program, and not to this package"""


def kind_of(file: str) -> FileKind:
    """The owner of the file of a code object."""
    return kinds[file]


def _find_kind(file: str) -> FileKind:
    if file.startswith((_CHECKER, "<lifecycle ")):
        return FileKind.INTERNAL
    if file.startswith("<frozen ") or (file.startswith(STDLIB) and not file.startswith(_NOTSTDLIB)):
        return FileKind.LIBRARY
    if file.endswith(_INSTALLED_LOOPS):
        return FileKind.LOOP
    if is_in_lifecycle(file):
        return FileKind.PROGRAM
    is_installed = any(folder in file for folder in _PACKAGES) or os.path.basename(os.path.dirname(file)) in _SCRIPTS
    return FileKind.INSTALLED if is_installed else FileKind.PROGRAM


_MAKERS = frozenset({"new_event_loop", "get_event_loop", "_get_event_loop"})
"""functions of a loop's file that the program calls, so that their caller is responsible"""


def is_loop(code: CodeType) -> bool:
    """Whether the code belongs to an event loop or a thread's start, which runs callbacks."""
    return kind_of(code.co_filename) is FileKind.LOOP and code.co_name not in _MAKERS


def is_in_lifecycle(file: str) -> bool:
    """Whether the file belongs to this package."""
    return file.startswith(_LIFECYCLE)


def call_site(frame: FrameType | None) -> CallSite:
    """The nearest line of the program at or above `frame`.

    Where a loop or a thread is reached first, or only installed packages are on the stack, it is the nearest line of a
    package, and without one the library's own line.
    """
    while frame is not None and kinds[frame.f_code.co_filename] is _INTERNAL:
        frame = frame.f_back
    if frame is None:
        return UNKNOWN
    nearest = asked = frame
    installed = None
    while frame is not None:
        kind = kinds[frame.f_code.co_filename]
        if kind is not _LIBRARY:
            if kind is _PROGRAM:
                return site_at(frame.f_code, frame.f_lasti) if frame is nearest else _site(frame, nearest, asked)
            if kind is _INSTALLED:
                installed = installed or frame
            elif kind is _LOOP and frame.f_code.co_name not in _MAKERS:
                break
        asked, frame = frame, frame.f_back
    return _site(installed or nearest, nearest, nearest)


def is_in_program(frame: FrameType | None) -> bool:
    """Whether call_site() finds a line of the program at or above `frame`."""
    while frame is not None:
        kind = kinds[frame.f_code.co_filename]
        if kind is _PROGRAM or (kind is _LOOP and frame.f_code.co_name not in _MAKERS):
            return kind is _PROGRAM
        frame = frame.f_back
    return False


_sites: dict[tuple[int, ...], tuple[CallSite, tuple[CodeType, ...]]] = {}  # with the codes, whose id() the keys have
_MANY = 10_000


def site_at(code: CodeType, instruction: int) -> CallSite:
    """The line of the instruction at that offset."""
    known = _sites.get((id(code), instruction))
    if known is None:
        lines = (line for first, end, line in code.co_lines() if first <= instruction < end)
        site = CallSite(code.co_filename, next(lines, None) or code.co_firstlineno, code.co_name)
        known = _remember((id(code), instruction), site, code)
    return known[0]


def _site(frame: FrameType, nearest: FrameType, asked: FrameType) -> CallSite:
    code, behind, called = frame.f_code, nearest.f_code, asked.f_code
    key = id(code), frame.f_lasti, id(behind), nearest.f_lasti, id(called)
    known = _sites.get(key)
    if known is None:
        through = (_library(nearest), called.co_name) if frame is not nearest else ()
        known = _remember(key, CallSite(code.co_filename, frame.f_lineno or 0, code.co_name, *through), code, behind, called)
    return known[0]


def _remember(key: tuple[int, ...], site: CallSite, *codes: CodeType) -> tuple[CallSite, tuple[CodeType, ...]]:
    if len(_sites) > _MANY:
        _sites.clear()
    known = _sites[key] = site, codes
    return known


def _library(frame: FrameType) -> str:
    file = frame.f_code.co_filename
    for folder in _PACKAGES:
        file = file.rpartition(folder)[2]
    return f"{file.removeprefix(STDLIB)}:{frame.f_lineno} {frame.f_code.co_name}"


_OPEN_FOR_EVER = frozenset(
    os.path.join(STDLIB, "multiprocessing", file) for file in ("managers.py", "forkserver.py", "resource_sharer.py")
)
"""files of the standard library whose sockets stay open as long as their process, by design"""
_THEIR_BASE = "multiprocessing.connection"  # which all of them import


def is_open_for_ever(frame: FrameType | None) -> bool:
    """Whether a socket that is made at `frame` belongs to a part of the standard library that never closes it."""
    if _THEIR_BASE not in sys.modules:
        return False
    while frame is not None and kind_of(frame.f_code.co_filename) > FileKind.INSTALLED:
        if frame.f_code.co_filename in _OPEN_FOR_EVER:
            return True
        frame = frame.f_back
    return False


def is_file(frame: FrameType) -> bool:
    """Whether a file object over the socket makes the call."""
    return frame.f_code.co_filename == SOCKET and frame.f_code.co_name in ("write", "readinto")

"""Where a program made a socket call: the line that its author wrote, and the library's line where one lies between."""

from __future__ import annotations

import os
import socket
from enum import IntEnum
from types import CodeType, FrameType
from typing import NamedTuple


class CallSite(NamedTuple):
    """A line of the program. library: "file:line function" of the library that makes the call for it, or ""."""

    file: str
    line: int
    function: str
    library: str = ""

    def __str__(self) -> str:
        between = f" (through {self.library})" if self.library else ""
        return f"{self.file}:{self.line} in {self.function}{between}"


UNKNOWN = CallSite("<unknown>", 0, "<unknown>")


class FileKind(IntEnum):
    """What a source file belongs to.

    PROGRAM: the code under test. INSTALLED: a package, or the script that starts one. LIBRARY: the standard library.
    LOOP: an event loop or a thread's start; its callers are not responsible for the callbacks it runs.
    INTERNAL: `socket`, `ssl` and the checker itself, which are never reported.
    """

    PROGRAM = 0
    INSTALLED = 1
    LIBRARY = 2
    LOOP = 3
    INTERNAL = 4


_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_NOT_STDLIB = tuple(_STDLIB + part + os.sep for part in ("site-packages", "dist-packages", "test"))
_CHECKER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LIFECYCLE = os.path.dirname(os.path.dirname(_CHECKER)) + os.sep
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

_kinds: dict[str, FileKind] = {
    _SOCKET: FileKind.INTERNAL,
    _SSL: FileKind.INTERNAL,
    os.path.join(_STDLIB, "asyncio", "trsock.py"): FileKind.INTERNAL,
    **dict.fromkeys(_LOOPS, FileKind.LOOP),
}


def kind_of(file: str) -> FileKind:
    """What the file of a code object belongs to."""
    kind = _kinds.get(file)
    if kind is None:
        kind = _kinds[file] = _find_kind(file)
    return kind


def _find_kind(file: str) -> FileKind:
    if file.startswith((_CHECKER, "<lifecycle ")):
        return FileKind.INTERNAL
    if file.startswith("<frozen ") or (file.startswith(_STDLIB) and not file.startswith(_NOT_STDLIB)):
        return FileKind.LIBRARY
    if file.endswith(_INSTALLED_LOOPS):
        return FileKind.LOOP
    if is_in_lifecycle(file):
        return FileKind.PROGRAM
    is_installed = any(folder in file for folder in _PACKAGES) or os.path.basename(os.path.dirname(file)) in _SCRIPTS
    return FileKind.INSTALLED if is_installed else FileKind.PROGRAM


def is_in_lifecycle(file: str) -> bool:
    """Whether the file belongs to this package."""
    return file.startswith(_LIFECYCLE)


def call_site(frame: FrameType | None) -> CallSite:
    """The nearest line of the program at or above `frame`.

    Where a loop or a thread is reached first, or only installed packages are on the stack, it is the nearest line of a
    package, and without one the library's own line.
    """
    nearest: FrameType | None = None
    installed: FrameType | None = None
    while frame is not None:
        kind = _kinds.get(frame.f_code.co_filename)
        if kind is None:
            kind = kind_of(frame.f_code.co_filename)
        if kind is FileKind.PROGRAM:
            return _site(frame, nearest)
        if kind is not FileKind.INTERNAL and nearest is None:
            nearest = frame
        if kind is FileKind.LOOP:
            break
        if kind is FileKind.INSTALLED and installed is None:
            installed = frame
        frame = frame.f_back
    if installed is not None:
        return _site(installed, nearest)
    return UNKNOWN if nearest is None else _site(nearest, nearest)


def _site(frame: FrameType, nearest: FrameType | None) -> CallSite:
    code = frame.f_code
    library = "" if nearest is None or nearest is frame else _library(nearest)
    return CallSite(code.co_filename, frame.f_lineno or 0, code.co_name, library)


def _library(frame: FrameType) -> str:
    file = frame.f_code.co_filename
    for folder in _PACKAGES:
        file = file.rpartition(folder)[2]
    return f"{file.removeprefix(_STDLIB)}:{frame.f_lineno} {frame.f_code.co_name}"


_OPEN_FOR_EVER = frozenset(
    os.path.join(_STDLIB, "multiprocessing", file) for file in ("managers.py", "forkserver.py", "resource_sharer.py")
)
"""files of the standard library whose sockets stay open as long as their process, by design"""


def is_open_for_ever(frame: FrameType | None) -> bool:
    """Whether a socket that is made at `frame` belongs to a part of the standard library that never closes it."""
    while frame is not None and kind_of(frame.f_code.co_filename) > FileKind.INSTALLED:
        if frame.f_code.co_filename in _OPEN_FOR_EVER:
            return True
        frame = frame.f_back
    return False


_SAFE_RACES = frozenset({(os.path.join(_STDLIB, "asyncio", "selector_events.py"), "_write_to_self")})
"""(file, function) of the standard library whose call may run while the socket is closed, and that expects it"""


def is_safe_race(frame: FrameType) -> bool:
    """Whether the socket may be closed during the call that `frame` makes without harm."""
    caller = frame.f_back
    return caller is not None and (caller.f_code.co_filename, caller.f_code.co_name) in _SAFE_RACES


def is_in_repr(frame: FrameType) -> bool:
    """Whether repr() of the socket makes the call at `frame`; the interpreter does so too, for a warning."""
    caller = frame.f_back
    while caller is not None and kind_of(caller.f_code.co_filename) is FileKind.INTERNAL:
        if caller.f_code.co_name == "__repr__":
            return True
        caller = caller.f_back
    return False


_PROBES = frozenset({(_SSL, "_create")})
"""(file, function) of the standard library that makes a call to learn the state from its error"""

_WRAPPERS = 3  # library frames between the call and the `try` around it


def is_probe(frame: FrameType, *, may_ask: bool, is_harmless: bool) -> bool:
    """Whether the call that `frame` makes is a question to which an error is a valid answer.

    may_ask: the call is one by which libraries ask, inside a `try`. is_harmless: it has no effect, so that the program itself
    may make it inside a `try` too.
    """
    caller: FrameType | None = frame
    passed = 0
    while caller is not None and passed < _WRAPPERS:
        code = caller.f_code
        kind = kind_of(code.co_filename)
        if (code.co_filename, code.co_name) in _PROBES:
            return True
        if kind is FileKind.LOOP:
            return False
        if kind is not FileKind.INTERNAL:
            if may_ask and _is_guarded(code, caller.f_lasti):
                return is_harmless or kind is not FileKind.PROGRAM
            if kind is FileKind.PROGRAM:
                return False
            passed += 1
        caller = caller.f_back
    return False


def is_file(frame: FrameType) -> bool:
    """Whether a file object over the socket makes the call."""
    return frame.f_code.co_filename == _SOCKET and frame.f_code.co_name in ("write", "readinto")


def _is_guarded(code: CodeType, instruction: int) -> bool:
    """Whether the instruction at that offset is inside a `try` or a `with`, by the code's exception table."""
    table = iter(getattr(code, "co_exceptiontable", b""))  # PyPy has none

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
            number()  # the handler's offset
            number()  # and its stack depth
            if start <= instruction < start + length:
                return True
    except StopIteration:
        return False

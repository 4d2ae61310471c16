"""Legal calls that lose something: the rest of a send, the data before a close(), time in a loop, the effect of an option."""

from __future__ import annotations

import _socket
import dis
import gc
import io
import socket
import struct
import sys
from _thread import get_ident
from collections.abc import Callable
from functools import cache
from types import CodeType, FrameType
from typing import Any, Protocol

from lifecycle.checking import checkers
from lifecycle.checking.call_sites import CallSite, FileKind, call_site, is_file, kind_of
from lifecycle.checking.guards import is_tried
from lifecycle.checking.observed import INTERNET, ObservedState
from lifecycle.checking.track import SocketTrack
from lifecycle.roles.options import has_a_time, set_too_late
from lifecycle.roles.python.hazards import PART_LOST, READS_ON, SET_TOO_LATE, Hazard
from lifecycle.roles.python.words import ENDS_OF_A_LOOP, SENDS_ONE, SETS_OPTION, TAKES_PART

_raw = _socket.socket

SIZED = (bytes, bytearray, memoryview)
"""types of data whose len() is not code of the program"""


class Ended(Protocol):
    """A call that has ended. state: the one before it. row: the call whose row in the table applies."""

    track: SocketTrack
    state: ObservedState
    call: str
    row: str
    frame: FrameType
    arguments: tuple[Any, ...]


receivers: list[Callable[[Ended], None]] = []
"""Functions that are called with each legal call that has ended"""

_ends: dict[int, CallSite] = {}


def end_site() -> CallSite | None:
    """The place where this thread last received the end of a stream."""
    return _ends.get(get_ident())


def forget() -> None:
    """Forget the ends of streams."""
    _ends.clear()


def report(hazard: Hazard, ended: Ended, reason: str = "") -> None:
    """Report a hazard at the call."""
    checkers.report_hazard(hazard, ended.track, ended.call, call_site(ended.frame), state=ended.state, reason=reason)


def look(ended: Ended, outcome: str | None, after: ObservedState, result: Any) -> None:
    """A legal call has ended: report a loss, or that it came too late."""
    for told in tuple(receivers):
        told(ended)
    if outcome == "eof":
        _ends[get_ident()] = call_site(ended.frame)
    if outcome == "ok" and ended.row in TAKES_PART and ended.state.facts.is_linked:
        caller = ended.frame.f_back
        if result < _size(ended) and caller is not None and _drops_result(caller, ended.track):
            report(PART_LOST, ended)
    elif outcome == "eof" and after is ended.state:
        _count_end(ended)
    elif outcome is not None and ended.row == SETS_OPTION:  # else the arguments were wrong, and the system was not asked
        _look_at_option(ended)


def _look_at_option(ended: Ended) -> None:
    """Report an option that is set too late; one that was set in time keeps its effect when it is set again."""
    if ended.track.family not in INTERNET or not has_a_time(ended.arguments):  # a local path is taken by one socket only
        return
    option, track = (int(ended.arguments[0]), int(ended.arguments[1])), ended.track
    reason = set_too_late(ended.state.facts, *ended.arguments[:3])
    if not reason:
        track.set_in_time = track.set_in_time | {option} if ended.arguments[2] else track.set_in_time - {option}
    elif option not in track.set_in_time and not track.adopted and not is_tried(ended.frame):
        report(SET_TOO_LATE, ended, reason)


def took_all(buffers: object, count: int) -> bool:
    """Whether sendmsg() sent all of these; True if only reading them, perhaps for the only time, would show it."""
    if type(buffers) not in (list, tuple) or not all(type(each) in SIZED for each in buffers):  # type: ignore[attr-defined]
        return True
    return count == sum(map(len, buffers))  # type: ignore[call-overload]


def _size(ended: Ended) -> int:
    """The number of bytes passed to the call; 0 if that is not known any more."""
    given = ended.arguments[0]
    if ended.row == SENDS_ONE:
        return memoryview(given).nbytes
    return sum(memoryview(each).nbytes for each in given) if type(given) in (list, tuple) else 0


def _count_end(ended: Ended) -> None:
    """Report a line that receives the end of the stream again and again."""
    caller, track = ended.frame.f_back, ended.track
    if caller is not None:
        here = caller.f_code, caller.f_lasti
        track.ends_in_a_row = track.ends_in_a_row + 1 if track.end_seen_at == here else 1
        track.end_seen_at = here
        if track.ends_in_a_row == ENDS_OF_A_LOOP:
            report(READS_ON, ended)


def _drops_result(caller: FrameType, track: SocketTrack) -> bool:
    """Whether the code that makes the call drops its result."""
    if is_file(caller):  # without a buffer it returns what it got; a buffer sends the rest
        file, behind = caller.f_locals.get("self"), caller.f_back
        is_own = behind is not None and any(each() is file for each in track.unbuffered)
        return is_own and behind is not None and _is_dropped(behind.f_code, behind.f_lasti) and not _is_buffered(file)
    return kind_of(caller.f_code.co_filename) is not FileKind.INTERNAL and _is_dropped(caller.f_code, caller.f_lasti)


def _is_buffered(file: object) -> bool:
    """Whether the program has put a buffer over the file."""
    return any(isinstance(each, (io.BufferedWriter, io.BufferedRWPair)) for each in gc.get_referrers(file))


@cache
def _is_dropped(code: CodeType, instruction: int) -> bool:
    behind = (each for each in dis.get_instructions(code) if each.offset > instruction)
    following = next(behind, None)
    return following is not None and following.opname == "POP_TOP"


_ZERO = bytes(4)

if sys.platform == "win32":

    def takes_back(sock: socket.socket) -> bool:
        """Whether close() resets the connection and drops data that the peer has not yet got."""
        return False

else:
    import fcntl
    import termios

    def takes_back(sock: socket.socket) -> bool:
        """Whether close() resets the connection and drops data that the peer has not yet got."""
        try:
            number = _raw.fileno(sock)
            count = bytearray(_ZERO)  # half the time of bytes
            fcntl.ioctl(number, termios.FIONREAD, count)
            if count == _ZERO or fcntl.ioctl(number, termios.TIOCOUTQ, _ZERO) == _ZERO:
                return False
            return sock.family != socket.AF_UNIX and not _aborts(sock)  # a local peer still gets what is in its buffer
        except (OSError, ValueError):  # the descriptor is gone already
            return False


def is_secured(sock: socket.socket) -> bool:
    """Whether it is a socket of `ssl`."""
    return type(sock) is not socket.socket and hasattr(sock, "_sslobj")


def _aborts(sock: socket.socket) -> bool:
    """Whether the program has asked for a reset, by SO_LINGER with a time of 0."""
    is_on, seconds = struct.unpack("ii", _raw.getsockopt(sock, socket.SOL_SOCKET, socket.SO_LINGER, 8))
    return bool(is_on) and seconds == 0

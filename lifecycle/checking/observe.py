"""The work around a watched call: the state in which it began, its end, and the findings that follow.

The methods in drop_in.py handle the usual case in their own frame: a frequent call that changes nothing. All other calls come
here.
"""

from __future__ import annotations

import _socket
import socket
import sys
from _thread import _count
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from lifecycle.checking import checkers, inherited, losses, registered
from lifecycle.checking.call_sites import SOCKET, FileKind, followed, kind_of
from lifecycle.checking.concurrent_close import InFlight, in_flight, judge_overdue, socket_closed, suspects
from lifecycle.checking.guards import Standing, is_in_finalizer, is_in_repr, is_safe_race, standing
from lifecycle.checking.losses import is_secured, takes_back
from lifecycle.checking.milestones import Milestone, ended_so
from lifecycle.checking.observed import STREAM, ObservedState, corrected
from lifecycle.checking.observed_call import ObservedCall
from lifecycle.checking.outcomes import RESULTS, outcome_of_error, outcome_of_result
from lifecycle.checking.registry import Unchecked, accepted, drop_inode, hand_over, live, note_number, track_of
from lifecycle.checking.track import SocketTrack, clock, getframe
from lifecycle.checking.waiting import ASKERS
from lifecycle.roles.python.hazards import (
    FINALIZED,
    RESET_BY_CLOSE,
)
from lifecycle.roles.python.words import (
    KEEPS_DESCRIPTOR,
    QUESTIONS,
    SHOWN,
    TAKES_PART,
    WITH_ADDRESS,
)
from lifecycle.roles.words import CLOSE, DETACH

_STREAM_ROLE = STREAM.initial.role

_fileno = _socket.socket.fileno
_CLOSE = CLOSE.name


class _Absent(int):
    """A zero that no program has passed."""


MISSING: Final = object()
"""the default of a parameter that has none in the original"""

ABSENT: Final = _Absent(0)
"""the default of a parameter that can also be given by name: equal to the original's zero, but distinguishable from it"""


def given(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The positional arguments as the program passed them: those before the first default."""
    for number, argument in enumerate(arguments):
        if argument is MISSING or argument is ABSENT:
            return arguments[:number]
    return arguments


def checked(
    sock: socket.socket, call: str, original: Callable[..., Any], arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> Any:
    """Make a call, and record all of it; the caller is a watched method."""
    track = getattr(sock, "_closed", None)
    if type(track) is not SocketTrack:
        track = track_of(sock)
        if track is None:
            return original(sock, *arguments, **keywords)
    at = track.at
    state = at.state
    if call in state.simple:
        began = clock()
        try:
            result = original(sock, *arguments, **keywords) if keywords else original(sock, *arguments)
            finish_at_once(track, at, call, arguments, result, sys._getframe(1), began)
            return result
        except BaseException as error:
            fail_at_once(track, at, call, sys._getframe(1), arguments, error, began)
            raise
        finally:
            del sock, arguments, keywords  # a kept traceback must not hold the program's objects
    frame = sys._getframe(1)
    if call in SHOWN and is_in_repr(frame):
        return original(sock, *arguments, **keywords)
    arguments = given(arguments)
    row = WITH_ADDRESS[call] if call in WITH_ADDRESS and _has_address(arguments, keywords) else call
    judged = Standing.QUESTION if row in state.legal else _standing(track, sock, row, frame)
    illegal = judged is not Standing.QUESTION
    current = ObservedCall(track, call, frame, arguments, row=row, illegal=illegal, is_note=judged is Standing.NOTE)
    try:
        if illegal:
            current.refuse_or_predict(type(sock).__name__)
        try:
            result = original(sock, *arguments, **keywords)
        except BaseException as error:
            current.ended(outcome_of_error(current.state, row, error), error=error)
            raise
        current.ended(outcome_of_result(current.state, row, arguments, result), result=result)
        return result
    finally:
        del sock, arguments, keywords, frame, current  # a kept traceback must not hold the program's objects


def _began(
    track: SocketTrack, state: ObservedState, call: str, frame: FrameType, arguments: tuple[Any, ...], began: float | None
) -> ObservedCall:
    """A call that began before, in `state`."""
    current = ObservedCall(track, call, frame, arguments)
    current.state = state
    if began is not None:
        current.began = began
    return current


def finish_at_once(
    track: SocketTrack,
    at: Milestone,
    call: str,
    arguments: tuple[Any, ...],
    result: Any,
    frame: FrameType,
    began: float | None = None,
) -> None:
    """A call has returned that was legal when it began, at the milestone `at`. frame: the watched method's."""
    classify = RESULTS.get(call)
    outcome = "ok" if classify is None else classify(at.state, arguments, result)
    ended = ended_so(call, outcome)
    after = at.steps[ended]
    if after is None or track.at is not at or losses.receivers or call in TAKES_PART:
        _began(track, at.state, call, frame, arguments, began).ended(outcome, result=result)
    elif after is not at:
        track.step(ended, after, frame.f_back or frame)


def fail_at_once(
    track: SocketTrack,
    at: Milestone,
    call: str,
    frame: FrameType,
    arguments: tuple[Any, ...],
    error: BaseException,
    began: float | None = None,
) -> None:
    """A call has raised that was legal when it began; one that would only have to wait is noted once."""
    if type(error) is BlockingIOError and (call, "pending") in at.reached.noted and track.at is at:
        return
    _began(track, at.state, call, frame, arguments, began).ended(outcome_of_error(at.state, call, error), error=error)


def finish_silently(track: SocketTrack | Unchecked, call: str, arguments: tuple[Any, ...], result: Any) -> None:
    """A frequent call has returned an unusual result."""
    if not isinstance(track, Unchecked):
        current = _begun_before(track, call, sys._getframe(1), arguments)
        outcome = outcome_of_result(current.state, call, arguments, result)
        if outcome != "ok" or track.state.final:
            current.ended(outcome, result=result)
        else:
            losses.look(current, outcome, current.state, result)


def fail_silently(track: SocketTrack | Unchecked, call: str, error: BaseException) -> None:
    """A frequent call has raised; it was legal when it began."""
    if isinstance(track, Unchecked) or (type(error) is BlockingIOError and call in track.state.legal):
        return
    current = _begun_before(track, call, sys._getframe(1))
    current.ended(outcome_of_error(current.state, call, error), error=error)


def closing(sock: socket.socket) -> SocketTrack | None:
    """The socket is about to be closed for good. Returns its track where it is the first close, else None."""
    track = live.get(id(sock))
    if track is None:
        track = track_of(sock)
        if track is None:
            return None
    at = track.at
    state = at.state
    if state.final:
        return None
    if suspects:
        judge_overdue()
    frame, is_forgotten = getframe(2), track.forgotten
    caller = (frame.f_back or frame) if frame.f_code.co_filename == SOCKET else frame
    if not is_forgotten and caller.f_code.co_filename not in followed:
        is_forgotten = is_in_finalizer(caller)
    calls = [each for each in in_flight(sock) if _may_stay(state, sock, each)] if _count() and not is_forgotten else ()
    if at.may_reset:
        is_last = track.group is None or len(track.group) == 1  # the system's socket is closed with its last object
        if is_last and not is_secured(sock) and takes_back(sock):
            losses.report(RESET_BY_CLOSE, ObservedCall(track, _CLOSE, frame))
    elif state.listens:
        inherited.note_closed(track, _fileno(sock))
    after = at.steps[_CLOSE]
    if after is None:
        ObservedCall(track, _CLOSE, frame).ended("ok")
    else:
        track.step(_CLOSE, after, caller)
    if track.inode:
        drop_inode(track)
    if is_forgotten:
        checkers.report_hazard(FINALIZED, track, _CLOSE, track.made, state=state)
    for each in calls:
        socket_closed(track, state, each, _fileno(sock))
    if registered.in_use:
        registered.closed(track, _fileno(sock))
    return track


def close_failed(track: SocketTrack, number: int | None) -> None:
    """The first close of the socket has raised the error `number`."""
    current = ObservedCall(track, _CLOSE, sys._getframe(1))
    current.state = track.at.reached.before
    current.check_descriptor(number)


def detached(track: SocketTrack | None, number: int) -> None:
    """The descriptor was handed out: an object that is made of it begins in this one's state."""
    if track is not None and not track.state.final and number != -1:
        hand_over(number, track.state, is_new=not track.adopted)
        ObservedCall(track, DETACH.name, sys._getframe(1)).ended("ok")
        if kind_of(sys._getframe(2).f_code.co_filename) is FileKind.PROGRAM:
            note_number(number, track)
        drop_inode(track)


def duplicated(sock: socket.socket, other: socket.socket) -> None:
    """`other` was made over the same socket of the system."""
    track, twin = track_of(sock), track_of(other)
    if track is not None and twin is not None and not track.state.final:
        track.join(twin)


def note_accepted(sock: socket.socket, number: int) -> None:
    """A listener has returned the descriptor of a connection, of which an object is about to be made."""
    track = sock._closed  # type: ignore[attr-defined]
    if type(track) is not SocketTrack:
        track = track_of(sock)
    if track is not None and track.state.role is _STREAM_ROLE:
        accepted[number] = track


def descriptor_requested(track: SocketTrack) -> None:
    """The program asks for the descriptor, perhaps to wait for it."""
    frame = sys._getframe(1)
    caller = frame.f_back
    if caller is None:
        return
    call = ASKERS.get(id(caller.f_code), "fileno")
    if call == "fileno" and kind_of(caller.f_code.co_filename) is FileKind.INTERNAL:
        return
    track.at = track.at.but(watched=True)
    if track.state.after("fileno", "ok") is not track.state:
        ObservedCall(track, call, frame, row="fileno").ended("ok")


def _begun_before(track: SocketTrack, call: str, frame: FrameType, arguments: tuple[Any, ...] = ()) -> ObservedCall:
    """A call that began in a state in which it was legal; the socket may have been closed since."""
    current = ObservedCall(track, call, frame, arguments)
    if current.state.final:
        current.state = track.at.reached.before
    return current


def _has_address(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    return (len(arguments) > 3 and arguments[3] is not None) or bool(keywords)


def _standing(track: SocketTrack, sock: socket.socket, row: str, frame: FrameType) -> Standing:
    """How the role judges the call; the system is asked first, since another object may have changed the state."""
    caller = frame.f_back
    state = corrected(track.state, sock)
    track.enter(state)
    if row in state.legal:
        return Standing.QUESTION
    if caller is None:
        return Standing.MISTAKE
    return standing(caller, asks=row in QUESTIONS, expected=state.expects_an_answer(row), is_over=state.is_over)


def _may_stay(state: ObservedState, sock: socket.socket, call: InFlight) -> bool:
    """Whether the call goes on when its socket is closed: it waits for the network, or it keeps the descriptor's number."""
    if call.is_wait:
        return True
    if call.call not in state.legal or is_safe_race(call.frame):
        return False
    return call.call in KEEPS_DESCRIPTOR or (sock.gettimeout() is None and state.waits(call.call))

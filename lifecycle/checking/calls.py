"""What happens around a watched call.

The methods in methods.py do the usual case, a frequent call that brings nothing new, in their own frame; all else comes here.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from lifecycle.checking.attempt import Attempt
from lifecycle.checking.inspecting import corrected
from lifecycle.checking.outcomes import outcome_of_error, outcome_of_result
from lifecycle.checking.overtaking import note_overtaken
from lifecycle.checking.phases import STREAM
from lifecycle.checking.places import SHOWING, Kind, is_probe, is_shown, kind_of, races_by_design
from lifecycle.checking.racing import running_on
from lifecycle.checking.registry import Unchecked, hand_over, track_of
from lifecycle.checking.track import Track
from lifecycle.roles.python_vocabulary import WITH_ADDRESS


class _Absent(int):
    """A zero that no program has given."""


MISSING: Final = object()
"""the default of a parameter that must be given"""

ABSENT: Final = _Absent(0)
"""the default of a parameter that can also be given by name: the zero of the original, and yet to be told from one given"""


def given(arguments: tuple[Any, ...], rest: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments by place, as the program gave them: those up to the first that it did not give."""
    for number, argument in enumerate(arguments):
        if argument is MISSING or argument is ABSENT:
            return arguments[:number]
    return arguments + rest


def checked(
    sock: socket.socket,
    call: str,
    original: Callable[..., Any],
    arguments: tuple[Any, ...],
    keywords: Mapping[str, Any],
) -> Any:
    """Make a call the long way; the caller is a watched method."""
    track = track_of(sock)
    if track is None:
        return original(sock, *arguments, **keywords)
    frame = sys._getframe(1)
    if call in SHOWING and is_shown(frame):
        return original(sock, *arguments, **keywords)
    row = WITH_ADDRESS[call] if call in WITH_ADDRESS and _has_address(arguments, keywords) else call
    forbidden = row not in track.phase.legal and _is_forbidden(track, sock, row, frame)
    attempt = Attempt(track, call, frame, arguments, row=row, forbidden=forbidden)
    try:
        if forbidden:
            attempt.refuse_or_foretell(type(sock).__name__)
        try:
            result = original(sock, *arguments, **keywords)
        except BaseException as error:
            attempt.ended(outcome_of_error(attempt.phase, row, error), error=error)
            raise
        attempt.ended(outcome_of_result(attempt.phase, row, arguments, result), result=result)
        return result
    finally:
        del sock, arguments, keywords, frame, attempt  # a traceback holds this frame, which must not hold the program's objects


def settled_quietly(track: Track | Unchecked, call: str, arguments: tuple[Any, ...], result: Any) -> None:
    """A frequent call has ended, with perhaps more than its usual result."""
    if not isinstance(track, Unchecked):
        attempt = _begun_before(track, call, sys._getframe(1), arguments)
        outcome = outcome_of_result(attempt.phase, call, arguments, result)
        if outcome != "ok" or track.phase.final:
            attempt.ended(outcome, result=result)


def failed_quietly(track: Track | Unchecked, call: str, error: BaseException) -> None:
    """A frequent call has raised; it was legal when it began."""
    if isinstance(track, Unchecked) or (type(error) is BlockingIOError and call in track.phase.legal):
        return
    attempt = _begun_before(track, call, sys._getframe(1))
    attempt.ended(outcome_of_error(attempt.phase, call, error), error=error)


def closing(sock: socket.socket) -> Attempt | None:
    """The socket is about to be closed for good; the call, where it is the first."""
    track = track_of(sock)
    if track is None or track.phase.final:
        return None
    attempt = Attempt(track, "close", sys._getframe(1))
    on_their_way = [
        running for running in running_on(sock) if running.call in attempt.phase.legal and not races_by_design(running.frame)
    ]
    attempt.ended("ok")
    for running in on_their_way:
        note_overtaken(track, attempt.phase, running)
    return attempt


def detached(track: Track | None, number: int) -> None:
    """The descriptor was handed out: whoever makes an object of it goes on where this one was."""
    if track is not None and not track.phase.final and number != -1:
        hand_over(number, track.phase, is_new=not track.adopted)
        Attempt(track, "detach", sys._getframe(1)).ended("ok")


def doubled(sock: socket.socket, other: socket.socket) -> None:
    """`other` was made over the same socket of the system."""
    track, twin = track_of(sock), track_of(other)
    if track is not None and twin is not None and not track.phase.final:
        track.double(twin)


def accepted(sock: socket.socket, number: int) -> None:
    """A listener has handed out a connection, of which an object is about to be made."""
    track = track_of(sock)
    if track is not None and track.phase.role is STREAM["connected"].role:
        hand_over(number, STREAM["connected"], is_new=True)


def asked_for_descriptor(track: Track) -> None:
    """Somebody wants the descriptor, perhaps to wait for it."""
    frame = sys._getframe(1)
    if frame.f_back is not None and kind_of(frame.f_back.f_code.co_filename) is not Kind.PLUMBING:
        track.watched = True
        after = track.phase.after("fileno", "ok")
        if after is not track.phase:
            Attempt(track, "fileno", frame).ended("ok")
        track.curious = "fileno" not in after.keeps


def _begun_before(track: Track, call: str, frame: FrameType, arguments: tuple[Any, ...] = ()) -> Attempt:
    """A call that began in a phase in which it was legal, and may have been overtaken by a close since."""
    attempt = Attempt(track, call, frame, arguments)
    if attempt.phase.final:
        attempt.phase = track.before
    return attempt


def _has_address(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    return (len(arguments) > 3 and arguments[3] is not None) or bool(keywords)


def _is_forbidden(track: Track, sock: socket.socket, row: str, frame: FrameType) -> bool:
    """Whether the role forbids the call; the system is asked first, since somebody else may have led the socket on."""
    caller = frame.f_back
    phase = corrected(track, sock)
    return row not in phase.legal and not (caller is not None and is_probe(caller, row, is_over=phase.final))

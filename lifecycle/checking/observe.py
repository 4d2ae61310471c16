"""What happens around a watched call: the state in which it began, how it ended, and what that says about the program.

The methods in drop_in.py handle the usual case in their own frame: a frequent call that changes nothing. All else comes here.
"""

from __future__ import annotations

import _socket
import errno
import reprlib
import socket
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from lifecycle.checking import checkers, losses, waiting
from lifecycle.checking.call_sites import FileKind, call_site, is_file, kind_of
from lifecycle.checking.concurrent_close import InFlight, call_ended, has_threads, in_flight, judge_overdue, socket_closed
from lifecycle.checking.enforced import refusal
from lifecycle.checking.guards import Standing, is_in_finalizer, is_in_repr, is_safe_race, standing
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.losses import is_secured, takes_back
from lifecycle.checking.observed import INTERNET, STREAM, ObservedState, corrected, ends_of, has_peer
from lifecycle.checking.outcomes import error_name, is_order_error, lost_descriptor, outcome_of_error, outcome_of_result
from lifecycle.checking.registry import Unchecked, drop_inode, hand_over, hand_over_new, note_number, track_of
from lifecycle.checking.settings import Mode
from lifecycle.checking.track import Event, SocketTrack, clock, thread_name
from lifecycle.engine import Kind
from lifecycle.engine.journal import RESULT, Payload
from lifecycle.roles.facts import LINKED, Link, Receives
from lifecycle.roles.python.hazards import (
    CLOSED_IN_USE,
    CLOSED_REGISTERED,
    FINALIZED,
    RESET_BY_CLOSE,
)
from lifecycle.roles.python.words import (
    ASKED,
    CONFIRMED,
    FREQUENT,
    KEEPS_DESCRIPTOR,
    QUESTIONS,
    RETURNS_ERROR,
    SHOWN,
    WATCHED,
    WITH_ADDRESS,
)
from lifecycle.roles.words import CLOSE, DETACH

LOST_DESCRIPTOR = "The descriptor was closed behind the object's back: close the object instead, or detach() it first"

_CONNECTED = STREAM.at(LINKED)

_fileno = _socket.socket.fileno

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 40


class _Absent(int):
    """A zero that no program has passed."""


MISSING: Final = object()
"""the default of a parameter that has none in the original"""

ABSENT: Final = _Absent(0)
"""the default of a parameter that can also be given by name: equal to the original's zero, but distinguishable from it"""


def given(arguments: tuple[Any, ...], rest: tuple[Any, ...]) -> tuple[Any, ...]:
    """The positional arguments as the program passed them: those before the first default, and `rest`."""
    for number, argument in enumerate(arguments):
        if argument is MISSING or argument is ABSENT:
            return arguments[:number]
    return arguments + rest


class ObservedCall:
    """A call in progress. row: the call whose row in the table applies, where an argument decides. illegal: by the role.

    is_note: the program expects that it may be illegal.
    """

    __slots__ = ("arguments", "began", "call", "frame", "illegal", "is_note", "predicted", "row", "state", "track")

    def __init__(
        self,
        track: SocketTrack,
        call: str,
        frame: FrameType,
        arguments: tuple[Any, ...] = (),
        *,
        row: str = "",
        illegal: bool = False,
        is_note: bool = False,
    ) -> None:
        self.track = track
        self.state: ObservedState = track.state
        self.call = call
        self.row = row or call
        self.frame = frame
        self.arguments = arguments
        self.illegal = illegal
        self.is_note = is_note
        self.predicted = False
        self.began = clock()

    def refuse_or_predict(self, owner: str) -> None:
        """Before the system is asked: raise IllegalCall in mode `enforce`, and report a call that would wait for ever."""
        current = checkers.active()
        if current is not None and current.mode is Mode.ENFORCE and not self.is_note and not self._is_local():
            self._note("illegal", self.state, None)
            kind = FindingKind.PORTABILITY if self._is_accepted() else FindingKind.ORDER
            if self._report(kind, ""):
                raise refusal(self.state, self.row, owner)
        sock = self.track()
        if self.state.hangs(self.row) and sock is not None and sock.gettimeout() is None:
            self.predicted = True
            self._note(None, self.state, None)
            self._report(FindingKind.ORDER, "nothing: it waits for ever")

    def ended(self, outcome: str | None, *, result: Any = None, error: BaseException | None = None) -> None:
        """The call has ended: record it, judge it, and enter the state that it leads to."""
        track, state = self.track, self.state
        now = track.state
        if now.final and not state.final:
            self._closed_meanwhile(outcome, error)
            return
        if outcome == "pending" and track.watched and state.lists(self.row, WATCHED.name):
            outcome = WATCHED.name
        elif outcome == ASKED.name and self._has_peer():
            outcome = CONFIRMED.name
        after = now if outcome is None else now.after(self.row, outcome)
        number = _error_number(self.row, result, error)
        misled = outcome is not None and state.misleads(self.row, outcome) and number in (None, errno.EPIPE)
        keep_all = checkers.keeping_all
        if after is not now or self.illegal or misled or keep_all or (self.call, outcome) not in track.known:
            self._note(outcome, after, error)
            track.enter(after)
            if keep_all:
                self._learn_ends()
            track.known.add((self.call, outcome))
            if self.illegal:
                self._judge(outcome, number)
            elif misled:
                self._report(FindingKind.ORDER, _answer(number) or "with the end of a stream that has not ended")
        if self.row in state.legal:
            self.check_descriptor(number)
            losses.look(self, outcome, after, result)
        is_usual = outcome == "ok" and after is state and self.row == self.call and self.call in state.keeps
        if is_usual and self.call in FREQUENT and not keep_all:
            setattr(track, self.call, True)

    def check_descriptor(self, number: int | None) -> None:
        """Report, once, a legal call whose error `number` means that the descriptor was closed without the object."""
        if lost_descriptor(number) and LOST_DESCRIPTOR not in self.track.reported:
            self._report(FindingKind.ORDER, _answer(number), reason=LOST_DESCRIPTOR)
            self.track.reported.add(LOST_DESCRIPTOR)

    def _is_explained(self, number: int) -> bool:
        """Whether the error comes from the state; during a connect, an illegal call returns the error of the connect."""
        return self.state.facts.link is Link.SEEKING or (is_order_error(number) and not self._is_accepted())

    def _is_accepted(self) -> bool:
        """Whether this system accepts the call although the role forbids it, and does not wait for ever."""
        return self.track.family in INTERNET and self.state.accepts(self.row) and not self.state.hangs(self.row)

    def _is_local(self) -> bool:
        """Whether the call is illegal only because of systems that do not have the socket's family."""
        return self.track.family not in INTERNET and self.state.is_local(self.row)

    def _judge(self, outcome: str | None, number: int | None) -> None:
        """Report an illegal call, by what the system made of it."""
        state = self.state
        if self.predicted:
            return  # it was reported when it began
        if state.hangs(self.row):
            self._report(FindingKind.ORDER, _answer(number) or "that nothing has arrived; nothing can")
        elif number is not None:
            if self._is_explained(number):
                self._report(FindingKind.ORDER, _answer(number))
            elif self._is_accepted() and (state.facts.failed or not is_order_error(number)):
                self._report(FindingKind.PORTABILITY, _answer(number))
        elif outcome is not None and not state.final and self.track.family in INTERNET:
            waits = state.role.outcome(outcome).kind is Kind.WAITING and outcome not in (ASKED.name, CONFIRMED.name)
            self._report(FindingKind.PORTABILITY, "that it would have to wait" if waits else "as if it were right")

    def _closed_meanwhile(self, outcome: str | None, error: BaseException | None) -> None:
        """The socket was closed while the call was running."""
        self._note(outcome, self.track.state, error)
        if self.row in self.state.legal and not is_safe_race(self.frame):
            call_ended(self.track, error)

    def _has_peer(self) -> bool:
        sock = self.track()
        return sock is not None and has_peer(sock)

    def _learn_ends(self) -> None:
        sock = self.track()
        if sock is not None and sock.fileno() != -1:
            local, peer = ends_of(sock)
            self.track.ends = (local or self.track.ends[0], peer or self.track.ends[1])

    def _report(self, kind: FindingKind, answer: str, reason: str = "") -> bool:
        """Report it once; whether it matters to the innermost checker."""
        place = self.track.events[-1].place
        if self.state.final and kind_of(place.file) is not FileKind.PROGRAM:
            closed = next((each.place for each in reversed(self.track.events) if each.call == CLOSE.name), place)
            if kind_of(closed.file) is FileKind.PROGRAM:  # no line of the program makes the call, but one has closed
                if CLOSED_REGISTERED not in self.track.reported:
                    checkers.report_hazard(CLOSED_IN_USE, self.track, self.call, closed)
                return True
        by_file = self.frame.f_back is not None and is_file(self.frame.f_back)
        mistake = (self.state.name, self.row, "a file" if by_file else place)  # a file sends again when it is closed
        is_new = mistake not in self.track.reported
        self.track.reported.add(mistake)
        kind = FindingKind.NOTE if self.is_note else kind
        about = self.track, kind, self.state, self.call, place
        return checkers.report(*about, is_new=is_new, row=self.row, answer=answer, reason=reason)

    def _shown_arguments(self) -> tuple[Any, ...]:
        """The arguments, with the length of the payload, which comes first, in its place."""
        calls = (call for call in self.track.state.role.calls if call.name == self.call)
        if self.arguments and any(call.payload not in ("", RESULT) for call in calls):
            return (Payload(self.arguments[0]), *self.arguments[1:])
        return self.arguments

    def _note(self, outcome: str | None, after: ObservedState, error: BaseException | None) -> None:
        keep_all = checkers.keeping_all
        arguments = ", ".join(map(_short.repr, self._shown_arguments())) if keep_all else ""
        place, thread = call_site(self.frame), thread_name()
        names = self.call, self.state.name, outcome, after.name
        event = Event(*names, place, thread, self.began, clock(), arguments, _text(error))
        self.track.note(event, limit=not keep_all)


def checked(
    sock: socket.socket, call: str, original: Callable[..., Any], arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> Any:
    """Make a call, and record all of it; the caller is a watched method."""
    track = getattr(sock, "_closed", None)
    if type(track) is not SocketTrack:
        track = track_of(sock)
        if track is None:
            return original(sock, *arguments, **keywords)
    frame = sys._getframe(1)
    if call in SHOWN and is_in_repr(frame):
        return original(sock, *arguments, **keywords)
    state = track.state
    if call in state.legal and call not in WITH_ADDRESS and not checkers.keeping_all:
        began = clock()
        try:
            try:
                result = original(sock, *arguments, **keywords)
            except BaseException as error:
                _began(track, state, call, frame, arguments, began).ended(outcome_of_error(state, call, error), error=error)
                raise
            outcome = outcome_of_result(state, call, arguments, result)
            after = state.steps[call, outcome]
            if after is None or track.state is not state or losses.receivers:
                _began(track, state, call, frame, arguments, began).ended(outcome, result=result)
            elif after is not state or (call, outcome) not in track.known:
                track.note_call(call, outcome, after, call_site(frame), began)
                if after is not state:
                    track.enter(after)
                elif call in FREQUENT and outcome == "ok":
                    setattr(track, call, True)
                track.known.add((call, outcome))
            return result
        finally:
            del sock, arguments, keywords, frame  # a kept traceback must not hold the program's objects
    row = WITH_ADDRESS[call] if call in WITH_ADDRESS and _has_address(arguments, keywords) else call
    judged = Standing.QUESTION if row in track.state.legal else _standing(track, sock, row, frame)
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
    track: SocketTrack, state: ObservedState, call: str, frame: FrameType, arguments: tuple[Any, ...], began: float
) -> ObservedCall:
    """A call that began before, in `state`."""
    current = ObservedCall(track, call, frame, arguments)
    current.state, current.began = state, began
    return current


def finish_silently(track: SocketTrack | Unchecked, call: str, arguments: tuple[Any, ...], result: Any) -> None:
    """A frequent call has returned something else than its usual result."""
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


def closing(sock: socket.socket) -> ObservedCall | None:
    """The socket is about to be closed for good. Returns the call where it is the first close, else None."""
    track = track_of(sock)
    if track is None or track.state.final:
        return None
    judge_overdue()
    frame, state, number = sys._getframe(1), track.state, _fileno(sock)
    current = ObservedCall(track, CLOSE.name, frame)
    place = call_site(frame)
    is_own = not place.library and kind_of(place.file) is FileKind.PROGRAM
    is_forgotten = track.forgotten or (not is_own and is_in_finalizer(frame))
    calls = [each for each in in_flight(sock) if _may_stay(state, sock, each)] if has_threads() and not is_forgotten else []
    if state.facts.receives is Receives.OPEN and not is_secured(sock) and takes_back(sock, number):
        losses.report(RESET_BY_CLOSE, current)
    if checkers.keeping_all:
        current.ended("ok")
    else:
        after = state.after(CLOSE.name, "ok")
        track.note_call(CLOSE.name, "ok", after, place, current.began)
        track.enter(after)
    drop_inode(track)
    if is_forgotten:
        checkers.report_hazard(FINALIZED, track, CLOSE.name, track.made, state=current.state)
    for each in calls:
        socket_closed(track, current.state, each, number)
    waiting.closed(track, number, place)
    return current


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


def accepted(sock: socket.socket, number: int) -> None:
    """A listener has returned the descriptor of a connection, of which an object is about to be made."""
    track = track_of(sock)
    if track is not None and track.state.role is _CONNECTED.role:
        hand_over_new(number, _CONNECTED, track.made)


def descriptor_requested(track: SocketTrack) -> None:
    """The program asks for the descriptor, perhaps to wait for it."""
    frame = sys._getframe(1)
    if frame.f_back is not None and kind_of(frame.f_back.f_code.co_filename) is not FileKind.INTERNAL:
        track.watched = True
        after = track.state.after("fileno", "ok")
        if after is not track.state:
            ObservedCall(track, "fileno", frame).ended("ok")
        track.curious = "fileno" not in after.keeps


def _begun_before(track: SocketTrack, call: str, frame: FrameType, arguments: tuple[Any, ...] = ()) -> ObservedCall:
    """A call that began in a state in which it was legal; the socket may have been closed since."""
    current = ObservedCall(track, call, frame, arguments)
    if current.state.final:
        current.state = track.before
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


def _text(error: BaseException | None) -> str:
    """The error in words; of an error that is not the system's only the name, since its words may run the program's code."""
    if error is None:
        return ""
    return f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__


def _error_number(row: str, result: Any, error: BaseException | None) -> int | None:
    """The errno of the call: from the exception or from connect_ex()'s result; None if there was no error."""
    if isinstance(error, OSError) and not isinstance(error, (BlockingIOError, socket.gaierror, socket.herror)):
        return error.errno
    return result if row in RETURNS_ERROR and isinstance(result, int) and result else None


def _answer(number: int | None) -> str:
    return "" if number is None else error_name(number)

"""A running call on a watched socket: its end, the findings that follow, and the state that it leads to."""

from __future__ import annotations

import errno
import reprlib
import socket
from types import FrameType
from typing import Any

from lifecycle.checking import checkers, inherited, losses
from lifecycle.checking.call_sites import FileKind, call_site, is_file, kind_of
from lifecycle.checking.concurrent_close import call_ended
from lifecycle.checking.enforced import refusal
from lifecycle.checking.guards import finalizes, is_asked_for, is_safe_race
from lifecycle.checking.handed import named_site
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.milestones import ended_so
from lifecycle.checking.observed import INTERNET, ObservedState, ends_of, has_peer
from lifecycle.checking.outcomes import error_name, is_order_error, lost_descriptor
from lifecycle.checking.settings import Mode
from lifecycle.checking.track import Event, SocketTrack, clock, thread_name
from lifecycle.engine import Kind
from lifecycle.engine.journal import RESULT, Payload
from lifecycle.roles.facts import Link
from lifecycle.roles.python.hazards import (
    CLOSED_IN_USE,
    CLOSED_REGISTERED,
)
from lifecycle.roles.python.words import (
    ASKED,
    CONFIRMED,
    RETURNS_ERROR,
    WATCHED,
)
from lifecycle.roles.words import CLOSE

LOST_DESCRIPTOR = "The descriptor was closed behind the object's back: close the object instead, or detach() it first"

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 40


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
        if outcome == "pending" and track.at.reached.watched and state.lists(self.row, WATCHED.name):
            outcome = WATCHED.name
        elif outcome == ASKED.name and self._has_peer():
            outcome = CONFIRMED.name
        after = now if outcome is None else now.after(self.row, outcome)
        number = _error_number(self.row, result, error)
        misled = outcome is not None and state.misleads(self.row, outcome) and number in (None, errno.EPIPE)
        keep_all = checkers.keeping_all
        ended = ended_so(self.call, outcome)
        if after is not now or self.illegal or misled or keep_all or ended not in track.at.reached.noted:
            self._note(outcome, after, error)
            track.enter(after)
            if keep_all:
                self._learn_ends()
            track.at = track.at.noting(ended)
            if self.illegal:
                self._judge(outcome, number)
            elif misled:
                self._report(FindingKind.ORDER, _answer(number) or "with the end of a stream that has not ended")
        if self.row in state.legal:
            if number == errno.EADDRINUSE and self.arguments:
                inherited.look(self.arguments[0], self.call, track.events[-1].place)
            self.check_descriptor(number)
            losses.look(self, outcome, after, result)

    def check_descriptor(self, number: int | None) -> None:
        """Report, once, a legal call whose error `number` means that the descriptor was closed without the object.

        In a finalizer it may be the collector that has closed it: it ends the objects of a cycle in any order.
        """
        if lost_descriptor(number) and LOST_DESCRIPTOR not in self.track.reported and not finalizes(self.frame):
            self._report(FindingKind.ORDER, _answer(number), reason=LOST_DESCRIPTOR)
            self.track.reported |= {LOST_DESCRIPTOR}

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
        """Report an illegal call, according to the system's answer."""
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
                if not is_asked_for(closed):
                    return False
                if CLOSED_REGISTERED not in self.track.reported:
                    checkers.report_hazard(CLOSED_IN_USE, self.track, self.call, closed)
                return True
        by_file = self.frame.f_back is not None and is_file(self.frame.f_back)
        mistake = (self.state.name, self.row, "a file" if by_file else place)  # a file sends again when it is closed
        is_new = mistake not in self.track.reported
        self.track.reported |= {mistake}
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
        place, thread = named_site(self.frame, self.call) if self.illegal else call_site(self.frame), thread_name()
        names = self.call, self.state.name, outcome, after.name
        event = Event(*names, place, thread, self.began, clock(), arguments, _text(error))
        self.track.note(event, limit=not keep_all)


def _text(error: BaseException | None) -> str:
    """The error as text; only the name if it is not the system's, since its text may run the program's code."""
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

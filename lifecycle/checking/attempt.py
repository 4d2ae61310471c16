"""One call on its way: in which phase it began, where, with what; and what is said of it when it has ended."""

from __future__ import annotations

import errno
import reprlib
import socket
import sys
from types import FrameType
from typing import Any

from lifecycle.checking import checker
from lifecycle.checking.checker import Mode
from lifecycle.checking.findings import FindingKind, finding_of, refusal
from lifecycle.checking.inspecting import INTERNET, ends_of, has_peer
from lifecycle.checking.outcomes import CLOSED_ERRORS, ORDER_ERRORS
from lifecycle.checking.overtaking import overtaken_has_ended
from lifecycle.checking.phases import Phase
from lifecycle.checking.places import is_file, place_of, races_by_design
from lifecycle.checking.track import FREQUENT, Event, Track, clock, thread_name
from lifecycle.roles.python_vocabulary import METHODS

BEHIND_ITS_BACK = "The descriptor was closed behind the object's back: close the object instead, or detach() it first"

_FREQUENT = frozenset(FREQUENT)

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 40


class Attempt:
    """A call in progress. row: the call whose row in the table holds, where an argument decides. forbidden: by the role."""

    __slots__ = ("arguments", "began", "call", "forbidden", "foretold", "frame", "phase", "row", "track")

    def __init__(
        self,
        track: Track,
        call: str,
        frame: FrameType,
        arguments: tuple[Any, ...] = (),
        *,
        row: str = "",
        forbidden: bool = False,
    ) -> None:
        self.track = track
        self.phase: Phase = track.phase
        self.call = call
        self.row = row or call
        self.frame = frame
        self.arguments = arguments
        self.forbidden = forbidden
        self.foretold = False
        self.began = clock()

    def refuse_or_foretell(self, owner: str) -> None:
        """Before the system is asked: raise IllegalCall where that is enforced, and tell of a call that would wait for ever."""
        current = checker.active()
        if current is not None and current.mode is Mode.ENFORCE and not self._is_local():
            self._note("illegal", self.phase, None)
            self._report(FindingKind.PORTABILITY if self._is_taken() else FindingKind.ORDER, "")
            raise refusal(self.phase, self.row, owner)
        sock = self.track()
        if self.row in self.phase.hangs and sock is not None and sock.gettimeout() is None:
            self.foretold = True
            self._note(None, self.phase, None)
            self._report(FindingKind.ORDER, "nothing: it waits for ever")

    def ended(self, outcome: str | None, *, result: Any = None, error: BaseException | None = None) -> None:
        """The call has ended: note it, judge it, and go where it leads."""
        track, phase = self.track, self.phase
        now = track.phase
        if now.final and not phase.final:
            self._overtaken(outcome, error)
            return
        if outcome == "pending" and track.watched and self.row in METHODS["connect"]:
            outcome = "watched"
        elif outcome == "asked" and self._has_peer():
            outcome = "confirmed"
        after = now if outcome is None else now.after(self.row, outcome)
        number = _number(self.row, result, error)
        deceived = outcome is not None and phase.deceives(self.row, outcome) and number in (None, errno.EPIPE)
        keep_all = checker.keeps_all()
        if after is not now or self.forbidden or deceived or keep_all or (self.call, outcome) not in track.known:
            self._note(outcome, after, error)
            track.enter(after)
            if keep_all:
                self._learn_ends()
            track.known.add((self.call, outcome))
            if self.forbidden:
                self._judge(outcome, number)
            elif deceived:
                self._report(FindingKind.ORDER, _answer(number) or "with the end of a stream that has not ended")
        if self.row in phase.legal:
            self.look_behind(number)
        is_usual = outcome == "ok" and after is phase and self.row == self.call and self.call in phase.keeps
        if is_usual and self.call in _FREQUENT and not keep_all:
            setattr(track, self.call, True)

    def look_behind(self, number: int | None) -> None:
        """A legal call has ended with the error `number`: where that means that the descriptor had gone, tell it once."""
        if number in CLOSED_ERRORS and BEHIND_ITS_BACK not in self.track.told:
            self._report(FindingKind.ORDER, _answer(number), reason=BEHIND_ITS_BACK)
            self.track.told.add(BEHIND_ITS_BACK)

    def _is_explained(self, number: int) -> bool:
        """Whether an error is what the system says to this call because of the state."""
        return self.phase.tells_late or (number in ORDER_ERRORS and not self._is_taken())

    def _is_taken(self) -> bool:
        """Whether this system takes the call although the role forbids it, and it does not wait for ever."""
        is_known = self.track.family in INTERNET and sys.platform == "linux"
        return is_known and self.row in self.phase.takes and self.row not in self.phase.hangs

    def _is_local(self) -> bool:
        return self.track.family not in INTERNET and self.row in self.phase.local

    def _judge(self, outcome: str | None, number: int | None) -> None:
        """What to say of a forbidden call, by what the system made of it."""
        phase = self.phase
        if self.foretold:
            return  # it was told when it began
        if self.row in phase.hangs:
            self._report(FindingKind.ORDER, _answer(number) or "that nothing has come; nothing can")
            return
        if number is not None:
            if self._is_explained(number):
                self._report(FindingKind.ORDER, _answer(number))
        elif outcome is not None and not phase.final and self.track.family in INTERNET:
            waits = outcome in ("pending", "timed_out", "watched")
            self._report(FindingKind.PORTABILITY, "that it would have to wait" if waits else "as if it were right")

    def _overtaken(self, outcome: str | None, error: BaseException | None) -> None:
        """The socket was closed while the call was running."""
        self._note(outcome, self.track.phase, error)
        if self.row in self.phase.legal and not races_by_design(self.frame):
            overtaken_has_ended(self.track, self.phase, self.row, self.track.events[-1].place, error)

    def _has_peer(self) -> bool:
        sock = self.track()
        return sock is not None and has_peer(sock)

    def _learn_ends(self) -> None:
        sock = self.track()
        if sock is not None and sock.fileno() != -1:
            local, peer = ends_of(sock)
            self.track.ends = (local or self.track.ends[0], peer or self.track.ends[1])

    def _report(self, kind: FindingKind, answer: str, reason: str = "") -> None:
        place = self.track.events[-1].place
        by_file = self.frame.f_back is not None and is_file(self.frame.f_back)
        mistake = (self.phase.name, self.row, "a file" if by_file else place)  # a file sends again when it is closed
        if mistake in self.track.told:
            return
        self.track.told.add(mistake)
        found = finding_of(
            self.track,
            kind,
            self.phase,
            self.call,
            place,
            row=self.row,
            answer=answer,
            thread=thread_name(),
            reason=reason,
            test=checker.owner(),
        )
        checker.report(found)

    def _note(self, outcome: str | None, after: Phase, error: BaseException | None) -> None:
        keep_all = checker.keeps_all()
        event = Event(
            call=self.call,
            state=self.phase.name,
            outcome=outcome,
            next_state=after.name,
            place=place_of(self.frame),
            thread=thread_name(),
            began=self.began,
            ended=clock(),
            arguments=", ".join(_short.repr(argument) for argument in self.arguments) if keep_all else "",
            error=_text(error),
        )
        self.track.note(event, limit=not keep_all)


def _text(error: BaseException | None) -> str:
    """The error in words; of one that is not the system's only the name, since its words may be the program's own code."""
    if error is None:
        return ""
    return f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__


def _number(row: str, result: Any, error: BaseException | None) -> int | None:
    """The number of the system's error, however it was told; None where it told of none."""
    if isinstance(error, OSError) and not isinstance(error, (BlockingIOError, socket.gaierror, socket.herror)):
        return error.errno
    return result if row == "connect_ex" and isinstance(result, int) and result else None


def _answer(number: int | None) -> str:
    return "" if number is None else ORDER_ERRORS.get(number) or errno.errorcode.get(number, str(number))

"""Which sockets there are: finds the track of each, takes up those that were not known, and sees which were never closed."""

from __future__ import annotations

import _socket
import os
import socket
import time
from types import FrameType
from typing import Final

from lifecycle.checking import checker
from lifecycle.checking.findings import FindingKind, finding_of
from lifecycle.checking.inspecting import family_of, first_phase, found_phase
from lifecycle.checking.phases import Phase
from lifecycle.checking.places import NOWHERE, Kind, is_kept_by_design, is_own, kind_of, place_of
from lifecycle.checking.track import FREQUENT, Event, Track, clock, thread_name

_GRACE = 1.0  # seconds in which the finalizers of a group of objects close what the collector has found already

_fileno = _socket.socket.fileno

_tracks: dict[int, Track] = {}
_by_inode: dict[int, list[Track]] = {}
_dying: dict[int, tuple[Track, float]] = {}
_handed: dict[int, tuple[Phase, int, bool]] = {}


class Unchecked:
    """Stands for the track of a socket under a role of this package, which is checked already; counts as false."""

    __slots__ = ()

    curious: Final = False

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "False"


for _call in FREQUENT:
    setattr(Unchecked, _call, True)

UNCHECKED = Unchecked()


def register(sock: socket.socket, fileno: int | None, frame: FrameType) -> None:
    """Take up a socket that was just made, at the program's line at or above `frame`."""
    current = checker.active()
    if current is None:
        return
    if _dying:
        judge_the_dead(time.monotonic() - _GRACE)
    made = place_of(frame)
    if is_own(made.file):
        sock._closed = UNCHECKED  # type: ignore[attr-defined]
        return
    inode = _inode(_fileno(sock))
    phase, is_new, twin = _origin(sock, fileno, inode, frame)
    track = Track(sock, _died, phase, made, next(checker.numbers))
    track.inode = inode
    if twin is not None:
        twin.double(track)
    track.family = family_of(sock)
    track.owner = current.owner
    track.adopted = not is_new or is_kept_by_design(frame)
    now = clock()
    track.note(Event("socket", "", "ok", phase.name, made, thread_name(), now, now))
    _take(sock, track)
    for each in checker.all_active():
        each.sockets += 1
        if each.keep_all:
            each.tracks.append(track)


def track_of(sock: socket.socket) -> Track | None:
    """The track of `sock`; one that is not known is taken up as it is. None for what is not to be checked."""
    track = getattr(sock, "_closed", None)
    if type(track) is Track:
        return track
    if track is UNCHECKED:
        return None
    known = _tracks.get(id(sock))
    if known is not None:
        return known
    dying = _dying.get(id(sock))
    return dying[0] if dying is not None else _adopted(sock)


def hand_over(number: int, phase: Phase, *, is_new: bool) -> None:
    """Remember that the descriptor `number` goes from one object to another, which begins in `phase`."""
    _handed[number] = (phase, _inode(number), is_new)


def judge_the_dead(before: float | None = None) -> None:
    """Report the sockets that were collected and never closed; `before`: only those collected before that time."""
    for key, (track, died) in _dying.copy().items():
        if (before is None or died < before) and _dying.pop(key, None) is not None and not track.phase.final:
            _report_leak(track)


def judge_the_living(first: int) -> None:
    """Report the sockets with a number from `first` on that are still open, and were made by the program itself.

    One whose close() waits for a file that lies over it was closed: the file goes when the program ends, and takes it along.
    """
    for track in _tracks.copy().values():
        is_own = track.number >= first and not track.adopted
        if is_own and not track.phase.final and getattr(track(), "_closed", None) is not True:
            _report_leak(track)


def inherit_all() -> None:
    """This process was forked: its sockets are the parent's to close, and what was collected before was the parent's."""
    for track in _tracks.copy().values():
        track.adopted = True
    _dying.clear()


def forget_all() -> None:
    """Forget every socket: nobody checks any more."""
    _tracks.clear()
    _by_inode.clear()
    _dying.clear()
    _handed.clear()


def _report_leak(track: Track) -> None:
    """Once: a block inside another one may have told it already."""
    if ("leak",) in track.told:
        return
    track.told.add(("leak",))
    reason = "Close it, or use it in a `with` block"
    place = track.made
    checker.report(
        finding_of(
            track, FindingKind.LEAK, track.phase, "close", place, answer="", thread=track.events[0].thread, reason=reason
        )
    )


def _take(sock: socket.socket, track: Track) -> None:
    former = _tracks.get(track.key)
    if former is not None:  # the same object, made anew
        former.phase = former.phase.after("close", "ok")
        _leave_inode(former)
    dying = _dying.pop(track.key, None)
    if dying is not None and not dying[0].phase.final:  # its memory is in use again
        _report_leak(dying[0])
    _tracks[track.key] = track
    if track.inode:
        _by_inode.setdefault(track.inode, []).append(track)
    if getattr(sock, "_closed", None) is not True:
        sock._closed = track  # type: ignore[attr-defined]


def _died(track: Track) -> None:
    _leave_inode(track)
    if _tracks.get(track.key) is track:
        del _tracks[track.key]
        if not track.phase.final:
            _dying[track.key] = (track, time.monotonic())


def _leave_inode(track: Track) -> None:
    tracks = _by_inode.get(track.inode, [])
    if track in tracks:
        tracks.remove(track)
        if not tracks:
            _by_inode.pop(track.inode, None)


def _origin(sock: socket.socket, fileno: int | None, inode: int, frame: FrameType) -> tuple[Phase, bool, Track | None]:
    """The phase in which an object begins, whether the program has this socket only from here, and who else has it.

    A descriptor that the program itself hands in may be anybody's; what socketpair(), fromfd() and the like hand in is new.
    """
    if fileno is None:
        return first_phase(sock), True, None
    handed = _handed.pop(fileno, None) if isinstance(fileno, int) else None
    if handed is not None:
        phase, former_inode, is_new = handed
        return (phase if inode == former_inode else found_phase(sock)), is_new, None
    is_new = kind_of(frame.f_code.co_filename) is Kind.PLUMBING
    twin = None if is_new and frame.f_code.co_name == "socketpair" else _twin_of(inode)
    return (found_phase(sock) if twin is None else twin.phase), is_new, twin


def _twin_of(inode: int) -> Track | None:
    """The track of an object that has the same descriptor already, or another one of the same socket of the system."""
    for track in tuple(_by_inode.get(inode, ())):
        sock = track()
        if sock is not None and not track.phase.final and _inode(_fileno(sock)) == inode:
            return track
    return None


def _adopted(sock: socket.socket) -> Track | None:
    current = checker.active()
    if current is None or sock.fileno() == -1:
        return None
    track = Track(sock, _died, found_phase(sock), NOWHERE, next(checker.numbers))
    track.family = family_of(sock)
    track.inode = _inode(_fileno(sock))
    track.adopted = True
    _take(sock, track)
    return track


def _inode(number: int) -> int:
    """What tells one socket from the next that gets the same number; 0 where the system has nothing of the kind."""
    if os.name != "posix":
        return 0
    try:
        return os.fstat(number).st_ino
    except OSError:
        return 0

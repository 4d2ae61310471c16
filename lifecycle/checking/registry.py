"""The sockets of the program: finds the track of each, adopts those that are older than the check, and reports leaks."""

from __future__ import annotations

import _socket
import os
import socket
import sys
import time
from _thread import get_ident
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from types import CodeType, FrameType, SimpleNamespace
from typing import Final
from weakref import ref

from lifecycle.checking import checkers, late, loops
from lifecycle.checking import track as track_module
from lifecycle.checking.call_sites import (
    SOCKET,
    UNKNOWN,
    CallSite,
    FileKind,
    call_site,
    followed,
    is_in_lifecycle,
    is_open_for_ever,
    kind_of,
)
from lifecycle.checking.entered import entered
from lifecycle.checking.handed import begun_site
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.milestones import Milestone, Reached, milestone_of
from lifecycle.checking.observed import STREAM, ObservedState, family_of, first_state, found_state
from lifecycle.checking.tls_readers import note_reader
from lifecycle.checking.track import MADE, SocketTrack, clock, getframe, no_thread, threads
from lifecycle.roles.facts import LINKED
from lifecycle.roles.python.hazards import KEPT_BY_FILE, NUMBER_LEFT
from lifecycle.roles.python.words import FREQUENT
from lifecycle.roles.words import CLOSE, DETACH

_GRACE = 1.0  # seconds in which finalizers may still close what the collector has found

_fileno = _socket.socket.fileno
_CONNECTED = STREAM.at(LINKED)

Kind = tuple[int, int, int]
"""family, type and protocol, as requested"""

_first: dict[Kind, Milestone] = {}  # where a new socket begins

live: dict[int, SocketTrack] = {}
"""the tracks of sockets by their id()"""

_by_inode: dict[int, dict[int, SocketTrack]] = {}
_read_to = 0  # the number of the last socket whose inode was read, which is done when another object may share it
_dying: dict[int, tuple[SocketTrack, float]] = {}
_numbers: dict[int, tuple[int, SocketTrack]] = {}

handed: dict[int, tuple[ObservedState, int, bool]] = {}
"""the descriptors that go from one object to another: number -> the state in which the next object begins, its inode, and
whether it is new to the program"""

accepted: dict[int, SocketTrack] = {}
"""the descriptors of connections of which an object is about to be made -> the listener"""


class Unchecked:
    """The track of a socket that belongs to an object of this package, which checks it already; counts as false."""

    __slots__ = ()

    at: Final = SimpleNamespace(
        curious=False, accept=False, steps=defaultdict(lambda: None), **dict.fromkeys(FREQUENT, True)
    )  # in place of a milestone

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "False"


UNCHECKED = Unchecked()


def register(sock: socket.socket, kind: Kind, fileno: int | None) -> None:
    """Begin to follow a socket that was just made by the caller of __init__(), which calls this."""
    checker = checkers.only
    if checker is None and not checkers.in_turn:
        return
    if _dying:
        judge_the_dead(time.monotonic() - _GRACE)
    if late.missing and late.loaded != len(sys.modules):
        late.look()
    try:
        frame = getframe(2)
    except ValueError:  # C code makes the socket
        frame = getframe(1)
    listener = None if fileno is None else accepted.pop(fileno, None)
    caller = (frame.f_back or frame) if frame.f_code.co_filename == SOCKET else frame
    where: CodeType | CallSite | None
    where, instruction, is_strange, inode, twin = caller.f_code, caller.f_lasti, False, 0, None
    if where.co_filename not in followed:
        where, instruction = _maker(caller, listener), -1
        if where is None:
            sock._closed = UNCHECKED  # type: ignore[attr-defined]
            return
        is_strange = is_open_for_ever(frame)
    if listener is not None:
        at = listener.at.accepts
        if at is None:
            at = listener.at.accepts = _beginning(sock, _CONNECTED)
    elif fileno is None:
        at = _first.get(kind)
        if at is None:
            at = _first[kind] = _beginning(sock, first_state(sock))
    else:
        state, is_new, twin, inode = _origin(sock, fileno, frame)
        at, is_strange = _beginning(sock, state), is_strange or not is_new
    track, key = SocketTrack(sock, _died), id(sock)
    track.key, track.at, track.number = key, at, next(checkers.numbers)
    track.noted = [(MADE, at, at, where, instruction, (threads.get(get_ident()) or no_thread())._name)]
    if is_strange:
        track.adopted = True
    if inode or _dying or key in live:
        track.inode = inode
        _follow(sock, track)
    else:
        live[key] = sock._closed = track  # type: ignore[attr-defined]
    if twin is not None:
        _join(twin, track)
    if checker is None:
        _tell(track)
    elif checker.owner:
        track.owner = checker.owner
    if fileno is not None and _numbers:
        _numbers.pop(fileno, None)


def _maker(frame: FrameType, listener: SocketTrack | None) -> CallSite | None:
    """The line for which a library makes a socket at `frame`; None for this package's own sockets."""
    made = call_site(frame)
    if made.file in followed:
        return made
    if is_in_lifecycle(made.file):
        return None
    if listener is not None:
        return loops.site_of_task() or listener.made
    return loops.site_of_task() or begun_site(frame) or made


def _tell(track: SocketTrack) -> None:
    """Several checkers are active, or charts or a live page are made."""
    now, active = clock(), checkers.in_turn
    track.noted[0] = track.events[0]._replace(began=now, ended=now)
    track.owner = active[-1].owner
    for each in active:
        if each.keep_all:
            each.tracks.append(track)
    if track_module.watch is not None:
        track_module.watch(track, track.events[0])


def _beginning(sock: socket.socket, state: ObservedState) -> Milestone:
    return milestone_of(Reached(family_of(sock), state, state))


def track_of(sock: socket.socket) -> SocketTrack | None:
    """The track of `sock`, which is adopted if it is not known yet. None for a socket that is not checked."""
    track = getattr(sock, "_closed", None)
    if type(track) is SocketTrack:
        return track
    if track is UNCHECKED:
        return None
    known = live.get(id(sock))
    if known is not None:
        return known
    dying = _dying.get(id(sock))
    return dying[0] if dying is not None else _adopted(sock)


def hand_over(number: int, state: ObservedState, *, is_new: bool) -> None:
    """Remember that the descriptor `number` goes from one object to another, which begins in `state`."""
    handed[number] = (state, inode_of(number), is_new)


def join_others(sock: socket.socket) -> None:
    """Find the program's other objects over the socket of the system that `sock` has taken over."""
    track, inode = track_of(sock), inode_of(_fileno(sock))
    found = None if track is None else _twin_of(inode, but=track)
    if track is not None and found is not None:
        _join(found, track)


def _join(twin: SocketTrack, track: SocketTrack) -> None:
    twin.join(track)
    for told in on_twin:
        told()


on_twin: list[Callable[[], None]] = []
"""the functions that are called when two objects have the same socket of the system"""


def note_number(number: int, track: SocketTrack) -> None:
    """The program has taken the descriptor `number` out of an object, and has to close it."""
    _numbers[number] = (inode_of(number), track)


def judge_the_dead(before: float | None = None) -> None:
    """Report the sockets that were collected and never closed. before: only those collected before that time."""
    for key, (track, died) in _dying.copy().items():
        if (before is None or died < before) and _dying.pop(key, None) is not None and not track.state.final:
            _report_leak(track)


def judge_the_living(first: int) -> None:
    """Report the sockets with a number from `first` on that are still open and were made by the program itself.

    A socket whose close() waits for a file over it counts as closed until the end of the program, and then where a library has
    made the file. One that is in a `with` block of a thread is closed when that ends.
    """
    left = [track for track in live.copy().values() if track.number >= first and not track.adopted and not track.state.final]
    inside = entered() if left else frozenset()
    for track in left:
        if track.key not in inside:
            if getattr(track(), "_closed", None) is not True:
                _report_leak(track)
            elif track.filed and not first:
                checkers.report_hazard(KEPT_BY_FILE, track, CLOSE.name, track.made)
    if not first:
        for number, (inode, track) in _numbers.items():
            if inode and inode_of(number) == inode:
                checkers.report_hazard(NUMBER_LEFT, track, DETACH.name, track.events[-1].place)


def filed(sock: socket.socket, file: object) -> None:
    """A file was made over the socket; one that the program itself made has to be closed by it."""
    track = track_of(sock)
    if track is not None:
        note_reader(track, file)
        if type(file) is socket.SocketIO:
            track.unbuffered = (*track.unbuffered, ref(file))
        track.filed |= kind_of(sys._getframe(2).f_code.co_filename) is FileKind.PROGRAM


def inodes() -> frozenset[int]:
    """The sockets of the system that the program's objects hold, or held when they gave them away."""
    held = {inode_of(_fileno(sock)) for track in live.copy().values() if (sock := track()) is not None}
    return frozenset(held | {inode for _, inode, _ in handed.values()})


def handed_out() -> int:
    """How many descriptors were handed out, are still open, and belong to no object."""
    return sum(1 for number, (_, inode, _) in handed.copy().items() if inode and inode_of(number) == inode)


def record_next_calls() -> None:
    """Record the next call of each kind on every socket, although it changes nothing."""
    for track in live.copy().values():
        track.begin_anew()


def inherit_all() -> None:
    """This process was forked: it need not close its parent's sockets, nor report those that were collected there."""
    for track in live.copy().values():
        track.adopted = True
    _dying.clear()
    _numbers.clear()


def forget_all() -> None:
    """Forget every socket: the last check has ended."""
    live.clear()
    _by_inode.clear()
    _first.clear()
    accepted.clear()
    _dying.clear()
    handed.clear()
    _numbers.clear()


def _report_leak(track: SocketTrack) -> None:
    """Report a leak, once: an inner block may have reported it already."""
    if FindingKind.LEAK in track.reported or track.made is UNKNOWN:  # there is no place to close it
        return
    track.reported |= {FindingKind.LEAK}
    reason = "Close it, or use it in a `with` block"
    thread = track.events[0].thread
    checkers.report(track, FindingKind.LEAK, track.state, CLOSE.name, track.made, thread=thread, reason=reason)


def _follow(sock: socket.socket, track: SocketTrack) -> None:
    former = live.get(track.key)
    if former is not None:  # __init__() was called again
        former.enter(former.state.after(CLOSE.name, "ok"))
        drop_inode(former)
        del live[track.key]  # its place is by the order of the numbers
    if _dying:
        dying = _dying.pop(track.key, None)
        if dying is not None and not dying[0].state.final:  # a new object has its id()
            _report_leak(dying[0])
    live[track.key] = track
    if track.inode:
        _by_inode.setdefault(track.inode, {})[track.key] = track
    if getattr(sock, "_closed", None) is not True:
        sock._closed = track  # type: ignore[attr-defined]


def _died(track: SocketTrack) -> None:
    if live.get(track.key) is track:
        del live[track.key]
        if not track.at.state.final:
            _dying[track.key] = (track, time.monotonic())
            drop_inode(track)


def drop_inode(track: SocketTrack) -> None:
    """The object has no socket any more, or it is dead."""
    tracks = _by_inode.get(track.inode) if track.inode else None
    if tracks is not None and tracks.get(track.key) is track:
        del tracks[track.key]
        if not tracks:
            _by_inode.pop(track.inode, None)


def _origin(sock: socket.socket, fileno: int, frame: FrameType) -> tuple[ObservedState, bool, SocketTrack | None, int]:
    """The state in which an object begins, whether the socket is new to the program, the track of another object over it, and
    its inode where that was asked for.

    A descriptor that the program passes may have any owner; one that socketpair(), fromfd() and the like pass is new.
    """
    former = handed.pop(fileno, None) if isinstance(fileno, int) else None
    _numbers.pop(fileno, None)
    inode = inode_of(_fileno(sock))
    if former is not None:
        state, former_inode, is_new = former
        return (state if inode == former_inode else found_state(sock)), is_new, None, inode
    is_new = kind_of(frame.f_code.co_filename) is FileKind.INTERNAL
    twin = None if is_new and frame.f_code.co_name == "socketpair" else _twin_of(inode)
    return (found_state(sock) if twin is None else twin.state), is_new, twin, inode


def _twin_of(inode: int, *, but: SocketTrack | None = None) -> SocketTrack | None:
    """The track of another object over the same socket of the system."""
    if not inode:
        return None
    _read_inodes()
    with suppress(RuntimeError):  # another thread makes one, too
        for track in reversed(_by_inode.get(inode, {}).values()):
            sock = track()
            if track is not but and sock is not None and not track.state.final and inode_of(_fileno(sock)) == inode:
                return track
    return None


def _read_inodes() -> None:
    """Read the inodes of the sockets that were made since this was done last."""
    global _read_to
    newest = next(reversed(live.values()), None)
    if newest is not None and newest.number > _read_to:
        for track in tuple(islice(reversed(live.values()), newest.number - _read_to)):
            sock = track()
            if sock is not None and not track.inode and not track.at.state.final:
                track.inode = inode_of(_fileno(sock))
                _by_inode.setdefault(track.inode, {})[track.key] = track
        _read_to = newest.number


def _adopted(sock: socket.socket) -> SocketTrack | None:
    if not checkers.in_turn or sock.fileno() == -1:
        return None
    track = SocketTrack(sock, _died)
    track.key, track.number, track.noted = id(sock), checkers.other_number(), []  # it is unknown how it was made
    track.at, track.inode, track.adopted = _beginning(sock, found_state(sock)), inode_of(_fileno(sock)), True
    _follow(sock, track)
    return track


def inode_of(number: int) -> int:
    """The number that distinguishes a socket from the next one with the same descriptor; 0 where the system has none."""
    if os.name != "posix":
        return 0
    try:
        return os.fstat(number).st_ino
    except OSError:
        return 0

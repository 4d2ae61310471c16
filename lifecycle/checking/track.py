"""The knowledge about one socket of the program: its state, its history, and the place where it was made.

A track is a weak reference to its socket. It is stored in the socket's own `_closed` attribute, where it counts as false until
the program's close() replaces it: so a watched method finds it with one attribute look-up, which is what the budget for a call
allows (a dictionary by id() costs three times as much). A table by id() finds it again after a close.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from _thread import get_ident
from collections import Counter
from collections.abc import Callable
from io import BufferedReader
from types import CodeType, FrameType, SimpleNamespace
from typing import Any, NamedTuple
from weakref import ref

from lifecycle.checking import milestones
from lifecycle.checking.call_sites import UNKNOWN, CallSite, FileKind, call_site, followed, kinds, site_at
from lifecycle.checking.milestones import Ended, Milestone
from lifecycle.checking.observed import ObservedState

MADE = "socket"
"""the call with which a history begins"""

_INTERNAL = FileKind.INTERNAL
_FIRST, _LAST = 16, 48  # how many events of a long history are kept
_KEPT = _FIRST + _LAST


class Event(NamedTuple):
    """One call in a socket's history.

    outcome: None while it runs, and where the system was not asked. began, ended: by clock(); 0.0 for a call that was as usual,
    unless every call is kept.
    """

    call: str
    state: str
    outcome: str | None
    next_state: str
    place: CallSite
    thread: str
    began: float
    ended: float | None
    arguments: str = ""
    error: str = ""


class SocketTrack(ref[socket.socket]):
    """The knowledge about one socket; counts as false.

    at: how far it was followed. noted: its history; of a usual call only (how it ended, the milestones before and behind it,
    the code and the instruction that made it, or its place and -1, the name of the thread). key: its id(). inode: identifies
    the system's socket, 0 where unknown. adopted: the socket is older than the check. owner: the test that made it. ends: its
    addresses, the local one and the peer's, where charts need them. reported: the findings that were reported already.
    set_in_time: the options that are set, and would have no effect later. filed: the program has made a file over it.
    forgotten: a library's finalizer closes it. end_seen_at, ends_in_a_row: where the end of the stream was received last, and
    how often there. readers: the files over it that read. unbuffered: those without a buffer. group: the tracks of all objects
    over the same socket of the system.
    """

    __slots__ = ("__dict__", "at", "key", "noted", "number")

    key: int
    number: int
    at: Milestone
    noted: list[Any]

    # Attributes that most sockets never set and few calls read are here, so that a new track need not set them.
    inode = left_out = ends_in_a_row = 0
    reported: frozenset[object] = frozenset()
    set_in_time: frozenset[tuple[int, int]] = frozenset()
    adopted = filed = forgotten = False
    end_seen_at: tuple[CodeType, int] | None = None
    owner = ""
    readers: tuple[ref[BufferedReader], ...] = ()
    unbuffered: tuple[ref[socket.SocketIO], ...] = ()
    ends: tuple[str, str] = ("", "")
    group: dict[int, SocketTrack] | None = None

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "False"

    @property
    def events(self) -> list[Event]:
        """The history; each event is made when it is first requested."""
        for number, event in enumerate(self.noted):
            if type(event) is not Event:
                self.noted[number] = _event(*event)
        return self.noted

    @property
    def made(self) -> CallSite:
        """Where the socket was made."""
        if not self.noted or self.noted[0][0] != MADE:
            return UNKNOWN
        if type(self.noted[0]) is not Event:
            self.noted[0] = _event(*self.noted[0])
        place: CallSite = self.noted[0].place
        return place

    @property
    def state(self) -> ObservedState:
        """The socket's state."""
        return self.at.state

    @property
    def family(self) -> int:
        """The socket's family."""
        return self.at.reached.family

    @property
    def name(self) -> str:
        """The socket's name in charts and reports."""
        return f"{self.state.role.name}#{self.number}"

    def enter(self, state: ObservedState) -> None:
        """Enter `state`, as do the other objects over the same socket of the system; a close is each object's own."""
        if state is self.at.state:
            return
        self.at = self.at.entering(state)
        if state.final:
            self.leave()
        elif self.group is not None:
            for other in tuple(self.group.values()):
                other.at = other.at.entering(state)

    def join(self, twin: SocketTrack) -> None:
        """Record that `twin` belongs to another object over the same socket of the system."""
        if self.group is None:
            self.group = {self.key: self}
            self.at = self.at.but(shared=True)
        if twin.group is self.group:
            return
        for each in (twin.group or {twin.key: twin}).values():
            self.group[each.key] = each
            each.group = self.group
            each.at = each.at.but(shared=True)
        twin.at = twin.at.entering(self.at.state)

    def leave(self) -> None:
        """The object has no socket any more."""
        if self.group is not None and self.group.get(self.key) is self:
            del self.group[self.key]
        self.group = None

    def note(self, event: Event, limit: bool = True) -> None:
        """Add to the history; limit: drop the middle of a long one."""
        self.noted.append(event)
        if watch is not None:
            watch(self, event)
        if limit and len(self.noted) > _KEPT:
            del self.noted[_FIRST]
            self.left_out += 1

    def step(self, ended: Ended, after: Milestone, frame: FrameType | None = None) -> None:
        """A call has ended as usual: add it to the history, and reach the next milestone.

        frame: what has made the call; by default the caller of the function that calls this.
        """
        if frame is None:
            try:
                frame = getframe(2)
            except ValueError:  # C code calls the method
                frame = getframe(1)
        code, noted = frame.f_code, self.noted
        where: CodeType | CallSite
        if code.co_filename in followed:
            where, instruction = code, frame.f_lasti
        else:
            where, instruction = place_at(frame, is_exact=after.state.final)
        noted.append((ended, self.at, after, where, instruction, (threads.get(get_ident()) or no_thread())._name))
        self.at = after
        if len(noted) > _KEPT:
            del noted[_FIRST]
            self.left_out += 1

    def begin_anew(self) -> None:
        """Record the next call of each kind, although it changes nothing."""
        self.at = self.at.but(noted=frozenset())


_OFTEN, _MANY = 100, 10_000
_passed: Counter[tuple[int, int]] = Counter()  # the id() of a library's code, and an instruction in it


def place_at(frame: FrameType, *, is_exact: bool) -> tuple[CodeType | CallSite, int]:
    """The program's line at or above `frame`, as a history has it.

    is_exact: if false, a library's line from which calls have come often is used as it is, to save time in servers.
    """
    above = frame
    while above.f_back is not None and kinds[above.f_code.co_filename] is _INTERNAL:
        above = above.f_back
    code, instruction = above.f_code, above.f_lasti
    if code.co_filename in followed:
        return code, instruction
    if not is_exact:
        key = id(code), instruction
        count = _passed[key]
        if count > _OFTEN:
            return code, instruction
        if len(_passed) > _MANY:
            _passed.clear()
        _passed[key] = count + 1
    return call_site(above), -1


def _event(ended: Ended, before: Milestone, after: Milestone, where: Any, instruction: int, thread: str) -> Event:
    """The event of a usual call."""
    call, outcome = (ended, "ok") if isinstance(ended, str) else ended
    place = where if instruction < 0 else site_at(where, instruction)
    name = "" if call == MADE else before.state.name
    return Event(call, name, outcome, after.state.name, place, thread, 0.0, 0.0)


watch: Callable[[SocketTrack, Event], None] | None = None
"""The functions that are called with every noted event"""


def tell(watcher: Callable[[SocketTrack, Event], None]) -> None:
    """Call `watcher` with every noted event from now on."""
    global watch
    watch = watcher
    milestones.look_at_all()


def thread_name(number: int | None = None) -> str:
    """The name of this thread, or another.

    It makes no threading.Thread for a thread that has none, since the program could see it.
    """
    number = get_ident() if number is None else number
    thread = threads.get(number)
    return f"thread {number}" if thread is None else thread.name


threads: dict[int, Any] = getattr(threading, "_active", {})
"""the threads of `threading`, by their identifiers"""


def no_thread() -> Any:
    """Stands for the missing Thread of this thread."""
    return SimpleNamespace(_name=thread_name())


clock = time.perf_counter
getframe = sys._getframe

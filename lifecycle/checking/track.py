"""What is known about one socket of the program: its state, its history, and where it was made.

A track is a weak reference to its socket. It is stored in the socket's own `_closed` attribute, where it counts as false until
the program's close() replaces it: so a watched method finds it with one attribute look-up, which is what the budget for a call
allows (a dictionary by id() costs three times as much). A table by id() finds it again after a close.
"""

from __future__ import annotations

import _socket
import socket
import threading
import time
from _thread import get_ident
from collections.abc import Callable
from io import BufferedReader
from types import CodeType
from typing import Any, Final, NamedTuple
from weakref import ref

from lifecycle.checking.call_sites import CallSite
from lifecycle.checking.observed import ObservedState
from lifecycle.roles.python.words import FREQUENT, SENDING

_family = _socket.socket.family.__get__


class _Unmade:
    name: Final = ""


class _Alone(dict[tuple[str, "str | None"], frozenset[tuple[str, "str | None"]]]):
    """What ended -> a set of that alone, of which one is enough for all sockets."""

    def __missing__(self, ended: tuple[str, str | None]) -> frozenset[tuple[str, str | None]]:
        alone = self[ended] = frozenset((ended,))
        return alone


_alone = _Alone()
_MADE = "socket", "ok"
_FREQUENT = frozenset((call, "ok") for call in FREQUENT)
_SENDING = frozenset({*SENDING, *((call, "ok") for call in SENDING)})  # as events and their parts have them

_UNMADE: Final = _Unmade()
_NOTHING: frozenset[Any] = frozenset()
_FIRST, _LAST = 16, 48  # how many events of a long history are kept


class Event(NamedTuple):
    """One call in a socket's history. `outcome` is None while it runs, and where the system was not asked."""

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


class Quiet:
    """Which frequent calls have been noted, and change nothing in this state: a flag for each. Shared by all sockets."""

    __slots__ = (*FREQUENT, "_more")

    send: bool
    sendall: bool

    def __init__(self, calls: frozenset[str]) -> None:
        for call in FREQUENT:
            setattr(self, call, call in calls)
        self._more: dict[str, Quiet] = {}

    def and_also(self, call: str) -> Quiet:
        """These, and one more."""
        if call not in self._more:
            calls = frozenset(each for each in FREQUENT if each == call or getattr(self, each))
            self._more[call] = Quiet(calls)
        return self._more[call]


_NONE_YET: Final = Quiet(frozenset())


class SocketTrack(ref[socket.socket]):
    """What is known about one socket; counts as false.

    inode: identifies the system's socket, 0 where unknown. adopted: the socket is older than the check. owner: the test
    that made it. ends: its addresses, the local one and the peer's, where charts need them. reported: what was reported
    already. known: the (call, outcome) of this state that were recorded. watched: the program has the descriptor, and may
    wait for it. filed: the program has made a file over it. forgotten: a library's finalizer closes it. end_seen_at,
    ends_in_a_row: where the end of the stream was received last, and how often there. readers: the files over it that read.
    curious: whether fileno() changes something. group: the tracks of all objects over the same socket of the system.
    """

    __slots__ = (
        "__dict__", "_noted", "before", "curious", "family", "forgotten", "group", "inode", "key", "known", "made",
        "number", "quiet", "state", "watched",
    )  # fmt: skip

    # What most sockets never set, and few calls ask for, stands here, where a new track need not set it.
    left_out = ends_in_a_row = 0
    reported: frozenset[object] = frozenset()
    adopted = filed = False
    end_seen_at: tuple[CodeType, int] | None = None
    owner = ""
    readers: tuple[ref[BufferedReader], ...] = ()
    ends: tuple[str, str] = ("", "")

    def begin(self, sock: socket.socket, state: ObservedState, made: CallSite, number: int, inode: int) -> None:
        """Fill a new track, and note that the socket was made; __init__() is the reference's own, which is faster."""
        self.key = id(sock)
        self.family = _family(sock)
        self.number = number
        self.state = self.before = state
        self.inode = inode
        self.made = made
        self.known: frozenset[tuple[str, str | None]] = _NOTHING
        self.curious = True
        self.forgotten = self.watched = False
        self.group: dict[int, SocketTrack] | None = None
        self.quiet = _NONE_YET
        thread, now = _threads.get(get_ident()), clock()
        name = thread_name() if thread is None else thread._name  # type: ignore[attr-defined] # no property
        self._noted: list[tuple[Any, ...]] = [(_MADE, _UNMADE, state, made, name, now, now)]

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "False"

    @property
    def events(self) -> list[Event]:
        """The history; each event is made when somebody asks for it first."""
        for number, event in enumerate(self._noted):
            if type(event) is not Event:
                (call, outcome), state, after, *rest = event
                self._noted[number] = Event(call, state.name, outcome, after.name, *rest)
        return self._noted  # type: ignore[return-value] # all are events now

    def has_sent(self) -> bool:
        """Whether the history has a call that sends."""
        return self.quiet.sendall or self.quiet.send or not _SENDING.isdisjoint([each[0] for each in self._noted])

    @property
    def name(self) -> str:
        """The socket's name in charts and reports."""
        return f"{self.state.role.name}#{self.number}"

    def enter(self, state: ObservedState) -> None:
        """Enter `state`, as do the other objects over the same socket of the system; a close is each object's own."""
        if state is self.state:
            return
        self._enter(state)
        if state.final:
            self.leave()
        elif self.group is not None:
            for other in tuple(self.group.values()):
                other._enter(state)

    def join(self, twin: SocketTrack) -> None:
        """Record that `twin` belongs to another object over the same socket of the system."""
        if self.group is None:
            self.group = {self.key: self}
        if twin.group is self.group:
            return
        for each in (twin.group or {twin.key: twin}).values():
            self.group[each.key] = each
            each.group = self.group
        twin._enter(self.state)

    def leave(self) -> None:
        """The object has no socket any more."""
        if self.group is not None and self.group.get(self.key) is self:
            del self.group[self.key]
        self.group = None

    def note(self, event: Event, limit: bool = True) -> None:
        """Add to the history; limit: drop the middle of a long one."""
        self._noted.append(event)
        if watch is not None:
            watch(self, event)
        if limit and len(self._noted) > _FIRST + _LAST:
            del self._noted[_FIRST]
            self.left_out += 1

    def step(self, ended: tuple[str, str | None], after: ObservedState, place: CallSite, began: float) -> None:
        """A call has ended so: add it to the history, as the parts of an event, and enter the state that it leads to.

        This is note() and enter() in one frame, since it is done for each call that changes something.
        """
        state, noted, thread = self.state, self._noted, _threads.get(get_ident())
        name = thread_name() if thread is None else thread._name  # type: ignore[attr-defined] # no property
        if watch is None and len(noted) < _FIRST + _LAST:
            noted.append((ended, state, after, place, name, began, clock()))
        else:
            call, outcome = ended
            self.note(Event(call, state.name, outcome, after.name, place, name, began, clock()))
        if after is state:
            self.known |= _alone[ended]
            if ended in _FREQUENT:
                self.quiet = self.quiet.and_also(ended[0])
        elif self.group is not None:
            self.enter(after)
            self.known = _alone[ended]
        else:
            self.before, self.state, self.known = state, after, _alone[ended]
            if self.watched:
                self.curious = "fileno" not in after.keeps
            self.quiet = _NONE_YET

    def _enter(self, state: ObservedState) -> None:
        if state is not self.state:
            self.before, self.state = self.state, state
            self.known = _NOTHING
            self.curious = not self.watched or "fileno" not in state.keeps
            self.quiet = _NONE_YET

    def begin_anew(self) -> None:
        """The next call of each kind is recorded, though it changes nothing."""
        self.known = _NOTHING
        self.quiet = _NONE_YET


watch: Callable[[SocketTrack, Event], None] | None = None
"""Called with everything that is noted"""


def thread_name(number: int | None = None) -> str:
    """The name of this thread, or another.

    It makes no threading.Thread for a thread that has none, since the program could see it.
    """
    number = get_ident() if number is None else number
    thread = _threads.get(number)
    return f"thread {number}" if thread is None else thread.name


_threads: dict[int, threading.Thread] = getattr(threading, "_active", {})


clock = time.perf_counter

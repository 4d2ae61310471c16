"""What is known about one socket of the program: its phase, its history, and where it was made.

A track is a weak reference to its socket. It stands in the socket's own `_closed` attribute, where it counts as false until
the program's close() replaces it: so a watched method finds it with one attribute look-up, which is what the budget for a call
allows (a dictionary by id() costs three times as much). A table by id() finds it again after a close.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import ref

from lifecycle.checking.phases import Phase
from lifecycle.checking.places import Place

FREQUENT = ("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "send", "sendall", "sendto", "sendmsg")
"""the calls that may be made very often; each has a flag in the track that says that its `ok` is nothing new"""

_FIRST, _LAST = 16, 48  # how much of a long history is kept


class Event(NamedTuple):
    """One call in a socket's history. `outcome` is None while it runs, and where nothing was asked of the system."""

    call: str
    state: str
    outcome: str | None
    next_state: str
    place: Place
    thread: str
    began: float
    ended: float | None
    arguments: str = ""
    error: str = ""


class Track(ref[socket.socket]):
    """What is known about one socket; counts as false.

    adopted: it was there before the checking began. owner: what made it, as the pytest plugin names its tests. ends: its
    addresses, the local one and the peer's, where charts want them.
    """

    __slots__ = (
        *FREQUENT, "adopted", "before", "curious", "ends", "events", "family", "group", "inode", "key", "known", "left_out", "made",
        "number", "owner", "phase", "told", "watched",
    )  # fmt: skip

    recv: bool
    recv_into: bool
    recvfrom: bool
    recvfrom_into: bool
    recvmsg: bool
    send: bool
    sendall: bool
    sendto: bool
    sendmsg: bool

    def __new__(cls, sock: socket.socket, died: Callable[[Any], None], *_: object) -> Track:
        return super().__new__(cls, sock, died)

    def __init__(self, sock: socket.socket, died: Callable[[Any], None], phase: Phase, made: Place, number: int) -> None:
        super().__init__(sock, died)  # type: ignore[call-arg] # typeshed has it in __new__ alone
        self.key = id(sock)
        self.number = number
        self.phase = self.before = phase
        self.family = 0
        self.inode = 0
        self.made = made
        self.events: list[Event] = []
        self.left_out = 0
        self.told: set[object] = set()
        self.known: set[tuple[str, str | None]] = set()
        self.watched = False
        self.curious = True
        self.adopted = False
        self.group: list[Track] | None = None
        self.owner = ""
        self.ends: tuple[str, str] = ("", "")
        self._forget_flags()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "False"

    @property
    def name(self) -> str:
        """As charts and reports call it."""
        return f"{self.phase.role.name}#{self.number}"

    def enter(self, phase: Phase) -> None:
        """Go to `phase`, together with the other objects over the same socket of the system; a close is each object's own."""
        if phase is self.phase:
            return
        self._enter(phase)
        if self.group is not None and not phase.final:
            for other in self.group:
                if not other.phase.final:
                    other._enter(phase)

    def double(self, twin: Track) -> None:
        """Know that `twin` is of another object over the same socket of the system."""
        self.group = [each for each in self.group or (self,) if not each.phase.final]
        self.group.append(twin)
        for each in self.group:
            each.group = self.group
        twin.enter(self.phase)

    def note(self, event: Event, limit: bool = True) -> None:
        """Add to the history; of a long one the middle is left out."""
        self.events.append(event)
        if limit and len(self.events) > _FIRST + _LAST:
            del self.events[_FIRST]
            self.left_out += 1

    def _enter(self, phase: Phase) -> None:
        if phase is not self.phase:
            self.before, self.phase = self.phase, phase
            self.known.clear()
            self.curious = not self.watched or "fileno" not in phase.keeps
            self._forget_flags()

    def _forget_flags(self) -> None:
        self.recv = self.recv_into = self.recvfrom = self.recvfrom_into = self.recvmsg = False
        self.send = self.sendall = self.sendto = self.sendmsg = False


def thread_name(number: int | None = None) -> str:
    """The name of this thread, or another; makes no threading.Thread of one that has none, since the program could see it."""
    number = threading.get_ident() if number is None else number
    active: dict[int, threading.Thread] = getattr(threading, "_active", {})
    return active[number].name if number in active else f"thread {number}"


clock = time.perf_counter

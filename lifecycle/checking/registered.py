"""Sockets that are closed while a selector has them registered.

One is reported when the selector is used again without having been told: until then the program may still unregister it. What
is remembered is an attribute of the selector. A table here would keep it for ever: its entries refer to the program's objects,
and these often to the selector.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any
from weakref import ref

from lifecycle.checking import checkers
from lifecycle.checking.call_sites import CallSite
from lifecycle.checking.track import SocketTrack
from lifecycle.roles.python.hazards import CLOSED_IN_USE, CLOSED_REGISTERED

in_use: dict[int, ref[Any]] = {}
"""the selectors that there are, by their id(); a WeakSet takes longer to say that it is empty than a close() may"""

tls_watcher: Any = None
"""what is notified of waits, if the program uses TLS"""

MEMORY = "_lifecycle_closed"
"""the attribute of a selector that has its closed sockets"""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A socket that was closed while it was registered. entry: what the selector has for it."""

    track: SocketTrack
    number: int
    entry: object
    place: CallSite


class Memory:
    """What was closed while one selector had it registered.

    doomed: what is reported if it is still there at the selector's next use. stale: descriptor -> the entry of a closed
    socket, so that the next socket with that number does not count as registered.
    """

    __slots__ = ("doomed", "stale")

    def __init__(self) -> None:
        self.doomed: list[Doomed] = []
        self.stale: dict[int, object] = {}


def use(selector: Any) -> None:
    """There is another selector."""
    number = id(selector)
    in_use[number] = ref(selector, lambda gone: in_use.pop(number, None))


def entry_of(selector: Any, number: int) -> object:
    """What the selector, or the poll object, has registered for that descriptor, or None."""
    registered = getattr(selector, "registered", None)
    return (getattr(selector, "_fd_to_key", {}) if registered is None else registered).get(number)


def closed(track: SocketTrack, number: int) -> None:
    """The socket with that descriptor is closed: remember it for the selectors that have it."""
    for found in tuple(in_use.values()):
        selector = found()
        entry = None if selector is None else entry_of(selector, number)
        if entry is None:
            continue
        memory = getattr(selector, MEMORY, None)
        if memory is None:
            memory = Memory()
            setattr(selector, MEMORY, memory)
        if memory.stale.get(number) is not entry:
            memory.stale[number] = entry
            memory.doomed.append(Doomed(track, number, entry, track.events[-1].place))
            watch_next_use(selector)


def unregistered(selector: Any, number: int) -> None:
    """The program takes the descriptor out of the selector: forget what was registered there."""
    memory = getattr(selector, MEMORY, None)
    if memory is not None:
        memory.stale.pop(number, None)
        memory.doomed[:] = [each for each in memory.doomed if each.number != number]


def judge(selector: Any) -> None:
    """Report what is still registered although it was closed."""
    if hasattr(selector, "select"):
        for name in ("select", "register"):
            vars(selector).pop(name, None)
    memory = getattr(selector, MEMORY, None)
    if memory is None:
        return
    doomed, memory.doomed = memory.doomed, []
    for each in doomed:
        if entry_of(selector, each.number) is each.entry and CLOSED_IN_USE not in each.track.reported:
            checkers.report_hazard(CLOSED_REGISTERED, each.track, "close", each.place)


def watch_next_use(selector: Any) -> None:
    """Judge closed sockets when the selector waits next, or another socket with the same descriptor is registered."""
    if not hasattr(selector, "select") or "select" in vars(selector):  # a poll object looks by itself
        return
    kind = type(selector)

    def select(timeout: float | None = None) -> Any:
        judge(selector)
        if tls_watcher is not None:
            tls_watcher.selects(selector, "select", timeout, sys._getframe(1))
        return kind.select(selector, timeout)

    def register(fileobj: Any, events: int, data: Any = None) -> Any:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        memory = getattr(selector, MEMORY, None)
        if memory is not None and any(each.number == number for each in memory.doomed):
            judge(selector)
        return kind.register(selector, fileobj, events, data)

    selector.select, selector.register = select, register

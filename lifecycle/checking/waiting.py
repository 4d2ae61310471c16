"""Waiting for sockets: by select(), poll(), epoll, selectors, and the event loops over them.

A wait for a closed socket is seen by its error. A socket that is closed while another thread waits for it is reported when the
wait goes on.
"""

from __future__ import annotations

import errno
import select
import selectors
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from types import FrameType
from typing import Any

from lifecycle.checking import checkers, registered
from lifecycle.checking.call_sites import FileKind, call_site, is_loop, kind_of
from lifecycle.checking.guards import Guard, Standing, guard_of, has_handler
from lifecycle.checking.registry import track_of
from lifecycle.checking.replacements import Replacements
from lifecycle.roles.python.hazards import WAIT_CLOSED

Thing = Any
"""an object that a program waits for: a socket, a number, or an object with a fileno()"""

_replacements = Replacements()


def install() -> None:
    """Begin to watch waits."""
    _replacements.wrap(select, "select", _watched_select)
    _replacements.wrap(select, "poll", lambda original: wraps(original)(lambda: WatchedPoll(original())))
    _replacements.wrap(select, "epoll", lambda original: type("epoll", (WatchedEpoll,), {"original": original}))
    base: Any = selectors._BaseSelectorImpl
    _replacements.wrap(base, "__init__", _watched_init)
    _replacements.wrap(base, "_fileobj_lookup", _watched_lookup)
    _replacements.wrap(getattr(selectors, "_PollLikeSelector", base), "modify", _watched_modify)


def begin_with_tls(watcher: Any) -> None:
    """Notify `watcher` of each wait; None stops that."""
    registered.tls_watcher = watcher


def uninstall() -> None:
    """Restore what was replaced."""
    _replacements.restore()


def _watched_select(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def select(rlist: Iterable[Thing], wlist: Iterable[Thing], xlist: Iterable[Thing], timeout: float | None = None, /) -> Any:
        if registered.tls_watcher is not None:
            registered.tls_watcher.begins(rlist, timeout, sys._getframe(1))
        try:
            result = original(rlist, wlist, xlist, timeout)
            if registered.tls_watcher is not None:
                registered.tls_watcher.ended(result[0])
            return result
        except (ValueError, OSError) as error:
            if not isinstance(error, OSError) or error.errno == errno.EBADF:
                things = [thing for each in (rlist, wlist, xlist) if isinstance(each, (list, tuple)) for thing in each]
                frame = sys._getframe(1)
                wait_failed(things, "select", frame, _standing(frame, "select", type(error)))
                del frame
            del rlist, wlist, xlist  # a kept traceback must not hold the program's objects
            raise

    watched: Any = select
    ASKERS[id(watched.__code__)] = "select"
    WAITS[id(watched.__code__)] = lambda frame, number, sock: (
        frame.f_locals.get("timeout") is None
        and any(_is(thing, number, sock) for each in ("rlist", "wlist", "xlist") for thing in _items(frame.f_locals.get(each)))
    )
    return select


def _items(things: object) -> Iterable[Thing]:
    return things if isinstance(things, (list, tuple, set, frozenset, dict)) else ()


def _is(thing: Thing, number: int, sock: socket.socket) -> bool:
    return thing is sock or (type(thing) is int and thing == number)


def wait_failed(things: Iterable[Thing], call: str, frame: FrameType, standing: Standing = Standing.MISTAKE) -> None:
    """A wait for these things was refused: report the closed ones among them, or else the wait alone."""
    if standing is Standing.QUESTION:
        return
    place, is_note = call_site(frame), standing is Standing.NOTE
    closed = [each for each in things if isinstance(each, socket.socket) and each.fileno() == -1]
    for sock in closed:
        track = track_of(sock)
        if track is not None:
            checkers.report_hazard(WAIT_CLOSED, track, call, place, is_note=is_note)
    if not closed and kind_of(place.file) <= FileKind.INSTALLED:  # a loop's own query does not concern the program
        checkers.report_hazard(WAIT_CLOSED, None, call, place, is_note=is_note)


def _watched_init(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def made(self: Any, *arguments: Any, **keywords: Any) -> None:
        original(self, *arguments, **keywords)
        registered.use(self)

    return made


def _watched_lookup(original: Callable[..., int]) -> Callable[..., int]:
    @wraps(original)
    def _fileobj_lookup(self: Any, fileobj: Thing) -> int:
        try:
            number = original(self, fileobj)
        except ValueError:
            frame = sys._getframe(1)
            if isinstance(fileobj, int) or hasattr(fileobj, "fileno"):
                call = _public_name(frame)
                wait_failed((fileobj,), call, frame, _standing(frame, call, ValueError))
            del self, fileobj
            raise
        if registered.MEMORY in vars(self) and sys._getframe(1).f_code.co_name == "unregister":
            registered.unregistered(self, number)
        return number

    return _fileobj_lookup


def _watched_modify(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def modify(self: Any, fileobj: Thing, events: int, data: Any = None) -> Any:
        try:
            return original(self, fileobj, events, data)
        except OSError as error:
            if error.errno == errno.EBADF:
                frame = sys._getframe(1)
                wait_failed((fileobj,), "modify", frame, _standing(frame, "modify", OSError))
                del frame
            del self, fileobj, data
            raise

    return modify


def _public_name(frame: FrameType) -> str:
    """The name of the function that the program has called."""
    caller: FrameType | None = frame
    while caller is not None and caller.f_code.co_name.startswith("_"):
        caller = caller.f_back
    return frame.f_code.co_name if caller is None else caller.f_code.co_name


_ASKING = frozenset({"modify", "unregister"})
"""calls that show a program whether the descriptor is registered, so that it can react"""


def _standing(frame: FrameType, call: str, error: type[Exception]) -> Standing:
    """How such a call is judged, when it fails for a closed socket.

    A library may ask in a `try`, and its loop may find that a descriptor which it waits for is gone: that the socket was
    closed while it was registered is reported at the close(). A wait that the program begins stays the program's mistake.
    """
    caller: FrameType | None = frame
    is_taken = False
    while caller is not None and not is_loop(caller.f_code):
        guard = guard_of(caller, error)
        if kind_of(caller.f_code.co_filename) is FileKind.PROGRAM:
            return Standing.NOTE if guard is Guard.SWALLOWED or (guard and call in _ASKING) else Standing.MISTAKE
        is_taken = is_taken or guard is not Guard.NONE
        is_reactor = call == "select" and has_handler(caller.f_code, caller.f_lasti)  # which looks then for what is gone
        if is_reactor or (is_taken and call in _ASKING):
            return Standing.QUESTION
        caller = caller.f_back
    return Standing.QUESTION if is_taken else Standing.MISTAKE


_ONE_SHOT = getattr(select, "EPOLLONESHOT", 0)  # Linux has it


class Registered:
    """What a poll object has for a descriptor. events: those that it waits for."""

    __slots__ = ("events",)

    events: int


class WatchedPoll:
    """The result of select.poll(), which in addition knows which descriptors are registered.

    A descriptor of epoll's that was registered for one event counts as registered until that event, or until it is modified to
    wait for none: the kernel then reports nothing for it, and forgets it when it is closed.
    """

    __slots__ = ("__weakref__", "_lifecycle_closed", "_one_shot", "_polled", "registered")

    def __init__(self, polled: Any) -> None:
        self._polled = polled
        self._one_shot: set[int] = set()
        self._lifecycle_closed: registered.Memory | None = None
        self.registered: dict[int, Registered] = {}
        registered.use(self)

    def register(self, fd: Thing, /, *rest: Any, **keywords: Any) -> None:
        """As poll objects do."""
        self._told("register", fd, rest, keywords)
        self.registered.pop(_number(fd), None)
        self._note(_number(fd), *rest, **keywords)

    def modify(self, fd: Thing, /, *rest: Any, **keywords: Any) -> None:
        """As poll objects do."""
        self._told("modify", fd, rest, keywords)
        self._note(_number(fd), *rest, **keywords)

    def unregister(self, fd: Thing, /) -> None:
        """As poll objects do."""
        self.registered.pop(_number(fd), None)
        self._told("unregister", fd, (), {})

    def poll(self, *arguments: Any, **keywords: Any) -> Any:
        """As poll objects do."""
        if self._lifecycle_closed is not None and self._lifecycle_closed.doomed:
            registered.judge(self)
        if registered.tls_watcher is not None:
            registered.tls_watcher.selects(
                self, "poll", arguments[0] if arguments else keywords.get("timeout"), sys._getframe(1)
            )
        events = self._polled.poll(*arguments, **keywords)
        for number, _ in events if self._one_shot else ():
            if number in self._one_shot:
                self.registered.pop(number, None)
        return events

    def _note(self, number: int, eventmask: int = ~_ONE_SHOT) -> None:
        """The descriptor is registered for these events, which are all of them where none are named."""
        is_one_shot = bool(eventmask & _ONE_SHOT)
        if is_one_shot:
            self._one_shot.add(number)
        else:
            self._one_shot.discard(number)
        if is_one_shot and eventmask == _ONE_SHOT:
            self.registered.pop(number, None)
        else:
            self.registered.setdefault(number, Registered()).events = eventmask

    def _told(self, call: str, fd: Thing, rest: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        try:
            getattr(self._polled, call)(fd, *rest, **keywords)
        except (ValueError, OSError) as error:
            frame = sys._getframe(2)
            is_over = isinstance(self, WatchedEpoll) and self._polled.closed  # which is a ValueError, too
            if not is_over and (not isinstance(error, OSError) or error.errno == errno.EBADF):
                wait_failed((fd,), call, frame, _standing(frame, call, type(error)))
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._polled, name)


class WatchedEpoll(WatchedPoll):
    """Replaces select.epoll during a check."""

    __slots__ = ()

    original: Any

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(self.original(*arguments, **keywords))

    @classmethod
    def fromfd(cls, fd: int, /) -> Any:
        """As select.epoll has it."""
        made = cls.__new__(cls)
        WatchedPoll.__init__(made, cls.original.fromfd(fd))
        return made

    def __enter__(self) -> Any:
        self._polled.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._polled.__exit__(*error)


def _number(fd: Thing) -> int:
    number = fd if isinstance(fd, int) else fd.fileno()
    return int(number)


ASKERS: dict[int, str] = {}
"""id() of the code that hands a descriptor of the program's to a wait -> what the program calls"""

WAITS: dict[int, Callable[[FrameType, int, socket.socket], bool]] = {}
"""id() of the code of a wait -> whether a frame of it waits, without a time-out, for the socket with that descriptor"""


def _selector_waits(frame: FrameType, number: int, sock: socket.socket) -> bool:
    selector = frame.f_locals.get("self")
    entry = registered.entry_of(selector, number)
    is_it = entry is not None and getattr(entry, "fileobj", sock) in (sock, number)
    return frame.f_locals.get("timeout") in (None, -1) and is_it


def _poll_waits(frame: FrameType, number: int, sock: socket.socket) -> bool:
    arguments = frame.f_locals.get("arguments") or (None,)
    is_bounded = arguments[0] is not None and arguments[0] >= 0
    return (
        not is_bounded
        and not frame.f_locals.get("keywords")
        and registered.entry_of(frame.f_locals.get("self"), number) is not None
    )


WAITS[id(WatchedPoll.poll.__code__)] = _poll_waits
ASKERS[id(WatchedPoll._told.__code__)] = "poll"
for _class in ("SelectSelector", "_PollLikeSelector", "EpollSelector", "KqueueSelector", "DevpollSelector"):
    _select = vars(getattr(selectors, _class, object)).get("select")
    if _select is not None:
        WAITS[id(_select.__code__)] = _selector_waits


def waits_for(top: FrameType, number: int, sock: socket.socket) -> Iterator[FrameType]:
    """The frame near the top of a thread that waits, without a time-out, for the socket with that descriptor."""
    frame: FrameType | None = top
    for _ in range(_DEPTH):
        if frame is None:
            return
        waits = WAITS.get(id(frame.f_code))
        if waits is not None and waits(frame, number, sock):
            yield frame
            return
        frame = frame.f_back


_DEPTH = 4  # frames between a wait and the system

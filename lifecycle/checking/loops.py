"""Sockets that asyncio makes for a program: the line that requested them, and those that only a finalizer closed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary, ref

from lifecycle.checking import checkers
from lifecycle.checking.call_sites import CallSite, FileKind, call_site, followed, is_in_program, kind_of
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.replacements import Replacements
from lifecycle.checking.stream_ends import count_after_the_end
from lifecycle.checking.track import SocketTrack
from lifecycle.roles.python.hazards import FINALIZED, WRITTEN_TOO_LATE
from lifecycle.roles.python.tls_hazards import NOT_AWAITED, ORDER, PLAIN_LEFT, TRUNCATED
from lifecycle.roles.words import CLOSE, START_TLS

_replacements = Replacements()
_sites: WeakKeyDictionary[Any, CallSite] = WeakKeyDictionary()
_closed: WeakKeyDictionary[Any, CallSite] = WeakKeyDictionary()  # transport -> where it was closed; its loop may refer to it


def install() -> None:
    """Watch asyncio, which the program has loaded."""
    _replacements.wrap(sys.modules["asyncio.base_events"].BaseEventLoop, "create_task", _watched_create_task)
    selector_events = sys.modules["asyncio.selector_events"]
    transport, stream = selector_events._SelectorTransport, selector_events._SelectorSocketTransport
    for kind in (transport, stream, getattr(sys.modules.get("asyncio.sslproto"), "_SSLProtocolTransport", None)):
        if kind is not None and CLOSE.name in vars(kind):  # from CPython 3.12 on a stream's transport has its own
            _replacements.wrap(kind, CLOSE.name, _watched_close)
    _replacements.wrap(stream, "write_eof", _watched_last_write)
    _replacements.wrap(selector_events.BaseSelectorEventLoop, CLOSE.name, _watched_end)
    streams = sys.modules["asyncio.streams"]
    _replacements.wrap(streams.StreamWriter, "__del__", _watched_del)
    _replacements.wrap(streams.StreamReader, "read", _watched_read)
    _replacements.wrap(streams.StreamReader, "feed_eof", _watched_feed_eof)
    _replacements.wrap(streams.StreamWriter, "write_eof", _watched_write_eof)
    _replacements.wrap(streams.StreamWriter, START_TLS.name, _watched_start_tls)


def uninstall() -> None:
    """Restore what was replaced."""
    _replacements.restore()


def site_of_task() -> CallSite | None:
    """The line of the program that began the present task of a library's code, or None."""
    if not _sites:
        return None
    events = sys.modules.get("asyncio.events")
    loop = None if events is None else events._get_running_loop()
    task = None if loop is None else sys.modules["asyncio.tasks"].current_task(loop)
    return None if task is None else _sites.get(task)


def _watched_create_task(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def create_task(self: Any, coro: Any, **keywords: Any) -> Any:
        task = original(self, coro, **keywords)
        code = getattr(coro, "cr_code", None)
        if code is not None and code.co_filename not in followed:
            frame = sys._getframe(1)
            site = call_site(frame) if is_in_program(frame) else None
            if site is None or site.file not in followed:
                site = site_of_task()
            if site is not None:
                _sites[task] = site
        return task

    return create_task


def _watched_close(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def close(self: Any) -> None:
        if _is_own(sys._getframe(1)) and not self.is_closing():
            if getattr(self, "_buffer", self):  # sent data cannot be lost
                _closed[self] = call_site(sys._getframe(1))
            _watch_writes(self)
        original(self)

    return close


def _watched_last_write(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def write_eof(self: Any) -> None:
        original(self)
        if _is_own(sys._getframe(1)):
            _watch_writes(self)

    return write_eof


def _is_own(frame: FrameType | None) -> bool:
    """Whether the program makes the call, itself or by its StreamWriter."""
    streams = sys.modules["asyncio.streams"].__file__
    while frame is not None and (frame.f_code.co_filename == streams or kind_of(frame.f_code.co_filename) is FileKind.INTERNAL):
        frame = frame.f_back
    return frame is not None and kind_of(frame.f_code.co_filename) is FileKind.PROGRAM


def _watch_writes(transport: Any) -> None:
    """Report what the program writes to a transport from now on that asyncio drops or refuses."""
    found, kind, track = ref(transport), type(transport), _track_of(transport)

    def watched(name: str) -> Callable[..., None]:
        def write(data: Any, *rest: Any) -> None:
            each: Any = found()
            is_over = each._eof or each._conn_lost if name == "write" else each._sock is None
            if data and is_over and _is_own(sys._getframe(1)):
                checkers.report_hazard(WRITTEN_TOO_LATE, track, name, call_site(sys._getframe(1)))
            getattr(kind, name)(each, data, *rest)

        return write

    for name in ("write", "sendto"):
        if hasattr(kind, name) and hasattr(transport, "_conn_lost") and name not in vars(transport):
            setattr(transport, name, watched(name))


def _watched_end(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def close(self: Any) -> None:
        for transport, place in [] if self.is_closed() else list(_closed.items()):
            if transport._loop is self and _unsent(transport):
                track = _track_of(transport)
                checkers.report_hazard(NOT_AWAITED, track, CLOSE.name, place)
                if track is not None:  # the open socket is a consequence of it
                    track.reported |= {FindingKind.LEAK, (FINALIZED, track.made)}
        original(self)

    return close


def _track_of(transport: Any) -> SocketTrack | None:
    """The track of the transport's socket; None where its connection is gone, which the methods of one over TLS need."""
    if getattr(transport, "_ssl_protocol", transport) is None:
        return None
    track = getattr(getattr(transport.get_extra_info("socket"), "_sock", None), "_closed", None)
    return track if isinstance(track, SocketTrack) else None


def _unsent(transport: Any) -> int:
    """How many bytes the transport still has, and the one below it, over which TLS goes."""
    if getattr(transport, "_ssl_protocol", transport) is None:  # its connection is gone, and its methods need that
        return 0
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    lost = getattr(transport, "_conn_lost", 0) or getattr(below, "_conn_lost", 0)
    return 0 if lost else int(transport.get_write_buffer_size()) + (0 if below is None else int(below.get_write_buffer_size()))


def _watched_del(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def finalized(self: Any) -> None:
        transport = getattr(self, "_transport", None)
        if transport is not None and not transport.is_closing():
            track = _track_of(transport)
            if track is not None:
                track.forgotten = True
        original(self)

    return finalized


def _tls() -> Any:
    """The watcher of TLS, if the program has loaded `ssl`."""
    return sys.modules.get("lifecycle.checking.tls")


def _watched_read(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    async def read(self: Any, n: int = -1) -> Any:
        data = await original(self, n)
        if self._eof and (n < 0 or not data) and self._transport is not None and _tls() is not None:
            secured = self._transport.get_extra_info("ssl_object")
            if secured is not None and not _tls().of(secured).notified and _tls().is_own(sys._getframe(1)):
                checkers.report_hazard(TRUNCATED, None, "read", call_site(sys._getframe(1)))
        return data

    return read


def _watched_feed_eof(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def feed_eof(self: Any) -> None:
        original(self)
        count_after_the_end(self, None if self._transport is None else _track_of(self._transport))

    return feed_eof


def _watched_write_eof(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def write_eof(self: Any) -> Any:
        try:
            return original(self)
        except NotImplementedError:
            checkers.report_hazard(ORDER, None, "write_eof", call_site(sys._getframe(1)))
            raise

    return write_eof


def _watched_start_tls(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    async def start_tls(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if getattr(self._reader, "_buffer", None):
            checkers.report_hazard(PLAIN_LEFT, None, START_TLS.name, call_site(sys._getframe(1)))
        return await original(self, *arguments, **keywords)

    return start_tls

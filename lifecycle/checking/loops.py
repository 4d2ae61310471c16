"""Sockets that asyncio makes for a program: which line asked for them, and which were closed by a finalizer only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from lifecycle.checking.call_sites import CallSite, FileKind, call_site, kind_of
from lifecycle.checking.replacements import Replacements
from lifecycle.checking.track import SocketTrack

_replacements = Replacements()
_sites: WeakKeyDictionary[Any, CallSite] = WeakKeyDictionary()


def install() -> None:
    """Watch asyncio, which the program has loaded."""
    _replacements.wrap(sys.modules["asyncio.base_events"].BaseEventLoop, "create_task", _watched_create_task)
    _replacements.wrap(sys.modules["asyncio.streams"].StreamWriter, "__del__", _watched_del)


def uninstall() -> None:
    """Restore what was replaced."""
    _replacements.restore()


def site_of_task() -> CallSite | None:
    """The line of the program that began the present task of a library's code, or None."""
    events = sys.modules.get("asyncio.events")
    loop = None if events is None else events._get_running_loop()
    task = None if loop is None else sys.modules["asyncio.tasks"].current_task(loop)
    return None if task is None else _sites.get(task)


def _watched_create_task(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def create_task(self: Any, coro: Any, **keywords: Any) -> Any:
        task = original(self, coro, **keywords)
        code = getattr(coro, "cr_code", None)
        if code is not None and kind_of(code.co_filename) is not FileKind.PROGRAM:
            site: CallSite | None = call_site(sys._getframe(1))
            if site is not None and kind_of(site.file) is not FileKind.PROGRAM:
                site = site_of_task()
            if site is not None:
                _sites[task] = site
        return task

    return create_task


def _watched_del(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def finalized(self: Any) -> None:
        transport = getattr(self, "_transport", None)
        if transport is not None and not transport.is_closing():
            sock = getattr(transport.get_extra_info("socket"), "_sock", None)
            track = getattr(sock, "_closed", None)
            if isinstance(track, SocketTrack):
                track.forgotten = True
        original(self)

    return finalized

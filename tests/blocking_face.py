"""A blocking face for the awaited sockets, so that the tests of the blocking ones run against them as they are.

Each call is made in the event loop of a portal, and the time-out that a blocking socket has is put around it: none, a
nowait(), or a cancel scope. `awaited_copies` loads test modules anew with these faces in place of the blocking sockets.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, ClassVar, Self
from unittest.mock import patch

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from event_loops import EventLoop

import lifecycle
from lifecycle import IllegalCall, SendTimedOut, aio
from lifecycle.net.blocking.driver import checked_timeout

HERE = Path(__file__).parent

_portal: BlockingPortal | None = None
_loop_thread = 0


@contextmanager
def portal_in(event_loop: EventLoop) -> Iterator[None]:
    """Have the faces make their calls in an event loop of that kind."""
    global _portal, _loop_thread
    with start_blocking_portal(event_loop.backend, event_loop.options) as _portal:
        _loop_thread = _portal.call(threading.get_ident)
        try:
            yield
        finally:
            _portal = None


def in_the_loop(call: Callable[[], Any]) -> Any:
    """Make a plain call in the event loop of the portal."""
    assert _portal is not None
    return _portal.call(call)


@functools.cache
def _named_as(name: str, kind: type[Any]) -> type[Any]:
    """That class, or one of that name derived from it."""
    return kind if name == kind.__name__ else type(name, (kind,), {"__slots__": ()})


class Face:
    """Looks and behaves like a blocking socket, and makes its calls on an awaited one."""

    awaited_class: ClassVar[type[Any]]

    def __init__(self, *, timeout: float | None = None, engine: str | None = None, awaited: Any = None) -> None:
        self._awaited = self._make(engine) if awaited is None else awaited
        self._timeout = checked_timeout(timeout)
        self._timeout_is_own = timeout is not None

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "awaited_class" in vars(cls):
            cls.role = cls.awaited_class.role
            cls._kind = cls.awaited_class._kind
            for name in (*(call.name for call in cls.role.calls if call.fired_by is None), "cancel_blocking_call"):
                setattr(cls, name, _made_in_the_loop(getattr(cls.awaited_class, name)))

    role: ClassVar[Any]
    _kind: ClassVar[int]

    def _make(self, engine: str | None) -> Any:
        if type(self).on_message_pending is Face.on_message_pending:
            return _named_as(type(self).__name__, self.awaited_class)(engine=engine)
        face = self

        class Awaited(self.awaited_class):  # type: ignore[misc, name-defined]
            __slots__ = ()

            def on_message_pending(self) -> None:
                face.on_message_pending()

        Awaited.__name__ = type(self).__name__
        return Awaited(engine=engine)

    def on_message_pending(self) -> None: ...

    @property
    def timeout(self) -> float | None:
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = checked_timeout(seconds)
        self._timeout_is_own = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Face]:
        while True:
            try:
                accepted = self.accept()
            except IllegalCall:
                if self.state in self.role.final:
                    return
                raise
            yield accepted

    def __repr__(self) -> str:
        return repr(self._awaited)

    def __reduce_ex__(self, protocol: object) -> Any:
        return self._awaited.__reduce_ex__(protocol)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_awaited":
            raise AttributeError(name)
        return getattr(self._awaited, name)

    def _call(self, method: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        targets = [each for each in (*arguments, *keywords.values()) if isinstance(each, Face)]
        plain = [each._awaited if isinstance(each, Face) else each for each in arguments]
        named = {name: each._awaited if isinstance(each, Face) else each for name, each in keywords.items()}
        if _portal is None or threading.get_ident() == _loop_thread:
            result = method(*plain, **named)
        elif not inspect.iscoroutinefunction(method):
            result = _portal.call(lambda: method(*plain, **named))
        else:
            result = _portal.call(self._awaiting, lambda: method(*plain, **named))
        if not isinstance(result, aio.Accepted):
            return result
        accepted = targets[0] if targets else AcceptedFace(awaited=result)
        if not accepted._timeout_is_own:
            accepted._timeout = self._timeout
        return accepted

    async def _awaiting(self, begin: Callable[[], Any]) -> Any:
        if self._timeout is None:
            return await begin()
        if self._timeout == 0:
            return aio.nowait(begin())
        with anyio.move_on_after(self._timeout):
            return await begin()
        sent = getattr(self._awaited, "sent", 0)
        raise SendTimedOut(sent) if sent else TimeoutError("timed out")


def _made_in_the_loop(method: Callable[..., Any]) -> Any:
    @functools.wraps(method)
    def call(self: Face, *arguments: Any, **keywords: Any) -> Any:
        return self._call(getattr(self._awaited, method.__name__), arguments, keywords)

    return call


class ServerFace(Face):
    awaited_class = aio.Server


class ClientFace(Face):
    awaited_class = aio.Client


class AcceptedFace(Face):
    awaited_class = aio.Accepted


class DatagramFace(Face):
    awaited_class = aio.Datagram


FACES: dict[str, type[Face]] = {"Server": ServerFace, "Client": ClientFace, "Accepted": AcceptedFace, "Datagram": DatagramFace}
for _name, _face in FACES.items():
    _face.__name__ = _name

SUPPORT = ("loopback", "sockets_in_states", "refusals", "racing", "kernel", "states", "provocations", "evidence")


@contextmanager
def _faces_in_place() -> Iterator[None]:
    """Modules that are imported meanwhile find faces where the blocking sockets are; support modules are imported anew."""
    before = _taken_out()
    try:
        with patch.multiple(lifecycle, **FACES):
            yield
    finally:
        _taken_out()
        sys.modules.update(before)


def _taken_out() -> dict[str, ModuleType]:
    """Take the imported support modules out of sys.modules, and return them."""
    return {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] in SUPPORT}


def awaited_copies(*paths: str) -> list[ModuleType]:
    """The test modules at these paths under tests/, for the awaited sockets."""
    copies = []
    with _faces_in_place():
        for path in paths:
            spec = importlib.util.spec_from_file_location(f"awaited_{Path(path).stem}", HERE / path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            copies.append(module)
    return copies

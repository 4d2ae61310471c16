"""NotifiedSocket: the callbacks of CAsyncSocket, and methods that report each call to the object's Notifier."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from lifecycle.engine import Call, Observer, Role
from lifecycle.net.notify.context import current_queue
from lifecycle.net.notify.dispatcher import Notifier, WatchedSocket
from lifecycle.net.notify.events import CALLBACKS, Events, checked_mask


class NotifiedSocket(WatchedSocket):
    """A socket whose class may have callbacks for what happens to it."""

    __slots__ = ("_notifier",)

    def __init_subclass__(cls, role: Role | None = None, **keywords: object) -> None:
        super().__init_subclass__(role, **keywords)
        if role is not None:
            cls._handlers = cls
        had_callbacks = bool(cls._callbacks)
        cls._callbacks = Events(
            sum(event for event, name in CALLBACKS.items() if getattr(cls, name) is not getattr(NotifiedSocket, name))
        )
        if cls._callbacks and not had_callbacks:
            report_calls(cls)

    def __init__(self, *, engine: str | None = None, journal: Observer | None = None) -> None:
        super().__init__(engine=engine, journal=journal)
        self._notifier = Notifier(self, current_queue(type(self))) if self._callbacks else None

    def select_events(self, mask: int = Events.ALL) -> None:
        """Choose the notifications of this object from now on (MFC's AsyncSelect); 0 for none.

        mask: as in Events.READ | Events.CLOSE; it replaces the one before. A new object gets all; an accepted one those of its
        server, unless it chose itself. What holds already is delivered at once. Raises TypeError, ValueError.
        """
        checked = checked_mask(mask)
        if self._notifier is not None:
            self._notifier.select(checked)

    def on_accept(self) -> object:
        """A connection can be accepted; called once, and again after accept() if there are more. Does nothing here."""

    def on_connect(self, error: int) -> object:
        """A connect that did not wait has its result; error: 0, or the system's error number. Does nothing here."""

    def on_receive(self) -> object:
        """There is data to receive; called once, and again after a receive if there is more. Does nothing here."""

    def on_send(self) -> object:
        """Sends are possible; called once connected, and then after a send that would have waited. Does nothing here."""

    def on_out_of_band_data(self) -> object:
        """There is out-of-band data; called once, and again after a receive if there still is some. Does nothing here."""

    def on_close(self, error: int) -> object:
        """The connection has ended and all was read; error: 0, or the number, as of a reset. Called once. Does nothing here."""

    def _count_wait(self) -> None:
        if self._notifier is not None:
            self._notifier.waits += 1


def report_calls(cls: type[NotifiedSocket]) -> None:
    """Have every call of the class's objects reported to their notifier when it has ended."""
    for call in cls.role.calls:
        if call.fired_by is None and not cls.role.never_legal(call.name):
            method = getattr(cls, call.name)
            awaited = inspect.iscoroutinefunction(method)
            reporting = _reporting_awaited(call, method) if awaited else _reporting(call, method)
            reporting.__handler__ = method.__handler__  # type: ignore[attr-defined]
            setattr(cls, call.name, reporting)


def _reporting(spec: Call, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: NotifiedSocket, *arguments: Any, **keywords: Any) -> Any:
        failure: BaseException | None = None
        try:
            return method(self, *arguments, **keywords)
        except BaseException as error:
            failure = error
            raise
        finally:
            if self._notifier is not None:
                self._notifier.ended(spec, failure, waited=False)
            del failure  # its traceback holds this frame, which must not hold it

    return call


def _reporting_awaited(spec: Call, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def call(self: NotifiedSocket, *arguments: Any, **keywords: Any) -> Any:
        failure: BaseException | None = None
        waits = 0 if self._notifier is None else self._notifier.waits
        try:
            return await method(self, *arguments, **keywords)
        except BaseException as error:
            failure = error
            raise
        finally:
            if self._notifier is not None:
                self._notifier.ended(spec, failure, waited=self._notifier.waits > waits)
            del failure  # its traceback holds this frame, which must not hold it

    return call

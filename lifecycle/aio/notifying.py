"""Gives a class that has notification callbacks methods that tell its Notifier of each call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lifecycle.aio.events import CALLBACKS, Events

if TYPE_CHECKING:
    from lifecycle.aio.async_socket import AsyncSocket


def callbacks_of(cls: type[AsyncSocket], base: type[AsyncSocket]) -> Events:
    """The events whose callback the class does not have from `base`, where they do nothing."""
    told = Events(0)
    for event, name in CALLBACKS.items():
        if getattr(cls, name) is not getattr(base, name):
            told |= event
    return told


def tell_of_calls(cls: type[AsyncSocket]) -> None:
    """Have the notifier of the class's objects told of every call, when it has ended."""
    for name, spec in cls._specs.items():
        if spec.fired_by is None and not cls.role.never_legal(name):
            method = getattr(cls, name)
            telling = _telling_awaited(name, method) if inspect.iscoroutinefunction(method) else _telling(name, method)
            telling.__handler__ = method.__handler__  # type: ignore[attr-defined]
            setattr(cls, name, telling)


def _telling(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: AsyncSocket, *arguments: Any, **keywords: Any) -> Any:
        failure: BaseException | None = None
        try:
            return method(self, *arguments, **keywords)
        except BaseException as error:
            failure = error
            raise
        finally:
            self._tell_notifier(name, failure, waited=False)
            del failure  # its traceback holds this frame, which must not hold it

    return call


def _telling_awaited(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def call(self: AsyncSocket, *arguments: Any, **keywords: Any) -> Any:
        failure: BaseException | None = None
        waits = self._waits_made()
        try:
            return await method(self, *arguments, **keywords)
        except BaseException as error:
            failure = error
            raise
        finally:
            self._tell_notifier(name, failure, waited=self._waits_made() > waits)
            del failure  # its traceback holds this frame, which must not hold it

    return call

"""notifications(): delivers the notifications of the objects that are made in its block, one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from lifecycle.engine import LifecycleError
from lifecycle.net.notify.events import Events


class Delivers(Protocol):
    """Delivers an event to its object."""

    async def deliver(self, event: Events) -> None:
        """Call the callback, unless the event is stale by now."""
        ...


class NotificationsNotRunning(LifecycleError, RuntimeError):
    """An object whose class has notification callbacks was made outside a block of notifications()."""


class Queue:
    """The events that were posted and not delivered yet, in their order: the message queue of an MFC thread."""

    def __init__(self, tasks: TaskGroup) -> None:
        self.tasks = tasks
        self.is_open = True
        self._posted: deque[tuple[Delivers, Events]] = deque()
        self._something = anyio.Event()

    def post(self, notifier: Delivers, event: Events) -> None:
        """Have the event delivered after those that were posted before."""
        self._posted.append((notifier, event))
        self._something.set()

    async def deliver(self) -> None:
        """Deliver one event after the other, never one while the callback of another still runs."""
        while True:
            await self._something.wait()
            self._something = anyio.Event()
            while self._posted:
                notifier, event = self._posted.popleft()
                await notifier.deliver(event)


_current: ContextVar[Queue] = ContextVar("_current")


@asynccontextmanager
async def notifications() -> AsyncIterator[None]:
    """Deliver the notifications of the objects that are made in this block, in the order in which the events occur.

    It is what the message loop of a thread is to MFC: callbacks run one at a time; while one of them awaits, the events of all
    objects of the block are kept, and delivered afterwards. An exception that a callback raises ends the block. Objects whose
    class has no callbacks need no block.
    """
    async with anyio.create_task_group() as tasks:
        queue = Queue(tasks)
        token = _current.set(queue)
        tasks.start_soon(queue.deliver)
        try:
            yield
        finally:
            _current.reset(token)
            queue.is_open = False
            tasks.cancel_scope.cancel()


def current_queue(kind: type) -> Queue:
    """The queue for an object of that class; NotificationsNotRunning outside a block of notifications()."""
    queue = _current.get(None)
    if queue is None:
        raise NotificationsNotRunning(
            f"{kind.__name__} has notification callbacks, and no block delivers notifications here: "
            "make it inside `async with aio.notifications():`"
        )
    return queue

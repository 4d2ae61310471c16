"""Readiness in event loops of asyncio's kind, by registrations that stay. See readiness.py for what the methods mean."""

from __future__ import annotations

import asyncio
import socket
from asyncio import _get_running_loop as running_loop
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import ref

from lifecycle.aio.waiter import Waiter


class LoopReadiness:
    """Readiness in a loop of asyncio's kind, uvloop for one, by add_reader() and add_writer().

    The registration is made when somebody first waits, and taken back when it is reported and nobody does. The loop alone
    holds the callback: once that is gone the loop has dropped the registration by itself, as uvloop does after an error.
    """

    is_kept = True

    __slots__ = ("_add", "_callback", "_descriptor", "_remove", "_waiters", "_watchers", "loop")

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop, *, writing: bool) -> None:
        self.loop = loop
        self._descriptor = sock.fileno()
        self._add = loop.add_writer if writing else loop.add_reader
        self._remove = loop.remove_writer if writing else loop.remove_reader
        self._callback: Callable[[], object] = _nothing
        self._waiters: list[Any] = []  # Futures, or what else a task can wait for
        self._watchers: list[Any] = []

    def wait(self) -> Awaitable[bool]:
        if self._callback() is None:
            self._register()
        if self._waiters:
            forget_ended(self._waiters)
        waiter: asyncio.Future[bool] = self.loop.create_future()
        self._waiters.append(waiter)
        return waiter

    def watch(self) -> Awaitable[bool]:
        if self._callback() is None:
            self._register()
        forget_ended(self._watchers)
        watcher: asyncio.Future[bool] = self.loop.create_future()
        self._watchers.append(watcher)
        return watcher

    @property
    def is_awaited(self) -> bool:
        return any(not each.done() for each in self._waiters)

    def wake(self) -> None:
        self._end(self._waiters, cancelled=False)
        self._end(self._watchers, cancelled=False)

    def cancel(self) -> None:
        self._end(self._waiters, cancelled=True)

    def stop(self) -> None:
        self._unregister()
        self.wake()

    @property
    def is_elsewhere(self) -> bool:
        """Whether the registration belongs to a loop that runs in another thread, where alone it may be taken back."""
        return self._callback() is not None and self.loop.is_running() and running_loop() is not self.loop

    def _register(self) -> None:
        callback = self._ready
        try:
            self._add(self._descriptor, callback)
        except RuntimeError:  # uvloop has closed its handle after an error, and wants to be told before it makes a new one
            self.loop.remove_reader(self._descriptor)
            self.loop.remove_writer(self._descriptor)
            self._add(self._descriptor, callback)
        self._callback = ref(callback)

    def _unregister(self) -> None:
        if self._callback() is not None and not self.loop.is_closed():
            self._remove(self._descriptor)
        self._callback = _nothing

    def _ready(self) -> None:
        """Resume all that wait: after an error there is no other report."""
        waiters = self._waiters
        if len(waiters) == 1 and not waiters[0].done():
            waiters.pop().set_result(False)
        elif not self._end(self._waiters, cancelled=False) and not self._end(self._watchers, cancelled=False):
            self._unregister()

    def _end(self, waits: list[Any], *, cancelled: bool) -> bool:
        """End those waits that have not ended; whether there were any."""
        found = False
        for each in waits:
            if not each.done():
                each.set_result(cancelled)
                found = True
        waits.clear()
        return found


def forget_ended(waits: list[Any]) -> None:
    """Keep only the waits that have not ended; others were cancelled."""
    waits[:] = [each for each in waits if not each.done()]


def _nothing() -> None:
    """The reference to a callback that the loop does not hold."""


class SelectorReadiness(LoopReadiness):
    """Readiness in a loop of asyncio's own, which reports a descriptor again before the task that it woke has run.

    So a task that waits is resumed in the callback itself: it has taken what there is before the loop asks the system again.
    """

    __slots__ = ("_spare",)

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop, *, writing: bool) -> None:
        super().__init__(sock, loop, writing=writing)
        self._spare: Waiter | None = None

    def wait(self) -> Waiter:
        if self._callback() is None:
            self._register()
        if self._waiters:
            forget_ended(self._waiters)
        waiter = self._spare
        if waiter is None:
            waiter = Waiter(self.loop)
        else:
            self._spare = None
            waiter.is_done = False
        self._waiters.append(waiter)
        return waiter

    def _ready(self) -> None:
        """Resume the first that waits; what it leaves is reported again, for the next one."""
        waits = self._waiters
        while waits:
            waiter: Waiter = waits.pop(0)
            if not waiter.is_done:
                self._spare = waiter
                waiter.resume_now()
                return
        super()._ready()

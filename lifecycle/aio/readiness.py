"""Waiting until a socket is ready, for a task: one Readiness per socket and direction.

Calls that wait come first, watchers (the notifications) only when no call waits: what a call waits for is its own. An
asyncio loop gets a registration that stays, so that a conversation of questions and answers costs no system call but its
own; every other loop is asked through anyio, wait by wait.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio import _get_running_loop as running_loop
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from weakref import ref

import anyio

from lifecycle.aio.waiter import Waiter


class Readiness(Protocol):
    """One direction of a socket: readable (a connection to accept, data, an end, an error) or writable."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The asyncio loop that it belongs to."""
        ...

    def wait(self) -> Awaitable[bool]:
        """Until it seems ready: the caller tries, and may have waited for nothing. True: cancel() has ended the wait."""
        ...

    def watch(self) -> Awaitable[object]:
        """As wait(), but only what comes while nobody is in wait() counts."""
        ...

    @property
    def is_awaited(self) -> bool:
        """Whether somebody is in wait()."""
        ...

    def wake(self) -> None:
        """End all waits, as if it were ready."""
        ...

    def cancel(self) -> None:
        """End the waits of wait(), which give True."""
        ...

    def stop(self) -> None:
        """Forget the descriptor, which is about to be closed or handed out; ends all waits."""
        ...


def readiness_of(sock: socket.socket, *, writing: bool) -> Readiness:
    """The Readiness of `sock` in the event loop that runs now."""
    loop = running_loop()
    if loop is None or asyncio.current_task(loop) is None or not _watches_descriptors(loop):
        return AnyioReadiness(sock, loop, writing=writing)
    if isinstance(loop, BaseSelectorEventLoop):
        return SelectorReadiness(sock, loop, writing=writing)
    return LoopReadiness(sock, loop, writing=writing)


def _watches_descriptors(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop has add_reader(): that of Windows which waits for completions has not."""
    return type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader


class LoopReadiness:
    """Readiness in a loop of asyncio's kind, uvloop for one, by add_reader() and add_writer().

    The registration is made when somebody first waits, and taken back when it is reported and nobody does. The loop alone
    holds the callback: once that is gone the loop has dropped the registration by itself, as uvloop does after an error.
    """

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
        return self._join(self._waiters)

    def watch(self) -> Awaitable[bool]:
        return self._join(self._watchers)

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

    def _join(self, waits: list[Any]) -> asyncio.Future[bool]:
        if self._callback() is None:
            self._register()
        if waits:  # some of them may have been cancelled
            waits[:] = [each for each in waits if not each.done()]
        waiter: asyncio.Future[bool] = self.loop.create_future()
        waits.append(waiter)
        return waiter

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
        if not self._end(self._waiters, cancelled=False) and not self._end(self._watchers, cancelled=False):
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
        waits = self._waiters
        if waits:  # some of them may have been cancelled
            waits[:] = [each for each in waits if not each.done()]
        waiter = self._spare
        if waiter is None:
            waiter = Waiter(self.loop)
        else:
            self._spare = None
            waiter.is_done = False
        waits.append(waiter)
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


class AnyioReadiness:
    """Readiness in any loop that anyio knows. One task waits for the descriptor, and the others for that task."""

    __slots__ = ("_calls", "_cancels", "_ended", "_sock", "_wait_ready", "loop")

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop | None, *, writing: bool) -> None:
        self.loop = loop
        self._sock = sock
        self._wait_ready = anyio.wait_writable if writing else anyio.wait_readable
        self._ended: anyio.Event | None = None  # of the task that waits for the descriptor
        self._calls = 0
        self._cancels = 0

    async def wait(self) -> bool:
        cancels = self._cancels
        self._calls += 1
        try:
            await self._once()
        finally:
            self._calls -= 1
        return self._cancels != cancels

    async def watch(self) -> None:
        await self._once()
        while self._calls:
            await self._once()

    @property
    def is_awaited(self) -> bool:
        return self._calls > 0

    def wake(self) -> None:
        if self._ended is not None:
            anyio.notify_closing(self._sock)

    def cancel(self) -> None:
        self._cancels += 1
        self.wake()

    def stop(self) -> None:
        self.wake()

    async def _once(self) -> None:
        if self._ended is not None:
            await self._ended.wait()
            return
        self._ended = ended = anyio.Event()
        try:
            await self._wait_ready(self._sock)
        except anyio.ClosedResourceError:
            pass  # woken
        finally:
            self._ended = None
            ended.set()

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
from collections.abc import Awaitable
from typing import Protocol

import anyio


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
    return LoopReadiness(sock, loop, writing=writing)


def _watches_descriptors(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop has add_reader(): that of Windows which waits for completions has not."""
    return type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader


class LoopReadiness:
    """Readiness in an asyncio loop, by add_reader() and add_writer().

    The registration is made when somebody first waits, and taken back when it fires and nobody does. A loop of asyncio's own
    reports a descriptor once more before the woken task has run; that report is known to be stale and is passed over. Other
    loops may have dropped the registration meanwhile (uvloop does after an error), so there each wait renews it.
    """

    __slots__ = ("_add", "_descriptor", "_keeps", "_registered", "_remove", "_stale", "_waiters", "_watchers", "loop")

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop, *, writing: bool) -> None:
        self.loop = loop
        self._descriptor = sock.fileno()
        self._add = loop.add_writer if writing else loop.add_reader
        self._remove = loop.remove_writer if writing else loop.remove_reader
        self._keeps = isinstance(loop, BaseSelectorEventLoop)
        self._registered = False
        self._stale = False
        self._waiters: list[asyncio.Future[bool]] = []
        self._watchers: list[asyncio.Future[bool]] = []

    def wait(self) -> asyncio.Future[bool]:
        waiter = self.loop.create_future()
        if self._waiters:  # some of them may have been cancelled
            self._waiters = [each for each in self._waiters if not each.done()]
        self._waiters.append(waiter)
        if not self._registered or not self._keeps:
            self._register()
        return waiter

    def watch(self) -> asyncio.Future[bool]:
        watcher = self.loop.create_future()
        self._watchers.append(watcher)
        if not self._registered or not self._keeps:
            self._register()
        return watcher

    @property
    def is_awaited(self) -> bool:
        return any(not waiter.done() for waiter in self._waiters)

    def wake(self) -> None:
        self._end(self._waiters, False)
        self._end(self._watchers, False)

    def cancel(self) -> None:
        self._end(self._waiters, True)

    def stop(self) -> None:
        if self._registered:
            self._registered = False
            if not self.loop.is_closed():
                self._remove(self._descriptor)
        self.wake()

    @property
    def is_elsewhere(self) -> bool:
        """Whether the registration belongs to a loop that runs in another thread, where alone it may be taken back."""
        return self._registered and self.loop.is_running() and running_loop() is not self.loop

    def _register(self) -> None:
        try:
            self._add(self._descriptor, self._ready)
        except RuntimeError:  # uvloop has closed its handle after an error, and wants to be told before it makes a new one
            self.loop.remove_reader(self._descriptor)
            self.loop.remove_writer(self._descriptor)
            self._add(self._descriptor, self._ready)
        self._registered = True
        self._stale = False

    def _ready(self) -> None:
        if self._stale:
            self._stale = False
        elif self._end(self._waiters, False) or self._end(self._watchers, False):
            self._stale = self._keeps
        else:
            self._registered = False
            self._remove(self._descriptor)

    def _end(self, waits: list[asyncio.Future[bool]], cancelled: bool) -> bool:
        """End those waits that have not ended; whether there were any."""
        found = False
        for each in waits:
            if not each.done():
                each.set_result(cancelled)
                found = True
        waits.clear()
        return found


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

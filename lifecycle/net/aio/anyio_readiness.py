"""Readiness in event loops without lasting registrations: each wait asks the loop anew. readiness.py describes the methods."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel

from lifecycle.net.aio import selector_threads


class AnyioReadiness:
    """Readiness in any loop, by ways_to_wait(). One task waits for the descriptor, and the others for that task."""

    is_kept = False

    __slots__ = ("_calls", "_cancels", "_ended", "_is_held", "_notify_closing", "_sock", "_wait_ready", "loop")

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop | None, *, writing: bool) -> None:
        self.loop = loop
        self._sock = sock
        ways = ways_to_wait(loop)
        self._wait_ready = ways.writable if writing else ways.readable
        self._notify_closing = ways.notify_closing
        self._is_held = False  # by the task that waits for the descriptor
        self._ended: anyio.Event | None = None  # of that task, when another one waits for it
        self._calls = 0
        self._cancels = 0

    def wait(self) -> Coroutine[Any, Any, bool]:
        return self._wait(self._cancels)

    async def _wait(self, cancels: int) -> bool:
        self._calls += 1
        try:
            if self._cancels != cancels:
                return True
            if self._is_held:
                await self._duplicate_ends()
            else:
                await self._hold()
        finally:
            self._calls -= 1
        return self._cancels != cancels

    async def watch(self) -> None:
        while True:
            if self._is_held:
                await self._duplicate_ends()
            else:
                await self._hold()
            if not self._calls:
                return

    @property
    def is_awaited(self) -> bool:
        return self._calls > 0

    def wake(self) -> None:
        if self._is_held:
            self._notify_closing(self._sock)

    def cancel(self) -> None:
        self._cancels += 1
        self.wake()

    def stop(self) -> None:
        self.wake()

    async def _hold(self) -> None:
        self._is_held = True
        try:
            await until_ready(self._sock, self._wait_ready)
        except CLOSED:
            pass  # woken
        finally:
            self._is_held = False
            if self._ended is not None:
                self._ended.set()
                self._ended = None

    async def _duplicate_ends(self) -> None:
        if self._ended is None:
            self._ended = anyio.Event()
        await self._ended.wait()


CLOSED: tuple[type[Exception], ...] = (anyio.ClosedResourceError,)
"""The errors with which waits on a closed descriptor end: anyio's, and trio's after trio was used."""

WayToWait = Callable[[socket.socket], Awaitable[None]]


async def until_ready(sock: socket.socket, wait_ready: WayToWait) -> None:
    """Wait in the loop for a descriptor; at once when another task closed it before this one ran."""
    if sock.fileno() == -1:
        await anyio.lowlevel.checkpoint()
    else:
        await wait_ready(sock)


def watches_descriptors(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop has add_reader(); the proactor loop of Windows does not."""
    return type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader


class Ways(NamedTuple):
    """How a loop waits for a descriptor, and how these waits are ended before it is closed."""

    readable: WayToWait
    writable: WayToWait
    notify_closing: Callable[[socket.socket], None]


def ways_to_wait(loop: asyncio.AbstractEventLoop | None) -> Ways:
    """The ways of the loop that runs. trio's own functions, when it is not asyncio's, save anyio's dispatch."""
    if loop is not None:
        if not watches_descriptors(loop):
            return Ways(selector_threads.wait_readable, selector_threads.wait_writable, selector_threads.notify_closing)
        return Ways(anyio.wait_readable, anyio.wait_writable, anyio.notify_closing)
    global CLOSED
    import trio

    CLOSED = (anyio.ClosedResourceError, trio.ClosedResourceError)
    return Ways(trio.lowlevel.wait_readable, trio.lowlevel.wait_writable, trio.lowlevel.notify_closing)

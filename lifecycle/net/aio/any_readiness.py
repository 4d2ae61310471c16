"""Waiting until one of several sockets is ready: a server that listens at more than one address."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import anyio

from lifecycle.net.aio.readiness import Readiness

Result = TypeVar("Result")


class AnyReadiness:
    """The Readiness of one direction of several sockets, in the same loop."""

    is_kept = False

    __slots__ = ("_each",)

    def __init__(self, each: Sequence[Readiness]) -> None:
        self._each = each

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        return self._each[0].loop

    async def wait(self) -> bool:
        return await first_of([each.wait() for each in self._each])

    async def watch(self) -> object:
        return await first_of([each.watch() for each in self._each])

    @property
    def is_awaited(self) -> bool:
        return any(each.is_awaited for each in self._each)

    def wake(self) -> None:
        for each in self._each:
            each.wake()

    def cancel(self) -> None:
        for each in self._each:
            each.cancel()

    def stop(self) -> None:
        for each in self._each:
            each.stop()


async def first_of(waits: Sequence[Awaitable[Result]]) -> Result:
    """The result of the first that ends; the others are cancelled."""
    ended: list[Result] = []

    async def wait_for(wait: Awaitable[Result]) -> None:
        ended.append(await wait)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for wait in waits:
            tasks.start_soon(wait_for, wait)
    return ended[0]

"""What a task of asyncio waits for while it waits for a descriptor: like a Future, and resumed without a detour.

An asyncio.Future tells its task through the loop's queue, which runs after the loop has asked the system once more: it then
reports the descriptor again, for data that the task is about to take. A task may wait for any object that has the methods of
a Future which follow (asyncio.isfuture() tells them by `_asyncio_future_blocking`), and this one runs it in the callback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any


class Waiter:
    """One wait of one task; after resume_now(), with `is_done` set back, it serves for another."""

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_context", "_loop", "_resume", "_value", "is_done")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asyncio_future_blocking = False
        self._loop = loop
        self._cancelled: tuple[object, ...] | None = None  # what the CancelledError is made of
        self._value = False
        self._resume: Callable[[Any], object] | None = None
        self._context: Context | None = None
        self.is_done = False

    def __await__(self) -> Generator[Any, None, bool]:
        self._asyncio_future_blocking = True
        yield self
        return self._value

    def resume_now(self) -> None:
        """Resume the task here and now, from a callback of the loop."""
        resume, context = self._resume, self._context
        self._resume = self._context = None
        self.is_done = True
        if resume is not None and context is not None:
            context.run(resume, self)

    # -- what asyncio's tasks ask of a Future ---------------------------------------------------------------------------

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(self, resume: Callable[[Any], object], *, context: Context | None = None) -> None:
        self._resume = resume
        self._context = context
        if self.is_done:
            self._loop.call_soon(resume, self, context=context)

    def result(self) -> bool:
        if self._cancelled is not None:
            raise asyncio.CancelledError(*self._cancelled)
        return self._value

    def cancel(self, msg: object = None) -> bool:
        if self.is_done:
            return False
        self._cancelled = () if msg is None else (msg,)
        self._end()
        return True

    def set_result(self, value: bool) -> None:
        self._value = value
        self._end()

    def cancelled(self) -> bool:
        return self._cancelled is not None

    def done(self) -> bool:
        return self.is_done

    def _end(self) -> None:
        self.is_done = True
        if self._resume is not None:
            self._loop.call_soon(self._resume, self, context=self._context)

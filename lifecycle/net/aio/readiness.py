"""Waiting in an event loop until a socket is ready: one Readiness per socket and direction.

Calls that wait come first, watchers (the notifications) only when no call waits: what a call waits for is its own. An
asyncio loop gets a registration that stays, so that a conversation of questions and answers costs no system call but its
own; every other loop is asked through anyio, wait by wait.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio import _get_running_loop as running_loop
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Awaitable, Callable, Generator
from contextvars import Context
from typing import Any, Protocol
from weakref import ref

from lifecycle.net.aio.anyio_readiness import AnyioReadiness, watches_descriptors


class Readiness(Protocol):
    """One direction of a socket: readable (a connection to accept, data, an end, an error) or writable."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The asyncio loop that it belongs to."""
        ...

    @property
    def is_kept(self) -> bool:
        """Whether the loop watches the descriptor all the time, so that waiting costs less than trying in vain."""
        ...

    def wait(self) -> Awaitable[bool]:
        """Wait until it seems ready; the caller then tries, perhaps in vain. True if cancel() has ended the wait."""
        ...

    def watch(self) -> Awaitable[object]:
        """As wait(), but only while no call is in wait()."""
        ...

    @property
    def is_awaited(self) -> bool:
        """Whether a call is in wait()."""
        ...

    def wake(self) -> None:
        """End all waits, as if it were ready."""
        ...

    def cancel(self) -> None:
        """End the waits of wait(), which return True."""
        ...

    def stop(self) -> None:
        """Forget the descriptor, which is about to be closed or handed out; ends all waits."""
        ...


def readiness_of(sock: socket.socket, *, writing: bool) -> Readiness:
    """The Readiness of `sock` in the event loop that runs now."""
    loop = running_loop()
    if loop is None or asyncio.current_task(loop) is None or not watches_descriptors(loop):
        return AnyioReadiness(sock, loop, writing=writing)
    if isinstance(loop, BaseSelectorEventLoop):
        return SelectorReadiness(sock, loop, writing=writing)
    return LoopReadiness(sock, loop, writing=writing)


class LoopReadiness:
    """Readiness in a loop of asyncio's kind, uvloop for one, by add_reader() and add_writer().

    The registration is made for the first wait, and taken back when it is reported and nothing waits. The loop alone
    holds the callback: once that is gone the loop has dropped the registration by itself, as uvloop does after an error.
    """

    is_kept = True

    __slots__ = ("_add", "_callback", "_descriptor", "_remove", "_waiters", "_watchers", "loop")

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop, *, writing: bool) -> None:
        self.loop = loop
        self._descriptor = sock.fileno()
        self._add = loop.add_writer if writing else loop.add_reader
        self._remove = loop.remove_writer if writing else loop.remove_reader
        self._callback: Callable[[], object] = _dead_ref
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
        """Whether the registration belongs to a loop that runs in another thread, the only one that may remove it."""
        return self._callback() is not None and self.loop.is_running() and running_loop() is not self.loop

    def _register(self) -> None:
        callback = self._ready
        try:
            self._callback = ref(callback)
            try:
                self._add(self._descriptor, callback)
            except RuntimeError:  # uvloop has closed its handle after an error: both must be removed before it makes a new one
                self.loop.remove_reader(self._descriptor)
                self.loop.remove_writer(self._descriptor)
                self._add(self._descriptor, callback)
        except BaseException:  # of a signal handler: it may be registered, and would be for the next socket of that number
            self._unregister()
            raise

    def _unregister(self) -> None:
        if self._callback() is not None and not self.loop.is_closed():
            self._remove(self._descriptor)
        self._callback = _dead_ref

    def _ready(self) -> None:
        """Resume all that wait: after an error there is no other report."""
        waiters = self._waiters
        if len(waiters) == 1 and not waiters[0].done():
            waiters[0].set_result(False)
            waiters.clear()  # afterwards: an exception of a signal handler may come in between
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


def _dead_ref() -> None:
    """Stands for a weak reference that is dead."""


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

    @property
    def is_awaited(self) -> bool:
        return any(each.is_attached and not each.is_done for each in self._waiters)

    def _ready(self) -> None:
        """Resume the first wait; what it leaves is reported again, for the next one."""
        waits = self._waiters
        while waits:
            waiter: Waiter = waits[0]
            try:
                del waits[0]
                if not waiter.is_done:
                    self._spare = waiter
                    waiter.resume_now()
                    return
            except BaseException:  # of a signal handler: if the task has not been resumed, the next report does it
                if not waiter.is_done and waiter not in waits:
                    self._spare = None
                    waits.insert(0, waiter)
                raise
        super()._ready()


class Waiter:
    """A minimal Future: wakes its task in the same iteration of the loop in which the descriptor became ready.

    An asyncio.Future resumes its task through the loop's queue, which runs after the loop has asked the system once more: it
    then reports the descriptor again, for data that the task is about to take. A task may wait for any object that has the
    methods of a Future which follow (asyncio.isfuture() knows them by `_asyncio_future_blocking`). After resume_now(), with
    `is_done` set back, it serves for another wait.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_context", "_loop", "_resume", "_value", "is_done")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asyncio_future_blocking = False
        self._loop = loop
        self._cancelled: tuple[object, ...] | None = None  # the arguments of the CancelledError
        self._value = False
        self._resume: Callable[[Any], object] | None = None
        self._context: Context | None = None
        self.is_done = False

    @property
    def is_attached(self) -> bool:
        """Whether a task waits for it: not where an exception of a signal handler came before that."""
        return self._resume is not None

    def __await__(self) -> Generator[Any, None, bool]:
        self._asyncio_future_blocking = True
        yield self
        return self._value

    def resume_now(self) -> None:
        """Resume the task here and now, from a callback of the loop; it asks for the result first."""
        if self._resume is None or self._context is None:
            self.is_done = True
        else:
            self._context.run(self._resume, self)

    # -- what asyncio's tasks ask of a Future ---------------------------------------------------------------------------

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(self, resume: Callable[[Any], object], *, context: Context | None = None) -> None:
        self._resume = resume
        self._context = context
        if self.is_done:
            self._loop.call_soon(resume, self, context=context)

    def result(self) -> bool:
        self.is_done = True
        self._resume = self._context = None
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

"""Notifier: which events of one object may be delivered, which are posted, and when to look."""

from __future__ import annotations

import asyncio
import errno
import socket
from asyncio import _get_running_loop as running_loop
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import anyio

from lifecycle.engine import Call, IllegalCall
from lifecycle.net.aio.nonblocking import nowait
from lifecycle.net.notify.context import Queue
from lifecycle.net.notify.events import CALLBACKS, LEVELS, WITH_AN_ERROR, Events, announced, named
from lifecycle.net.notify.urgent import until_urgent
from lifecycle.net.os_socket import OsSocket
from lifecycle.roles import words
from lifecycle.roles.facts import Link
from lifecycle.system.polling import is_ready


class WatchedSocket(OsSocket):
    """The part of an object that its notifier uses, in addition to the calls of every socket."""

    __slots__ = ()

    _callbacks: ClassVar[Events] = Events(0)
    """the events for which the class has a callback"""
    _handlers: ClassVar[type[Any]]
    """the class that was given the role, whose calls no override changes"""

    @property
    def is_blocking(self) -> bool:
        """Whether a call on this object waits at this moment."""
        raise NotImplementedError

    def _watch(self, *, writing: bool) -> Awaitable[object]:
        """Until the socket seems ready and no call waits for that."""
        raise NotImplementedError


class Notifier:
    """The notifications of one object.

    An event is *enabled* (it may be posted), then posted (queued for delivery), then disabled until a call enables it again
    (WSAAsyncSelect); the tables say which calls do. While a call waits for an event, no callback is run for it (CSocket).
    """

    def __init__(self, subject: WatchedSocket, queue: Queue) -> None:
        self.mask = Events.ALL
        self.waits = 0
        self._has_chosen = False
        self._subject = subject
        self._queue = queue
        self._wanted = subject._callbacks
        self._enabled = LEVELS | Events.CLOSE
        self._kept = Events(0)  # posted while a call of the object waited
        self._errors: dict[Events, int] = {}
        self._has_data = False  # not read since it was noticed
        self._looks_itself = False
        self._scope: anyio.CancelScope | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = anyio.Event()

    # -- what the object's calls report ---------------------------------------------------------------------------------

    def select(self, mask: Events) -> None:
        """Deliver these events and no others from now on, and look anew which of them hold."""
        self.mask = mask
        self._has_chosen = True
        self._enabled |= LEVELS
        if self._subject.facts.address and Events.WRITE in self._announced():
            self._enable_write()
        self._has_data = False
        self._change()

    def inherit(self, mask: Events) -> None:
        """Begin with the mask of the server that accepted the object, unless it chose one itself."""
        if not self._has_chosen:
            self.mask = mask

    def ended(self, call: Call, error: BaseException | None, *, waited: bool) -> None:
        """A call of the object has ended, with that error; waited: whether it had to wait."""
        if self._looks_itself or isinstance(error, IllegalCall):
            return
        subject = self._subject
        facts = subject.facts
        if facts.over:
            self.stop()
            return
        enabled = named(call.enables)
        if Events.READ in enabled:
            self._has_data = False
        if Events.CONNECT in enabled:
            self._enabled &= ~Events.CONNECT
            if facts.link is not Link.SEEKING:
                enabled &= ~Events.CONNECT
        if Events.WRITE in enabled:
            is_send = Events.WRITE in named(call.announced_by)
            can_send = error is None and facts.address and Events.WRITE in self._announced()
            if not (would_have_waited(error) if is_send else can_send):
                enabled &= ~Events.WRITE
        if facts.is_at_end and Events.CLOSE in self._enabled:
            if waited:
                self._enabled &= ~Events.CLOSE  # the call has reported it
            elif isinstance(error, OSError):
                self._errors.setdefault(Events.CLOSE, error.errno or errno.ECONNRESET)
        self._enabled |= enabled
        if Events.WRITE in enabled:
            self._enable_write()
        self._post(self._take_kept())
        self._start()
        self._change()

    def stop(self) -> None:
        """The object is closed: nothing is delivered any more."""
        if self._scope is None:
            return
        loop = self._loop
        if loop is None or running_loop() is loop:
            self._scope.cancel()
        elif loop.is_running():  # it was closed by another thread
            loop.call_soon_threadsafe(self._scope.cancel)

    # -- what happens to the descriptor -----------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._scope is None and self._queue.is_open and self._subject._socket is not None:
            self._scope = anyio.CancelScope()
            self._loop = running_loop()
            self._queue.tasks.start_soon(self._watch, self._scope)

    async def _watch(self, scope: anyio.CancelScope) -> None:
        with scope:
            async with anyio.create_task_group() as watches:
                watches.start_soon(self._watch_reading)
                watches.start_soon(self._watch_writing)
                if Events.OOB in self._wanted:
                    watches.start_soon(self._watch_urgent)

    async def _watch_reading(self) -> None:
        while True:
            if not self._wants_to_read():
                await self._changed.wait()
                continue
            if not self._subject.facts.is_at_end and not self._subject._has_received():
                await self._subject._watch(writing=False)
            self._look()

    async def _watch_writing(self) -> None:
        while True:
            if not self._due(Events.WRITE) and not self._due(Events.CONNECT):
                await self._changed.wait()
                continue
            await self._subject._watch(writing=True)
            if self._due(Events.CONNECT):
                self._finish_connect()
            elif self._due(Events.WRITE):
                self._post(Events.WRITE)

    async def _watch_urgent(self) -> None:
        while True:
            if not self._due(Events.OOB):
                await self._changed.wait()
                continue
            sock = self._subject._socket
            if await until_urgent(sock) and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE):
                self._post(Events.OOB)
            else:  # the connection has ended, or it comes with the other data, as READ
                await self._changed.wait()

    def _wants_to_read(self) -> bool:
        if self._due(Events.ACCEPT):
            return True
        if self._subject.facts.is_at_end:
            return Events.CLOSE in self._enabled & self.mask & self._wanted
        return not self._has_data and self._due(Events.READ | Events.CLOSE)

    def _due(self, events: Events) -> bool:
        """Whether one of these events may be delivered now."""
        return bool(self._enabled & self.mask & self._wanted & events & self._announced())

    def _announced(self) -> Events:
        return announced(self._subject.role, self._subject.state)

    def _look(self) -> None:
        """Find out what a readable descriptor has, by the object's own call, so that its state says what was seen."""
        if not self._wants_to_read():  # it was closed, or shut down
            return
        if self._due(Events.ACCEPT):
            self._post(Events.ACCEPT)
            return
        if self._subject.facts.is_at_end or not self._peek():
            if self._subject.facts.is_at_end:
                self._post(Events.CLOSE)
            return
        self._has_data = True
        self._post(Events.READ)

    def _peek(self) -> bool:
        """Whether there is something to receive; of a stream that has ended, the object's state says so afterwards."""
        subject = self._subject
        if subject._kind == socket.SOCK_DGRAM:  # what a receive will report, be it an error, is left to it
            return is_ready(subject.fileno(), writing=False)
        self._looks_itself = True
        try:
            nowait(self._own(words.RECEIVE)(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        except OSError as error:
            self._errors.setdefault(Events.CLOSE, error.errno or errno.ECONNRESET)
            return False
        finally:
            self._looks_itself = False
        return not subject.facts.is_at_end

    def _finish_connect(self) -> None:
        self._looks_itself = True
        try:
            nowait(self._own(words.FINISH_CONNECT)())
            self._errors[Events.CONNECT] = 0
        except BlockingIOError:
            return
        except OSError as error:
            self._errors[Events.CONNECT] = error.errno or errno.ECONNREFUSED
        finally:
            self._looks_itself = False
        self._post(Events.CONNECT)
        if Events.WRITE in self._announced():
            self._enable_write()
        self._change()

    def _enable_write(self) -> None:
        """Let WRITE be delivered, at once where there is room: before what the peer may have sent already."""
        self._enabled |= Events.WRITE
        if self._queue.is_open and is_ready(self._subject.fileno(), writing=True):
            self._post(Events.WRITE)

    # -- delivery ----------------------------------------------------------------------------------------------------------

    def _post(self, events: Events) -> None:
        """Post those of these events that may be delivered."""
        for event in events & self._enabled & self.mask & self._wanted:
            self._enabled &= ~event
            self._queue.post(self, event)

    async def deliver(self, event: Events) -> None:
        """Deliver a posted event, unless it is stale by now."""
        subject = self._subject
        if subject.is_over or event not in self.mask:
            return
        if subject.is_blocking:
            self._kept |= event
            return
        if event is Events.READ and not self._still_has_data():
            self._enabled |= event
            self._has_data = False
            self._change()
            return
        callback = getattr(subject, CALLBACKS[event])
        answer = callback(self._errors.pop(event, 0)) if event in WITH_AN_ERROR else callback()
        if isinstance(answer, Awaitable):
            await answer

    def _still_has_data(self) -> bool:
        return self._subject.is_legal(words.RECEIVE.name) and self._peek()

    def _own(self, call: Call) -> Callable[..., Any]:
        """The object's own method for a call, without a subclass's override, which may wait."""
        method: Callable[..., Any] = getattr(self._subject._handlers, call.name)
        return method.__get__(self._subject)  # type: ignore[no-any-return]

    def _take_kept(self) -> Events:
        if self._subject.is_blocking:
            return Events(0)
        kept, self._kept = self._kept, Events(0)
        self._enabled |= kept
        return kept

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def would_have_waited(error: BaseException | None) -> bool:
    """Whether a send has ended so because there was no room: it did not wait, or its wait was cancelled."""
    return isinstance(error, (BlockingIOError, InterruptedError)) or not (error is None or isinstance(error, Exception))

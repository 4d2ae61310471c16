"""Notifier: which events of one object may be told, which are due, and when to look."""

from __future__ import annotations

import errno
import socket
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import anyio

from lifecycle.aio.events import (
    CALLBACKS,
    ENABLED_BY,
    GETS_A_CONNECTION,
    GETS_AN_ADDRESS,
    LEVELS,
    SENDS,
    STATES_AT_THE_END,
    TOLD_WHILE,
    WITH_AN_ERROR,
    Events,
)
from lifecycle.aio.notifications import Queue
from lifecycle.aio.nowaiting import nowait
from lifecycle.aio.urgent import until_urgent
from lifecycle.engine import IllegalCall
from lifecycle.system.polling import is_ready

if TYPE_CHECKING:
    from lifecycle.aio.async_socket import AsyncSocket


class Notifier:
    """The notifications of one object.

    An event is *enabled* while it may be told, *posted* from then on until it is delivered, and enabled again by the calls
    that events.ENABLED_BY names. What a call waits for is that call's own (CSocket): nothing of it is told.
    """

    def __init__(self, subject: AsyncSocket, queue: Queue) -> None:
        self.mask = Events.ALL
        self.waits = 0
        self._has_chosen = False
        self._subject = subject
        self._queue = queue
        self._told = subject._callbacks
        self._enabled = LEVELS | Events.CLOSE
        self._kept = Events(0)  # what came while a call of the object waited
        self._errors: dict[Events, int] = {}
        self._has_data = False  # which nobody has read since it was noticed
        self._looks_itself = False
        self._scope: anyio.CancelScope | None = None
        self._changed = anyio.Event()

    # -- what the object's calls tell -------------------------------------------------------------------------------------

    def select(self, mask: Events) -> None:
        """Tell of these events and no others from now on, and look anew which of them hold."""
        self.mask = mask
        self._has_chosen = True
        self._enabled |= LEVELS
        legal = self._subject.legal
        if "send" in legal or ("send_to" in legal and "get_sock_name" in legal):
            self._enable_write()
        self._has_data = False
        self._change()

    def inherit(self, mask: Events) -> None:
        """Begin with the mask of the server that accepted the object, unless it chose one itself."""
        if not self._has_chosen:
            self.mask = mask

    def ended(self, call: str, error: BaseException | None, *, waited: bool) -> None:
        """A call of the object has ended, with that error; waited: whether it had to wait."""
        if self._looks_itself or isinstance(error, IllegalCall):
            return
        subject = self._subject
        if subject.state in subject.role.final:
            self.stop()
            return
        enabled = ENABLED_BY.get(call, Events(0))
        if enabled & Events.READ:
            self._has_data = False
        if call in SENDS and would_have_waited(error):
            enabled |= Events.WRITE
        if call in GETS_AN_ADDRESS and "send_to" in subject.legal:
            enabled |= Events.WRITE
        if call in GETS_A_CONNECTION:
            self._enabled &= ~Events.CONNECT
            if "finish_connect" in subject.legal:
                enabled |= Events.CONNECT
            elif error is None and "send" in subject.legal:
                enabled |= Events.WRITE
        if subject.state in STATES_AT_THE_END and Events.CLOSE in self._enabled:
            if waited:
                self._enabled &= ~Events.CLOSE  # the call has told it
            elif isinstance(error, OSError):
                self._errors.setdefault(Events.CLOSE, error.errno or errno.ECONNRESET)
        self._enabled |= enabled
        if enabled & Events.WRITE:
            self._enable_write()
        self._post(self._take_kept())
        self._start()
        self._change()

    def stop(self) -> None:
        """The object is closed: nothing is told any more."""
        if self._scope is not None:
            self._scope.cancel()

    # -- what happens to the descriptor -----------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._scope is None and self._queue.is_open and hasattr(self._subject, "_socket"):
            self._scope = anyio.CancelScope()
            self._queue.tasks.start_soon(self._watch, self._scope)

    async def _watch(self, scope: anyio.CancelScope) -> None:
        with scope:
            async with anyio.create_task_group() as watches:
                watches.start_soon(self._watch_reading)
                watches.start_soon(self._watch_writing)
                if Events.OOB in self._told:
                    watches.start_soon(self._watch_urgent)

    async def _watch_reading(self) -> None:
        while True:
            if not self._wants_to_read():
                await self._changed.wait()
                continue
            if self._subject.state not in STATES_AT_THE_END:
                await self._subject._watch_readable()
            self._look()

    async def _watch_writing(self) -> None:
        while True:
            if not self._due(Events.WRITE) and not self._due(Events.CONNECT):
                await self._changed.wait()
                continue
            await self._subject._watch_writable()
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
        if self._subject.state in STATES_AT_THE_END:
            return Events.CLOSE in self._enabled & self.mask & self._told
        return not self._has_data and self._due(Events.READ | Events.CLOSE)

    def _due(self, events: Events) -> bool:
        """Whether one of these events may be told now."""
        wanted = self._enabled & self.mask & self._told & events
        return any(call in self._subject.legal for event in wanted for call in TOLD_WHILE[event])

    def _look(self) -> None:
        """Find out what a readable descriptor has, by the object's own call, so that its state tells what was seen."""
        if not self._wants_to_read():  # it was closed, or shut down
            return
        if self._due(Events.ACCEPT):
            self._post(Events.ACCEPT)
            return
        if self._subject.state in STATES_AT_THE_END or not self._peek():
            if self._subject.state in STATES_AT_THE_END:
                self._post(Events.CLOSE)
            return
        self._has_data = True
        self._post(Events.READ)

    def _peek(self) -> bool:
        """Whether there is something to receive; of a stream that has ended, the object's state says so afterwards."""
        subject = self._subject
        if subject._kind == socket.SOCK_DGRAM:  # what a receive will tell, be it an error, is left to it
            return is_ready(subject.fileno(), writing=False)
        self._looks_itself = True
        try:
            nowait(subject.receive(1, socket.MSG_PEEK))  # type: ignore[attr-defined]
        except BlockingIOError:
            return False
        except OSError as error:
            self._errors.setdefault(Events.CLOSE, error.errno or errno.ECONNRESET)
            return False
        finally:
            self._looks_itself = False
        return subject.state not in STATES_AT_THE_END

    def _finish_connect(self) -> None:
        subject = self._subject
        self._looks_itself = True
        try:
            nowait(subject.finish_connect())  # type: ignore[attr-defined]
            self._errors[Events.CONNECT] = 0
        except BlockingIOError:
            return
        except OSError as error:
            self._errors[Events.CONNECT] = error.errno or errno.ECONNREFUSED
        finally:
            self._looks_itself = False
        self._post(Events.CONNECT)
        if "send" in subject.legal:
            self._enable_write()
        self._change()

    def _enable_write(self) -> None:
        """Let WRITE be told, at once where there is room: it comes before what the peer may have sent already."""
        self._enabled |= Events.WRITE
        if self._queue.is_open and is_ready(self._subject.fileno(), writing=True):
            self._post(Events.WRITE)

    # -- telling ----------------------------------------------------------------------------------------------------------

    def _post(self, events: Events) -> None:
        """Post those of these events that may be told."""
        for event in events & self._enabled & self.mask & self._told:
            self._enabled &= ~event
            self._queue.post(self, event)

    async def deliver(self, event: Events) -> None:
        """Tell a posted event, unless it is stale by now."""
        subject = self._subject
        if subject.state in subject.role.final or event not in self.mask:
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
        told = callback(self._errors.pop(event, 0)) if event in WITH_AN_ERROR else callback()
        if isinstance(told, Awaitable):
            await told

    def _still_has_data(self) -> bool:
        return "receive" in self._subject.legal and self._peek()

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

"""AsyncSocket: what all roles have in common on a socket whose calls are awaited."""

from __future__ import annotations

import socket
from asyncio import _get_running_loop as running_loop
from collections.abc import Awaitable, Coroutine, Iterator
from itertools import repeat
from operator import length_hint
from typing import ClassVar

import anyio
import anyio.lowlevel

from lifecycle.aio.events import Events, checked_mask
from lifecycle.aio.loop_readiness import LoopReadiness
from lifecycle.aio.notifications import current_queue
from lifecycle.aio.notifier import Notifier
from lifecycle.aio.notifying import callbacks_of, tell_of_calls
from lifecycle.aio.nowaiting import mode
from lifecycle.aio.readiness import Readiness, readiness_of
from lifecycle.engine import Role
from lifecycle.sockets.errors import BlockingCallCancelled
from lifecycle.sockets.os_socket import OsSocket
from lifecycle.system.outcomes import note_limit, would_block

TURNS = 32
"""How many calls of an object may end at once, one after the other, before the next one lets other tasks run."""


class AsyncSocket(OsSocket):
    """One socket of the system under a role, whose waiting calls are awaited.

    It belongs to the event loop, and so to the thread, in which it is used. engine: see Lifecycle.
    """

    __slots__ = ("_notifier", "_reading", "_turns", "_writing")

    _callbacks: ClassVar[Events] = Events(0)
    _waits_untold: ClassVar[bool] = True  # nobody wants to know that a call is about to wait

    def __init_subclass__(cls, role: Role | None = None, **keywords: object) -> None:
        super().__init_subclass__(role, **keywords)
        notified = bool(cls._callbacks)
        cls._callbacks = callbacks_of(cls, AsyncSocket)
        if cls._callbacks and not notified:
            tell_of_calls(cls)
        cls._waits_untold = not cls._callbacks and cls.on_message_pending is AsyncSocket.on_message_pending

    def __init__(self, *, engine: str | None = None) -> None:
        super().__init__(engine=engine)
        self._notifier = Notifier(self, current_queue(type(self))) if self._callbacks else None
        self._reading: Readiness | None = None
        self._writing: Readiness | None = None
        self._turns: Iterator[bool] = repeat(True, TURNS)

    @property
    def timeout(self) -> None:
        """None: awaited calls have no time-out of their own; `with anyio.fail_after(seconds):` is one."""
        return None

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        raise AttributeError("awaited calls have no time-out of their own: write `with anyio.fail_after(seconds):` around one")

    @property
    def is_blocking(self) -> bool:
        """Whether a call on this object waits at this moment, in whichever task (MFC's IsBlocking)."""
        return any(each.is_awaited for each in (self._reading, self._writing) if each is not None)

    def cancel_blocking_call(self) -> None:
        """Make the calls that wait on this object end with BlockingCallCancelled (EINTR); does nothing when none does.

        A cancelled connect goes on in the system: the object is then `connecting`.
        """
        for each in (self._reading, self._writing):
            if each is not None:
                each.cancel()

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """As for every socket; a cancellation counts as any other error (`failed`)."""
        if isinstance(error, OSError):
            note_limit(error)
        return super().outcome_of(call, error)

    def detach(self) -> int:
        """Hand the descriptor out, in blocking mode, and end the object; the connection lives on."""
        self._stop_watching()
        return super().detach()

    def _release(self) -> None:
        watching = self._stop_watching()
        if watching and hasattr(self, "_socket"):
            # The collector works in any thread; the loop that still watches the descriptor forgets it first.
            handed_on = socket.socket(fileno=self._socket.detach())
            watching[0].loop.call_soon_threadsafe(_stop_and_close, watching, handed_on)
            return
        super()._release()

    def _stop_watching(self) -> list[LoopReadiness]:
        """Let the event loop forget the descriptor; what only a loop in another thread can forget is given back."""
        elsewhere: list[LoopReadiness] = []
        for each in (self._reading, self._writing):
            if isinstance(each, LoopReadiness) and each.is_elsewhere:
                elsewhere.append(each)
            elif each is not None:
                each.stop()
        return elsewhere

    def _wake_all(self) -> None:
        for each in (self._reading, self._writing):
            if each is not None:
                each.wake()

    # -- notifications ----------------------------------------------------------------------------------------------------

    def select_events(self, mask: int = Events.ALL) -> None:
        """Choose which notifications this object is told of from now on (MFC's AsyncSelect); 0 for none.

        mask: as in Events.READ | Events.CLOSE; it replaces the one before. A new object is told of all; an accepted one of
        those of its server, unless it chose itself. What holds already is told at once. Raises TypeError, ValueError.
        """
        checked = checked_mask(mask)
        if self._notifier is not None:
            self._notifier.select(checked)

    def on_accept(self) -> object:
        """A connection can be accepted; told once, and again after accept() if there are more. Does nothing here."""

    def on_connect(self, error: int) -> object:
        """A connect that did not wait has come out; error: 0, or the system's error number. Does nothing here."""

    def on_receive(self) -> object:
        """There is something to receive; told once, and again after a receive if there is more. Does nothing here."""

    def on_send(self) -> object:
        """Sends are possible; told once connected, and then after a send that would have waited. Does nothing here."""

    def on_out_of_band_data(self) -> object:
        """There is out-of-band data; told once, and again after a receive if there still is some. Does nothing here."""

    def on_close(self, error: int) -> object:
        """The connection has ended and all was read; error: 0, or the number, as of a reset. Told once. Does nothing here."""

    def _tell_notifier(self, call: str, error: BaseException | None, *, waited: bool) -> None:
        if self._notifier is not None:
            self._notifier.ended(call, error, waited=waited)

    def _waits_made(self) -> int:
        return 0 if self._notifier is None else self._notifier.waits

    def _watch_readable(self) -> Awaitable[object]:
        """Until the socket seems readable and no call waits for that."""
        reading = self._reading
        if reading is None or reading.loop is not running_loop():
            reading = self._reading = self._anew(reading, writing=False)
        return reading.watch()

    def _watch_writable(self) -> Awaitable[object]:
        """As _watch_readable()."""
        writing = self._writing
        if writing is None or writing.loop is not running_loop():
            writing = self._writing = self._anew(writing, writing=True)
        return writing.watch()

    # -- for the handlers -----------------------------------------------------------------------------------------------

    def _has_turn(self) -> bool:
        """Whether a call may be tried at once; if not, others come first: see _give_way()."""
        return length_hint(self._turns) > 0

    async def _give_way(self) -> None:
        """Let other tasks run, and a cancellation come; nothing was asked of the system yet."""
        self._turns = repeat(True, TURNS)
        if not mode.never_waits:
            await anyio.lowlevel.checkpoint()

    def _readable(self) -> Awaitable[bool]:
        """Until the socket seems readable, for a call that may wait; see Readiness.wait()."""
        reading = self._reading
        if reading is None or reading.loop is not running_loop():
            reading = self._reading = self._anew(reading, writing=False)
        wait = reading.wait()
        return wait if self._waits_untold else self._told(wait)

    def _writable(self) -> Awaitable[bool]:
        """As _readable()."""
        writing = self._writing
        if writing is None or writing.loop is not running_loop():
            writing = self._writing = self._anew(writing, writing=True)
        wait = writing.wait()
        return wait if self._waits_untold else self._told(wait)

    async def _until_readable(self) -> None:
        """As _readable(); raises BlockingCallCancelled, and BlockingIOError in a call that must not wait."""
        if mode.never_waits:
            raise would_block()
        if await self._readable():
            raise BlockingCallCancelled

    async def _until_writable(self) -> None:
        """As _until_readable()."""
        if mode.never_waits:
            raise would_block()
        if await self._writable():
            raise BlockingCallCancelled

    def _told(self, wait: Awaitable[bool]) -> Awaitable[bool]:
        """Tell of a wait that has been prepared; who is told may cancel it."""
        if self._notifier is not None:
            self._notifier.waits += 1
        try:
            self.on_message_pending()
        except BaseException:
            wait.close() if isinstance(wait, Coroutine) else wait.cancel()  # type: ignore[attr-defined]
            raise
        return wait

    def _anew(self, before: Readiness | None, *, writing: bool) -> Readiness:
        if before is not None:  # the loop of an earlier run
            before.stop()
        return readiness_of(self._socket, writing=writing)


def _stop_and_close(watching: list[LoopReadiness], sock: socket.socket) -> None:
    for each in watching:
        each.stop()
    sock.close()

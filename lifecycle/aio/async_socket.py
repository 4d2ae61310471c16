"""AsyncSocket: what all roles have in common on a socket whose calls are awaited."""

from __future__ import annotations

import errno
import os
import socket
from asyncio import _get_running_loop as running_loop
from collections.abc import Awaitable, Iterator
from itertools import repeat
from operator import length_hint

import anyio
import anyio.lowlevel

from lifecycle.aio.limits import note_limit
from lifecycle.aio.nowaiting import mode
from lifecycle.aio.readiness import LoopReadiness, Readiness, readiness_of
from lifecycle.sockets.errors import BlockingCallCancelled
from lifecycle.sockets.os_socket import OsSocket

TURNS = 32
"""How many calls of an object may end at once, one after the other, before the next one lets other tasks run."""


class AsyncSocket(OsSocket):
    """One socket of the system under a role, whose waiting calls are awaited.

    It belongs to the event loop, and so to the thread, in which it is used. engine: see Lifecycle.
    """

    __slots__ = ("_reading", "_turns", "_writing")

    def __init__(self, *, engine: str | None = None) -> None:
        super().__init__(engine=engine)
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
        """Until the socket seems readable; BlockingIOError where the call must not wait. See Readiness.wait()."""
        reading = self._reading
        if reading is None or reading.loop is not running_loop():
            reading = self._reading = self._anew(reading, writing=False)
        if mode.never_waits:
            raise would_block()
        self.on_message_pending()
        return reading.wait()

    def _writable(self) -> Awaitable[bool]:
        """As _readable()."""
        writing = self._writing
        if writing is None or writing.loop is not running_loop():
            writing = self._writing = self._anew(writing, writing=True)
        if mode.never_waits:
            raise would_block()
        self.on_message_pending()
        return writing.wait()

    async def _until_readable(self) -> None:
        """As _readable(); raises BlockingCallCancelled."""
        if await self._readable():
            raise BlockingCallCancelled

    async def _until_writable(self) -> None:
        """As _writable(); raises BlockingCallCancelled."""
        if await self._writable():
            raise BlockingCallCancelled

    def _anew(self, before: Readiness | None, *, writing: bool) -> Readiness:
        if before is not None:  # the loop of an earlier run
            before.stop()
        return readiness_of(self._socket, writing=writing)


def would_block() -> BlockingIOError:
    """What a call that must not wait raises where it would have to."""
    return BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _stop_and_close(watching: list[LoopReadiness], sock: socket.socket) -> None:
    for each in watching:
        each.stop()
    sock.close()

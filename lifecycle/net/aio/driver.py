"""AsyncSocket: runs an operation, and awaits what it waits for in the event loop, under the loop's cancellation."""

from __future__ import annotations

import socket
import time
from asyncio import _get_running_loop as running_loop
from collections.abc import Awaitable, Coroutine, Iterator
from itertools import repeat
from operator import length_hint
from typing import Any, ClassVar, TypeVar

import anyio
import anyio.lowlevel

from lifecycle.engine import Call, Observer, Role
from lifecycle.net.aio.anyio_readiness import until_ready, ways_to_wait
from lifecycle.net.aio.nonblocking import mode
from lifecycle.net.aio.readiness import LoopReadiness, Readiness, readiness_of
from lifecycle.net.errors import BlockingCallCancelled
from lifecycle.net.notify.mixin import NotifiedSocket
from lifecycle.net.operations import PATIENCE, PAUSE, Operation, Resolve, Value, Wait, checked_timeout
from lifecycle.net.os_socket import NO_SOCKET, OsSocket
from lifecycle.system.handles import socket_of
from lifecycle.system.outcomes import would_block

Answer = TypeVar("Answer")

TURNS = 32
"""How many calls of an object may end at once, one after the other, before the next one lets other tasks run."""


class Race:
    """A wait for one of several sockets, which cancel() ends."""

    __slots__ = ("is_cancelled", "scope")

    def __init__(self, until: float | None) -> None:
        self.scope = scope_until(until)
        self.is_cancelled = False

    def cancel(self) -> None:
        """End the wait: its call was cancelled."""
        self.is_cancelled = True
        self.scope.cancel()


class AsyncSocket(NotifiedSocket):
    """One socket of the system under a role, whose waiting calls are awaited.

    It belongs to the event loop, and so to the thread, in which it is used. engine, journal: see Lifecycle.
    """

    __slots__ = ("_races", "_reading", "_turns", "_writing")

    _waits_silently: ClassVar[bool] = True  # nothing is notified that a call is about to wait

    def __init_subclass__(cls, role: Role | None = None, **keywords: object) -> None:
        super().__init_subclass__(role, **keywords)
        cls._waits_silently = not cls._callbacks and cls.on_message_pending is AsyncSocket.on_message_pending

    def __init__(self, *, engine: str | None = None, journal: Observer | None = None) -> None:
        super().__init__(engine=engine, journal=journal)
        self._reading: Readiness | None = None
        self._writing: Readiness | None = None
        self._races: tuple[Race, ...] = ()
        self._turns: Iterator[bool] = repeat(True, TURNS)

    @property
    def timeout(self) -> None:
        """None: awaited objects have no timeout of their own; each call that waits takes timeout=."""
        return None

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        raise AttributeError(
            "awaited objects have no timeout of their own: give timeout= to a call, or write `with anyio.fail_after(seconds):`"
        )

    @property
    def is_blocking(self) -> bool:
        """Whether a call on this object waits at this moment, in any task (MFC's IsBlocking)."""
        return bool(self._races) or any(each is not None and each.is_awaited for each in (self._reading, self._writing))

    def cancel_blocking_call(self) -> None:
        """Make the calls that wait on this object end with BlockingCallCancelled (EINTR); does nothing when none does.

        A cancelled connect goes on in the system: the object is then `connecting`.
        """
        for each in (self._reading, self._writing, *self._races):
            if each is not None:
                each.cancel()

    def on_message_pending(self) -> None:
        """Called each time that a call on this object is about to wait (MFC's OnMessagePending); does nothing here."""

    def detach(self) -> int:
        """Hand the descriptor out, in blocking mode, and end the object; the connection lives on."""
        self._stop_watching()
        return super().detach()

    async def aclose(self) -> None:
        """close(), for `contextlib.aclosing()` and the like; other tasks run once. It closes also where it is cancelled."""
        self.close()
        await anyio.lowlevel.checkpoint()

    # -- the driver -----------------------------------------------------------------------------------------------------

    async def _run(
        self, call: Call, operation: Operation[Value], partner: OsSocket | None = None, timeout: float | None = None
    ) -> Value:
        """Run an operation to its end; its result. partner: another object that the call fills; see BlockingSocket._run."""
        deadline = deadline_of(timeout)
        if not next(self._turns, False):
            await self._give_way()
        try:
            request = next(operation)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]
        return await self._drive(call, operation, request, partner, deadline)

    async def _drive(
        self,
        call: Call,
        operation: Operation[Value],
        request: Wait | Resolve,
        partner: OsSocket | None = None,
        deadline: float | None = None,
    ) -> Value:
        """Continue an operation that waits for something, up to the deadline of its call.

        In each turn the close, the cancellation and the row of the present state are looked at, whatever the loop reported.
        """
        turns = 0  # in which the call has waited in vain
        try:
            while True:
                answer: Any = None
                turns = 0 if isinstance(request, Resolve) or request.goes_on else turns + 1
                try:
                    if isinstance(request, Resolve):
                        answer = await within(deadline, _resolved(request))
                    elif mode.never_waits or deadline == 0:
                        raise would_block()
                    else:
                        if turns > PATIENCE:
                            self._look(call, await self._until_one_is_ready(Wait(False, (), time.monotonic() + PAUSE)))
                        if request.until is not None or request.sockets not in (None, (self._socket,)):
                            ready: Awaitable[bool] = self._until_one_is_ready(request)
                        else:
                            ready = self._writable() if request.writing else self._readable()
                        self._look(call, await (ready if deadline is None else within(deadline, ready)))
                    if partner is not None and partner.is_over:
                        return None  # type: ignore[return-value]
                except BaseException as error:
                    request = operation.throw(error)
                else:
                    request = operation.send(answer)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]
        finally:
            operation.close()

    async def _until_one_is_ready(self, request: Wait) -> bool:
        """Until one of several sockets is ready, or the time has passed; whether the call was cancelled."""

        async def wait_for(sock: socket.socket) -> None:
            if request.writing and sock is self._socket:
                await self._writable()
            else:
                ways = ways_to_wait(running_loop())
                await until_ready(sock, ways.writable if request.writing else ways.readable)
            race.scope.cancel()

        race = Race(request.until)
        self._races = (*self._races, race)
        try:
            with race.scope:
                async with anyio.create_task_group() as tasks:
                    for sock in request.sockets or ():
                        tasks.start_soon(wait_for, sock)
                    if not request.sockets:
                        await anyio.sleep_forever()
        finally:
            self._races = tuple(each for each in self._races if each is not race)
        return race.is_cancelled

    def _look(self, call: Call, cancelled: bool) -> None:
        """After a wait: raise when the state no longer takes the call, or it was cancelled."""
        self._refuse_if_overtaken(call.name)
        if cancelled:
            raise BlockingCallCancelled

    def _has_turn(self) -> bool:
        """Whether a call may be tried at once; if not, others come first: see _give_way()."""
        return length_hint(self._turns) > 0

    async def _give_way(self) -> None:
        """Let other tasks run, and a cancellation arrive; nothing was asked of the system yet."""
        self._turns = repeat(True, TURNS)
        if not mode.never_waits:
            await anyio.lowlevel.checkpoint()

    # -- readiness ------------------------------------------------------------------------------------------------------

    def _readable(self) -> Awaitable[bool]:
        """Until the socket seems readable, for a call; see Readiness.wait()."""
        reading = self._reading
        if reading is None or reading.loop is not running_loop():
            reading = self._reading = self._anew(reading, writing=False)
        wait = reading.wait()
        return wait if self._waits_silently else self._announced(wait)

    def _writable(self) -> Awaitable[bool]:
        """As _readable()."""
        writing = self._writing
        if writing is None or writing.loop is not running_loop():
            writing = self._writing = self._anew(writing, writing=True)
        wait = writing.wait()
        return wait if self._waits_silently else self._announced(wait)

    def _watch(self, *, writing: bool) -> Awaitable[object]:
        """Until the socket seems ready and no call waits for that: for the notifications."""
        before = self._writing if writing else self._reading
        if before is None or before.loop is not running_loop():
            before = self._anew(before, writing=writing)
            if writing:
                self._writing = before
            else:
                self._reading = before
        return before.watch()

    def _announced(self, wait: Awaitable[bool]) -> Awaitable[bool]:
        """Report a wait that has been prepared; the program may cancel it."""
        self._count_wait()
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

    # -- the end --------------------------------------------------------------------------------------------------------

    def _wake_all(self) -> None:
        for each in (self._reading, self._writing):
            if each is not None:
                each.wake()
        for race in self._races:
            race.scope.cancel()

    def _replace_socket(self, sock: socket.socket) -> None:
        self._stop_watching()
        self._reading = self._writing = None
        super()._replace_socket(sock)

    def _exchange_socket(self, sock: socket.socket) -> None:
        self._stop_watching()
        self._reading = self._writing = None
        super()._exchange_socket(sock)

    def _release(self) -> None:
        watching = self._stop_watching()
        if watching and self._socket is not NO_SOCKET:
            self._remove_path()
            # The collector works in any thread; the loop that still watches the descriptor forgets it first.
            handed_on = socket_of(self._socket.detach())
            watching[0].loop.call_soon_threadsafe(_stop_and_close, watching, handed_on)
            return
        super()._release()

    def _stop_watching(self) -> list[LoopReadiness]:
        """Let the event loop forget the descriptor; what only a loop in another thread can forget is returned."""
        elsewhere: list[LoopReadiness] = []
        for each in (self._reading, self._writing):
            if isinstance(each, LoopReadiness) and each.is_elsewhere:
                elsewhere.append(each)
            elif each is not None:
                each.stop()
        return elsewhere


def deadline_of(timeout: float | None) -> float | None:
    """The time.monotonic() up to which a call may wait that was given `timeout`; 0 where it may not, None for ever."""
    return None if timeout is None else checked_timeout(timeout) and time.monotonic() + timeout


def scope_until(until: float | None) -> anyio.CancelScope:
    """A scope that is cancelled at a time.monotonic()."""
    seconds = float("inf") if until is None else max(0.0, until - time.monotonic())
    return anyio.CancelScope(deadline=anyio.current_time() + seconds)


async def within(deadline: float | None, waiting: Awaitable[Answer]) -> Answer:
    """The result of `waiting`; TimeoutError if it has none by the deadline."""
    with scope_until(deadline or None) as scope:
        return await waiting
    assert scope.cancelled_caught
    raise TimeoutError("timed out")


async def _resolved(request: Resolve) -> Any:
    if mode.never_waits:
        raise ValueError(f"nowait() cannot look the name {request.host!r} up: give a numeric address")
    return await anyio.getaddrinfo(
        request.host, request.port, family=socket.AddressFamily(request.family), type=socket.SocketKind(request.kind)
    )


def _stop_and_close(watching: list[LoopReadiness], sock: socket.socket) -> None:
    for each in watching:
        each.stop()
    sock.close()

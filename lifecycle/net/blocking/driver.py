"""BlockingSocket: runs an operation, and polls for what it waits for, until its timeout or another thread ends the wait."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from types import EllipsisType
from typing import Any, ClassVar

from lifecycle.engine import Call, Observer, Role
from lifecycle.engine.steps import one_step, process
from lifecycle.net.errors import BlockingCallCancelled
from lifecycle.net.operations import PATIENCE, Operation, Resolve, Timeout, Value, checked_timeout
from lifecycle.net.operations import Wait as Request
from lifecycle.net.os_socket import OsSocket
from lifecycle.system.outcomes import closed_meanwhile, would_block
from lifecycle.system.polling import SOON, Glance, Wait, deadline_after, is_readable_soon, provide_waker, wakers


class BlockingSocket(OsSocket):
    """One socket of the system under a role.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine, journal: see Lifecycle.
    """

    __slots__ = ("_timeout", "_waits")

    _timeout: float | None
    _waits: tuple[Wait | Glance, ...]
    _fresh: ClassVar[Mapping[str, object]] = {"_timeout": None, "_waits": ()}
    _waits_silently: ClassVar[bool] = True  # nothing is notified that a call is about to wait

    def __init_subclass__(cls, role: Role | None = None, **keywords: object) -> None:
        super().__init_subclass__(role, **keywords)
        cls._waits_silently = cls.on_message_pending is BlockingSocket.on_message_pending

    def __init__(self, *, timeout: float | None = None, engine: str | None = None, journal: Observer | None = None) -> None:
        if engine is not None or journal is not None:
            super().__init__(engine=engine, journal=journal)
        if timeout is not None:
            self.timeout = timeout
        if not wakers:
            provide_waker()

    @property
    def timeout(self) -> float | None:
        """Seconds that a blocking call may wait; None for ever, 0 not at all. ValueError for a negative one."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = checked_timeout(seconds)

    @property
    def is_blocking(self) -> bool:
        """Whether a call on this object waits at this moment, in any thread (MFC's IsBlocking)."""
        return any(wait.process is process[0] for wait in self._waits)  # a forked child has the other threads' waits, too

    def cancel_blocking_call(self) -> None:
        """Make the calls that wait on this object end with BlockingCallCancelled (EINTR); does nothing when none does.

        A cancelled connect goes on in the system: the object is then `connecting`.
        """
        for wait in self._waits:
            wait.cancelled = True
            wait.wake()

    def on_message_pending(self) -> None:
        """Called each time that a call on this object is about to wait (MFC's OnMessagePending); does nothing here."""

    # -- the driver -----------------------------------------------------------------------------------------------------

    def _run(self, call: Call, operation: Operation[Value], partner: OsSocket | None = None, timeout: Timeout = ...) -> Value:
        """Run an operation to its end; its result. timeout: of this call, where it is not the object's.

        In each turn the deadline, the close, the cancellation and the row of the present state are looked at, whatever the
        poll said. partner: another object that the call fills; when that is closed, the call ends too, as if it had succeeded:
        the engine then reports which object was closed.
        """
        seconds = self._seconds(timeout)
        try:
            request = next(operation)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]
        wait: Wait | None = None
        deadline: float | None = None
        turns = 0  # in which the call has waited in vain
        try:
            try:
                while True:
                    answer: Any = None
                    turns = 0 if isinstance(request, Resolve) or request.goes_on else turns + 1
                    try:
                        if isinstance(request, Resolve):
                            answer = socket.getaddrinfo(request.host, request.port, request.family, request.kind)
                        elif wait is None:
                            if seconds == 0:
                                raise would_block()
                            deadline = deadline_after(seconds)
                            wait = Wait()
                            self._set_waits(wait, waits=True)
                            self._wait(call, wait, request, deadline, turns)
                        elif deadline is not None and time.monotonic() >= deadline:
                            raise TimeoutError("timed out")
                        else:
                            self._wait(call, wait, request, deadline, turns)
                        if partner is not None and partner.is_over:
                            return None  # type: ignore[return-value]
                    except BaseException as error:
                        request = operation.throw(error)
                    else:
                        request = operation.send(answer)
            except StopIteration as ended:
                return ended.value  # type: ignore[no-any-return]
            finally:
                if wait is not None:
                    self._end_wait(wait)
        finally:
            if wait is not None:  # once more: an exception of a signal handler may have come in the first
                self._end_wait(wait)
            operation.close()

    def _comes_soon(self, call: Call, timeout: Timeout) -> bool:
        """Whether the socket is readable within a moment; a close() or a cancellation of another thread is seen at its end."""
        seconds = self._seconds(timeout)
        if (seconds is not None and seconds <= SOON) or not self._waits_silently or (number := self._socket.fileno()) == -1:
            return False
        glance = Glance()
        try:
            try:
                self._set_waits(glance, waits=True)
                comes = is_readable_soon(number)
                if glance.cancelled or not self._node._allows(call.name):
                    self._look(call, glance)
            finally:
                self._set_waits(glance, waits=False)
        finally:  # once more: an exception of a signal handler may have come in the first
            self._set_waits(glance, waits=False)
        return comes

    def _wait(self, call: Call, wait: Wait, request: Request, deadline: float | None, turns: int) -> None:
        """Return when the operation can go on; raise when the call has ended."""
        self.on_message_pending()
        self._look(call, wait)
        sockets = self._own_sockets if request.sockets is None else request.sockets
        until = deadline if request.until is None else min(request.until, request.until if deadline is None else deadline)
        numbers = [number for sock in sockets if (number := sock.fileno()) != -1]
        if len(numbers) < len(sockets):
            raise closed_meanwhile()
        in_time = wait.until_ready(numbers, writing=request.writing, deadline=until, in_vain=turns > PATIENCE)
        self._look(call, wait)
        if not in_time and deadline is not None and time.monotonic() >= deadline:
            raise TimeoutError("timed out")

    def _end_wait(self, wait: Wait) -> None:
        self._set_waits(wait, waits=False)
        wait.finish()

    def _look(self, call: Call, wait: Wait | Glance) -> None:
        self._refuse_if_overtaken(call.name)
        if wait.cancelled:
            raise BlockingCallCancelled

    def _seconds(self, timeout: Timeout) -> float | None:
        """The seconds that a call with this `timeout` may wait."""
        return self._timeout if isinstance(timeout, EllipsisType) else checked_timeout(timeout)

    def _wake_all(self) -> None:
        for wait in self._waits:
            wait.wake()

    def _set_waits(self, wait: Wait | Glance, *, waits: bool) -> None:
        while waits is not (wait in (before := self._waits)):
            after = (*before, wait) if waits else tuple(each for each in before if each is not wait) if len(before) > 1 else ()
            self._exchange_waits(before, after)

    @one_step
    def _exchange_waits(self, before: tuple[Wait | Glance, ...], after: tuple[Wait | Glance, ...]) -> None:
        if self._waits is before:
            self._waits = after

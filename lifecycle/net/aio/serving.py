"""Serving: a task per accepted connection, with a limit on how many, and an end to all of them, at once or after a grace."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import anyio
from anyio.abc import TaskGroup, TaskStatus

from lifecycle.engine import IllegalCall
from lifecycle.roles import words
from lifecycle.system.outcomes import OUT_OF_DESCRIPTORS, limit_text

if TYPE_CHECKING:
    import ssl


class Closes(Protocol):
    """The part of a connection that serving uses."""

    @property
    def is_over(self) -> bool: ...

    def close(self) -> None: ...

    def _abandon_if(self, error: BaseException | None) -> None: ...


class Accepts(Protocol):
    """The part of a server that serving uses."""

    @property
    def is_over(self) -> bool: ...

    def is_legal(self, call: str) -> bool: ...

    async def accept(self, target: Any) -> object: ...

    def close(self) -> None: ...


Connection = TypeVar("Connection", bound=Closes)

RETRY_DELAY = 0.1
"""Seconds until accept() is tried again when the system has no room for another socket, and no connection has ended."""

logger = logging.getLogger("lifecycle.aio")


class Serving(Generic[Connection]):
    """One run of Server.serve()."""

    def __init__(
        self,
        server: Accepts,
        make: Callable[[], Connection],
        handler: Callable[[Connection], Awaitable[object]],
        *,
        limit: int | None,
        on_error: Callable[[Connection, Exception], object] | None,
        grace: float | None,
    ) -> None:
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
            raise TypeError(f"a limit is an int or None, not {type(limit).__name__}")
        if limit is not None and limit < 1:
            raise ValueError(f"a limit is 1 or more connections, not {limit}")
        if grace is not None and (not isinstance(grace, (int, float)) or isinstance(grace, bool)):
            raise TypeError(f"grace is a number of seconds or None, not {type(grace).__name__}")
        if grace is not None and not grace >= 0:
            raise ValueError(f"grace is 0 or more seconds, not {grace}")
        self._server = server
        self._make = make
        self._handler = handler
        self._limit = limit
        self._on_error = on_error or end_of_connection
        self._grace = grace
        self._drained_at = float("inf")  # the time of the loop at which the handlers that still run are cancelled
        self._shields: set[anyio.CancelScope] = set()  # of the handlers, where there is a grace
        self._present = 0
        self._one_ended = anyio.Event()
        self._is_out_of_room = False

    async def run(self, task_status: TaskStatus[Any]) -> None:
        """Accept and hand over until the server is closed or the call cancelled, then let the handlers end."""
        failure = None
        async with anyio.create_task_group() as handlers:
            try:
                if self._server.is_over or self._server.is_legal(words.ACCEPT.name):
                    task_status.started()
                await self._accept_all(handlers)
                self._drain()
            except (IllegalCall, OSError) as error:  # of accept() itself: not an error of the group
                failure = error
                self._end_all()
                handlers.cancel_scope.cancel()
            except BaseException:  # cancelled
                if self._grace is not None:
                    self._server.close()
                self._drain()
                raise
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # its traceback holds this frame, which must not hold it

    def _drain(self) -> None:
        """Let the handlers that run go on for the grace."""
        if self._grace is not None:
            self._drained_at = min(self._drained_at, anyio.current_time() + self._grace)
            for shield in self._shields:
                shield.deadline = self._drained_at

    def _end_all(self) -> None:
        """Cancel the handlers, whatever the grace."""
        self._drained_at = float("-inf")
        for shield in self._shields:
            shield.cancel()

    async def _accept_all(self, handlers: TaskGroup) -> None:
        while True:
            while self._limit is not None and self._present >= self._limit:
                await self._one_ended.wait()
            connection = self._make()
            try:
                await self._server.accept(connection)
            except IllegalCall:
                if self._server.is_over:
                    return
                raise
            except OSError as error:
                if error.errno not in OUT_OF_DESCRIPTORS:
                    raise
                await self._wait_for_room(error)
                continue
            self._is_out_of_room = False
            self._present += 1
            handlers.start_soon(self._handle, connection)

    async def _handle(self, connection: Connection) -> None:
        try:
            if self._grace is None:
                await self._run_handler(connection)
            else:
                await self._handle_shielded(connection)
        except Exception as error:  # of any kind: on_error() decides what happens to it
            try:
                await _report(self._on_error, connection, error)
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException:
                self._end_all()
                self._server.close()  # who connected would wait for ever in the queue of a server that nobody serves
                raise
        finally:
            connection.close()
            self._present -= 1
            self._one_ended.set()
            self._one_ended = anyio.Event()

    async def _run_handler(self, connection: Connection) -> None:
        try:
            await self._handler(connection)
        except BaseException as error:  # also when cancelled: over TLS the peer must not take what was sent for the whole
            connection._abandon_if(error)
            raise

    async def _handle_shielded(self, connection: Connection) -> None:
        """Run a handler that a cancellation of serve() reaches when the grace has passed, and not before."""
        with anyio.CancelScope(shield=True, deadline=self._drained_at) as shield:
            self._shields.add(shield)
            try:
                await self._run_handler(connection)
            finally:
                self._shields.discard(shield)
        if shield.cancelled_caught and self._drained_at > float("-inf"):
            logger.warning("a connection had not ended after %g seconds of grace: %r", self._grace, connection)

    async def _wait_for_room(self, error: OSError) -> None:
        """Until a connection has ended, or for a while: who has connected waits in the queue."""
        if not self._is_out_of_room:
            self._is_out_of_room = True
            limit = limit_text(error.errno or 0)
            logger.error(
                "%r cannot accept more than the %d connections that it has: %s. %s", self._server, self._present, error, limit
            )
        with anyio.move_on_after(RETRY_DELAY):
            await self._one_ended.wait()


def secured_first(
    handler: Callable[[Any], Awaitable[object]],
    context: ssl.SSLContext,
    seconds: float,
    *,
    is_reported: bool,
) -> Callable[[Any], Awaitable[object]]:
    """A handler that makes the TLS handshake first; one that fails is raised if on_error reports it, and logged otherwise."""

    async def secured(connection: Any) -> None:
        try:
            with anyio.fail_after(seconds):
                await connection.start_tls(context)
        except (ConnectionError, TimeoutError) as error:
            if is_reported:
                raise
            logger.info("a TLS handshake has failed: %r", error)
            return
        await handler(connection)

    return secured


async def _report(on_error: Callable[[Any, Exception], object], connection: Any, error: Exception) -> None:
    """Call on_error, which may be a coroutine function."""
    answer = on_error(connection, error)
    if inspect.isawaitable(answer):
        await answer


def end_of_connection(connection: Closes, error: Exception) -> None:
    """The default of `on_error`: what happens to an exception that a handler raises.

    What the network did to this connection, and calls on it after the program has closed it, are logged and end it; everything
    else is a fault of the program, and is raised. The network did what a call of this connection has raised as an OSError, also
    where another exception was raised from it, and a ConnectionError or a TimeoutError that comes from no other socket of this
    package (a time-out around a call is one); nothing refuses a connection that was accepted.
    """
    rest = error.split(_ends_one_connection(connection))[1] if isinstance(error, ExceptionGroup) else error
    if rest is not None and not _ends_one_connection(connection)(rest):
        raise error
    logger.info("a connection has ended: %r", error)


def _ends_one_connection(connection: Closes) -> Callable[[BaseException], bool]:
    def ends(error: BaseException) -> bool:
        if isinstance(error, IllegalCall):
            return connection.is_over
        at: BaseException | None = error
        while at is not None:
            if isinstance(at, OSError) and "socket_id" in vars(at):
                return bool(vars(at)["socket_id"] == id(connection))
            at = at.__cause__
        return isinstance(error, (ConnectionError, TimeoutError)) and not isinstance(error, ConnectionRefusedError)

    return ends

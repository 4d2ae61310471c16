"""Serving: a task per accepted connection, with a limit on how many, and an end to all of them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

import anyio
from anyio.abc import TaskGroup

from lifecycle.engine import IllegalCall
from lifecycle.system.outcomes import OUT_OF_DESCRIPTORS, limit_text


class Closes(Protocol):
    """What serving has to know of a connection."""

    @property
    def is_over(self) -> bool: ...

    def close(self) -> None: ...


class Accepts(Protocol):
    """What serving has to know of a server."""

    @property
    def is_over(self) -> bool: ...

    async def accept(self, target: Any) -> object: ...


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
    ) -> None:
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
            raise TypeError(f"a limit is an int or None, not {type(limit).__name__}")
        if limit is not None and limit < 1:
            raise ValueError(f"a limit is 1 or more connections, not {limit}")
        self._server = server
        self._make = make
        self._handler = handler
        self._limit = limit
        self._on_error = on_error or end_of_connection
        self._present = 0
        self._one_ended = anyio.Event()
        self._is_out_of_room = False

    async def run(self) -> None:
        """Accept and hand over until the server is closed, then wait for the handlers that still run."""
        failure = None
        async with anyio.create_task_group() as handlers:
            try:
                await self._accept_all(handlers)
            except (IllegalCall, OSError) as error:  # of accept() itself: not an error of the group
                failure = error
                handlers.cancel_scope.cancel()
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # its traceback holds this frame, which must not hold it

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
            await self._handler(connection)
        except Exception as error:  # whatever it is: on_error() says what becomes of it
            self._on_error(connection, error)
        finally:
            connection.close()
            self._present -= 1
            self._one_ended.set()
            self._one_ended = anyio.Event()

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


def end_of_connection(connection: Closes, error: Exception) -> None:
    """What becomes of an exception that a handler leaves, unless serve() is told otherwise.

    What the network did to one connection (OSError), and calls on a connection that the program has closed, are logged and
    end that connection; everything else is a fault of the program, and is raised.
    """
    rest = error.split(_ends_one_connection(connection))[1] if isinstance(error, ExceptionGroup) else error
    if rest is not None and not _ends_one_connection(connection)(rest):
        raise error
    logger.info("a connection has ended: %r", error)


def _ends_one_connection(connection: Closes) -> Callable[[BaseException], bool]:
    def ends(error: BaseException) -> bool:
        return isinstance(error, OSError) or (isinstance(error, IllegalCall) and connection.is_over)

    return ends

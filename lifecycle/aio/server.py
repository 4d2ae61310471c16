"""Server: listens, and accepts connections, awaited."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, overload

from lifecycle.aio.accepted import Accepted
from lifecycle.aio.bindable import AsyncBindable
from lifecycle.aio.serving import Connection, Serving
from lifecycle.engine import IllegalCall, fires_into
from lifecycle.roles import SERVER
from lifecycle.sockets.listening import Listening


class Server(AsyncBindable, Listening, role=SERVER):
    """The server's listening socket: create(), listen(), then accept() again and again, `async for`, or serve().

    engine: see Lifecycle.
    """

    __slots__ = ()

    def _new_accepted(self) -> Accepted:
        return Accepted(engine=self.engine)

    @fires_into(Accepted, default=_new_accepted)
    async def accept(self, target: Accepted | None = None) -> Accepted:
        """Take the first queued connection, or wait for one; the object that holds it.

        target: an empty Accepted, never created, to fill; a new one is made when it is None. Legal in `listening`, with a
        target in `empty`: both are checked before the system is asked. Raises TypeError for a target that is no Accepted;
        OSError (EMFILE), after which the connection still waits in the queue. A cancelled accept has taken nothing.
        """
        assert target is not None  # _new_accepted() made one
        connection = await self._next_connection()
        connection.setblocking(False)
        target._install(connection)
        return target

    @overload
    async def serve(
        self,
        handler: Callable[[Accepted], Awaitable[object]],
        *,
        limit: int | None = None,
        on_error: Callable[[Accepted, Exception], object] | None = None,
    ) -> None: ...

    @overload
    async def serve(
        self,
        handler: Callable[[Connection], Awaitable[object]],
        *,
        limit: int | None = None,
        on_error: Callable[[Connection, Exception], object] | None = None,
        kind: type[Connection],
    ) -> None: ...

    async def serve(
        self,
        handler: Callable[[Any], Awaitable[object]],
        *,
        limit: int | None = None,
        on_error: Callable[[Any, Exception], object] | None = None,
        kind: type[Any] = Accepted,
    ) -> None:
        """Accept connections, each with a task of its own that runs handler(accepted) and then closes it.

        It ends when the server is closed, after the handlers that still run; cancelling it ends and closes them all.
        limit: how many connections to have at a time, those that come then wait in the queue; None for as many as the system
        allows: what it does not allow is logged, and accepted when there is room again. on_error: called with the connection
        and the exception that its handler leaves; by default (serving.end_of_connection) one connection's OSError is logged,
        and everything else is raised. kind: the class of the connections.
        """
        await Serving(self, kind, handler, limit=limit, on_error=on_error).run()

    def __aiter__(self) -> AsyncIterator[Accepted]:
        """Accept connections until the server is closed."""
        return self

    async def __anext__(self) -> Accepted:
        try:
            return await self.accept()
        except IllegalCall:
            if self.state in self.role.final:
                raise StopAsyncIteration from None
            raise

    async def _next_connection(self) -> socket.socket:
        if not next(self._turns, False):
            await self._give_way()
        while True:
            try:
                return self._socket.accept()[0]
            except BlockingIOError:
                await self._until_readable()
            except ConnectionAbortedError:
                pass  # it was gone before we came (accept(2): to be treated like EAGAIN)

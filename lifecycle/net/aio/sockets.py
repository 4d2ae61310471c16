"""Client, Server, Accepted and Datagram, awaited: their waiting calls, each handed to the operation that does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, cast, overload

import anyio
from anyio.abc import TaskStatus

from lifecycle.engine import IllegalCall, Observer, fires_into
from lifecycle.net.aio import nonblocking
from lifecycle.net.aio.any_readiness import AnyReadiness
from lifecycle.net.aio.driver import AsyncSocket
from lifecycle.net.aio.readiness import Readiness, readiness_of
from lifecycle.net.aio.serving import Connection, Serving, secured_first
from lifecycle.net.aio.stream import AsyncStream
from lifecycle.net.created import CreatedSocket, ServerCalls, checked_class
from lifecycle.net.operations import checked_timeout
from lifecycle.net.operations.connecting import NO_PLAN, connecting_anywhere, finishing
from lifecycle.net.operations.passing import HANDLES, Found, receiving_handles
from lifecycle.net.operations.transfer import accepting
from lifecycle.net.tls_calls import check_server_context
from lifecycle.net.twins import ClientCalls, DatagramCalls
from lifecycle.roles import ACCEPTED, CLIENT, DATAGRAM, SERVER, words
from lifecycle.system.addresses import Address, from_system
from lifecycle.system.local_sockets import Path

if TYPE_CHECKING:
    import ssl

    from _typeshed import HasFileno, ReadableBuffer


class AsyncCreated(AsyncSocket, CreatedSocket):
    """An object that is created."""

    __slots__ = ()

    async def create(
        self,
        port: int = 0,
        address: str | None = None,
        *,
        family: int | None = None,
        path: Path | None = None,
        mode: int | None = None,
    ) -> None:
        """Get a socket and bind it: open() and bind() in one (MFC's Create).

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. A server listens at
        every address that the name has here, on one port, and None means both families. family: AF_INET (the default) or
        AF_INET6, where the address does not say. path: a local path or an abstract name (Linux) in place of all of these, for
        a Unix-domain socket; a socket that nobody has open any more is removed there first, and close() removes what this
        bind has made. mode: the permissions of the path, as of os.chmod(); None for what the umask leaves. If the bind fails,
        the socket is closed and the state stays `empty`. A client for which none of them is given may use any address of a
        name in connect(), of either family, and its local port may be another one afterwards. Raises IllegalCall in every
        state but `empty`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL).
        """
        await self._run(words.CREATE, self._creating_at(port, address, family, path, mode))

    async def bind(
        self, port: int = 0, address: str | None = None, *, path: Path | None = None, mode: int | None = None
    ) -> None:
        """Give the socket its local address.

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. path and mode: as
        for create(), of a socket that was opened for AF_UNIX. Raises IllegalCall in
        every state but `open`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT).
        """
        await self._run(words.BIND, self._binding_at(port, address, path, mode))


class Client(AsyncCreated, ClientCalls, AsyncStream, role=CLIENT):
    """The client's side of a stream connection: create(), connect(), then send() and receive(), awaited.

    engine, journal: see Lifecycle.
    """

    __slots__ = ("_plan", "_sought")

    def __init__(self, *, engine: str | None = None, journal: Observer | None = None) -> None:
        super().__init__(engine=engine, journal=journal)
        self._plan = NO_PLAN
        self._sought: Any = None

    async def connect(
        self,
        address: str | None = None,
        port: int | None = None,
        *,
        path: Path | None = None,
        timeout: float | None = None,
    ) -> None:
        """Connect, and wait until the connection is made.

        address: a numeric address, or a name, whose addresses are tried as RFC 8305 has it: families take turns, and the next
        attempt begins after a quarter of a second beside those that go on. A client that was given a local address, a port or
        a family keeps to them, and tries the addresses of its family one after the other. port: 1..65535. path: a Unix-domain
        socket's path or abstract name, in place of both. timeout: seconds that the call may wait, None for as long as it takes.
        Legal in `open` (binds implicitly) and `bound`. Raises
        ConnectionRefusedError and other OSErrors, after which the state is what it was and the call may be retried, over a
        fresh socket of the system with the same options and address; OSError (EADDRNOTAVAIL) for the unspecified address or
        port 0, for which Linux would connect to itself. A connect that is cancelled, or timed out, while it is under way in the
        system leaves the object `connecting`.
        """
        waits = not nonblocking.mode.never_waits and timeout != 0
        operation = connecting_anywhere(self, address, port, path, waits=waits)
        await self._run(words.CONNECT, operation, timeout=timeout)

    async def finish_connect(self, *, timeout: float | None = None) -> None:
        """Get the result of a connect that did not wait until it ended, waiting for it.

        Legal in `connecting`. Raises ConnectionRefusedError and other OSErrors, after which the socket is `bound` and
        connect() may be retried.
        """
        await self._run(words.FINISH_CONNECT, finishing(self), timeout=timeout)


class Accepted(AsyncStream, role=ACCEPTED):
    """The server's end of one connection: constructed empty, then given to a server's accept(); never created.

    engine, journal: see Lifecycle.
    """

    __slots__ = ("_filler",)

    _is_tls_server = True

    def __init__(self, *, engine: str | None = None, journal: Observer | None = None) -> None:
        super().__init__(engine=engine, journal=journal)
        self._filler: Server | None = None

    def _wake_all(self) -> None:
        super()._wake_all()
        if self._filler is not None:
            self._filler._wake_all()

    def _fired_by(self, firer: Any) -> None:
        """Start the notifications: of the server's events, unless this object chose its own."""
        super()._fired_by(firer)
        if self._notifier is not None:
            if isinstance(firer, AsyncSocket) and firer._notifier is not None:
                self._notifier.inherit(firer._notifier.mask)
            self._notifier.ended(words.ACCEPTED, None, waited=False)


class Server(AsyncCreated, ServerCalls, role=SERVER):
    """The server's listening socket: create(), listen(), then accept() again and again, `async for`, or serve().

    accepts: the class of the objects that accept() makes. engine, journal: see Lifecycle.
    """

    __slots__ = ("_accepts", "_left", "_others")

    def __init__(
        self, *, accepts: type[Accepted] = Accepted, engine: str | None = None, journal: Observer | None = None
    ) -> None:
        super().__init__(engine=engine, journal=journal)
        self._accepts = checked_class(accepts, Accepted)
        self._left = []
        self._others = []

    def _anew(self, before: Readiness | None, *, writing: bool) -> Readiness:
        first = super()._anew(before, writing=writing)
        others = [readiness_of(listener, writing=writing) for listener in self._others]
        return AnyReadiness([first, *others]) if others else first

    def _new_accepted(self) -> Accepted:
        accepted = self._accepts(engine=self.engine)
        accepted._record_in(self._journal)
        return accepted

    @fires_into(Accepted, default=_new_accepted)
    async def accept(self, target: Accepted | None = None, *, timeout: float | None = None) -> Accepted:
        """Take the first queued connection, or wait for one; the object that holds it.

        target: an empty Accepted, never created, to fill; a new one is made when it is None. timeout: seconds that the call
        may wait, None for as long as it takes. Legal in `listening`, with a target in `empty`: both are checked before the
        system is asked. Raises TypeError for a target that is not an Accepted; ClosedDuringCall when the server or the target
        was closed meanwhile; OSError (EMFILE), after which the connection still waits in the queue. A cancelled accept has
        taken nothing.
        """
        assert target is not None  # _new_accepted() made one
        target._filler = self
        connection = arriving = self._arriving()
        try:
            if arriving.fileno() == -1:
                connection = await self._run(words.ACCEPT, accepting(self._in_turn(), arriving), target, timeout)
            if connection is not None:
                target._socket = connection
        except BaseException:
            self._leave(arriving, target)
            raise
        finally:
            target._filler = None
        return target

    @overload
    async def serve(
        self,
        handler: Callable[[Accepted], Awaitable[object]],
        *,
        limit: int | None = None,
        on_error: Callable[[Accepted, Exception], object] | None = None,
        grace: float | None = None,
        tls: ssl.SSLContext | None = None,
        handshake_timeout: float = 60,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None: ...

    @overload
    async def serve(
        self,
        handler: Callable[[Connection], Awaitable[object]],
        *,
        limit: int | None = None,
        on_error: Callable[[Connection, Exception], object] | None = None,
        grace: float | None = None,
        tls: ssl.SSLContext | None = None,
        handshake_timeout: float = 60,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
        kind: type[Connection],
    ) -> None: ...

    async def serve(
        self,
        handler: Callable[[Any], Awaitable[object]],
        *,
        limit: int | None = None,
        on_error: Callable[[Any, Exception], object] | None = None,
        grace: float | None = None,
        tls: ssl.SSLContext | None = None,
        handshake_timeout: float = 60,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
        kind: type[Any] | None = None,
    ) -> None:
        """Accept connections, each with a task of its own that runs handler(accepted) and then closes it.

        It ends when the server is closed, after the handlers that still run; cancelling it ends and closes them all. limit: how
        many connections to have at a time, later ones then wait in the queue; None for as many as the system allows: a
        connection beyond that is logged, and accepted when there is room again. on_error: called with the connection and the
        exception that its handler raises, and awaited if it is a coroutine function; by default (serving.end_of_connection)
        what the network did to that one connection is logged, and everything else is raised. grace: seconds that the handlers
        may go on when the server was closed or this call cancelled (which closes the server then); those that still run
        afterwards are cancelled, and that is logged. tls: a server's context, with which each connection's task makes the TLS
        handshake before the handler runs; one that fails, or takes longer than handshake_timeout seconds, closes that
        connection alone, and is reported to on_error, or logged. kind: the class of the connections; by default the server's
        `accepts`. task_status: what a task group's start() gives: it returns as soon as connections are accepted. Raises
        IllegalCall before listen(); TypeError and ValueError for an invalid limit, grace, context or time-out.
        """
        made = self._accepts if kind is None else kind

        def new_connection() -> Any:
            connection = made(engine=self.engine)
            connection._record_in(self._journal)
            return connection

        if tls is not None:
            check_server_context(tls)
            checked_timeout(handshake_timeout)
            handler = secured_first(handler, tls, handshake_timeout, is_reported=on_error is not None)
        serving = Serving(self, new_connection, handler, limit=limit, on_error=on_error, grace=grace)
        await serving.run(task_status)

    def __aiter__(self) -> AsyncIterator[Accepted]:
        """Accept connections until the server is closed."""
        return self

    async def __anext__(self) -> Accepted:
        try:
            return await self.accept()
        except IllegalCall as refusal:
            if self._ends_iteration(refusal):
                raise StopAsyncIteration from None
            raise


class Datagram(DatagramCalls, AsyncCreated, role=DATAGRAM):
    """A datagram socket: one call is one message; no connection is needed.

    `async for data, sender in datagram` receives until it is closed. engine, journal: see Lifecycle.
    """

    __slots__ = ()

    async def connect(
        self,
        address: str | None = None,
        port: int | None = None,
        *,
        path: Path | None = None,
        timeout: float | None = None,
    ) -> None:
        """Set or change the peer: send() sends to it, and messages from others are not received.

        address: a numeric address, or a name, whose first address of this socket's family is taken. port: 1..65535. path: of a
        Unix-domain socket, in place of both. timeout: seconds that the look-up of a name may take. Legal in `open` (binds
        implicitly), `bound` and `connected`. Raises OSError (EADDRNOTAVAIL) for the unspecified address or port 0,
        ENETUNREACH.
        """
        await self._run(words.CONNECT, self._connecting(address, port, path), timeout=timeout)

    async def send(self, data: ReadableBuffer, flags: int = 0, *, timeout: float | None = None) -> int:
        """Send one message to the peer; its length.

        timeout: seconds that the call may wait, None for as long as it takes.
        Legal in `connected` and `receive_shut` (without a peer: WSAENOTCONN, EDESTADDRREQ). Raises OSError (EMSGSIZE) for one
        that is too long, nothing is sent then; ConnectionRefusedError when the peer refused an earlier one.
        """
        return await self._run(words.SEND, self._sending(data, flags), timeout=timeout)

    async def send_to(
        self,
        data: ReadableBuffer,
        address: str | None = None,
        port: int | None = None,
        flags: int = 0,
        *,
        path: Path | None = None,
        timeout: float | None = None,
    ) -> int:
        """Send one message to an address; its length.

        address and port, or path: as for connect(); timeout: as for send(). Legal in `open`, which it binds implicitly, and
        `bound`. Raises OSError (EMSGSIZE) for a message that is too long (65,507 bytes are not, over IPv4), EACCES for a
        broadcast without SO_BROADCAST; nothing is sent then.
        """
        return await self._run(words.SEND_TO, self._sending_to(data, address, port, flags, path), timeout=timeout)

    async def send_handles(
        self, data: ReadableBuffer, handles: Iterable[int | HasFileno], *, timeout: float | None = None
    ) -> int:
        """Send one message with descriptors to the peer, which gets duplicates; the message's length.

        handles: descriptors, or objects with a fileno(). Raises OSError (EOPNOTSUPP) over other families than AF_UNIX, EBADF;
        else as send().
        """
        return await self._run(words.SEND_HANDLES, self._sending_handles(data, handles), timeout=timeout)

    async def receive_handles(
        self, size: int = 65536, *, limit: int = HANDLES, timeout: float | None = None
    ) -> tuple[bytes, list[int]]:
        """Receive one message, and the descriptors that came with it.

        size: the most bytes the message may have. limit: the most descriptors, 0 to 253. The caller closes them; no child
        process inherits them. Raises TooManyHandles for more than `limit`; OSError (EOPNOTSUPP) over other families than
        AF_UNIX, EMFILE; else as receive(): those of a message that is too long are closed.
        """
        operation = receiving_handles(self._socket, size, limit)
        return cast(Found, await self._run(words.RECEIVE_HANDLES, operation, timeout=timeout))

    async def receive(self, size: int = 65536, flags: int = 0, *, timeout: float | None = None) -> bytes:
        """Receive one message, or wait for it. b"" is an empty message, and not the end of anything.

        size: the most bytes the message may have. timeout: as for send(). Legal in `bound`, `connected` and `send_shut`.
        Raises MessageTruncated, with the head, for a longer one; ConnectionRefusedError when the peer refused a message. A
        cancelled one has taken nothing.
        """
        return (await self._run(words.RECEIVE, self._receiving(words.RECEIVE, size, flags), timeout=timeout))[0]

    async def receive_from(self, size: int = 65536, flags: int = 0, *, timeout: float | None = None) -> tuple[bytes, Address]:
        """Receive one message and the address it came from, or wait for it. Else as receive()."""
        operation = self._receiving(words.RECEIVE_FROM, size, flags)
        data, sender = await self._run(words.RECEIVE_FROM, operation, timeout=timeout)
        return data, from_system(sender)

    def __aiter__(self) -> AsyncIterator[tuple[bytes, Address]]:
        return self

    async def __anext__(self) -> tuple[bytes, Address]:
        try:
            return await self.receive_from()
        except IllegalCall as refusal:
            if self._ends_iteration(refusal):
                raise StopAsyncIteration from None
            raise

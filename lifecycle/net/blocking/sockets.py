"""Client, Server, Accepted and Datagram, blocking: their waiting calls, each handed to the operation that does it."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from lifecycle.engine import IllegalCall, Observer, fires_into, inlined, table
from lifecycle.net.blocking.driver import BlockingSocket
from lifecycle.net.blocking.stream import Stream
from lifecycle.net.created import CreatedSocket, ServerCalls, checked_class
from lifecycle.net.operations import Timeout, checked_timeout
from lifecycle.net.operations.connecting import NO_PLAN, attempted, connecting_anywhere, finishing, going_on
from lifecycle.net.operations.passing import HANDLES, Found, receiving_handles
from lifecycle.net.operations.transfer import accepting
from lifecycle.net.twins import ClientCalls, DatagramCalls
from lifecycle.roles import ACCEPTED, CLIENT, DATAGRAM, SERVER, words
from lifecycle.system.addresses import Address, from_system
from lifecycle.system.handles import take_connection
from lifecycle.system.local_sockets import Path

if TYPE_CHECKING:
    from _typeshed import HasFileno, ReadableBuffer


class Created(BlockingSocket, CreatedSocket):
    """An object that is created."""

    __slots__ = ()

    def create(
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
        self._run(words.CREATE, self._creating_at(port, address, family, path, mode))

    def bind(self, port: int = 0, address: str | None = None, *, path: Path | None = None, mode: int | None = None) -> None:
        """Give the socket its local address.

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. path and mode: as
        for create(), of a socket that was opened for AF_UNIX. Raises IllegalCall in
        every state but `open`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT).
        """
        self._run(words.BIND, self._binding_at(port, address, path, mode))


class Client(Created, ClientCalls, Stream, role=CLIENT):
    """The client's side of a stream connection: create(), connect(), then send() and receive().

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine, journal: see Lifecycle.
    """

    __slots__ = ("_plan", "_sought")

    _fresh: ClassVar[Mapping[str, object]] = {"_plan": NO_PLAN, "_sought": None}

    @inlined
    def connect(
        self,
        address: str | None = None,
        port: int | None = None,
        *,
        path: Path | None = None,
        timeout: Timeout = ...,
    ) -> None:
        """Connect, and wait until the connection is made.

        address: a numeric address, or a name, whose addresses are tried as RFC 8305 has it: families take turns, and the next
        attempt begins after a quarter of a second beside those that go on. A client that was given a local address, a port or
        a family keeps to them, and tries the addresses of its family one after the other. port: 1..65535. path: a Unix-domain
        socket's path or abstract name, in place of both. timeout: seconds that this call may wait, None for ever; the object's
        own where it is not given. Legal in `open` (binds implicitly) and `bound`. Raises
        ConnectionRefusedError and other OSErrors, after which the state is what it was and the call may be retried, over a
        fresh socket of the system with the same options and address; BlockingIOError (timeout 0) and TimeoutError, after which
        it is `connecting`; OSError (EADDRNOTAVAIL) for the unspecified address or port 0, for which Linux would connect to
        itself.
        """
        number: int | None = None
        if path is None and timeout is ... and self._timeout != 0:
            number = attempted(self, address, port)
        if number == 0:
            self._plan = NO_PLAN
        elif number is not None:
            self._run(words.CONNECT, going_on(self, number))
        else:
            waits = self._seconds(timeout) != 0
            self._run(words.CONNECT, connecting_anywhere(self, address, port, path, waits=waits), timeout=timeout)

    def finish_connect(self, *, timeout: Timeout = ...) -> None:
        """Get the result of a connect that did not wait until it ended, waiting for it as the timeout says.

        Legal in `connecting`. Raises ConnectionRefusedError and other OSErrors, after which the socket is `bound` and
        connect() may be retried; BlockingIOError and TimeoutError while there is no result yet.
        """
        self._run(words.FINISH_CONNECT, finishing(self), timeout=timeout)


class Accepted(Stream, role=ACCEPTED):
    """The server's end of one connection: constructed empty, then given to a server's accept(); never created.

    timeout: seconds that a blocking call may wait; None for ever, 0 not at all; when it is not given, accept() passes the
    server's on. engine, journal: see Lifecycle.
    """

    __slots__ = ("_filler", "_timeout_is_own")

    _is_tls_server = True

    _filler: Server | None
    _timeout_is_own: bool
    _fresh: ClassVar[Mapping[str, object]] = {"_filler": None, "_timeout_is_own": False}

    @property
    def timeout(self) -> float | None:
        """As of every socket; accept() keeps one that was set here, and passes the server's on otherwise."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = checked_timeout(seconds)
        self._timeout_is_own = True

    def _wake_all(self) -> None:
        super()._wake_all()
        filler = self._filler
        if filler is not None:
            filler._wake_all()


class Server(ServerCalls, Created, role=SERVER):
    """The server's listening socket: create(), listen(), then accept() again and again, or `for accepted in server`.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. accepts: the class of the objects
    that accept() makes. engine, journal: see Lifecycle.
    """

    __slots__ = ("_accepts", "_left", "_others")

    def __init__(
        self,
        *,
        timeout: float | None = None,
        accepts: type[Accepted] = Accepted,
        engine: str | None = None,
        journal: Observer | None = None,
    ) -> None:
        super().__init__(timeout=timeout, engine=engine, journal=journal)
        self._accepts = checked_class(accepts, Accepted)
        self._left = []
        self._others = []

    def _new_accepted(self) -> Accepted:
        if self._journal is None and self._node._engine == table.default:
            return self._accepts()
        accepted = self._accepts(engine=self.engine)
        accepted._record_in(self._journal)
        return accepted

    @inlined
    @fires_into(Accepted, default=_new_accepted)
    def accept(self, target: Accepted | None = None, *, timeout: Timeout = ...) -> Accepted:
        """Take the first queued connection, or wait for one; the object that holds it.

        target: an empty Accepted, never created, to fill; a new one is made when it is None. It gets the server's timeout
        unless it has its own. timeout: seconds that this call may wait, None for ever; the server's own where it is not
        given. Legal in `listening`, with a target in `empty`: both are checked before the system is asked.
        Raises TypeError for a target that is not an Accepted; TimeoutError, BlockingIOError; ClosedDuringCall when the server
        or the target was closed meanwhile; OSError (EMFILE), after which the connection still waits in the queue.
        """
        filled: Accepted = target  # type: ignore[assignment]  # _new_accepted() made one
        connection: socket.socket | None = None
        arriving = self._arriving()
        try:
            if arriving.fileno() != -1:
                connection = arriving
            elif timeout is ... and not self._others:
                try:
                    connection = take_connection(self._socket, arriving)
                except (BlockingIOError, ConnectionAbortedError):
                    connection = None
            if connection is None:
                filled._filler = self
                connection = self._run(words.ACCEPT, accepting(self._in_turn(), arriving), filled, timeout)
            if connection is not None:
                filled._socket = connection
                if not filled._timeout_is_own:
                    filled._timeout = self._timeout
        except BaseException:
            self._leave(arriving, filled)
            raise
        finally:
            filled._filler = None
        return filled

    def __iter__(self) -> Iterator[Accepted]:
        """Accept connections until the server is closed, in this thread or another one; a timeout raises TimeoutError."""
        while True:
            try:
                accepted = self.accept()
            except IllegalCall as refusal:
                if self._ends_iteration(refusal):
                    return
                raise
            yield accepted


class Datagram(DatagramCalls, Created, role=DATAGRAM):
    """A datagram socket: one call is one message; no connection is needed.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine, journal: see Lifecycle.
    """

    __slots__ = ()

    def connect(
        self,
        address: str | None = None,
        port: int | None = None,
        *,
        path: Path | None = None,
        timeout: Timeout = ...,
    ) -> None:
        """Set the peer, or another one: send() goes to it, and messages of others are not seen.

        address: a numeric address, or a name, whose first address of this socket's family is taken. port: 1..65535. path: of a
        Unix-domain socket, in place of both. timeout: as of every call; the system's look-up of a name does not end by it.
        Legal in `open` (binds implicitly), `bound` and `connected`. Raises OSError (EADDRNOTAVAIL) for the unspecified address
        or port 0, ENETUNREACH.
        """
        self._run(words.CONNECT, self._connecting(address, port, path), timeout=timeout)

    def send(self, data: ReadableBuffer, flags: int = 0, *, timeout: Timeout = ...) -> int:
        """Send one message to the peer; its length.

        timeout: seconds that this call may wait, None for ever; the object's own where it is not given.
        Legal in `connected` and `receive_shut` (without a peer: WSAENOTCONN, EDESTADDRREQ). Raises OSError (EMSGSIZE) for one
        that is too long, nothing is sent then; ConnectionRefusedError when the peer refused an earlier one.
        """
        return self._run(words.SEND, self._sending(data, flags), timeout=timeout)

    def send_to(
        self,
        data: ReadableBuffer,
        address: str | None = None,
        port: int | None = None,
        flags: int = 0,
        *,
        path: Path | None = None,
        timeout: Timeout = ...,
    ) -> int:
        """Send one message to an address; its length.

        address and port, or path: as for connect(); timeout: as for send(). Legal in `open`, which it binds implicitly, and
        `bound`. Raises OSError (EMSGSIZE) for a message that is too long (65,507 bytes are not, over IPv4), EACCES for a
        broadcast without SO_BROADCAST; nothing is sent then.
        """
        return self._run(words.SEND_TO, self._sending_to(data, address, port, flags, path), timeout=timeout)

    def send_handles(self, data: ReadableBuffer, handles: Iterable[int | HasFileno], *, timeout: Timeout = ...) -> int:
        """Send one message with descriptors to the peer, which gets duplicates; the message's length.

        handles: descriptors, or objects with a fileno(). Raises OSError (EOPNOTSUPP) over other families than AF_UNIX, EBADF;
        else as send().
        """
        return self._run(words.SEND_HANDLES, self._sending_handles(data, handles), timeout=timeout)

    def receive_handles(self, size: int = 65536, *, limit: int = HANDLES, timeout: Timeout = ...) -> tuple[bytes, list[int]]:
        """Receive one message, and the descriptors that came with it.

        size: the most bytes the message may have. limit: the most descriptors, 0 to 253. The caller closes them; no child
        process inherits them. Raises TooManyHandles for more than `limit`; OSError (EOPNOTSUPP) over other families than
        AF_UNIX, EMFILE; else as receive(): those of a message that is too long are closed.
        """
        operation = receiving_handles(self._socket, size, limit)
        return cast(Found, self._run(words.RECEIVE_HANDLES, operation, timeout=timeout))

    def receive(self, size: int = 65536, flags: int = 0, *, timeout: Timeout = ...) -> bytes:
        """Receive one message, or wait for it. b"" is an empty message, and not the end of anything.

        size: the most bytes the message may have. timeout: as for send(). Legal in `bound`, `connected` and `send_shut`.
        Raises MessageTruncated, with the head, for a longer one; TimeoutError, BlockingIOError; ConnectionRefusedError when
        the peer refused a message.
        """
        return self._run(words.RECEIVE, self._receiving(words.RECEIVE, size, flags), timeout=timeout)[0]

    def receive_from(self, size: int = 65536, flags: int = 0, *, timeout: Timeout = ...) -> tuple[bytes, Address]:
        """Receive one message and the address it came from, or wait for it. Else as receive()."""
        data, sender = self._run(words.RECEIVE_FROM, self._receiving(words.RECEIVE_FROM, size, flags), timeout=timeout)
        return data, from_system(sender)

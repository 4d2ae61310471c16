"""Client, Server, Accepted and Datagram, blocking: their waiting calls, each handed to the operation that does it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lifecycle.engine import IllegalCall, fires_into, inlined, settled
from lifecycle.net.blocking.driver import BlockingSocket, Timeout, checked_timeout
from lifecycle.net.blocking.messages import Messages
from lifecycle.net.blocking.socket_view import SocketView
from lifecycle.net.operations.connecting import NO_PLAN, connecting_anywhere, finishing
from lifecycle.net.operations.securing import SecureLayer, ending_secured, sending_secured, shaking_hands
from lifecycle.net.operations.transfer import Progress, accepting, hold, let_go, receiving, receiving_from_held, sending
from lifecycle.net.os_socket import checked_size
from lifecycle.net.twins import ClientCalls, CreatedSocket, DatagramCalls, ServerCalls, checked_class
from lifecycle.roles import ACCEPTED, CLIENT, DATAGRAM, SERVER, words
from lifecycle.system.addresses import Address, from_system
from lifecycle.system.local_sockets import Path

if TYPE_CHECKING:
    import ssl

    from _typeshed import ReadableBuffer


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

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface: of a server those of
        both families, where the system can do that. family: AF_INET (the default) or AF_INET6, where the address does not say.
        path: a local path or an abstract name (Linux) in place of all of these, for a Unix-domain socket; a socket that nobody
        has open any more is removed there first, and close() removes what this bind has made. mode: the permissions of the
        path, as of os.chmod(); None for what the umask leaves. If the bind fails, the socket is closed and the state stays
        `empty`. A client for which none of them is given may use any address of a name in connect(), of either family, and its
        local port may be another one afterwards. Raises IllegalCall in every state but `empty`; ValueError, TypeError; OSError
        (EADDRINUSE, EADDRNOTAVAIL).
        """
        self._run(words.CREATE, self._creating_at(port, address, family, path, mode))

    def bind(self, port: int = 0, address: str | None = None, *, path: Path | None = None, mode: int | None = None) -> None:
        """Give the socket its local address.

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. path and mode: as
        for create(), of a socket that was opened for AF_UNIX. Raises IllegalCall in
        every state but `open`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT).
        """
        self._run(words.BIND, self._binding_at(port, address, path, mode))


def _send_rest(self: Stream, sent: int, data: ReadableBuffer, flags: int, timeout: Timeout) -> int:
    if isinstance(self._socket, SecureLayer):
        operation = sending_secured(self._socket, data, flags, Progress(~sent if sent < 0 else sent))
    else:
        operation = sending(self._socket, data, flags, Progress(sent))
    return self._run(words.SEND, operation, timeout=timeout)


def _receive_rest(self: Stream, received: bytes | None, size: int, flags: int, timeout: Timeout) -> bytes:
    if received is None:
        checked_size(size)
        if flags or self._held is not None:
            held = hold(self)
            try:
                operation = receiving_from_held(self._socket, held, size, flags)
                received = self._run(words.RECEIVE, operation, timeout=timeout)
            finally:
                let_go(self, held)
        else:
            received = self._run(words.RECEIVE, receiving(self._socket, size, flags), timeout=timeout)
    return self._received(received, size)


class Stream(Messages):
    """A stream socket with a data phase, in plain text or over TLS."""

    __slots__ = ()

    def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server_hostname: str | None = None,
        server_side: bool | None = None,
        received: ReadableBuffer = b"",
        requires_close_notify: bool = True,
        session: ssl.SSLSession | None = None,
    ) -> None:
        """Make the TLS handshake: what is sent and received from then on is encrypted.

        context: an ssl.SSLContext, as ssl.create_default_context() makes for a client. server_hostname: the name that the
        peer's certificate must have. server_side: by default an Accepted is the server of TLS and a Client its client.
        received: what came after the line that begins TLS and was received with it: it is taken for a part of the handshake.
        requires_close_notify: false for peers that end without it, as those of HTTP do; a cut is not seen then. session:
        get_tls().session of an earlier connection with the same context.

        Legal in `connected`. Raises HandshakeRefused where one side does not accept the other's certificate, name or version,
        and ConnectionError where the connection ends, after which it can only be closed; TimeoutError, BlockingIOError and
        BlockingCallCancelled, after which the state is `handshaking` and finish_tls() goes on; PlainTextUnread where plain
        text was not received yet, TypeError, ValueError and ssl.SSLError for a context that does not fit: nothing was sent
        then.
        """
        layer = self._begin_tls(context, server_side, server_hostname, received, requires_close_notify, session)
        self._run(words.START_TLS, shaking_hands(layer))

    def finish_tls(self) -> None:
        """Go on with a handshake that had to wait longer than it might. Legal in `handshaking`; else as start_tls()."""
        self._run(words.FINISH_TLS, shaking_hands(self._secure_layer()))

    def stop_tls(self) -> None:
        """Go back to plain text on the same connection, after both sides have ended TLS. The peer is not waited for.

        Legal in `secured_ended`: after shut_down("sends") and a receive() that gave b"". Raises TimeoutError and
        BlockingIOError while this side's close_notify has not gone out, and may be called again; ConnectionError when the
        connection is gone. A receive() first gives what came in plain text together with the last of TLS.
        """
        layer = self._secure_layer()
        left_over = self._run(words.STOP_TLS, ending_secured(layer))
        if left_over:
            hold(self).extend(left_over)
        self._socket = layer.below

    @inlined
    def send(self, data: ReadableBuffer, flags: int = 0, timeout: Timeout = ...) -> int:
        """Send all of `data`, or raise; the number of bytes sent (CSocket's Send).

        data: any bytes-like object; an empty one sends nothing. flags: as in socket.MSG_OOB. timeout: seconds that this call
        may wait, None for ever; the object's own where it is not given. Raises IllegalCall before the
        connection is made and after sends were ended (Winsock: WSAENOTCONN, WSAESHUTDOWN); SendTimedOut and SendWouldBlock,
        whose `sent` says how much was sent; ConnectionError when the connection is gone.
        """
        try:
            sent = self._socket.send(data, flags)
            if isinstance(data, bytes) and sent == len(data):
                return sent
        except BlockingIOError:
            sent = 0
        return _send_rest(self, sent, data, flags, timeout)

    @inlined
    def receive(self, size: int = 65536, flags: int = 0, timeout: Timeout = ...) -> bytes:
        """Receive what has arrived, at least one byte, or wait for it; b"" when the peer has ended its stream.

        size: the most bytes to receive; 0 gives b"" without meaning an end. flags: as in socket.MSG_PEEK, or MSG_WAITALL for
        all `size` bytes, or what comes before the end. timeout: seconds that this call may wait, None for ever; the object's
        own where it is not given. Raises IllegalCall before the connection is made and after receives were ended (Winsock:
        WSAENOTCONN, WSAESHUTDOWN); TimeoutError, BlockingIOError, after which nothing is lost; ConnectionResetError when the
        connection was reset, again and again.
        """
        try:
            if flags or self._held is not None:
                received = None
            else:
                received = self._socket.recv(size)
                if received:
                    return received
        except (BlockingIOError, OverflowError):
            received = None
        return _receive_rest(self, received, size, flags, timeout)

    def as_socket(self) -> SocketView:
        """The connection with the names of socket.socket, for http.client, smtplib, ftplib and their like.

        Its calls are this object's, and refused as these are; closing it closes this object.
        """
        return SocketView(self)

    def send_to(self, data: ReadableBuffer, address: str | None = None, port: int = 0, flags: int = 0) -> int:
        """Send all of `data` on the connection; the address is ignored, as on any stream. Else as send()."""
        return _send_rest(self, 0, data, flags, ...)

    def receive_from(self, size: int = 65536, flags: int = 0) -> tuple[bytes, None]:
        """(what receive() gives, None): a stream has no sender's address. Else as receive()."""
        received = _receive_rest(self, None, size, flags, ...)
        if received.__class__ is bytes:
            return received, None
        return settled("eof", (b"", None))


class Client(Created, ClientCalls, Stream, role=CLIENT):
    """The client's side of a stream connection: create(), connect(), then send() and receive().

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine: see Lifecycle.
    """

    __slots__ = ("_plan", "_sought")

    def __init__(self, *, timeout: float | None = None, engine: str | None = None) -> None:
        super().__init__(timeout=timeout, engine=engine)
        self._plan = NO_PLAN
        self._sought: Any = None

    def connect(self, address: str | None = None, port: int | None = None, *, path: Path | None = None) -> None:
        """Connect, and wait until the connection is made.

        address: a numeric address, or a name, whose addresses are tried as RFC 8305 has it: families take turns, and the next
        attempt begins after a quarter of a second beside those that go on. A client that was given a local address, a port or
        a family keeps to them, and tries the addresses of its family one after the other. port: 1..65535. path: a Unix-domain
        socket's path or abstract name, in place of both. Legal in `open` (binds implicitly) and `bound`. Raises
        ConnectionRefusedError and other OSErrors, after which the state is what it was and the call may be retried, over a
        fresh socket of the system with the same options and address; BlockingIOError (timeout 0) and TimeoutError, after which
        it is `connecting`; OSError (EADDRNOTAVAIL) for the unspecified address or port 0, for which Linux would connect to
        itself.
        """
        self._run(words.CONNECT, connecting_anywhere(self, address, port, path))

    def finish_connect(self) -> None:
        """Get the result of a connect that did not wait until it ended, waiting for it as the timeout says.

        Legal in `connecting`. Raises ConnectionRefusedError and other OSErrors, after which the socket is `bound` and
        connect() may be retried; BlockingIOError and TimeoutError while there is no result yet.
        """
        self._run(words.FINISH_CONNECT, finishing(self))


class Accepted(Stream, role=ACCEPTED):
    """The server's end of one connection: constructed empty, then given to a server's accept(); never created.

    timeout: seconds that a blocking call may wait; None for ever, 0 not at all; when it is not given, accept() passes the
    server's on. engine: see Lifecycle.
    """

    __slots__ = ("_filler", "_timeout_is_own")

    _is_tls_server = True

    def __init__(self, *, timeout: float | None = None, engine: str | None = None) -> None:
        super().__init__(timeout=timeout, engine=engine)
        self._timeout_is_own = timeout is not None
        self._filler: Server | None = None

    @property
    def timeout(self) -> float | None:
        """As of every socket; accept() keeps one that was set here, and passes the server's on otherwise."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = checked_timeout(seconds)
        self._timeout_is_own = True

    def _install(self, connection: socket.socket, timeout: float | None) -> None:
        """Hold an accepted connection, with the server's timeout unless this object was given its own."""
        self._socket = connection
        if not self._timeout_is_own:
            self._timeout = timeout

    def _wake_all(self) -> None:
        super()._wake_all()
        filler = self._filler
        if filler is not None:
            filler._wake_all()


class Server(ServerCalls, Created, role=SERVER):
    """The server's listening socket: create(), listen(), then accept() again and again, or `for accepted in server`.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. accepts: the class of the objects
    that accept() makes. engine: see Lifecycle.
    """

    __slots__ = ("_accepts",)

    def __init__(self, *, timeout: float | None = None, accepts: type[Accepted] = Accepted, engine: str | None = None) -> None:
        super().__init__(timeout=timeout, engine=engine)
        self._accepts = checked_class(accepts, Accepted)

    def _new_accepted(self) -> Accepted:
        return self._accepts(engine=self.engine)

    @fires_into(Accepted, default=_new_accepted)
    def accept(self, target: Accepted | None = None) -> Accepted:
        """Take the first queued connection, or wait for one; the object that holds it.

        target: an empty Accepted, never created, to fill; a new one is made when it is None. It gets the server's timeout
        unless it has its own. Legal in `listening`, with a target in `empty`: both are checked before the system is asked.
        Raises TypeError for a target that is not an Accepted; TimeoutError, BlockingIOError; ClosedDuringCall when the server
        or the target was closed meanwhile; OSError (EMFILE), after which the connection still waits in the queue.
        """
        assert target is not None  # _new_accepted() made one
        target._filler = self
        try:
            connection = self._run(words.ACCEPT, accepting(self._socket), target)
        finally:
            target._filler = None
        if connection is not None:
            target._install(connection, self._timeout)
        return target

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

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine: see Lifecycle.
    """

    __slots__ = ()

    def connect(self, address: str | None = None, port: int | None = None, *, path: Path | None = None) -> None:
        """Set the peer, or another one: send() goes to it, and messages of others are not seen.

        address: a numeric address, or a name, whose first address of this socket's family is taken. port: 1..65535. path: of a
        Unix-domain socket, in place of both. Legal in `open` (binds implicitly), `bound` and `connected`. Raises OSError
        (EADDRNOTAVAIL) for the unspecified address or port 0, ENETUNREACH.
        """
        self._run(words.CONNECT, self._connecting(address, port, path))

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send one message to the peer; its length.

        Legal in `connected` and `receive_shut` (without a peer: WSAENOTCONN, EDESTADDRREQ). Raises OSError (EMSGSIZE) for one
        that is too long, nothing is sent then; ConnectionRefusedError when the peer refused an earlier one.
        """
        return self._run(words.SEND, self._sending(data, flags))

    def send_to(
        self,
        data: ReadableBuffer,
        address: str | None = None,
        port: int | None = None,
        flags: int = 0,
        *,
        path: Path | None = None,
    ) -> int:
        """Send one message to an address; its length.

        address and port, or path: as for connect(). Legal in `open`, which it binds implicitly, and `bound`. Raises OSError
        (EMSGSIZE) for a message that is too long (65,507 bytes are not, over IPv4), EACCES for a broadcast without
        SO_BROADCAST; nothing is sent then.
        """
        return self._run(words.SEND_TO, self._sending_to(data, address, port, flags, path))

    def receive(self, size: int = 65536, flags: int = 0) -> bytes:
        """Receive one message, or wait for it. b"" is an empty message, and not the end of anything.

        size: the most bytes the message may have. Legal in `bound`, `connected` and `send_shut`. Raises MessageTruncated,
        with the head, for a longer one; TimeoutError, BlockingIOError; ConnectionRefusedError when the peer refused a message.
        """
        return self._run(words.RECEIVE, self._receiving(words.RECEIVE, size, flags))[0]

    def receive_from(self, size: int = 65536, flags: int = 0) -> tuple[bytes, Address]:
        """Receive one message and the address it came from, or wait for it. Else as receive()."""
        data, sender = self._run(words.RECEIVE_FROM, self._receiving(words.RECEIVE_FROM, size, flags))
        return data, from_system(sender)

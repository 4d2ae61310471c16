"""Stream: the data phase, blocking, which a client and an accepted connection share."""

from __future__ import annotations

from collections.abc import Iterable
from sys import maxsize
from typing import TYPE_CHECKING

from lifecycle.engine import inlined, settled, usually_zero
from lifecycle.net.blocking.messages import Messages
from lifecycle.net.blocking.socket_view import SocketView
from lifecycle.net.operations import Timeout
from lifecycle.net.operations.passing import HANDLES
from lifecycle.net.operations.securing import SecureLayer, ending_secured, sending_secured, shaking_hands
from lifecycle.net.operations.transfer import Progress, count, hold, let_go, receiving, receiving_from_held, sending
from lifecycle.net.os_socket import NO_SOCKET, checked_size
from lifecycle.net.ownership import LENT
from lifecycle.roles import words

if TYPE_CHECKING:
    import ssl
    from array import array

    from _typeshed import HasFileno, ReadableBuffer


def _send_rest(
    self: Stream, sent: int, data: ReadableBuffer, flags: int, timeout: Timeout, handles: array[int] | None = None
) -> int:
    progress = Progress(~sent if sent < 0 else sent)  # over TLS: see TlsLayer.send()
    try:
        if isinstance(self._socket, SecureLayer):
            operation = sending_secured(self._socket, data, flags, progress)
        else:
            operation = sending(self._socket, data, flags, progress, handles)
        return self._run(words.SEND, operation, timeout=timeout)
    except BaseException as error:
        count(error, progress.sent)
        raise


def _receive_rest(self: Stream, size: int, flags: int, timeout: Timeout) -> bytes:
    if size.__class__ is not int or not 0 < size <= maxsize:
        checked_size(size)
    received: bytes | None = None
    if flags or self._held is not None:
        held = hold(self)
        try:
            operation = receiving_from_held(self._socket, held, size, flags)
            received = self._run(words.RECEIVE, operation, timeout=timeout)
        finally:
            let_go(self, held)
    else:
        try:
            if self._comes_soon(words.RECEIVE, timeout):
                received = self._socket.recv(size)
                if received:
                    return received
        except BlockingIOError:
            pass
        if received is None:
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
        timeout: Timeout = ...,
    ) -> None:
        """Make the TLS handshake: what is sent and received from then on is encrypted.

        context: an ssl.SSLContext, as ssl.create_default_context() makes for a client. server_hostname: the name that the
        peer's certificate must have. server_side: by default an Accepted is the server of TLS and a Client its client.
        received: what came after the line that begins TLS and was received with it: it is taken for a part of the handshake.
        requires_close_notify: false for peers that end without it, as those of HTTP do; a cut is not seen then. session:
        get_tls().session of an earlier connection with the same context. timeout: seconds that this call may wait.

        Legal in `connected`. Raises HandshakeRefused where one side does not accept the other's certificate, name or version,
        and ConnectionError where the connection ends, after which it can only be closed; TimeoutError, BlockingIOError and
        BlockingCallCancelled, after which the state is `handshaking` and finish_tls() goes on; PlainTextUnread where plain
        text was not received yet, TypeError, ValueError and ssl.SSLError for a context that does not fit: nothing was sent
        then.
        """
        self._seconds(timeout)  # refused before anything is begun
        layer = self._begin_tls(context, server_side, server_hostname, received, requires_close_notify, session)
        self._run(words.START_TLS, shaking_hands(layer), timeout=timeout)

    def finish_tls(self, *, timeout: Timeout = ...) -> None:
        """Go on with a handshake that had to wait longer than it might. Legal in `handshaking`; else as start_tls()."""
        self._run(words.FINISH_TLS, shaking_hands(self._secure_layer()), timeout=timeout)

    def stop_tls(self, *, timeout: Timeout = ...) -> None:
        """Go back to plain text on the same connection, after both sides have ended TLS. The peer is not waited for.

        Legal in `secured_ended`: after shut_down("sends") and a receive() that gave b"". Raises TimeoutError and
        BlockingIOError while this side's close_notify has not gone out, and may be called again; ConnectionError when the
        connection is gone. A receive() first gives what came in plain text together with the last of TLS.
        """
        layer = self._secure_layer()
        left_over = self._run(words.STOP_TLS, ending_secured(layer), timeout=timeout)
        if left_over:
            hold(self).extend(left_over)
        self._socket = layer.below

    @inlined
    def close(self) -> None:
        """Close the socket and end the object. Legal in every state; closing again does nothing, and nothing is awaited.

        A call that waits on this object in another thread ends with ClosedDuringCall.
        """
        if self._waits or self._bound_path is not None or self._socket is NO_SOCKET or LENT:
            self._release()
        else:
            self._socket.close()

    @inlined
    @usually_zero("flags")
    def send(self, data: ReadableBuffer, flags: int = 0, timeout: Timeout = ...) -> int:
        """Send all of `data`, or raise; the number of bytes sent (CSocket's Send).

        data: any bytes-like object; an empty one sends nothing. flags: as in socket.MSG_OOB. timeout: seconds that this call
        may wait, None for ever; the object's own where it is not given. Raises IllegalCall before the
        connection is made and after sends were ended (Winsock: WSAENOTCONN, WSAESHUTDOWN); SendTimedOut and SendWouldBlock,
        whose `sent` says how much was sent; ConnectionError when the connection is gone.
        """
        sent: int = 0
        try:
            try:
                if not flags and data.__class__ is bytes:  # before the system call: code behind one is slower
                    sent = self._socket << data  # type: ignore[operator]  # see SystemSocket
                    if sent == len(data):  # pyright: ignore[reportArgumentType]
                        return sent
                elif not flags:
                    sent = self._socket << data  # type: ignore[operator]
            except BlockingIOError:
                pass
            sent = _send_rest(self, sent, data, flags, timeout)
            return sent  # noqa: RET504 - it counts when an exception of a signal handler comes here
        except BaseException as error:
            count(error, sent)
            raise

    @inlined
    @usually_zero("flags")
    def receive(self, size: int = 65536, flags: int = 0, timeout: Timeout = ...) -> bytes:
        """Receive what has arrived, at least one byte, or wait for it; b"" when the peer has ended its stream.

        size: the most bytes to receive; 0 gives b"" without meaning an end. flags: as in socket.MSG_PEEK, or MSG_WAITALL for
        all `size` bytes, or what comes before the end. timeout: seconds that this call may wait, None for ever; the object's
        own where it is not given. Raises IllegalCall before the connection is made and after receives were ended (Winsock:
        WSAENOTCONN, WSAESHUTDOWN); TimeoutError, BlockingIOError, after which nothing is lost; ConnectionResetError when the
        connection was reset, again and again.
        """
        try:
            if not flags and self._held is None:
                return self._socket.recv(size) or self._received(b"", size)
        except (BlockingIOError, OverflowError):
            pass
        return _receive_rest(self, size, flags, timeout)

    def send_handles(self, data: ReadableBuffer, handles: Iterable[int | HasFileno], *, timeout: Timeout = ...) -> int:
        """Send all of `data`, and with its first byte descriptors: the peer gets duplicates, and the caller's own stay open.

        handles: descriptors, or objects with a fileno(); Linux takes 253 at once. timeout: seconds that this call may wait.
        Legal where send() is, in plain text. Raises OSError (EOPNOTSUPP) over other families than AF_UNIX, EBADF,
        EINVAL for too many; ValueError without data; else as send(): after a `sent` above 0 the descriptors have gone
        out.
        """
        return _send_rest(self, 0, data, 0, timeout, self._handles_of(data, handles))

    def receive_handles(self, size: int = 65536, *, limit: int = HANDLES, timeout: Timeout = ...) -> tuple[bytes, list[int]]:
        """Receive what has arrived, and the descriptors that came with it; (b"", []) is the end of the stream.

        size: the most bytes to receive, at least 1. limit: the most descriptors that may come at once, 0 to 253. timeout:
        seconds that this call may wait. The caller closes the descriptors; no child process inherits them. What a
        sender sends at once comes at once, or split after its descriptors. Legal where receive() is, in plain text.
        Raises TooManyHandles for more than `limit`; OSError (EOPNOTSUPP) over other families than AF_UNIX, EMFILE,
        after which nothing is lost on Linux; else as receive().
        """
        operation = self._receiving_handles(size, limit)
        return self._arrived(self._run(words.RECEIVE_HANDLES, operation, timeout=timeout))

    def as_socket(self) -> SocketView:
        """The connection with the names of socket.socket, for http.client, smtplib, ftplib and their like.

        Its calls are this object's, and refused as these are; closing it closes this object.
        """
        return SocketView(self)

    def send_to(
        self,
        data: ReadableBuffer,
        address: str | None = None,
        port: int = 0,
        flags: int = 0,
        *,
        timeout: Timeout = ...,
    ) -> int:
        """Send all of `data` on the connection; the address is ignored, as on any stream. Else as send()."""
        return _send_rest(self, 0, data, flags, timeout)

    def receive_from(self, size: int = 65536, flags: int = 0, *, timeout: Timeout = ...) -> tuple[bytes, None]:
        """(what receive() gives, None): a stream has no sender's address. Else as receive()."""
        received = _receive_rest(self, size, flags, timeout)
        if received.__class__ is bytes:
            return received, None
        return settled("eof", (b"", None))

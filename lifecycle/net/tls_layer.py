"""TlsLayer: TLS over a socket that does not wait, as an SSLObject over two buffers in memory; every system call is made here.

A step holds the lock, since OpenSSL's objects are not thread-safe, and never waits in it. What is encrypted is committed: the
ciphertext that the socket does not take is kept and goes out before anything else, so that no rule about repeating a write
reaches the user. An error is kept, too: the connection never looks whole again.
"""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakMethod

from lifecycle.net.errors import StreamTruncated
from lifecycle.net.operations.securing import NoRoom
from lifecycle.net.taking import RECORD, TAKE, taken
from lifecycle.net.tls_details import TICKETS_AFTERWARDS, TlsDetails, details_of, session_of
from lifecycle.net.tls_errors import KeepsError
from lifecycle.system.outcomes import system_error

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PIECE = 65536
"""Bytes that are encrypted at a time: what OpenSSL's outgoing memory grows to, and keeps"""


class TlsLayer(KeepsError):
    """TLS in the place of an object's socket.

    below: the socket, which does not wait. secured, incoming, outgoing: what a context's wrap_bio() made. received: what came
    before TLS began and belongs to it. requires_close_notify: whether a connection that ends without it is truncated, or ends
    like any other. wake: wakes the calls that wait on the object.
    """

    __slots__ = (
        "_ahead", "_decrypt", "_encrypt", "_has_emptied", "_held", "_incoming", "_lock", "_outgoing",
        "_peer_has_ended", "_pending", "_requires_close_notify", "_secured", "_sends_have_ended", "_unsent", "_wake",
        "_write_reads",
    )  # fmt: skip

    def __init__(
        self,
        below: socket.socket,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        server_hostname: str | None,
        received: ReadableBuffer,
        requires_close_notify: bool,
        session: ssl.SSLSession | None,
        wake: WeakMethod[Callable[[], None]],
    ) -> None:
        super().__init__(below)
        self._wake = wake
        self._lock = threading.RLock()  # see is_torn_by()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._secured = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_hostname, session=session
        )
        made = getattr(self._secured, "_sslobj", self._secured)  # to which an SSLObject only hands on
        self._encrypt, self._decrypt, self._pending = made.write, made.read, made.pending
        if received:
            self._incoming.write(received)
        self._requires_close_notify = requires_close_notify
        self._unsent: memoryview | None = None  # ciphertext that the socket did not take
        self._held = b""  # ciphertext that waits for the first send
        self._ahead = b""  # plain text that was read and not received
        self._has_emptied = self._write_reads = False  # see _take(): a write may want to receive, to renegotiate
        self._peer_has_ended = self._sends_have_ended = False

    # -- steps --------------------------------------------------------------------------------------------------------------

    def handshake(self) -> None:
        with self._lock:
            self._raise_error()
            if self._details is None:
                self._step(self._secured.do_handshake)
                self._details = details_of(self._secured)
                self._is_usual = True
                if self._secured.server_side and self._details.version == TICKETS_AFTERWARDS:
                    # The tickets of TLS 1.3 wait for the first send: a client that sends and closes, without having read
                    # them, would reset the connection, and the server would lose what it had not read.
                    self._held = self._outgoing.read()
            self._flush()

    def send(self, data: ReadableBuffer) -> int:
        """As of a socket, but ~count where what was committed has not all gone to the system."""
        lock = self._lock
        lock.acquire()  # `with` takes twice as long
        try:
            if not isinstance(data, bytes) or len(data) > PIECE:
                data = memoryview(data).cast("B")[:PIECE]
            try:
                if self._is_usual and data and self._unsent is None and not self._held:
                    count: int = self._encrypt(data)
                    encrypted = self._outgoing.read()
                    try:
                        sent = self.below.send(encrypted)
                    except BlockingIOError:
                        sent = 0
                    except OSError as error:
                        self._fail_to_send(error)
                    if sent == len(encrypted):
                        return count
                    self._unsent = memoryview(encrypted)[sent:]
                else:
                    count = self._write(data)
            except ssl.SSLError as error:
                self._overcome(error, self._encrypt)  # it wants to receive
                count = self._write(data)
            try:
                self._flush()
            except NoRoom:
                return ~count
            return count
        finally:
            lock.release()

    __lshift__ = send  # as of a SystemSocket

    def commit(self, data: memoryview) -> int:
        with self._lock:
            return self._write(data[:PIECE])

    def flush(self) -> None:
        with self._lock:
            self._raise_error()
            self._flush()

    def recv(self, size: int, flags: int = 0) -> bytes:
        lock = self._lock
        lock.acquire()
        try:
            if flags or size <= 0 or not self._is_usual:
                return self._receive(size, flags)
            incoming = self._incoming
            try:
                if self.is_drained or not (incoming.pending or self._pending()):  # else OpenSSL's error costs more
                    if self._unsent is not None:
                        with suppress(NoRoom):
                            self._flush()
                    self._take()
                data: bytes = self._decrypt(size if size < RECORD else RECORD)  # noqa: FURB136 (min() is slower)
            except BlockingIOError:
                raise
            except OSError as error:
                return self._receive(size, flags, error)
            self._has_received = True
            if not data:
                self._peer_has_ended, self._is_usual = True, False
            elif self._has_emptied:
                self.is_drained = not (incoming.pending or self._pending())
            return data
        finally:
            lock.release()

    def shutdown(self, how: int) -> None:
        """Send close_notify, and wait neither for the peer's nor for room."""
        with self._lock:
            self._end_sends()

    def close(self) -> None:
        """Send close_notify if that goes at once, then the end of the connection; nothing is waited for."""
        if self._lock.acquire(blocking=False):
            try:
                if self._details is not None and self._error is None and self.is_whole:
                    with suppress(OSError):
                        self._end_sends()
                        self.below.shutdown(socket.SHUT_WR)
            finally:
                self._lock.release()
        self.below.close()

    def left_over(self) -> bytes:
        with self._lock:
            return self._incoming.read()

    @property
    def buffered(self) -> int:
        with self._lock:
            self._look_ahead()
            return len(self._ahead)

    @property
    def has_come(self) -> bool:
        return bool(self.buffered or self._peer_has_ended or self._error)

    @property
    def details(self) -> TlsDetails:
        """The result of the handshake, with the session as it is now."""
        assert self._details is not None  # the table has no call that asks before
        with self._lock:
            session = session_of(self._secured)
        return self._details if session is None else replace(self._details, session=session)

    # -- inside the lock ------------------------------------------------------------------------------------------------------

    def _write(self, data: Any) -> int:
        if self._error is not None or self._details is None:
            self._raise_unusable()
        if self._unsent is not None or self._outgoing.pending:
            self._flush()
        if not data:
            return 0
        count: int = self._step(self._encrypt, data)
        self._write_reads = False
        return count

    def _receive(self, size: int, flags: int, error: OSError | None = None) -> bytes:
        """recv(), but for the usual case. error: what that has ended with."""
        if flags & ~socket.MSG_PEEK:
            raise system_error(errno.EOPNOTSUPP)
        if size <= 0:
            if size < 0:
                raise ValueError("negative size in receive")
            return b""
        if error is None and not self._ahead:
            if self._peer_has_ended and not self._was_raised:
                return b""
            if self._error is not None or self._details is None:
                self._raise_unusable()
        if error is not None or not self._ahead:
            try:
                data = self._read(min(RECORD, size), error)
            except OSError:
                if not self._ahead and not self._peer_has_ended:
                    raise
                # The unsent data cannot be sent: what arrived before is received first, and the error is raised after it.
                self._was_raised = False
            else:
                if flags:
                    self._ahead, self._is_usual = data, False
                return data
        data = self._ahead[:size]
        if not flags:
            self._ahead = self._ahead[size:]
            self._is_usual = not (self._ahead or self._peer_has_ended or self._error)
        return data

    def _read(self, size: int, error: OSError | None) -> bytes:
        """The data that has arrived, at least one byte, or b"" after the peer's close_notify. error: of an earlier try."""
        try:
            if isinstance(error, ssl.SSLError):
                self._overcome(error, self._decrypt)
            elif error is not None:
                raise error
            data: bytes = self._step(self._decrypt, size)
        except ssl.SSLZeroReturnError:  # the peer's close_notify, after this side's
            data = b""
        self._has_received = True
        self.is_drained = False
        if not data:
            self._peer_has_ended, self._is_usual = True, False
        return data

    def _end_sends(self) -> None:
        if self._sends_have_ended:
            with suppress(OSError):  # which the next receive raises
                self._flush()
            return
        self._raise_error()
        self._look_ahead()
        self._raise_error()
        self._sends_have_ended = True
        try:
            self._secured.unwrap()
        except ssl.SSLWantReadError:
            pass  # it is sent, and the peer's has not come
        except ssl.SSLError as error:
            self._fail(error)
        with suppress(NoRoom):
            self._flush()

    def _look_ahead(self) -> None:
        """Decrypt what has arrived, and answer what is wrong with it."""
        if self._details is None or self._error is not None:
            return
        self._read_out()
        if self._error is not None:
            with suppress(OSError):
                self._flush()

    def _read_out(self) -> None:
        """Decrypt what has arrived: OpenSSL's SSL_shutdown() fails where data is unread, and loses it."""
        self.is_drained = self._is_usual = False
        parts = [self._ahead]
        try:
            while not self._peer_has_ended:
                part = self._decrypt(RECORD)
                parts.append(part)
                self._peer_has_ended = not part
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError) as ended:
            self._peer_has_ended = self._peer_has_ended or isinstance(ended, ssl.SSLZeroReturnError)
        except ssl.SSLError as error:
            self._keep_of_openssl(error)
        finally:
            self._ahead = b"".join(parts)

    def _step(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of the SSLObject, and take and send what it wants, as far as that does not wait."""
        while True:
            try:
                return function(*arguments)
            except ssl.SSLError as error:
                self._overcome(error, function)

    def _overcome(self, error: ssl.SSLError, function: Callable[..., Any]) -> None:
        """Take and send what a function of the SSLObject wants, which can be called again then; raise what ends TLS."""
        if isinstance(error, ssl.SSLZeroReturnError):
            if self._details is not None:
                raise error
            self._keep(ConnectionResetError(errno.ECONNRESET, "the peer has ended TLS during the handshake"))
            self._raise_error()
        if not isinstance(error, ssl.SSLWantReadError):
            self._fail(error)
        self._write_reads = self._write_reads or function == self._encrypt
        try:
            self._flush()
        except NoRoom:
            if self._details is None:
                raise
        self._take()

    def _take(self) -> None:
        """Take ciphertext from the system, which has ended without close_notify where nothing more comes."""
        buffer = taken.buffer
        try:
            count = self.below.recv_into(buffer)
        except BlockingIOError:
            raise
        except OSError as error:
            self._keep(error)
            self._raise_unusable()
        if count:
            self._has_emptied, self.is_drained = count < TAKE, False
            self._incoming.write(buffer[:count])
            if self._write_reads and (wake := self._wake()):
                wake()  # what one call has taken may be what another one waits for
            return
        if self._details is None:
            self._keep(ConnectionResetError(errno.ECONNRESET, "the peer has ended the connection during the TLS handshake"))
        elif self._requires_close_notify:
            self._keep(StreamTruncated("the connection ended without close_notify: data may be missing"))
        else:
            raise ssl.SSLZeroReturnError
        self._raise_error()

    def _flush(self) -> None:
        """Send what is encrypted; NoRoom where the socket does not take all of it."""
        while True:
            unsent: bytes | memoryview | None = self._unsent
            if unsent is None:
                if not self._outgoing.pending:
                    return
                unsent, self._held = self._held + self._outgoing.read(), b""
            try:
                sent = self.below.send(unsent)
            except BlockingIOError:
                self._unsent = memoryview(unsent)
                raise NoRoom from None
            except OSError as error:
                self._fail_to_send(error)
            self._unsent = memoryview(unsent)[sent:] if sent < len(unsent) else None

    def _fail_to_send(self, error: OSError) -> NoReturn:
        self._look_for_alert()
        self._keep(error)
        self._raise_unusable()

    def _look_for_alert(self) -> None:
        """A send has failed: an alert that came before may say why, as a refusal in TLS 1.3 does."""
        with suppress(OSError):
            while (count := self.below.recv_into(taken.buffer)) > 0:
                self._incoming.write(taken.buffer[:count])
        if self._details is not None:
            self._read_out()
            return
        try:
            self._secured.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._keep_of_openssl(error)

    def _fail(self, error: ssl.SSLError) -> NoReturn:
        self._keep_of_openssl(error)
        with suppress(OSError):
            self._flush()  # the alert, without which the peer would wait for ever
        self._raise_unusable()

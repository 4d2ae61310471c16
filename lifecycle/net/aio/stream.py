"""AsyncStream: the data phase, awaited, which a client and an accepted connection share."""

from __future__ import annotations

from asyncio import _get_running_loop as running_loop
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import repeat
from operator import length_hint
from sys import maxsize
from typing import TYPE_CHECKING, Any

import anyio

from lifecycle.engine import IllegalCall, Observer, Role, inlined, settled
from lifecycle.net.aio.byte_stream import ConnectionStream
from lifecycle.net.aio.counted_sends import counting
from lifecycle.net.aio.driver import TURNS, deadline_of, within
from lifecycle.net.aio.messages import AsyncMessages
from lifecycle.net.aio.nonblocking import RUNNING, mode
from lifecycle.net.aio.send_queue import SendQueue
from lifecycle.net.errors import BlockingCallCancelled, SendTimedOut, SendWouldBlock
from lifecycle.net.operations import READABLE, checked_timeout
from lifecycle.net.operations.passing import HANDLES
from lifecycle.net.operations.securing import SecureLayer, ending_secured, sending_secured, shaking_hands
from lifecycle.net.operations.transfer import Progress, hold, let_go, receiving, receiving_from_held, sending
from lifecycle.net.os_socket import checked_size
from lifecycle.roles import words

if TYPE_CHECKING:
    import ssl
    from array import array

    from _typeshed import HasFileno, ReadableBuffer

DRAINED: Iterator[bool] = iter(())
"""Marks that the last receive emptied the system's buffer: the next one waits before it tries."""

NO_TURNS: Iterator[bool] = iter(())
"""The turns of a stream while a send waits: the next ones follow it."""


async def _send_rest(
    self: AsyncStream,
    sent: int,
    data: ReadableBuffer,
    flags: int,
    timeout: float | None,
    handles: array[int] | None = None,
) -> int:
    """Send what is left of `data` after its first `sent` bytes."""
    deadline = deadline_of(timeout)
    self._sent = progress = Progress(~sent if sent < 0 else sent)  # over TLS: see TlsLayer.send()
    queue = None  # in which this send has its turn
    try:
        if not sent and not self._has_turn():
            queue = await self._turn_to_send(deadline)
        if isinstance(self._socket, SecureLayer):
            operation = sending_secured(self._socket, data, flags, progress)
        else:
            operation = sending(self._socket, data, flags, progress, handles)
        try:
            request = next(operation)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]
        if queue is None:
            queue = self._begin_to_queue()
        return await self._drive(words.SEND, operation, request, None, deadline)
    finally:
        self._sent = progress
        if queue is not None:
            self._leave(queue)


async def _receive_rest(self: AsyncStream, received: bytes | None, size: int, flags: int, timeout: float | None) -> bytes:
    """Continue a receive whose first try found nothing (None), or the end (b"")."""
    if received is None:
        if size.__class__ is not int or not 0 < size <= maxsize:
            checked_size(size)
        turns, special = self._receives, bool(flags or self._held)
        layer = self._socket if isinstance(self._socket, SecureLayer) else None
        if layer is not None and turns is DRAINED and not layer.is_drained:
            special = True  # a send has taken what came, in a renegotiation
        if size and not special and timeout is None and not mode.never_waits and (turns is DRAINED or length_hint(turns)):
            # Nothing has arrived yet. A conversation of questions and answers waits once per call: so here, in this frame.
            reading = self._reading
            if reading is None or reading.loop is not running_loop() or not self._waits_silently:
                cancelled = await self._readable()
            else:
                cancelled = await reading.wait()
            if cancelled or self._node._keeps_receive is None:  # type: ignore[attr-defined]
                self._look(words.RECEIVE, cancelled)
            if self._send_queue is None:
                self._turns = repeat(True, TURNS)  # other tasks have run meanwhile
            try:
                received = self._socket.recv(size, flags)
            except BlockingIOError:
                received = await self._drive(words.RECEIVE, receiving(self._socket, size, flags), READABLE)
        else:
            if turns is not DRAINED and not length_hint(turns):
                self._receives = repeat(True, TURNS)
                await self._give_way()
            deadline, held = deadline_of(timeout), hold(self)
            operation = receiving_from_held(self._socket, held, size, flags)
            try:
                request = next(operation)
            except StopIteration as ended:
                received = ended.value
            else:
                received = await self._drive(words.RECEIVE, operation, request, None, deadline)
            finally:
                let_go(self, held)
        if received:
            if special or (len(received) == size if layer is None else not layer.is_drained):
                if self._receives is DRAINED:
                    self._receives = repeat(True, TURNS)
            elif self._receives is not DRAINED and self._reading is not None and self._reading.is_kept:
                self._receives = DRAINED
            return received
    return self._received(received or b"", size)


class AsyncStream(AsyncMessages):
    """A stream socket with a data phase, in plain text or over TLS.

    `async for data in stream` receives until the peer has ended its stream.
    """

    __slots__ = ("_receives", "_send_queue")

    def __init_subclass__(cls, role: Role | None = None, **keywords: object) -> None:
        super().__init_subclass__(role, **keywords)
        for call in (words.SEND.name, words.SEND_TO.name):
            if call in vars(cls):
                setattr(cls, call, counting(vars(cls)[call]))

    def __init__(self, *, engine: str | None = None, journal: Observer | None = None) -> None:
        super().__init__(engine=engine, journal=journal)
        self._receives: Iterator[bool] = repeat(True, TURNS)
        self._send_queue: SendQueue | None = None  # while a send waits

    @property
    def sent(self) -> int:
        """How much the last send() has sent: of one that was cancelled, what need not be sent again; 0 if it never began."""
        sent = self._sent
        return sent if isinstance(sent, int) else sent.sent

    async def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server_hostname: str | None = None,
        server_side: bool | None = None,
        received: ReadableBuffer = b"",
        requires_close_notify: bool = True,
        session: ssl.SSLSession | None = None,
        timeout: float | None = None,
    ) -> None:
        """Make the TLS handshake: what is sent and received from then on is encrypted.

        context: an ssl.SSLContext, as ssl.create_default_context() makes for a client. server_hostname: the name that the
        peer's certificate must have. server_side: by default an Accepted is the server of TLS and a Client its client.
        received: what came after the line that begins TLS and was received with it: it is taken for a part of the handshake.
        requires_close_notify: false for peers that end without it, as those of HTTP do; a cut is not seen then. session:
        get_tls().session of an earlier connection with the same context. timeout: seconds that the call may wait.

        Legal in `connected`. Raises HandshakeRefused where one side does not accept the other's certificate, name or version,
        and ConnectionError where the connection ends, after which it can only be closed; PlainTextUnread where plain text was
        not received yet, TypeError, ValueError and ssl.SSLError for a context that does not fit: nothing was sent then. One
        that is cancelled, or timed out, leaves the object `handshaking`, and finish_tls() goes on.
        """
        checked_timeout(timeout)  # refused before anything is begun
        layer = self._begin_tls(context, server_side, server_hostname, received, requires_close_notify, session)
        self._receives = repeat(True, TURNS)
        await self._run(words.START_TLS, shaking_hands(layer), timeout=timeout)

    async def finish_tls(self, *, timeout: float | None = None) -> None:
        """Go on with a handshake that was cancelled. Legal in `handshaking`; else as start_tls()."""
        await self._run(words.FINISH_TLS, shaking_hands(self._secure_layer()), timeout=timeout)

    async def stop_tls(self, *, timeout: float | None = None) -> None:
        """Go back to plain text on the same connection, after both sides have ended TLS. The peer is not waited for.

        Legal in `secured_ended`: after shut_down("sends") and a receive() that gave b"". A cancelled one may be
        called again. Raises ConnectionError when the connection is gone. A receive() first gives what came
        in plain text together with the last of TLS.
        """
        layer = self._secure_layer()
        left_over = await self._run(words.STOP_TLS, ending_secured(layer), timeout=timeout)
        if left_over:
            hold(self).extend(left_over)
        self._socket = layer.below
        self._receives = repeat(True, TURNS)

    @inlined
    async def send(self, data: ReadableBuffer, flags: int = 0, timeout: float | None = None) -> int:
        """Send all of `data`, or raise; the number of bytes sent (CSocket's Send).

        data: any bytes-like object; an empty one sends nothing. flags: as in socket.MSG_OOB. timeout: seconds that the call
        may wait, None for as long as it takes. Sends of several tasks are made one after the other. Raises IllegalCall before
        the connection is made and after sends were ended (Winsock: WSAENOTCONN, WSAESHUTDOWN); ConnectionError when the
        connection is gone. After a cancellation `sent` says how much was sent; the SendTimedOut, and the SendWouldBlock of a
        nowait(), do so, too.
        """
        sent: int = 0
        try:
            try:
                if next(self._turns, None) and not flags:
                    sent = self._socket << data  # type: ignore[operator]  # see SystemSocket
                    if isinstance(data, bytes) and sent == len(data):
                        self._sent = sent
                        return sent
            except BlockingIOError:
                pass
            return await _send_rest(self, sent, data, flags, timeout)
        except BaseException:
            if isinstance(self._sent, int):
                self._sent = ~sent if sent < 0 else sent
            raise

    @inlined
    async def receive(self, size: int = 65536, flags: int = 0, timeout: float | None = None) -> bytes:
        """Receive what has arrived, at least one byte, or wait for it; b"" when the peer has ended its stream.

        size: the most bytes to receive; 0 gives b"" without meaning an end. flags: as in socket.MSG_PEEK, or MSG_WAITALL for
        all `size` bytes, or what comes before the end. timeout: seconds that the call may wait, None for as long as it takes.
        Raises IllegalCall before the connection is made and after receives were ended (Winsock: WSAENOTCONN, WSAESHUTDOWN);
        ConnectionResetError when the connection was reset, again and again. One that is cancelled, or timed out, loses
        nothing.
        """
        try:
            if flags or self._held is not None:
                received = None
            elif (
                self._receives is not DRAINED
                or size.__class__ is not int
                or not 0 < size <= maxsize
                or timeout is not None
                or (RUNNING and mode.never_waits)
            ):
                received = self._socket.recv(size) if next(self._receives, None) else None
                if received:
                    return received
            else:  # nothing has arrived yet: a conversation of questions and answers waits once per call, so in this frame
                received = None
                sock: Any = self._socket
                reading: Any = self._reading
                is_secured = isinstance(sock, SecureLayer)
                if reading.loop is running_loop() and self._waits_silently and (not is_secured or sock.is_drained):
                    cancelled = await reading.wait()
                    if cancelled or self._node._keeps_receive is None:  # type: ignore[attr-defined]
                        self._look(words.RECEIVE, cancelled)
                    if self._send_queue is None:
                        self._turns = repeat(True, TURNS)  # other tasks have run meanwhile
                    received = self._socket.recv(size)
                    if received:
                        if not sock.is_drained if is_secured else len(received) == size:
                            self._receives = repeat(True, TURNS)
                        return received
        except (BlockingIOError, OverflowError):
            received = None
        return await _receive_rest(self, received, size, flags, timeout)

    def as_stream(self) -> ConnectionStream:
        """The connection as an anyio.abc.ByteStream, for TLSStream, BufferedByteReceiveStream and whatever takes one.

        Its calls are this object's, with anyio's errors for what happens on the network; closing it closes this object.
        """
        return ConnectionStream(self)

    async def send_handles(
        self, data: ReadableBuffer, handles: Iterable[int | HasFileno], *, timeout: float | None = None
    ) -> int:
        """Send all of `data`, and with its first byte descriptors: the peer gets duplicates, and the caller's own stay open.

        handles: descriptors, or objects with a fileno(); Linux takes 253 at once. Legal where send() is, in plain
        text. Raises OSError (EOPNOTSUPP) over other families than AF_UNIX, EBADF, EINVAL for too many; ValueError without
        data; else as send(): after a `sent` above 0 the descriptors have gone out.
        """
        return await _send_rest(self, 0, data, 0, timeout, self._handles_of(data, handles))

    async def receive_handles(
        self, size: int = 65536, *, limit: int = HANDLES, timeout: float | None = None
    ) -> tuple[bytes, list[int]]:
        """Receive what has arrived, and the descriptors that came with it; (b"", []) is the end of the stream.

        size: the most bytes to receive, at least 1. limit: the most descriptors that may come at once, 0 to 253. The
        caller closes the descriptors; no child process inherits them. What a sender sends at once comes at once, or split
        after its descriptors. Legal where receive() is, in plain text. Raises TooManyHandles for more than `limit`; OSError
        (EOPNOTSUPP) over other families than AF_UNIX, EMFILE, after which nothing is lost on Linux; else as receive().
        """
        operation = self._receiving_handles(size, limit)
        return self._arrived(await self._run(words.RECEIVE_HANDLES, operation, timeout=timeout))

    async def send_to(
        self,
        data: ReadableBuffer,
        address: str | None = None,
        port: int = 0,
        flags: int = 0,
        *,
        timeout: float | None = None,
    ) -> int:
        """Send all of `data` on the connection; the address is ignored, as on any stream. Else as send()."""
        return await self._send(data, flags, timeout)

    async def receive_from(self, size: int = 65536, flags: int = 0, *, timeout: float | None = None) -> tuple[bytes, None]:
        """(what receive() gives, None): a stream has no sender's address. Else as receive()."""
        received = await self._receive(size, flags, timeout)
        if received.__class__ is bytes:
            return received, None
        return settled("eof", (b"", None))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            data = await self.receive()
        except IllegalCall as refusal:
            if self._ends_iteration(refusal):
                raise StopAsyncIteration from None
            raise
        if not data:
            raise StopAsyncIteration
        return data

    def cancel_blocking_call(self) -> None:
        """Make the calls that wait on this object end with BlockingCallCancelled (EINTR); does nothing when none does.

        A cancelled connect goes on in the system: the object is then `connecting`.
        """
        if self._send_queue is not None:
            self._send_queue.cancels += 1
        super().cancel_blocking_call()

    # -- one send after the other ---------------------------------------------------------------------------------------

    async def _turn_to_send(self, deadline: float | None) -> SendQueue | None:
        """Let other tasks run, and the sends end that began to wait before; the queue to leave where there were some."""
        while True:
            queue = self._send_queue
            if queue is not None and not queue.is_of_another_loop:
                if mode.never_waits or deadline == 0:
                    raise SendWouldBlock(0)
                try:
                    await within(deadline, self._follow(queue))
                except TimeoutError:
                    raise SendTimedOut(0) from None
                return queue
            await self._give_way()
            if self._has_turn():
                return None

    async def _follow(self, queue: SendQueue) -> None:
        cancels, turn = queue.cancels, queue.enter()
        try:
            await turn.wait()
            if queue.cancels != cancels:
                raise BlockingCallCancelled
        except BaseException:
            self._leave(queue, turn)
            raise

    def _begin_to_queue(self) -> SendQueue:
        """Have the next sends follow one that is about to wait."""
        self._send_queue = queue = SendQueue()
        self._turns = NO_TURNS
        return queue

    def _leave(self, queue: SendQueue, turn: anyio.Event | None = None) -> None:
        if queue.release(turn) and queue is self._send_queue:
            self._send_queue = None
            self._turns = repeat(True, TURNS)

    async def _send(self, data: ReadableBuffer, flags: int, timeout: float | None) -> int:
        next(self._turns, None)
        return await _send_rest(self, 0, data, flags, timeout)

    async def _receive(self, size: int, flags: int, timeout: float | None) -> bytes:
        received = None
        try:
            if not (self._held or flags) and next(self._receives, None):
                received = self._socket.recv(size, flags)
        except (BlockingIOError, OverflowError):
            pass
        return received or await _receive_rest(self, received, size, flags, timeout)

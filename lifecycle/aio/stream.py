"""AsyncStream: the data phase, awaited, which a client and an accepted connection share."""

from __future__ import annotations

import errno
import socket
from asyncio import _get_running_loop as running_loop
from collections.abc import AsyncIterator, Iterator
from itertools import repeat
from operator import length_hint
from sys import maxsize
from typing import TYPE_CHECKING

import anyio

from lifecycle.aio.async_socket import TURNS, AsyncSocket
from lifecycle.aio.nowaiting import mode
from lifecycle.aio.send_queue import SendQueue
from lifecycle.engine import inlined, settled
from lifecycle.sockets.errors import BlockingCallCancelled, SendWouldBlock
from lifecycle.sockets.os_socket import checked_size
from lifecycle.sockets.shutting import HalfClosing
from lifecycle.sockets.stream import was_reset
from lifecycle.system.outcomes import system_error, would_block

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


async def _send_rest(self: AsyncStream, sent: int | None, data: ReadableBuffer, flags: int = 0, *, tried: bool = True) -> int:
    """Send what is left of `data` after its first `sent` bytes. tried: whether that was tried just now."""
    view = memoryview(data).cast("B")
    done = sent or 0
    queue = None  # in which this send has its turn
    try:
        if sent is not None:
            tried = False
        elif not self._has_turn():
            tried = False
            queue = await self._turn_to_send()
        while done < len(view):
            if tried:
                if mode.never_waits:
                    raise SendWouldBlock(done)
                if queue is None:
                    queue = self._begin_to_queue()
                if await self._writable():
                    raise BlockingCallCancelled(done)
            try:
                done += self._socket.send(view[done:], flags)
                tried = False
            except BlockingIOError:
                tried = True
    finally:
        self._sent = done
        if queue is not None:
            self._leave(queue)
    return done


async def _receive_rest(self: AsyncStream, received: bytes | None, size: int, flags: int = 0, *, tried: bool = True) -> bytes:
    """Receive into what a first try left open: nothing had come (None), or nothing more will (b""). tried: as for sends."""
    if received is None:
        if size.__class__ is not int or not 0 < size <= maxsize:
            checked_size(size)
        never_waits = mode.never_waits
        if self._receives is DRAINED:
            tried = size > 0 and not never_waits
        elif not length_hint(self._receives):
            self._receives = repeat(True, TURNS)
            await self._give_way()
            tried = False
        while received is None:
            if tried:
                if never_waits:
                    raise would_block()
                reading = self._reading
                if reading is None or reading.loop is not running_loop() or not self._waits_untold:
                    wait = self._readable()
                else:  # as _readable(), in the frame that is there
                    wait = reading.wait()
                if await wait:
                    raise BlockingCallCancelled
                if self._send_queue is None:
                    self._turns = repeat(True, TURNS)  # others have run meanwhile
            try:
                received = self._socket.recv(size, flags)
            except BlockingIOError:
                tried = True
        if received:
            if len(received) == size or flags:
                if self._receives is DRAINED:
                    self._receives = repeat(True, TURNS)
            elif self._receives is not DRAINED and self._reading is not None and self._reading.is_kept:
                self._receives = DRAINED
            return received
    if received or not size:
        return received
    if was_reset(self):
        # Linux tells of a reset once, perhaps to another task's send, and then shows an end of the stream that never came;
        # Winsock keeps telling.
        raise system_error(errno.ECONNRESET)
    return settled("eof", received)


DRAINED: Iterator[bool] = iter(())
"""The turns of a stream whose last receive got less than it asked for: the next one waits before it tries."""

NO_TURNS: Iterator[bool] = iter(())
"""The turns of a stream while a send waits: the next ones follow it."""


class AsyncStream(HalfClosing, AsyncSocket):
    """A stream socket with a data phase. `async for data in stream` receives until the peer has ended its stream."""

    __slots__ = ("_receives", "_send_queue", "_sent")

    _kind = socket.SOCK_STREAM

    def __init__(self, *, engine: str | None = None) -> None:
        super().__init__(engine=engine)
        self._receives: Iterator[bool] = repeat(True, TURNS)
        self._send_queue: SendQueue | None = None  # while a send waits
        self._sent = 0

    @property
    def sent(self) -> int:
        """How much went out of the last send() that had to wait: of one that was cancelled, what need not be sent again."""
        return self._sent

    @inlined
    async def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send all of `data`, or raise; the number of bytes sent (CSocket's Send).

        data: any bytes-like object; an empty one sends nothing. flags: as in socket.MSG_OOB. Sends of several tasks are made
        one after the other. Raises IllegalCall before the connection is made and after sends were ended (Winsock:
        WSAENOTCONN, WSAESHUTDOWN); ConnectionError when the connection is gone. After a cancellation `sent` tells how much
        went out; of a nowait() the SendWouldBlock does.
        """
        try:
            sent = self._socket.send(data, flags) if next(self._turns, None) else None
        except BlockingIOError:
            return await _send_rest(self, None, data, flags)
        if isinstance(data, bytes) and sent == len(data):
            return len(data)
        return await _send_rest(self, sent, data, flags)

    @inlined
    async def receive(self, size: int = 65536, flags: int = 0) -> bytes:
        """Receive what has come, at least one byte, or wait for it; b"" when the peer has ended its stream.

        size: the most bytes to receive; 0 gives b"" without meaning an end. flags: as in socket.MSG_PEEK. Raises IllegalCall
        before the connection is made and after receives were ended (Winsock: WSAENOTCONN, WSAESHUTDOWN);
        ConnectionResetError when the connection was reset, again and again. A cancelled receive has taken nothing.
        """
        try:
            received = self._socket.recv(size, flags) if next(self._receives, None) else None
        except (BlockingIOError, OverflowError):
            return await _receive_rest(self, None, size, flags)
        if received:
            return received
        return await _receive_rest(self, received, size, flags)

    async def send_to(self, data: ReadableBuffer, address: str | None = None, port: int = 0, flags: int = 0) -> int:
        """Send all of `data` on the connection; the address is ignored, as on any stream. Else as send()."""
        return await self._send(data, flags)

    async def receive_from(self, size: int = 65536, flags: int = 0) -> tuple[bytes, None]:
        """(what receive() gives, None): a stream has no sender's address to tell. Else as receive()."""
        received = await self._receive(size, flags)
        if received.__class__ is bytes:
            return received, None
        return settled("eof", (b"", None))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        data = await self.receive()
        if not data:
            raise StopAsyncIteration
        return data

    def cancel_blocking_call(self) -> None:
        """Make the calls that wait on this object end with BlockingCallCancelled (EINTR); does nothing when none does."""
        if self._send_queue is not None:
            self._send_queue.cancels += 1
        super().cancel_blocking_call()

    # -- one send after the other ---------------------------------------------------------------------------------------

    async def _turn_to_send(self) -> SendQueue | None:
        """Let other tasks run, and the sends end that began to wait before; the queue to leave where there were some."""
        while True:
            queue = self._send_queue
            if queue is not None and not queue.is_of_another_loop:
                if mode.never_waits:
                    raise SendWouldBlock(0)
                await self._follow(queue)
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
        """Have the sends that come follow one that is about to wait."""
        self._send_queue = queue = SendQueue()
        self._turns = NO_TURNS
        return queue

    def _leave(self, queue: SendQueue, turn: anyio.Event | None = None) -> None:
        if queue.leave(turn) and queue is self._send_queue:
            self._send_queue = None
            self._turns = repeat(True, TURNS)

    async def _send(self, data: ReadableBuffer, flags: int) -> int:
        next(self._turns, None)
        return await _send_rest(self, None, data, flags, tried=False)

    async def _receive(self, size: int, flags: int) -> bytes:
        next(self._receives, None)
        return await _receive_rest(self, None, size, flags, tried=False)

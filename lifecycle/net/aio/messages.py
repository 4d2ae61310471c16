"""Messages over an awaited stream: calls that consist of calls of send() and receive(), and are checked as those are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from lifecycle.engine import Observer
from lifecycle.net.aio.driver import AsyncSocket
from lifecycle.net.errors import SendTimedOut, SendWouldBlock
from lifecycle.net.operations import checked_timeout
from lifecycle.net.operations.messages import (
    LIMIT,
    Budget,
    Steps,
    Taken,
    checked_file,
    checked_limit,
    checked_separator,
    exactly,
    until,
)
from lifecycle.net.operations.transfer import READ_SIZE, Progress
from lifecycle.net.os_socket import checked_size
from lifecycle.net.twins import StreamCalls

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class AsyncMessages(AsyncSocket, StreamCalls):
    """The calls of a stream that send or receive whole messages and files."""

    __slots__ = ("_held", "_sent")

    def __init__(self, *, engine: str | None = None, journal: Observer | None = None) -> None:
        super().__init__(engine=engine, journal=journal)
        self._held = None
        self._sent: int | Progress = 0

    if TYPE_CHECKING:

        async def send(self, data: ReadableBuffer, flags: int = 0, timeout: float | None = None) -> int: ...
        async def receive(self, size: int = 65536, flags: int = 0, timeout: float | None = None) -> bytes: ...

    async def receive_exactly(self, size: int, *, timeout: float | None = None) -> bytes:
        """Receive exactly `size` bytes, waiting for them.

        timeout: seconds for all of them; None, the default, for as long as it takes. Raises IncompleteRead, an EOFError, when
        the stream ends before; and what receive() raises, in the same states. After an error or a cancellation nothing is lost:
        what has arrived stays in the object, and this call made again, or receive(), gives it.
        """
        checked_size(size)
        return await self._take(exactly, timeout, size)

    async def receive_until(self, separator: bytes, *, limit: int = LIMIT, timeout: float | None = None) -> bytes:
        """Receive up to `separator`; what came before it. The separator is taken from the stream and not given.

        limit: the most bytes before it. timeout: as for receive_exactly(). What was received beyond it stays in the object for
        the next call. Raises SeparatorNotFound, a ValueError, when there are more than `limit` bytes without it; else as
        receive_exactly().
        """
        return await self._take(until, timeout, checked_separator(separator), checked_limit(limit))

    async def receive_into(self, buffer: WriteableBuffer, flags: int = 0, *, timeout: float | None = None) -> int:
        """Receive into a buffer that can be written to; how many bytes, 0 at the end of the stream. Else as receive()."""
        with memoryview(buffer) as view, view.cast("B") as octets:
            if octets.readonly:
                raise TypeError("receive_into() needs a buffer that can be written to")
            data = await self.receive(len(octets), flags, **Budget(checked_timeout(timeout)).limits)
            octets[: len(data)] = data
            return len(data)

    async def send_gathered(self, parts: Iterable[ReadableBuffer], *, timeout: float | None = None) -> int:
        """Send all parts, one after the other, by one send(); how many bytes. Raises as send() does."""
        return await self.send(b"".join(parts), **Budget(checked_timeout(timeout)).limits)

    async def send_file(self, file: BinaryIO, size: int | None = None, *, timeout: float | None = None) -> int:
        """Send a file from its position to its end, or `size` bytes of it; how many were sent.

        file: anything whose read() gives bytes; it is read in the event loop. timeout: seconds for all of it. Raises as send()
        does, and what the file's read() raises. After an error or a cancellation the position of a file that can seek is behind
        what was sent, so that the call may be made again.
        """
        checked_file(file)
        if size is not None:
            checked_size(size)
        budget, sent = Budget(checked_timeout(timeout)), 0
        while size is None or sent < size:
            part = file.read(READ_SIZE if size is None else min(READ_SIZE, size - sent))
            if not part:
                break
            self._sent = 0
            try:
                sent += await self.send(part, **budget.limits)
            except BaseException as error:
                if file.seekable():
                    file.seek(self.sent - len(part), 1)
                if isinstance(error, (SendTimedOut, SendWouldBlock)):
                    raise type(error)(sent + error.sent) from None
                raise
        return sent or await self.send(b"", **budget.limits)

    @property
    def sent(self) -> int:
        """How much the last send() has sent."""
        raise NotImplementedError

    # -- for the calls above --------------------------------------------------------------------------------------------

    async def _take(self, taking: Callable[..., Steps[Taken]], timeout: float | None, *arguments: Any) -> Taken:
        """Take a message by receive(); what remains is held for the next call."""
        if self._held:
            await self.receive(0)  # refused where nothing may be received
        held, self._held = self._held or bytearray(), None
        try:
            return await self._received_by(taking(held, *arguments), timeout)
        finally:
            self._held = held or None

    async def _received_by(self, steps: Steps[Taken], timeout: float | None) -> Taken:
        """Run `steps`, with receive() for what each of them asks for; the result."""
        budget = Budget(checked_timeout(timeout))
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(await self.receive(wanted, **budget.limits))
        except StopIteration as ended:
            result: Taken = ended.value
            return result

"""Reader: reads an awaited connection by lines, and loses nothing when a read ends early."""

from __future__ import annotations

from collections.abc import AsyncIterator

from lifecycle.net.aio.messages import AsyncMessages
from lifecycle.net.operations import checked_timeout
from lifecycle.net.operations.messages import LIMIT, Budget, Lines, Steps, Taken, checked_separator, exactly, taken, until
from lifecycle.net.os_socket import checked_size


class Reader(Lines):
    """Reads a connection by lines, through a buffer of its own; nothing is lost at a cancellation.

    socket: a connected Client or Accepted; the reader does not own it. limit: the most bytes that a line may have. After a
    TimeoutError, a BlockingIOError or a cancellation the read may be made again. What a reader has received, `buffered` bytes,
    the socket's own receive() does not give any more.
    """

    def __init__(self, socket: AsyncMessages, *, limit: int = LIMIT) -> None:
        super().__init__(limit)
        if not isinstance(socket, AsyncMessages):
            raise TypeError(f"a Reader reads a connected Client or Accepted, not {type(socket).__name__}")
        self._socket = socket
        socket._add_reader(self)

    async def readline(self, timeout: float | None = None) -> bytes:
        """Read one line, with its newline; at the end of the stream what is left, and then b"".

        timeout: seconds for all of it; None for as long as it takes. Raises SeparatorNotFound, a ValueError, for a
        line that is longer than the limit; and what receive() raises, in the same states. Nothing is lost then.
        """
        return self._next_line() or await self._first_line(timeout)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The lines, up to the end of the stream."""
        while True:
            for line in self._whole:
                yield line
            line = await self._first_line(None)
            if not line:
                return
            yield line

    async def read(self, size: int = 65536, *, timeout: float | None = None) -> bytes:
        """Read what is buffered, or what one receive() gives, at most `size` bytes; b"" at the end of the stream."""
        checked_size(size)
        held = self._held()
        if held:
            return taken(held, size)
        return await self._socket.receive(size, **Budget(checked_timeout(timeout)).limits)

    async def read_exactly(self, size: int, *, timeout: float | None = None) -> bytes:
        """Read exactly `size` bytes, waiting for them; as receive_exactly() does."""
        checked_size(size)
        return await self._run(exactly(self._held(), size), timeout)

    async def read_until(self, separator: bytes, *, timeout: float | None = None) -> bytes:
        """Read up to a separator; as receive_until() does."""
        return await self._run(until(self._held(), checked_separator(separator), self.limit), timeout)

    async def _first_line(self, timeout: float | None) -> bytes:
        """The next line when no whole one is buffered; the last of the stream need not end with a newline."""
        if await self._run(self._next_lines(), timeout):
            return self._next_line()
        return taken(self._rest, len(self._rest))

    async def _run(self, steps: Steps[Taken], timeout: float | None) -> Taken:
        return await self._socket._received_by(steps, timeout)

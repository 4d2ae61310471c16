"""Reader: reads a blocking connection by lines, and loses nothing when a read ends early."""

from __future__ import annotations

from collections.abc import Iterator

from lifecycle.net.blocking.messages import Messages
from lifecycle.net.operations import Timeout
from lifecycle.net.operations.messages import LIMIT, Lines, Steps, Taken, checked_separator, exactly, taken, until
from lifecycle.net.os_socket import checked_size


class Reader(Lines):
    """Reads a connection by lines, through a buffer of its own; unlike socket.makefile(), it loses nothing at a time-out.

    socket: a connected Client or Accepted; the reader does not own it. limit: the most bytes that a line may have. After a
    TimeoutError, a BlockingIOError or a cancellation the read may be made again. What a reader has received, `buffered` bytes,
    the socket's own receive() does not give any more.
    """

    def __init__(self, socket: Messages, *, limit: int = LIMIT) -> None:
        super().__init__(limit)
        if not isinstance(socket, Messages):
            raise TypeError(f"a Reader reads a connected Client or Accepted, not {type(socket).__name__}")
        self._socket = socket
        socket._add_reader(self)

    def readline(self, timeout: Timeout = ...) -> bytes:
        """Read one line, with its newline; at the end of the stream what is left, and then b"".

        timeout: seconds for all of it; the socket's own where it is not given. Raises SeparatorNotFound, a ValueError, for a
        line that is longer than the limit; and what receive() raises, in the same states. Nothing is lost then.
        """
        return self._next_line() or self._first_line(timeout)

    def __iter__(self) -> Iterator[bytes]:
        """The lines, up to the end of the stream."""
        while True:
            for line in self._whole:  # not `yield from`, which would close the buffer together with this generator
                yield line
            line = self._first_line(...)
            if not line:
                return
            yield line

    def read(self, size: int = 65536, *, timeout: Timeout = ...) -> bytes:
        """Read what is buffered, or what one receive() gives, at most `size` bytes; b"" at the end of the stream."""
        checked_size(size)
        held = self._held()
        return taken(held, size) if held else self._socket.receive(size, timeout=timeout)

    def read_exactly(self, size: int, *, timeout: Timeout = ...) -> bytes:
        """Read exactly `size` bytes, waiting for them; as receive_exactly() does."""
        checked_size(size)
        return self._run(exactly(self._held(), size), timeout)

    def read_until(self, separator: bytes, *, timeout: Timeout = ...) -> bytes:
        """Read up to a separator; as receive_until() does."""
        return self._run(until(self._held(), checked_separator(separator), self.limit), timeout)

    def _first_line(self, timeout: Timeout) -> bytes:
        """The next line when no whole one is buffered; the last of the stream need not end with a newline."""
        if self._run(self._next_lines(), timeout):
            return self._next_line()
        return taken(self._rest, len(self._rest))

    def _run(self, steps: Steps[Taken], timeout: Timeout) -> Taken:
        return self._socket._received_by(steps, timeout)

"""The buffer of a loading archive: what was read from the file and not yet taken.

Bytes arrive when a value needs them, at most a buffer ahead. Memory grows with what has really come, never with what a length
claims: a string that claims 4 GB costs its sender 4 GB.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from typing import Any

from lifecycle.archive.errors import EndOfFile, GenericError
from lifecycle.archive.formats import Format

LARGEST_READ = 1 << 16
"""The most bytes asked of a file at once: a socket's receive() reserves what it is asked for."""


class Source:
    """data and at: the buffer, and where in it the next value begins. base: the offset of the buffer's first byte.

    numbered: what got a number (PID) in this archive, objects and classes, in order; the first has number 1.

    until: up to which offset the bytes belong to the value that is being taken, at least, so that they may be read at once.
    """

    __slots__ = ("at", "base", "data", "format", "held", "numbered", "reads_ahead", "take", "until")

    def __init__(self, file: Any, format: Format) -> None:
        self.data = bytearray()
        self.at = 0
        self.base = 0
        self.until = 0
        self.held: int | None = None
        self.format = format
        self.numbered: list[Any] = []
        one_read: Callable[[int], bytes | None] | None = getattr(file, "read1", None)
        self.reads_ahead = one_read is not None or isinstance(file, io.RawIOBase)
        self.take: Callable[[int], bytes | None] = one_read or file.read

    @property
    def unread(self) -> int:
        """How many bytes were read from the file and not yet taken."""
        return len(self.data) - self.at

    @property
    def offset(self) -> int:
        """How many bytes were taken since the archive began."""
        return self.base + self.at

    def fetch(self, count: int, expected: str) -> int:
        """Have `count` bytes from `at` on in the buffer; where in it they begin, which may have changed.

        Raises EndOfFile when the file ends before, GenericError when `count` is beyond the limit; nothing was taken then, and
        what has come stays in the buffer.
        """
        found = self.fetch_up_to(count, expected)
        if found < count:
            missing = f"the end of the file after {found} of {count} bytes"
            raise EndOfFile(self.offset, expected, missing if found else "the end of the file")
        return self.at

    def fetch_up_to(self, count: int, expected: str) -> int:
        """Have `count` bytes from `at` on in the buffer, or all up to the end of the file: how many there are."""
        data = self.data
        if len(data) - self.at < count:
            if count > self.format.limit:
                raise GenericError(
                    self.offset, f"at most {self.format.limit} bytes (the archive's limit)", f"{expected}: {count} bytes"
                )
            self._let_go_of_what_was_taken()
            while (missing := count - len(data) + self.at) > 0:
                wanted = max(missing, self.format.size, self.until - self.base - len(data)) if self.reads_ahead else missing
                try:
                    chunk = self.take(min(wanted, max(LARGEST_READ, self.format.size)))
                except EOFError as error:  # of a compressed file that was cut off
                    raise EndOfFile(self.base + len(data), expected, f"the end of the file: {error}") from error
                if chunk is None:
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                if not chunk:
                    return len(data) - self.at
                data += chunk
        return count

    def _let_go_of_what_was_taken(self) -> None:
        done = self.at if self.held is None else self.held
        if done:
            del self.data[:done]
            self.at -= done
            self.base += done
            if self.held is not None:
                self.held = 0

    def expect(self, count: int) -> None:
        """Know that the value which is being taken has at least `count` more bytes."""
        self.until = self.offset + count

    def hold(self) -> None:
        """Keep what will be taken from here on, so that go_back() can return it."""
        self.held = self.at

    def go_back(self, offset: int, numbered: int) -> None:
        """Take back everything since the archive was at `offset` and so many things had numbers."""
        self.at = offset - self.base
        self.until = 0
        del self.numbered[numbered:]

    def release(self) -> None:
        """What was taken since hold() will not come back."""
        self.held = None

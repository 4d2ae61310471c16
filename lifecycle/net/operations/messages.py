"""Taking messages out of a stream: a number of bytes, data up to a separator, a line.

Each is a generator that yields how much to receive next and is sent what receive() gave, so that every byte comes by a governed
call. What has been received and not taken stays in the buffer that it was given, whatever ends the generator.
"""

from __future__ import annotations

import io
import time
from collections.abc import Generator
from typing import Any, TypeVar

from lifecycle.net.errors import IncompleteRead, SeparatorNotFound
from lifecycle.net.operations.transfer import READ_SIZE

Taken = TypeVar("Taken")
Steps = Generator[int, bytes, Taken]

LIMIT = 1 << 16
"""Bytes that a line, or another message with a separator, may have by default."""


class Budget:
    """The seconds that a call has for all the calls of which it is made."""

    __slots__ = ("_deadline", "_seconds")

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds if seconds else 0.0

    @property
    def left(self) -> float | None:
        """The seconds that the next call may wait; above 0 if it may wait at all, so that it times out."""
        return max(self._deadline - time.monotonic(), 1e-6) if self._seconds else self._seconds

    @property
    def limits(self) -> dict[str, Any]:
        """`left` as keywords of a call; none where it may wait for ever: a method that overrides it need not have `timeout`."""
        return {} if self._seconds is None else {"timeout": self.left or 0.0}


def taken(held: bytearray, size: int) -> bytes:
    """The first `size` bytes of `held`, which are taken from it."""
    first = bytes(held[:size])
    del held[:size]
    return first


def checked_separator(separator: bytes) -> bytes:
    """`separator` itself; TypeError if it is not bytes, ValueError if it is empty."""
    if not isinstance(separator, bytes):
        raise TypeError(f"a separator is bytes, not {type(separator).__name__}")
    if not separator:
        raise ValueError("a separator has at least one byte")
    return separator


def checked_file(file: object) -> None:
    """TypeError unless it is a file that is open in binary mode; raised before anything is read from it."""
    if isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        raise TypeError(f"send_file() takes a file that is open in binary mode, not {type(file).__name__}")


def checked_limit(limit: int) -> int:
    """`limit` itself; TypeError if it is not an int, ValueError if it is below 1."""
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"a limit is an int, not {type(limit).__name__}")
    if limit < 1:
        raise ValueError(f"a limit is 1 or more bytes, not {limit}")
    return limit


def exactly(held: bytearray, size: int) -> Steps[bytes]:
    """`size` bytes; IncompleteRead when the stream ends before. Memory grows with what arrives, not with `size`."""
    if not size:
        yield 0
    while len(held) < size:
        received = yield min(size - len(held), READ_SIZE)
        if not received:
            raise IncompleteRead(bytes(held), size)
        held += received
    return taken(held, size)


def until(held: bytearray, separator: bytes, limit: int) -> Steps[bytes]:
    """The bytes before the separator, which is taken too; IncompleteRead, SeparatorNotFound after more than `limit` bytes."""
    searched = 0
    while True:
        found = held.find(separator, searched)
        if found > limit or (found < 0 and len(held) >= limit + len(separator)):
            raise SeparatorNotFound(separator, limit)
        if found >= 0:
            message = taken(held, found)
            del held[: len(separator)]
            return message
        searched = max(0, len(held) - len(separator) + 1)
        received = yield READ_SIZE
        if not received:
            raise IncompleteRead(bytes(held), None)
        held += received


class Lines:
    """The buffer of a reader: whole lines, which the standard library separates, and the beginning of the next one.

    limit: the most bytes that a line may have.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = checked_limit(limit)
        self._rest = bytearray()
        self._whole = io.BytesIO()
        self._next_line = self._whole.readline

    @property
    def buffered(self) -> int:
        """How many bytes were received and not read yet."""
        return len(self._whole.getbuffer()) - self._whole.tell() + len(self._rest)

    @property
    def unread(self) -> int:
        """The same: start_tls() asks it of all that reads ahead."""
        return self.buffered

    def _next_lines(self) -> Steps[bool]:
        """Receive until there is a whole line; return whether there is one, since the stream may have ended."""
        rest = self._rest
        if len(rest) > self.limit or b"\n" in rest:  # after another kind of read
            self._keep(rest)
        while self._whole.tell() == len(self._whole.getbuffer()):
            received = yield min(READ_SIZE, self.limit)
            if not received:
                return False
            rest, end = self._rest, received.rfind(b"\n") + 1
            size = len(rest) + len(received)
            if not end or (size > self.limit and len(rest) + received.find(b"\n") >= self.limit):
                rest += received
                if size > self.limit:
                    raise SeparatorNotFound(b"\n", self.limit)
            else:
                self._put(b"".join((rest, memoryview(received)[:end])))
                self._rest = bytearray(received[end:])
        return True

    def _put(self, lines: bytes) -> None:
        self._whole = io.BytesIO(lines)
        self._next_line = self._whole.readline

    def _keep(self, held: bytearray) -> None:
        """Sort what was received into whole lines and the rest; SeparatorNotFound when the first line is too long."""
        self._rest = held
        if (held.find(b"\n", 0, self.limit) if len(held) > self.limit else 0) < 0:
            raise SeparatorNotFound(b"\n", self.limit)
        end = held.rfind(b"\n") + 1
        if end:
            self._put(bytes(held[:end]))
            del held[:end]

    def _held(self) -> bytearray:
        """All that was received, for a read that does not go by lines."""
        unread = self._whole.read()
        if unread:
            self._rest[:0] = unread
        return self._rest

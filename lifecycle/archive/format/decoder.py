"""Decoder: the bytes of a loading archive, and what is known from them so far.

Bytes arrive when a value needs them, at most a buffer ahead. Memory grows with the bytes that arrived, never with what a length
claims: a string that claims 4 GB costs its sender 4 GB.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from lifecycle.archive.errors import EndOfFile, GenericError
from lifecycle.archive.format.registry import Registry
from lifecycle.archive.format.settings import Format

LARGEST_READ = 1 << 16
"""The most bytes asked for at once: a socket's receive() allocates what it is asked for."""

KEPT = 1 << 12
"""How many bytes of earlier values the buffer keeps before it drops them."""

NO_SCHEMA = -1

Owner = Callable[[], Any]
Receive = Callable[[int], "bytes | None"]


MEMORY = 16
"""How many bytes of memory each byte that was loaded pays for."""

FREE, SHARE = 1 << 16, 1 << 7
"""How many bytes need not come, at least, to pay for values, or which part of the limit that is; see Decoder.charge()."""

Mark = tuple[int, int, int, int, int]
"""The offset, how many things have numbers, the depth, the schema and what is charged, for a decoder to go back there."""


class Decoder:
    """data and at: the buffer, and where in it the next value begins. base: the offset of the buffer's first byte.

    receive: gives at most so many bytes, b"" at the end, None when none have arrived. reads_ahead: whether it may be asked for
    more than a value needs. owner: gives what a user's serialize() is called with; a weak reference. numbered: what got a
    number (PID), objects and classes, in order; the first has number 1. described: the classes, and the numbers they got.
    depth: of the object that is being loaded. schema: what get_object_schema() answers. schemas: the schema numbers that are
    expected of classes, where they are not their own. charged: up to which offset bytes pay for the values; see charge().

    until: up to which offset the bytes belong to the value that is being loaded, at least, so that they may be read at once.
    needed: how many bytes were missing when receive() was last called. reached: the offset at that time. is_waiting: whether it
    gave none, so that there is no point in going on at once. searched: the offset of a line, and up to where it has no end.
    """

    __slots__ = (
        "at", "base", "charged", "data", "depth", "described", "format", "is_held", "is_waiting", "needed", "numbered", "owner",
        "reached", "reads_ahead", "receive", "registry", "schema", "schemas", "searched", "until",
    )  # fmt: skip

    def __init__(
        self,
        format: Format,
        registry: Registry,
        receive: Receive,
        *,
        reads_ahead: bool,
        base: int = 0,
        schemas: Mapping[type[Any], int] = MappingProxyType({}),
        owner: Owner = lambda: None,
    ) -> None:
        self.format = format
        self.registry = registry
        self.schemas = schemas
        self.receive = receive
        self.reads_ahead = reads_ahead
        self.owner = owner
        self.data = bytearray()
        self.at = 0
        self.base = base
        self.until = 0
        self.needed = 0
        self.reached = 0
        self.searched: tuple[int, int] = (0, 0)
        self.is_held = False
        self.is_waiting = False
        self.numbered: list[Any] = []
        self.described: dict[type[Any], int] = {}
        self.depth = 0
        self.schema = NO_SCHEMA
        self.charged = base - max(format.limit // SHARE, FREE)

    @property
    def unread(self) -> int:
        """How many bytes arrived and were not loaded yet."""
        return len(self.data) - self.at

    @property
    def offset(self) -> int:
        """How many bytes were loaded since the archive began."""
        return self.base + self.at

    def fetch(self, count: int, expected: str) -> int:
        """Have `count` bytes from `at` on in the buffer; where in it they begin, which may have changed.

        Raises EndOfFile when the file ends before, GenericError when `count` is beyond the limit, BlockingIOError when they
        have not arrived; nothing was loaded then, and what arrived stays in the buffer.
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
            if not self.is_held:
                self._drop_what_was_loaded()
            while (missing := count - len(data) + self.at) > 0:
                wanted = max(missing, self.until - self.base - len(data), self.format.size if self.reads_ahead else 0)
                self.needed, self.reached = missing, self.offset
                try:
                    chunk = self.receive(min(wanted, max(LARGEST_READ, self.format.size)))
                except EOFError as error:  # of a compressed file that was cut off
                    raise EndOfFile(self.base + len(data), expected, f"the end of the file: {error}") from error
                if chunk is None:
                    self.is_waiting = True
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                if not chunk:
                    return len(data) - self.at
                data += chunk
        return count

    def fetch_rest(self, expected: str) -> int:
        """Have all bytes up to the end of the file in the buffer: how many there are."""
        while self.unread <= self.format.limit:
            wanted = min(2 * self.unread + self.format.size, self.format.limit + 1)
            if self.fetch_up_to(wanted, expected) < wanted:
                return self.unread
        raise GenericError(self.offset, f"at most {self.format.limit} bytes (the archive's limit)", f"{expected}: more")

    def ensure_read(self, size: int) -> bytes:
        """Take just `size` raw bytes; raises as fetch() does."""
        at = self.fetch(size, f"{size} bytes")
        self.at = at + size
        return bytes(self.data[at : self.at])

    def load(self, kind: Any) -> Any:
        """Take one value of a kind, for a wire of the user's own: by pointer, where it is a serializable class."""
        return self.owner().load(kind)

    def _drop_what_was_loaded(self) -> None:
        if self.at:
            del self.data[: self.at]
            self.base += self.at
            self.at = 0

    def expect(self, count: int) -> None:
        """Let at least `count` bytes be read ahead: the value that is being loaded has them."""
        self.until = self.offset + count

    def hold(self) -> None:
        """Keep what will be loaded from here on, and where in the buffer it is, until release()."""
        if self.at > KEPT:
            self._drop_what_was_loaded()
        self.is_held = True

    def release(self) -> None:
        """Allow the buffer to drop what was loaded since hold()."""
        self.is_held = False

    def mark(self) -> Mark:
        """Where the decoder is now."""
        return self.base + self.at, len(self.numbered), self.depth, self.schema, self.charged

    def go_back(self, mark: Mark) -> None:
        """Undo everything since `mark`; what was loaded since then must be held."""
        offset, numbered, self.depth, self.schema, self.charged = mark
        self.at = offset - self.base
        self.until = 0
        del self.numbered[numbered:]

    def charge(self, cost: int) -> None:
        """Let values take 16 times `cost` bytes of memory; GenericError where neither the bytes so far nor the limit pay."""
        self.charged += cost
        if self.charged > self.base + self.at:
            free = max(self.format.limit // SHARE, FREE) * MEMORY
            enough = f"values that take at most {MEMORY} times their bytes, and {free} bytes more (by the archive's limit)"
            raise GenericError(self.offset, enough, "more, and smaller ones")

    def enter(self) -> None:
        """Go one level deeper; GenericError beyond the archive's depth. The caller takes it off `depth` again."""
        if self.depth >= self.format.depth:
            raise GenericError(self.offset, self.format.deepest, "deeper ones")
        self.depth += 1

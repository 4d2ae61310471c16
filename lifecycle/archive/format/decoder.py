"""Decoder: the bytes of a loading archive, and the objects and classes loaded so far.

Bytes arrive when a value needs them, at most a buffer ahead. Memory grows with the bytes that arrived, never with what a length
claims: a sender has to send 4 GB to make the loader use 4 GB.
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
"""The maximum number of bytes requested at once: a socket's receive() allocates them."""

KEPT = 1 << 12
"""The number of bytes of earlier values that the buffer keeps before it drops them."""

NO_SCHEMA = -1

Owner = Callable[[], Any]
Receive = Callable[[int], "bytes | None"]


MEMORY = 16
"""The number of bytes of memory allowed for each loaded byte."""

FREE, SHARE = 1 << 16, 1 << 7
"""The memory allowed beyond that, in loaded bytes: at least this number, or this part of the limit; see Decoder.charge()."""

Mark = tuple[int, int, int, int, int]
"""A decoder's offset, count of numbered things, depth, schema and charge, to go back to."""


class Decoder:
    """data and at: the buffer, and where in it the next value begins. base: the offset of the buffer's first byte.

    receive: returns at most that many bytes, b"" at the end, None if none have arrived. reads_ahead: whether it may be asked
    for more than a value needs. owner: a weak reference to the archive that a user's serialize() is called with. numbered: what
    got a number (PID), objects and classes, in order; the first has number 1. described: the classes, with their numbers.
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
        self.charged = base - (base >> 4) - max(format.limit // SHARE, FREE)

    @property
    def unread(self) -> int:
        """The number of bytes that arrived and were not loaded yet."""
        return len(self.data) - self.at

    @property
    def offset(self) -> int:
        """The number of bytes loaded since the archive began."""
        return self.base + self.at

    def fetch(self, count: int, expected: str) -> int:
        """Make `count` bytes from `at` on available; return where in the buffer they begin, which may have changed.

        Raises EndOfFile if the file ends before, GenericError if `count` is above the limit, BlockingIOError if they
        have not arrived; nothing was loaded then, and bytes that arrived stay in the buffer.
        """
        found = self.fetch_up_to(count, expected)
        if found < count:
            missing = f"the end of the file after {found} of {count} bytes"
            raise EndOfFile(self.offset, expected, missing if found else "the end of the file")
        return self.at

    def fetch_up_to(self, count: int, expected: str) -> int:
        """Make `count` bytes from `at` on available, or all up to the end of the file; return their number."""
        if len(self.data) - self.at >= count:
            return count
        if count > self.format.limit:
            raise GenericError(
                self.offset, f"at most {self.format.limit} bytes (the archive's limit)", f"{expected}: {count} bytes"
            )
        return self._receive_up_to(count, expected)

    def _receive_up_to(self, count: int, expected: str) -> int:
        data = self.data
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
        """Make all bytes up to the end of the file available; return their number."""
        while self.unread <= self.format.limit:
            wanted = min(2 * self.unread + self.format.size, self.format.limit + 1)
            if self._receive_up_to(wanted, expected) < wanted:
                return self.unread
        raise GenericError(self.offset, f"at most {self.format.limit} bytes (the archive's limit)", f"{expected}: more")

    def ensure_read(self, size: int) -> bytes:
        """Read exactly `size` raw bytes; raises what fetch() raises."""
        at = self.fetch(size, f"{size} bytes")
        self.at = at + size
        return bytes(self.data[at : self.at])

    def load(self, kind: Any) -> Any:
        """Load one value of a kind, for a user's wire type: a serializable class by pointer."""
        return self.owner().load(kind)

    def _drop_what_was_loaded(self) -> None:
        if self.at:
            del self.data[: self.at]
            self.base += self.at
            self.at = 0

    def expect(self, count: int) -> None:
        """Allow reading ahead `count` bytes: the value being loaded has at least that many."""
        self.until = self.offset + count

    def hold(self) -> None:
        """Keep the bytes loaded from here on, and their places in the buffer, until release()."""
        if self.at > KEPT:
            self._drop_what_was_loaded()
        self.is_held = True

    def release(self) -> None:
        """Allow the buffer to drop the bytes loaded since hold()."""
        self.is_held = False

    def mark(self) -> Mark:
        """The decoder's present position."""
        return self.base + self.at, len(self.numbered), self.depth, self.schema, self.charged

    def go_back(self, mark: Mark) -> None:
        """Undo everything since `mark`; the bytes loaded since then must be held."""
        offset, numbered, self.depth, self.schema, self.charged = mark
        self.at = offset - self.base
        self.until = 0
        del self.numbered[numbered:]

    def charge(self, cost: int) -> None:
        """Charge 16 times `cost` bytes of memory for values; GenericError if the loaded bytes and the limit do not cover it."""
        self.charged += cost
        if self.charged > self.offset - (self.offset >> 4):  # the buffer holds the bytes themselves
            free = max(self.format.limit // SHARE, FREE) * MEMORY
            enough = f"values that take at most {MEMORY} times their bytes, and {free} bytes more (by the archive's limit)"
            raise GenericError(self.offset, enough, "more, and smaller ones")

    def enter(self) -> None:
        """Go one level deeper; GenericError beyond the archive's depth. The caller decrements `depth` afterwards."""
        if self.depth >= self.format.depth:
            raise GenericError(self.offset, self.format.deepest, "deeper ones")
        self.depth += 1

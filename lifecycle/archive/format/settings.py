"""Format: settings that both sides of an archive have to agree on, since they are not on the wire, and the limits."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from lifecycle.archive.format.code_pages import codec_of

LEAST_BUFFER = 128


@cache
def extends_ascii(encoding: str) -> bool:
    """Whether ASCII text has the same bytes in that encoding, and needs no codec; a codec costs five times as much."""
    ascii_bytes = bytes(range(128))
    try:
        return ascii_bytes.decode(encoding) == ascii_bytes.decode("ascii")
    except UnicodeError:
        return False


@cache
def _check_codec(encoding: str, errors: str) -> None:
    """Raise LookupError for an unknown encoding or error handler, ValueError for one that cannot decode text."""
    try:
        "".encode(encoding)
        b"".decode(encoding)
    except UnicodeError as error:
        raise ValueError(f"{encoding!r} is not a code page: {error}") from None
    handler = codecs.lookup_error(errors)
    with suppress(UnicodeError):
        try:
            handler(UnicodeDecodeError(encoding, b"?", 0, 1, "a trial"))
        except TypeError as error:
            raise ValueError(f"errors={errors!r} can encode and cannot decode") from error


class Traced(NamedTuple):
    """A value: the offset of its first byte, its kind ("Track.name: CString"), and the value itself.

    A value that contains others comes after them, with the offset where it began.
    """

    offset: int
    kind: str
    value: Any

    def __repr__(self) -> str:
        try:
            value = repr(self.value)
        except AttributeError:  # a record that refers to itself has not all of its fields yet
            value = object.__repr__(self.value)
        return f"Traced(offset={self.offset!r}, kind={self.kind!r}, value={value})"


Trace = Callable[[Traced], object]


@dataclass(frozen=True, slots=True)
class Format:
    """unicode: whether CString and text are stored as UTF-16. encoding, errors: of ANSI text.

    win32: whether counts are those of 32-bit programs. limit: the largest length of one string, block or count, in bytes.
    depth: of nested objects. size: the buffer's, in bytes. ascii: whether ASCII text has the same bytes in `encoding`. codec:
    the name of its codec (see code_pages.py). trace: a function called with each value. variant: a number for the settings that
    the functions of records depend on.
    """

    unicode: bool
    encoding: str
    errors: str
    win32: bool
    limit: int
    depth: int
    size: int
    trace: Trace | None = None
    variant: int = field(init=False)
    ascii: bool = field(init=False)
    codec: str = field(init=False)

    @property
    def deepest(self) -> str:
        """The depth, for error texts."""
        return f"{self.depth} levels of nested objects at most (the archive's depth)"

    def tell(self, at: int, kind: str, value: Any) -> None:
        """Report a value to `trace`, if there is one."""
        if self.trace is not None:
            self.trace(Traced(at, kind, value))

    def __post_init__(self) -> None:
        object.__setattr__(self, "variant", self.unicode + 2 * (self.trace is not None))
        _check_codec(self.encoding, self.errors)
        if min(self.limit, self.depth) < 0:
            raise ValueError(f"limit={self.limit}, depth={self.depth}: neither can be below 0")
        object.__setattr__(self, "size", max(self.size, LEAST_BUFFER))
        object.__setattr__(self, "codec", codec_of(self.encoding))
        object.__setattr__(self, "ascii", extends_ascii(self.encoding))

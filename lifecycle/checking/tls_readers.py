"""Plain data that a reader holds when TLS begins."""

from __future__ import annotations

import io
from typing import Any
from weakref import ref

from lifecycle.checking.track import SocketTrack


def note_reader(track: SocketTrack, file: object) -> None:
    """A file was made over the socket."""
    reader = getattr(file, "buffer", file)
    reader = getattr(reader, "reader", reader)
    if isinstance(reader, io.BufferedReader):
        track.readers = (*track.readers, ref(reader))


def holds_plain_data(track: SocketTrack) -> bool:
    """Whether a reader over the socket has unread data."""
    readers = (each() for each in track.readers)
    return any(reader is not None and _held(reader) for reader in readers)


def _held(reader: io.BufferedReader) -> bool:
    """Whether the reader holds data: peek() returns it without a system call, which is prevented here."""
    raw: Any = reader.raw
    if reader.closed or "readinto" in vars(raw):
        return False
    raw.readinto = lambda buffer: None
    try:
        return bool(reader.peek(1))
    except (OSError, ValueError):
        return False
    finally:
        del raw.readinto

"""Containers of archives: OLE compound files, gzip, zlib, and others that are only named.

Compressed data is decompressed into a temporary file, up to a limit: a few bytes can expand to very many.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from tempfile import TemporaryFile
from typing import IO, Any

from lifecycle.archive.dump.tag_counts import DESCRIBED

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
GZIP = b"\x1f\x8b\x08"
MOST_INFLATED = 1 << 28
"""The maximum number of decompressed bytes."""

MOST_RATIO = 64
"""How many times its size a stream is decompressed to, to see whether it contains classes."""

FARTHEST = 256
"""How far from the beginning compressed data is looked for, after a program's own header."""

STEP = 1 << 16
NAMES: dict[bytes, str] = {
    OLE: "OLE compound file",
    GZIP: "gzip",
    b"PK\x03\x04": "ZIP archive: unpack it first",
    b"\x89PNG\r\n\x1a\n": "PNG picture",
    b"\xff\xd8\xff": "JPEG picture",
    b"%PDF": "PDF document",
    b"SQLite format 3\0": "SQLite database",
    b"<?xml": "XML",
}
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")


class ContainerError(ValueError):
    """The container is damaged, or has no such part; the text lists its parts."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A part of an OLE compound file: its name, its size in bytes, and how many descriptions of classes are in it.

    compressed_at: the offset of compressed data in it, or None; the classes are then those in that data.
    """

    name: str
    size: int
    classes: int
    compressed_at: int | None = None


def name_of(data: Any) -> str | None:
    """The kind of file that begins with these bytes, or None if they may be an archive."""
    for magic, name in NAMES.items():
        if data[: len(magic)] == magic:
            return name
    if find_compressed(data, farthest=0) == 0:
        return "zlib"
    some = bytes(data[:4096])
    if some and not re.search(rb"[^\t\n\r\x20-\x7e]", some):
        return "text: read it line by line, by read_string()"
    return None


def find_compressed(data: Any, *, farthest: int = FARTHEST) -> int | None:
    """The first offset up to `farthest` at which zlib or gzip data begins; None if there is none."""
    for match in _ZLIB.finditer(bytes(data[: farthest + 3])):
        at = match.start()
        if at > farthest:
            break
        reader = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            some = reader.decompress(bytes(data[at : at + STEP]), 1 << 12)
        except zlib.error:
            continue
        if some or reader.eof:
            return at
    return None


def inflate(data: Any, at: int, *, most: int = MOST_INFLATED) -> IO[bytes]:
    """Decompress zlib or gzip data at `at` into a temporary file; ContainerError if damaged or more than `most` bytes."""
    with ExitStack() as failing:
        file = failing.enter_context(TemporaryFile())
        try:
            for part in _inflated(data, at):
                file.write(part)
                if file.tell() > most:
                    raise ContainerError(f"the compressed bytes at {at} stand for more than {most} bytes")
        except zlib.error as error:
            raise ContainerError(f"no zlib or gzip that is whole begins at {at}: {error}") from None
        file.flush()
        failing.pop_all()
    return file


def _inflated(data: Any, at: int) -> Iterator[bytes]:
    reader = zlib.decompressobj(zlib.MAX_WBITS | 32)
    while not reader.eof:
        some = bytes(data[at : at + STEP])
        if not some:
            raise zlib.error("the bytes end before the stream does")
        at += len(some)
        yield reader.decompress(some, STEP)
        while reader.unconsumed_tail and not reader.eof:
            yield reader.decompress(reader.unconsumed_tail, STEP)
    while rest := reader.flush(STEP):
        yield rest


class CompoundFile:
    """The streams of an OLE compound file, by the library olefile, the extra [ole].

    data: the bytes of the file. ContainerError if they are not such a file, or damaged; ImportError without the library.
    """

    def __init__(self, data: Any) -> None:
        olefile = import_module("olefile")

        self._size = len(data)
        try:
            self._file: Any = olefile.OleFileIO(io.BytesIO(data) if isinstance(data, bytes) else data)
            self._names = {"/".join(path): path for path in self._file.listdir(streams=True, storages=False)}
        except (OSError, ValueError, IndexError, TypeError, AttributeError, struct.error, RecursionError) as error:
            raise ContainerError(f"a damaged OLE compound file: {error}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the streams, with those of their storages: Storage/Stream."""
        return tuple(self._names)

    def read(self, name: str) -> bytes:
        """The bytes of a stream; ContainerError if there is none of that name, or it is damaged."""
        path = self._names.get(name)
        if path is None:
            few = ", ".join(map(repr, self.names[:20]))
            raise ContainerError(f"there is no stream {name!r}: there are {few or 'none'}")
        try:
            if self._file.get_size(path) > self._size:
                raise ContainerError(f"the stream {name!r} says that it is larger than the file")
            data: bytes = self._file.openstream(path).read()
        except (OSError, ValueError, IndexError, TypeError, AttributeError, struct.error) as error:
            raise ContainerError(f"the stream {name!r} is damaged: {error}") from None
        return data

    def streams(self) -> Iterator[Stream]:
        """Each stream that can be read, and whether it contains archives.

        In a damaged file many streams may claim the same bytes: at most four times the size of the file is looked at.
        """
        left = 4 * self._size
        for name in self.names:
            try:
                data = self.read(name) if left > 0 else b""
            except ContainerError:
                continue
            left -= len(data) + len(name)
            yield _stream(name, data)


def _stream(name: str, data: bytes) -> Stream:
    classes, at = _classes_in(data), None
    if not classes:
        at = find_compressed(data)
        if at is not None:
            try:
                with inflate(data, at, most=MOST_RATIO * len(data)) as file:
                    file.seek(0)
                    classes = sum(_classes_in(part) for part in iter(lambda: file.read(1 << 20), b""))
            except ContainerError:
                pass  # damaged, or very many bytes: the name and the offset still help
    return Stream(name, len(data), classes, at)


def _classes_in(data: bytes) -> int:
    return sum(1 for _ in DESCRIBED.finditer(data))

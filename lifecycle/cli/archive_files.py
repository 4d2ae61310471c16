"""The input of the commands of `lifecycle archive`: a file, a pipe, or a part of a container."""

from __future__ import annotations

import mmap
import os
import shutil
import stat
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import FileIO
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import click

from lifecycle.cli.output import tell

if TYPE_CHECKING:
    from lifecycle.archive.dump.containers import CompoundFile, Stream

STANDARD_INPUT = "-"
Data = bytes | mmap.mmap


@dataclass(frozen=True)
class Opened:
    """The bytes to decode, and where they are from.

    path: the containers from the outermost, in words. streams: those of a compound file. choice: the reason for this one.
    """

    data: Data
    path: tuple[str, ...] = ()
    streams: tuple[Stream, ...] = ()
    choice: str = ""
    warnings: tuple[str, ...] = field(default=())


def opened_bytes(name: str, opened: ExitStack, *, stream: str | None, offset: int | None, inflate: bool) -> Opened:
    """The bytes chosen by the options; exits with code 2 if they cannot be read.

    Without options the contents of a container are used: the stream of a compound file that describes most classes, and
    decompressed data.
    """
    from lifecycle.archive.dump.containers import ContainerError

    data = bytes_of(name, opened)
    try:
        return _within(data, opened, stream, offset, inflate)
    except ContainerError as error:
        raise stopped(f"{name}: {error}") from None


def _within(data: Data, opened: ExitStack, stream: str | None, offset: int | None, inflate: bool) -> Opened:
    from lifecycle.archive.dump.containers import ContainerError, find_compressed, name_of

    path: list[str] = []
    streams: tuple[Stream, ...] = ()
    choice = ""
    kind = name_of(data)
    if kind is not None and (stream is not None or offset is None):
        path.append(kind)
    if kind == "OLE compound file" and (stream is not None or offset is None):
        compound = _compound(data)
        if compound is None:
            choice = 'its streams are not read without olefile: pip install "socket-lifecycle[ole]"'
        else:
            streams = tuple(compound.streams())
            if stream is None and streams:
                best = max(streams, key=lambda each: (each.classes, each.size))
                stream, inflate = best.name, inflate or best.compressed_at is not None
                choice = "the one with the most classes; --stream NAME shows another"
            if stream is not None:
                data = compound.read(stream)
                path.append(f"stream {stream!r}")
    elif stream is not None:
        raise ContainerError("--stream is for OLE compound files, and this is another kind of file")
    elif kind in ("zlib", "gzip") and offset is None:
        inflate = True
    if offset is not None:
        if not 0 <= offset <= len(data):
            raise ContainerError(f"--offset {offset} is not within the {len(data)} bytes")
        data = data[offset:]
        path.append(f"from offset {offset}")
    if inflate:
        at = find_compressed(data)
        if at is None:
            raise ContainerError("no zlib or gzip data begins in the first 256 bytes: use --offset")
        data = _inflated(data, at, opened)
        path.append(f"inflated from offset {at}")
    return Opened(data, tuple(path), streams, choice)


def _compound(data: Data) -> CompoundFile | None:
    from lifecycle.archive.dump.containers import CompoundFile

    try:
        return CompoundFile(bytes(data))
    except ImportError:
        return None


def _inflated(data: Data, at: int, opened: ExitStack) -> Data:
    from lifecycle.archive.dump.containers import inflate

    file = opened.enter_context(inflate(data, at))
    return opened.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if file.seek(0, os.SEEK_END) else b""


def bytes_of(name: str, opened: ExitStack) -> Data:
    """The bytes of a file, without reading them all into memory; exits with code 2 if it cannot be read."""
    try:
        file: IO[bytes] = sys.stdin.buffer if name == STANDARD_INPUT else opened.enter_context(FileIO(name))
        if name == STANDARD_INPUT or not _is_regular(file):
            file = _copy(file, opened)
        if not file.seek(0, os.SEEK_END):
            return b""
        return opened.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise stopped(f"cannot read {name}: {error.strerror}") from None


def stopped(why: str) -> click.exceptions.Exit:
    """Print an error of one line; return the exception that ends the command with code 2."""
    tell(f"Error: {why}")
    return click.exceptions.Exit(2)


def _copy(given: IO[bytes], opened: ExitStack) -> IO[bytes]:
    """A file with all data of a pipe, to map into memory."""
    with ExitStack() as failing:
        file: IO[bytes] = failing.enter_context(TemporaryFile())
        shutil.copyfileobj(given, file)
        file.flush()
        opened.push(failing.pop_all())
    return file


def _is_regular(file: IO[bytes]) -> bool:
    """Whether the file can be mapped into memory; files of /proc have size 0, but are not empty."""
    found = os.fstat(file.fileno())
    return stat.S_ISREG(found.st_mode) and found.st_size > 0

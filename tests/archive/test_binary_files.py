"""An archive over whatever Python calls a binary file: in memory, on disk, compressed, mapped, a process's pipes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from loopback import Background

from lifecycle.archive import DWORD, Archive, CArray, CObArray, CString, Registry, UnreadBytesLost, serializable

COUNT = 500


def numbers_stored(file: Any) -> None:
    """Numbers and strings, more than the buffers of anything hold."""
    with Archive(file, "store") as archive:
        for number in range(COUNT):
            archive << DWORD(number) << CString(f"number {number}")


def numbers_loaded(archive: Archive, numbers: range) -> bool:
    """Whether what comes is what numbers_stored() has stored."""
    return all((archive >> DWORD) == number and (archive >> CString) == f"number {number}" for number in numbers)


def _bytes() -> bytes:
    file = io.BytesIO()
    numbers_stored(file)
    return file.getvalue()


DATA = _bytes()


def _compressed(kind: Callable[[Any], Any], compress: Callable[[bytes], bytes]) -> Any:
    return kind(io.BytesIO(compress(DATA)))


@contextmanager
def _zipped() -> Iterator[Any]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("name", "w") as member:
        numbers_stored(member)
    with zipfile.ZipFile(file) as archive, archive.open("name") as member:
        yield member


@contextmanager
def _on_disk(make: Callable[[], Any]) -> Iterator[Any]:
    with make() as file:
        numbers_stored(file)
        file.seek(0)
        yield file


@contextmanager
def _mapped() -> Iterator[Any]:
    with mmap.mmap(-1, len(DATA)) as file:
        numbers_stored(file)
        file.seek(0)
        yield file


SEEKABLE: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "BytesIO": lambda: io.BytesIO(DATA),
    "gzip": lambda: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(DATA))),
    "bz2": partial(_compressed, bz2.BZ2File, bz2.compress),
    "lzma": partial(_compressed, lzma.LZMAFile, lzma.compress),
    "zipfile": _zipped,
    "disk": lambda: _on_disk(tempfile.TemporaryFile),
    "disk, unbuffered": lambda: _on_disk(partial(tempfile.TemporaryFile, buffering=0)),
    "disk, named": lambda: _on_disk(tempfile.NamedTemporaryFile),
    "spooled": lambda: _on_disk(partial(tempfile.SpooledTemporaryFile, max_size=1000)),
    "mmap": _mapped,
}


@pytest.mark.parametrize("kind", SEEKABLE)
def test_what_was_read_ahead_of_a_file_that_can_seek_is_given_back(kind: str) -> None:
    """One archive takes half, a second one over the same file the other half; flush() alone does it as well."""
    with SEEKABLE[kind]() as file:
        with Archive(file, "load") as archive:
            assert numbers_loaded(archive, range(COUNT // 3))
            archive.flush()
            assert archive.is_buffer_empty
            assert numbers_loaded(archive, range(COUNT // 3, COUNT // 2))
        with Archive(file, "load") as archive:
            assert numbers_loaded(archive, range(COUNT // 2, COUNT))
            assert archive.read(1) == b""


def test_an_archive_over_a_process() -> None:
    """The pipes of a subprocess carry an archive there and back."""
    echo = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    with subprocess.Popen([sys.executable, "-c", echo], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None

        def send() -> None:
            with closing(process.stdin):  # type: ignore[type-var]
                numbers_stored(process.stdin)

        sending = Background(send)
        with Archive(process.stdout, "load") as archive:
            assert numbers_loaded(archive, range(COUNT))
        sending.result()


def test_what_was_read_ahead_of_a_pipe_is_lost_with_a_warning() -> None:
    """A file that cannot take them back: UnreadBytesLost says how many bytes."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as reader, open(writing, "wb", buffering=0) as writer:
        writer.write(bytes(12))
        archive = Archive(reader, "load")
        assert archive >> DWORD == 0
        with pytest.warns(UnreadBytesLost, match="8 bytes"):
            archive.close()


@pytest.mark.parametrize("file", [io.StringIO(), None, "name", b"bytes", 5, object()], ids=lambda file: type(file).__name__)
@pytest.mark.parametrize("mode", ["load", "store"])
def test_what_is_no_binary_file_is_refused(file: Any, mode: Any) -> None:
    """A TypeError at once, which names what is missing."""
    with pytest.raises(TypeError, match="not a binary file"):
        Archive(file, mode)


@pytest.mark.parametrize("name", ["drawing.dat", Path("drawing.dat")], ids=lambda name: type(name).__name__)
@pytest.mark.parametrize(("mode", "remedy"), [("load", "open('drawing.dat', 'rb')"), ("store", "open('drawing.dat', 'wb')")])
def test_name_of_a_file_is_refused_with_how_to_open_it(name: Any, mode: Any, remedy: str) -> None:
    """Where a name is given instead of a file, the error says how to open it."""
    with pytest.raises(TypeError, match=re.escape(remedy)):
        Archive(name, mode)


CLASSES = Registry()
BUFFER = 4096


@serializable("CEntry", registry=CLASSES)
@dataclass
class Entry:
    """A record with a string."""

    number: DWORD
    name: CString


class Watched(io.BytesIO):
    """A file that keeps how much was read of it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[int] = []

    def read1(self, size: int | None = -1, /) -> bytes:
        data = super().read1(size)
        self.reads.append(len(data))
        return data


@pytest.mark.parametrize("kind", [CArray[Entry], CObArray], ids=lambda kind: kind.__name__)
def test_a_long_array_is_read_in_large_pieces_and_no_more_than_a_buffer_beyond_it(kind: Any) -> None:
    """What must come for the elements still missing is asked for at once; of what follows, a buffer at most is taken."""
    entries, file = [Entry(number, f"entry {number}") for number in range(20_000)], Watched()
    with Archive(file, "store", registry=CLASSES) as archive:
        archive << kind(entries)
        end = archive.offset
        archive.write(bytes(10 * BUFFER))
    file.seek(0)
    with Archive(file, "load", registry=CLASSES) as archive:
        assert (archive >> kind) == entries
        assert archive.offset == end
        assert file.tell() - end < BUFFER
        assert len(file.reads) < end / BUFFER / 4
        assert max(file.reads) <= 1 << 16

"""Programs that were tried against the real MFC and real files: each ends as MFC's does, or says why not."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from archive_classes import Age

from lifecycle.archive import (
    BYTE,
    WORD,
    Archive,
    BadClass,
    BadIndex,
    CArray,
    CByteArray,
    CMap,
    CObArray,
    COleVariant,
    EndOfFile,
    GenericError,
    ReadOnly,
    Registry,
    SocketFile,
    WriteOnly,
    serializable,
)
from lifecycle.archive.file import FileOverSocket
from lifecycle.engine import IllegalCall

SMALL = Registry()


@serializable("CSmall", registry=SMALL)
@dataclass
class Small:
    """One byte on the wire."""

    only: BYTE


def loading(data: bytes, **settings: Any) -> Archive:
    return Archive(io.BytesIO(data), "load", **settings)


def described(name: str) -> bytes:
    return struct.pack("<HHH", 0xFFFF, 0, len(name)) + name.encode()


OBJECTS = described("CObArray") + struct.pack("<H", 40000)


def test_a_second_description_of_a_class_is_another_archive() -> None:
    """Numbers of two messages are never mixed: where one archive reads on into the next, the second description is refused."""
    message = bytes.fromhex("ffff 0100 0400 43416765 1500 0000")
    with loading(message + message) as archive:
        assert (archive.read_object(Age), archive.read_object(Age)) == (Age(0x15), None)
        with pytest.raises(BadClass, match=r"CAge for the second time.*one for each message"):
            archive.read_object(Age)


@pytest.mark.parametrize(
    ("data", "ask", "answer"),
    [
        ("ff7f00000000", lambda archive: archive.read_object(), None),
        ("6162630d78797a", lambda archive: (archive.read_string(), archive.read_string()), ("abc", "yz")),
        ("0d", lambda archive: archive.read_string(), None),
    ],
    ids=["NULL in six bytes", "a lone CR", "a lone CR at the end"],
)
def test_small_ones_are_as_in_mfc(data: str, ask: Callable[[Archive], Any], answer: Any) -> None:
    """What the real MFC answers to bytes that it does not write itself."""
    with loading(bytes.fromhex(data), unicode=False) as archive:
        assert ask(archive) == answer


def test_causes_are_those_of_mfc() -> None:
    """The end of the file within a class's name has MFC's badClass; classes in the wrong direction have its generic."""
    with loading(bytes.fromhex("ffff010004004341")) as archive, pytest.raises(EndOfFile) as cut:
        archive.read_object()
    with loading(b"") as archive:
        with pytest.raises(ReadOnly, match="MFC would answer CArchiveException, cause 1") as stored:
            archive.write_class(CByteArray)
        with pytest.raises(ReadOnly, match="cause 2"):
            archive.write(b"x")
    with Archive(io.BytesIO(), "store") as archive, pytest.raises(WriteOnly) as loaded:
        archive.read_class()
    assert [int(each.value.cause) for each in (cut, stored, loaded)] == [6, 1, 1]


def test_a_file_says_what_mfc_does() -> None:
    """The refusals of a socket file name the exception of CSocketFile."""
    error = IllegalCall(SocketFile.role, "attached", "seek", "SocketFile", FileOverSocket.platform_answers)
    assert "MFC would answer CNotSupportedException" in str(error)


def test_by_value_and_by_pointer() -> None:
    """`>>` loads by pointer and says so where there is no tag; a struct needs none, nor does serialize() of a class."""
    data = bytes.fromhex("0700")
    with loading(data) as archive, pytest.raises(BadIndex, match=r"Age without a tag is taken by serialize\(Age\)"):
        archive >> Age
    with loading(data) as archive:
        assert archive.serialize(Age) == Age(7)


@pytest.mark.parametrize("unicode", [False, True])
def test_a_long_line_takes_milliseconds(unicode: bool) -> None:
    """A line of 1 MiB is found by the machine, not character by character: a twentieth of a second is plenty here."""
    line = "x" * (1 << 20)
    data = (line + "\n").encode("utf-16-le" if unicode else "ascii")
    with loading(data, unicode=unicode) as archive:
        began = time.process_time()
        assert archive.read_string() == line
        assert time.process_time() - began < 0.05


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (CArray[Small], bytes(1 << 16)),
        (CArray[CArray[BYTE]], bytes(1 << 16)),
        (CArray[CMap[BYTE, BYTE]], bytes(1 << 16)),
        (CMap[WORD, WORD], b"".join(struct.pack("<HH", n, n ^ 1) for n in range(65000))),
        (CArray[COleVariant], bytes(1 << 16)),
        (
            CObArray,
            described("CObArray") + struct.pack("<H", 40000) + described("CByteArray") + b"\0\0" + b"\3\x80\0\0" * 39999,
        ),
        (CObArray, described("CObArray") + struct.pack("<H", 40000) + described("CSmall") + b"\0" + b"\3\x80\0" * 39999),
    ],
    ids=["records", "lists", "maps", "pairs", "variants", "byte arrays", "objects"],
)
def test_small_values_cost_what_was_sent(kind: Any, data: bytes) -> None:
    """Memory is at most 16 times the bytes and the limit once: small values that would take more are refused by then."""
    count = b"" if data[:2] == b"\xff\xff" else struct.pack("<H", len(data) // (4 if kind is CMap[WORD, WORD] else 2))
    with loading(count + data, limit=1 << 19, registry=SMALL) as archive:
        with pytest.raises(GenericError, match="at most") as refused:
            archive.load(kind)
        assert refused.value.offset < len(data)
    with loading(count + data, limit=1 << 23, registry=SMALL) as archive:
        archive.load(kind)


def test_a_value_that_comes_again_and_again_is_charged_once() -> None:
    """What is taken back for want of bytes is not paid for: a peer that drips is not refused for it."""
    data = struct.pack("<H", 300) + bytes(300)

    class Drips(io.RawIOBase):
        def read1(self, size: int) -> bytes | None:
            self.turn = not getattr(self, "turn", False)
            return source.read(1) if self.turn else None

    source = io.BytesIO(data)
    with Archive(Drips(), "load", limit=1 << 15, registry=SMALL) as archive:
        while True:
            try:
                assert len(archive >> CArray[Small]) == 300
                break
            except BlockingIOError:
                assert source.tell() <= len(data)

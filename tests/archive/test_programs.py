"""Programs that were tried against the real MFC and real files: each ends as MFC's does, or says why not."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
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
    CObList,
    COleVariant,
    CString,
    EndOfFile,
    GenericError,
    ReadOnly,
    Registry,
    SocketFile,
    Traced,
    WriteOnly,
    serializable,
)
from lifecycle.archive.file import FileOverSocket
from lifecycle.engine import IllegalCall

SMALL = Registry()


@serializable("CTrack", registry=SMALL)
@dataclass
class Track:
    """A record that holds objects."""

    name: CString
    others: CObList
    next: Track | None = None


@serializable("CSmall", registry=SMALL)
@dataclass
class Small:
    """One byte on the wire."""

    only: BYTE


@dataclass
class Named:
    """A short string, of which two bytes make a text of 76."""

    name: CString


def loading(data: bytes, **settings: Any) -> Archive:
    return Archive(io.BytesIO(data), "load", **settings)


def described(name: str) -> bytes:
    return struct.pack("<HHH", 0xFFFF, 0, len(name)) + name.encode()


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
        (CArray[CString], b"\1\x80" * 40000),
        (CArray[Named], b"\1\x80" * 20000),
        (CMap[CString, CString], b"".join(b"\3%c\x80\x80\1\x80" % n for n in range(0x80, 0x100)) * 150),
        (
            CObArray,
            described("CObArray") + struct.pack("<H", 40000) + described("CByteArray") + b"\0\0" + b"\3\x80\0\0" * 39999,
        ),
        (CObArray, described("CObArray") + struct.pack("<H", 40000) + described("CSmall") + b"\0" + b"\3\x80\0" * 39999),
    ],
    ids=["records", "lists", "maps", "pairs", "variants", "strings", "named", "texts", "byte arrays", "objects"],
)
def test_small_values_cost_what_was_sent(kind: Any, data: bytes) -> None:
    """Memory is at most 16 times the bytes and a sixteenth of the limit: small values beyond that are refused."""
    size = {CMap[WORD, WORD]: 4, CMap[CString, CString]: 6}.get(kind, 2)
    count = b"" if data[:2] == b"\xff\xff" else struct.pack("<H", len(data) // size)
    with loading(count + data, limit=1 << 19, registry=SMALL) as archive:
        with pytest.raises(GenericError, match="at most") as refused:
            archive.load(kind)
        assert refused.value.offset < len(data)
    with loading(count + data, limit=1 << 27, registry=SMALL) as archive:
        archive.load(kind)


def test_a_million_records_of_one_byte_are_refused_in_time() -> None:
    """They would keep 88 bytes of memory for each byte; they are refused before 16 times the bytes are taken."""
    data = struct.pack("<HI", 0xFFFF, 1 << 20) + bytes(1 << 20)
    tracemalloc.start()
    try:
        with (
            loading(data, registry=SMALL) as archive,
            pytest.raises(GenericError, match="at most 16 times their bytes, and 4194304"),
        ):
            archive >> CArray[Small]
        assert tracemalloc.get_traced_memory()[1] < 16 * len(data)
    finally:
        tracemalloc.stop()


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


def document() -> tuple[Track, bytes]:
    """A track in a track, and its bytes behind a header of 4."""
    track = Track("one", CObList([None, Track("two", CObList([Small(7)]))]))
    file = io.BytesIO(b"head")
    file.seek(4)
    with Archive(file, "store", registry=SMALL) as archive:
        archive << track
    return track, file.getvalue()


def test_an_error_says_in_which_objects_it_is() -> None:
    """Notes name each object, its number, its place in what holds it, and where it began, from the innermost outwards."""
    _, data = document()
    file = io.BytesIO(data[: data.index(b"t\0w\0o\0") + 2])
    file.seek(4)
    with Archive(file, "load", registry=SMALL) as archive, pytest.raises(EndOfFile, match="a string of 3") as cut:
        archive >> Track
    second = data.index(b"\1\x80")
    assert cut.value.__notes__ == [
        f"in CTrack number 3, element 1 of CObList, began at {second}",
        "in CTrack number 2, began at 4",
    ]
    file = io.BytesIO(data.replace(b"CSmall", b"CSmell"))
    file.seek(4)
    with Archive(file, "load", registry=SMALL) as archive, pytest.raises(BadClass) as unknown:
        archive >> Track
    assert unknown.value.__notes__[0].startswith("in element 0 of CObList")


def test_an_archive_lists_what_it_loads_and_stores() -> None:
    """Archive(trace=...) is called with the offset, the type and the value of fields, tags and raw bytes; both ways alike."""
    track, data = document()
    listed: list[list[Traced]] = [[], []]
    file = io.BytesIO(data)
    file.seek(4)
    with Archive(file, "load", registry=SMALL, trace=listed[0].append) as archive:
        loaded = archive >> Track
    copy = io.BytesIO(b"head")
    copy.seek(4)
    with Archive(copy, "store", registry=SMALL, trace=listed[1].append) as archive:
        archive << loaded
    assert (copy.getvalue(), loaded) == (data, track)
    fields = [[each for each in found if each.kind != "tag"] for found in listed]
    assert fields[0] == fields[1]
    assert Traced(data.index(b"\xff\xfe\xff\3t"), "Track.name: CString", "two") in fields[0]
    assert Traced(len(data) - 5, "Small.only: BYTE", 7) in fields[0]
    assert [each.value for each in listed[0] if each.kind == "tag"] == [
        "a new CTrack, number 2", "NULL", "a new CTrack, number 3", "a new CSmall, number 5", "NULL", "NULL",
    ]  # fmt: skip
    with loading(b"ab\n", unicode=False, trace=listed[0].append) as archive:
        archive.read(1)
        archive.read_string()
    assert listed[0][-2:] == [Traced(0, "bytes", b"a"), Traced(1, "line", "b")]

"""Programs that were tried against the real MFC and real files: each ends as MFC's does, or says why not."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from typing import Any

import pytest
from archive_classes import Age
from loopback import client_and_raw_peer

from lifecycle.archive import (
    BYTE,
    DWORD,
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


Many = serializable("CMany", registry=SMALL)(make_dataclass("Many", [(f"small{number}", Small | None) for number in range(20)]))
"""A record of pointers, whose objects take ten times its own memory"""


@dataclass
class Plain:
    """A struct of C++: it has no name for archives."""

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


def test_each_message_of_an_archive_of_its_own_is_loaded() -> None:
    """Three messages that the real MFC sent, an archive each, arrive at once: three archives over the file load them."""
    messages = b"".join(bytes.fromhex("ffff 0100 0400 43416765") + struct.pack("<H", years) for years in (21, 22, 23))
    with client_and_raw_peer(timeout=5) as (client, peer), SocketFile(client) as file:
        peer.sendall(messages)
        found = []
        for _ in range(3):
            with Archive(file, "load") as archive:
                found.append(archive.read_object(Age))
    assert found == [Age(21), Age(22), Age(23)]


@pytest.mark.parametrize("byte", [0x80, 0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xFF])
def test_every_byte_of_a_code_page_is_a_character(byte: int) -> None:
    """The five holes of Python's cp1252 are the control characters that Windows has there, in both directions."""
    data = bytes((1, byte))
    with loading(data) as archive:
        text = archive >> CString
    assert text == {0x80: "\u20ac"}.get(byte, chr(byte))
    with Archive(file := io.BytesIO(), "store", unicode=False) as archive:
        archive << CString(text)
    assert file.getvalue() == data


@pytest.mark.parametrize("kind", [12, 14, 15, 22, 23, 36, 64])
def test_variants_without_a_body_are_their_kind(kind: int) -> None:
    """Of VT_INT, VT_DECIMAL and their like MFC stores and loads the two bytes of the kind alone."""
    data = struct.pack("<HI", kind, 5)
    with loading(data) as archive:
        variant, number = archive >> COleVariant, archive >> DWORD
    assert (variant, number) == (COleVariant(None, kind), 5)
    with Archive(file := io.BytesIO(), "store") as archive:
        archive << variant << DWORD(number)
    assert file.getvalue() == data


def test_a_struct_without_a_name_is_embedded_and_cannot_be_named() -> None:
    """A plain dataclass is loaded by value; bytes that name it as a class are BadClass."""
    with loading(b"\7\1\x80") as archive:
        assert archive.load(Plain) == Plain(7)
    for name in (b"Plain", b"_Plain"):
        with loading(b"\xff\xff\0\0" + struct.pack("<H", len(name)) + name + b"\7") as archive, pytest.raises(BadClass):
            archive.read_object()


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
    with loading(data) as archive, pytest.raises(BadIndex, match=r"Age without a tag is loaded by serialize\(Age\)"):
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
        (CArray[Many], described("CSmall") + b"\0" + b"\1\x80\0" * 39999),
    ],
    ids=["records", "lists", "maps", "pairs", "variants", "strings", "named", "texts", "byte arrays", "objects", "pointers"],
)
def test_small_values_cost_what_was_sent(kind: Any, data: bytes) -> None:
    """Memory is at most 16 times the bytes and an eighth of the limit: small values beyond that are refused."""
    size = {CMap[WORD, WORD]: 4, CMap[CString, CString]: 6, CArray[Many]: 60}.get(kind, 2)
    count = b"" if kind is CObArray else struct.pack("<H", len(data) // size)
    with loading(count + data, limit=1 << 19, registry=SMALL) as archive:
        with pytest.raises(GenericError, match="at most") as refused:
            archive.load(kind)
        assert refused.value.offset < len(data)
    with loading(count + data, limit=1 << 27, registry=SMALL) as archive:
        archive.load(kind)


def test_records_of_one_byte_are_refused_in_time() -> None:
    """They would keep 88 bytes of memory for each byte; they are refused before 16 times the bytes are taken."""
    data = struct.pack("<HI", 0xFFFF, 1 << 18) + bytes(1 << 18)
    tracemalloc.start()
    try:
        with (
            loading(data, registry=SMALL, limit=1 << 24) as archive,
            pytest.raises(GenericError, match="and 2097152 bytes more"),
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
    with Archive(io.BytesIO(), "store", trace=listed[1].append) as archive:
        archive.write(b"a")
    assert listed[1][-1] == Traced(0, "bytes", b"a")


@serializable("CRing", registry=SMALL)
@dataclass
class Ring:
    """A record that refers to itself before its last field."""

    next: Ring | None
    last: WORD


def test_trace_prints_a_record_that_refers_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """`trace=print` shows the reference, which has not all of its fields yet, and later the whole record."""
    ring = Ring(None, 7)
    ring.next = ring
    file = io.BytesIO()
    with Archive(file, "store", registry=SMALL) as archive:
        archive << ring
    file.seek(0)
    with Archive(file, "load", registry=SMALL, trace=print) as archive:
        archive >> Ring
    printed = capsys.readouterr().out.splitlines()
    assert "kind='Ring.next: Ring | None', value=<" in printed[-3]
    assert printed[-1].endswith("value=Ring(next=..., last=7))")

"""Pictures and compressed bytes in an archive, whole and cut, and files that are no archives but contain some."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from archive_samples import JPEG, PLAIN, PNG, ZLIB, described
from compound_files import compound_file

from lifecycle.archive.dump import blobs, containers
from lifecycle.archive.dump.blobs import LEAST, SPARE, Blobs
from lifecycle.archive.dump.containers import CompoundFile, ContainerError, Stream, find_compressed, inflate, name_of

GZIP = bytes.fromhex("1f8b0800000000000003") + ZLIB[2:-4] + struct.pack("<II", zlib.crc32(PLAIN), len(PLAIN))
BLOBS = {"PNG picture": PNG, "JPEG picture": JPEG, "zlib: compressed bytes": ZLIB}


@pytest.mark.parametrize("name", BLOBS)
def test_a_blob_ends_where_its_format_says(name: str) -> None:
    """What begins anywhere is recognised to its last byte, whatever follows; cut anywhere it is not recognised."""
    blob = BLOBS[name]
    for before in (0, 1, 1000):
        data = b"\1" * before + blob + blob[:7]
        assert Blobs(data).end(before) == (name, before + len(blob))
        assert Blobs(memoryview(data)[: before + len(blob)].tobytes()).end(before) == (name, before + len(blob))
    for length in {*range(1, min(len(blob), 300)), *range(300, len(blob), 999), len(blob) - 1}:
        assert Blobs(blob[:length]).end(0) is None, length


def test_the_parts_of_a_png() -> None:
    """Each part has four letters and lies within the bytes; any number of them may come before the last."""
    head, last = PNG[:8], bytes(4) + b"IEND" + bytes(4)
    for kind, is_part in ((b"abcd", True), (b"ABZz", True), (b"ab1d", False), (b"ab d", False), (b"\xe9bcd", False)):
        data = head + (struct.pack(">I", 3) + kind + b"123" + bytes(4)) * 3 + last
        assert Blobs(data).end(0) == (("PNG picture", len(data)) if is_part else None)
    for size, fits in ((12, True), (13, False)):  # the last part may have bytes, too
        assert Blobs(head + struct.pack(">I", size) + b"IEND" + bytes(16)).end(0) == (("PNG picture", 32) if fits else None)


def test_the_parts_of_a_jpeg() -> None:
    """Parts follow each other by their lengths up to the picture, which ends at its mark; any other byte ends the search."""
    head, picture = b"\xff\xd8", b"\xff\xda\0\2" + b"\1\2\3" + b"\xff\xd9"
    for length in (2, 3, 255, 256, 257, 0x1234):
        data = head + b"\xff\xe0" + struct.pack(">H", length) + bytes(length - 2) + picture
        assert Blobs(data + b"\xff\xd9").end(0) == ("JPEG picture", len(data))
    assert Blobs(head + b"\xff\xe0\0\3" + picture).end(0) is None
    assert Blobs(head + b"\xfe\xe0\0\2" + picture).end(0) is None


def test_many_beginnings_of_a_jpeg_are_searched_once() -> None:
    """Behind a picture that has no end no other one is searched for; one before it may still have its end."""
    whole = b"\xff\xd8\xff\xda\0\2\1\xff\xd9"
    found = Blobs(whole + b"\xff\xd8\xff\xda\0\2\1")
    assert [found.end(at) for at in (9, 9, 0)] == [None, None, ("JPEG picture", 9)]


@pytest.mark.parametrize(("size", "is_found"), [(LEAST - 1, False), (LEAST, True), (LEAST + 1, True)])
def test_short_compressed_bytes_may_be_by_chance(size: int, is_found: bool) -> None:
    """A stream of zlib counts from 32 bytes on."""
    plain = bytes(size - 11)
    data = (
        b"\x78\x01\x01" + struct.pack("<HH", len(plain), ~len(plain) & 0xFFFF) + plain + struct.pack(">I", zlib.adler32(plain))
    )
    assert len(data) == size
    assert Blobs(data).end(0) == (("zlib: compressed bytes", size) if is_found else None)
    assert LEAST == 32


def test_vain_attempts_at_compressed_bytes_are_bounded() -> None:
    """Compressed bytes are decompressed twice their length and a megabyte in all; then no other ones are found."""
    large = zlib.compress(bytes(1 << 20), 1)
    found = Blobs(large)
    times = next(number for number in range(1000) if found.end(0) is None)
    assert times == (2 * len(large) + SPARE) // ((1 << 17) + 64) + 1
    assert (SPARE, blobs.STEP) == (1 << 20, 1 << 14)


NAMED = {
    "OLE compound file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "gzip": GZIP,
    "ZIP archive: unpack it first": b"PK\x03\x04",
    "PNG picture": PNG,
    "JPEG picture": JPEG,
    "PDF document": b"%PDF-1.7",
    "SQLite database": b"SQLite format 3\0",
    "XML": b"<?xml version='1.0'?>",
    "zlib": ZLIB,
    "text: read it line by line, by read_string()": b"Lines\r\nof\ttext ~\n",
}


@pytest.mark.parametrize("name", NAMED)
def test_other_files_are_named(name: str) -> None:
    """A file of another kind is named by its beginning; what comes before it makes it an archive."""
    assert name_of(NAMED[name]) == name
    assert name_of(b"\x01" + NAMED[name]) is None


@pytest.mark.parametrize("data", [b"", b"\x78\x9c not zlib", b"text\x7f", b"text\x1f", described("CAge"), b"a" * 4095 + b"\0"])
def test_what_may_be_an_archive_has_no_name(data: bytes) -> None:
    """An empty file, a description of a class and one byte that is no text among the first 4096 may be an archive."""
    assert name_of(data) is None


def test_the_first_4096_bytes_tell_text() -> None:
    """Other bytes behind those do not count."""
    assert name_of(b"a" * 4096 + b"\0") == "text: read it line by line, by read_string()"


@pytest.mark.parametrize("packed", [ZLIB, GZIP], ids=["zlib", "gzip"])
def test_compressed_bytes_are_found_near_the_beginning(packed: bytes) -> None:
    """Up to 256 bytes from the beginning, or as far as is asked for, behind what only looks like them; their bytes come out."""
    for at in (0, 1, 17, 256):
        data = b"\x78\x9c"[: at // 8].ljust(at, b"\1") + packed
        assert find_compressed(data) == at
        with inflate(data, at) as file:
            file.seek(0)
            assert file.read() == PLAIN
    assert find_compressed(b"\1" * 257 + packed) is None
    assert [find_compressed(b"\1" * 5 + packed, farthest=farthest) for farthest in (4, 5)] == [None, 5]
    assert find_compressed(b"\x78\x9c\xff" * 100) is None
    assert find_compressed(zlib.compress(b"")) == 0


def test_compressed_bytes_that_are_not_whole_or_too_many() -> None:
    """Cut bytes, other bytes and more than the limit are errors that say where; as many as the limit are not."""
    for data in (ZLIB[:-1], ZLIB[:3], b"\x78\x9cother bytes", b""):
        with pytest.raises(ContainerError, match="no zlib or gzip that is whole begins at 1: "):
            inflate(b"\1" + data, 1)
    with inflate(ZLIB, 0, most=len(PLAIN)) as file:
        assert file.tell() == len(PLAIN)
    with pytest.raises(ContainerError, match=f"the compressed bytes at 0 stand for more than {len(PLAIN) - 1} bytes"):
        inflate(ZLIB, 0, most=len(PLAIN) - 1)
    large = zlib.compress(bytes(1 << 20))
    with inflate(large, 0) as file:
        assert file.tell() == 1 << 20
    assert (containers.MOST_INFLATED, containers.MOST_RATIO) == (1 << 28, 64)


def test_the_streams_of_a_compound_file() -> None:
    """Each stream has its size and its descriptions of classes, or those in compressed bytes and where these begin."""
    three = described("CAge") * 3
    streams = {
        "Contents": three,
        "Packed": bytes(16) + zlib.compress(three * 100),
        "Damaged": bytes(9) + zlib.compress(b"".join(struct.pack("<I", each * each) for each in range(2000)))[:-200],
        "Very many": zlib.compress(bytes(1 << 20)),
        "Other": b"\1" * 5000,
    }
    file = CompoundFile(compound_file(streams))
    assert file.names == tuple(sorted(streams))
    assert sorted(file.streams(), key=lambda each: [*streams].index(each.name)) == [
        Stream("Contents", 4096, 3), Stream("Packed", 4096, 300, 16), Stream("Damaged", len(file.read("Damaged")), 0, 9),
        Stream("Very many", 4096, 0, 0), Stream("Other", 5000, 0),
    ]  # fmt: skip
    assert file.read("Other") == b"\1" * 5000
    with pytest.raises(ContainerError, match=r"there is no stream 'None': there are 'Contents', .*, 'Very many'$"):
        file.read("None")


def test_the_first_twenty_streams_are_listed() -> None:
    """The error for a stream that is not there names twenty of the others, or says that there are none."""
    with pytest.raises(ContainerError) as caught:
        CompoundFile(compound_file({f"S{number}": b"" for number in range(10)} | {f"T{n}": b"" for n in range(12)})).read("X")
    assert str(caught.value).endswith("'T6', 'T7'")
    with pytest.raises(ContainerError, match="there is no stream 'X': there are none"):
        CompoundFile(compound_file({})).read("X")


def test_what_is_not_a_compound_file() -> None:
    """Other bytes, and a file that is cut, are errors of a container."""
    whole = compound_file({"Contents": bytes(5000)})
    for data in (b"", b"no compound file", whole[:100], whole[:512]):
        with pytest.raises(ContainerError, match="a damaged OLE compound file"):
            CompoundFile(data)
    assert CompoundFile(io.BytesIO(whole).getvalue()).names == ("Contents",)

"""Archives within other files: compound files, gzip, zlib behind a header; damaged ones raise one error and cost little."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from compound_files import compound_file

from lifecycle.archive.dump.containers import CompoundFile, ContainerError, find_compressed, inflate, name_of

OBJECTS = bytes.fromhex("ffff0100040043416765150001801600020000000300")
COMPOUND = compound_file({"Notes": b"some words", "Contents": OBJECTS, "Data": bytes(16) + zlib.compress(OBJECTS * 20)})


def test_a_compound_file_has_streams() -> None:
    """Each stream comes with its size, the classes that it describes, and where compressed bytes begin in it."""
    assert name_of(COMPOUND) == "OLE compound file"
    compound = CompoundFile(COMPOUND)
    assert {each.name: (each.size, each.classes, each.compressed_at) for each in compound.streams()} == {
        "Notes": (4096, 0, None),
        "Contents": (4096, 1, None),
        "Data": (4096, 20, 16),
    }
    assert compound.read("Contents").startswith(OBJECTS)
    with pytest.raises(ContainerError, match="no stream 'Content': there are 'Contents', 'Data', 'Notes'"):
        compound.read("Content")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(OBJECTS, mtime=0), "gzip"),
        (zlib.compress(OBJECTS), "zlib"),
        (b"41 1 2\n38 1\n", "text: read it line by line, by read_string()"),
        (b"PK\x03\x04....", "ZIP archive: unpack it first"),
        (OBJECTS, None),
        (b"", None),
        (b"x\x9c", None),
    ],
)
def test_files_have_names(data: bytes, name: str | None) -> None:
    """What begins as a known kind of file does has that kind's name; an archive has none."""
    assert name_of(data) == name


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_bytes_are_found_behind_a_header(pack: object) -> None:
    """zlib and gzip are found behind a header, and inflated to their end though other bytes follow."""
    assert callable(pack)
    data = b"\x78\x9c\x00\x01" * 4 + pack(OBJECTS * 5000) + b"behind"
    assert find_compressed(data) == 16
    with inflate(data, 16) as file:
        file.seek(0)
        assert file.read() == OBJECTS * 5000


def test_few_bytes_do_not_become_very_many() -> None:
    """Inflating ends with an error where it gives more than the limit, and where the bytes are cut or damaged."""
    data = zlib.compress(bytes(1 << 22))
    with pytest.raises(ContainerError, match="more than 1048576 bytes"):
        inflate(data, 0, most=1 << 20)
    with pytest.raises(ContainerError, match="the bytes end before"):
        inflate(data[:-9], 0)
    with pytest.raises(ContainerError, match="that is whole begins at 0"):
        inflate(b"\x78\x9c" + bytes(range(99)), 0)


def test_damaged_compound_files_raise_one_error() -> None:
    """Whatever a byte of the header, the table or the directory becomes, the streams are read or ContainerError is raised."""
    chance = random.Random(5)
    for _ in range(150):
        damaged = bytearray(COMPOUND)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.choice((chance.randrange(1024), chance.randrange(len(damaged) - 1024, len(damaged))))] = (
                chance.choice((0, 1, 255, chance.randrange(256)))
            )
        try:
            for stream in CompoundFile(bytes(damaged)).streams():
                assert stream.size <= len(damaged)
        except ContainerError:
            continue

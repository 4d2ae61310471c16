"""Writes OLE compound files (version 3, sectors of 512 bytes), to try on them what reads them."""

from __future__ import annotations

import struct

SECTOR = 512
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
LEAST = 4096
"""A smaller stream would lie in the file's mini stream, which is not written here."""


def compound_file(streams: dict[str, bytes]) -> bytes:
    """A compound file of those streams, each filled up with zeros to LEAST bytes."""
    table, sectors, entries = [FAT, FAT], [b"", b""], [_entry("Root Entry", 5, 1 if streams else FREE, END, 0)]
    for number, (name, given) in enumerate(streams.items(), 1):
        content = given.ljust(LEAST, b"\0")
        first, count = len(sectors), -(-len(content) // SECTOR)
        sectors += [content[at * SECTOR : (at + 1) * SECTOR].ljust(SECTOR, b"\0") for at in range(count)]
        table += [*range(first + 1, first + count), END]
        entries.append(_entry(name, 2, FREE, first, len(content), right=number + 1 if number < len(streams) else FREE))
    directory = b"".join(entries)
    first, count = len(sectors), -(-len(directory) // SECTOR)
    sectors += [directory[at * SECTOR : (at + 1) * SECTOR].ljust(SECTOR, b"\0") for at in range(count)]
    table += [*range(first + 1, first + count), END]
    fat = struct.pack("<256I", *table, *[FREE] * (256 - len(table)))
    sectors[:2] = fat[:SECTOR], fat[SECTOR:]
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIIII", 0, 2, first, 0, LEAST, END, 0, END, 0, 0) + struct.pack("<I", 1)
    return head + struct.pack("<I", FREE) * 107 + b"".join(sectors)


def _entry(name: str, kind: int, child: int, first: int, size: int, right: int = FREE) -> bytes:
    title = name.encode("utf-16-le") + b"\0\0"
    return title.ljust(64, b"\0") + struct.pack("<HBBIII", len(title), kind, 1, FREE, right, child) + bytes(36) + struct.pack(
        "<IQ", first, size
    )  # fmt: skip

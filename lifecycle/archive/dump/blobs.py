"""Pictures and compressed data in an archive: they end where their own format says, and contain no tags."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any

PNG = b"\x89PNG\r\n\x1a\n"
START = rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff[\xc0-\xfe]|\x78[\x01\x5e\x9c\xda]"

STEP = 1 << 14
LEAST = 32
"""The minimum length of compressed data that is recognised, in bytes."""

SPARE = 1 << 20
_CHUNK = re.compile(rb"[A-Za-z]{4}")


class Blobs:
    """Finds where a picture or compressed data ends; vain attempts cost time in proportion to the bytes."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._left = 2 * len(data) + SPARE
        self._no_jpeg_from = len(data)

    def end(self, at: int) -> tuple[str, int] | None:
        """What begins there, and where it ends; None if nothing does."""
        first = self._data[at]
        if first == PNG[0]:
            return self._png(at)
        return self._jpeg(at) if first == 0xFF else self._zlib(at)

    def _png(self, at: int) -> tuple[str, int] | None:
        place = at + len(PNG)
        while place + 12 <= len(self._data):
            (length,) = struct.unpack_from(">I", self._data, place)
            kind = self._data[place + 4 : place + 8]
            place += 12 + length
            if not _CHUNK.fullmatch(kind) or place > len(self._data):
                return None
            if kind == b"IEND":
                return "PNG picture", place
        return None

    def _jpeg(self, at: int) -> tuple[str, int] | None:
        if at >= self._no_jpeg_from:
            return None
        place = at + 2
        while place + 4 <= len(self._data) and self._data[place] == 0xFF:
            kind, length = self._data[place + 1], int.from_bytes(self._data[place + 2 : place + 4], "big")
            place += 2 + length
            if kind == 0xDA:  # the picture itself, up to the end's mark
                end = self._data.find(b"\xff\xd9", place)
                if end < 0:
                    self._no_jpeg_from = min(self._no_jpeg_from, at)
                return ("JPEG picture", end + 2) if end >= 0 else None
        return None

    def _zlib(self, at: int) -> tuple[str, int] | None:
        reader, place = zlib.decompressobj(), at
        try:
            while not reader.eof and place < len(self._data) and self._left > 0:
                some = bytes(self._data[place : place + STEP])
                place += len(some)
                self._left -= len(some) if place > at + STEP else 64
                while some and not reader.eof:
                    self._left -= len(reader.decompress(some, STEP)) >> 3
                    some = reader.unconsumed_tail
        except zlib.error:
            return None
        end = place - len(reader.unused_data)
        return ("zlib: compressed bytes", end) if reader.eof and end - at >= LEAST else None

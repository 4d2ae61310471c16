"""Windows' single-byte code pages as on Windows, where every byte has a character; Python's codecs have gaps.

A gap below 0xA0 is the control character of that number, for instance 0x81 in cp1252; the others are where WideCharToMultiByte
and MultiByteToWideChar have them, mostly in the private use area. (Measured of cp1252 with MFC 9 and 14; the others are as
in the mapping tables that Microsoft published as bestfit1253.txt and so on.)
"""

from __future__ import annotations

import codecs
from functools import cache
from typing import Any

PREFIX = "lifecycle_windows_"

FIRST_PRINTABLE = 0xA0

_ELSEWHERE: dict[str, dict[int, int]] = {
    "cp874": {0xDB: 0xF8C1, 0xDC: 0xF8C2, 0xDD: 0xF8C3, 0xDE: 0xF8C4, 0xFC: 0xF8C5, 0xFD: 0xF8C6, 0xFE: 0xF8C7, 0xFF: 0xF8C8},
    "cp1250": {},
    "cp1251": {},
    "cp1252": {},
    "cp1253": {0xAA: 0xF8F9, 0xD2: 0xF8FA, 0xFF: 0xF8FB},
    "cp1254": {},
    "cp1255": {
        0xCA: 0x05BA, 0xD9: 0xF88D, 0xDA: 0xF88E, 0xDB: 0xF88F, 0xDC: 0xF890, 0xDD: 0xF891, 0xDE: 0xF892, 0xDF: 0xF893,
        0xFB: 0xF894, 0xFC: 0xF895, 0xFF: 0xF896,
    },
    "cp1256": {},
    "cp1257": {0xA1: 0xF8FC, 0xA5: 0xF8FD},
    "cp1258": {},
}  # fmt: skip
"""Code page -> the characters that Python's codec lacks, for bytes from 0xA0 on."""


def codec_of(encoding: str) -> str:
    """The name of a code page's codec, for str.encode() and bytes.decode(); LookupError if it does not exist."""
    name = codecs.lookup(encoding).name
    return PREFIX + name if name in _ELSEWHERE else encoding


@cache
def _codec(name: str) -> codecs.CodecInfo | None:
    if not name.startswith(PREFIX):
        return None
    page = name.removeprefix(PREFIX)
    table: Any = "".join(_character(page, byte) for byte in range(256))
    mapping = codecs.charmap_build(table)

    def encode(text: str, errors: str = "strict", /) -> tuple[bytes, int]:
        return codecs.charmap_encode(text, errors, mapping)

    def decode(data: Any, errors: str = "strict", /) -> tuple[str, int]:
        return codecs.charmap_decode(data, errors, table)

    return codecs.CodecInfo(encode, decode, name=page)


def _character(page: str, byte: int) -> str:
    try:
        return bytes((byte,)).decode(page)
    except UnicodeDecodeError:
        return chr(byte if byte < FIRST_PRINTABLE else _ELSEWHERE[page][byte])


codecs.register(_codec)

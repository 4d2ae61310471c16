"""How the agents print bytes and text, done in Python so that answers can be compared as text."""

from __future__ import annotations

import struct
from functools import cache

LONGEST = 4096  # longer bytes are printed as their head, their number and their hash


@cache
def fnv(data: bytes) -> int:
    """The 64-bit FNV-1a hash."""
    found = 14695981039346656037
    for byte in data:
        found = ((found ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return found


def blob(content: bytes | bytearray) -> str:
    """Bytes as the agents print them."""
    data = bytes(content)
    if len(data) <= LONGEST:
        return data.hex()
    return f"{data[:64].hex()}~{len(data)}~{fnv(data).to_bytes(8, 'little').hex()}"


def utf16(text: str) -> str:
    """The hex text of UTF-16, lone surrogates included."""
    return text.encode("utf-16-le", "surrogatepass").hex()


def build_text(text: str, unicode: bool) -> str:
    """The hex text of a CString of that build."""
    return utf16(text) if unicode else text.encode("cp1252").hex()


def wide(text: str) -> str:
    """A CStringW as the agents print it."""
    return "w:" + blob(text.encode("utf-16-le", "surrogatepass"))


def narrow(text: str) -> str:
    """A CStringA as the agents print it."""
    return "a:" + blob(ansi(text))


def ansi(text: str) -> bytes:
    """Text in code page 1252 as WideCharToMultiByte writes it: a "?" for each UTF-16 unit that has no character there."""
    units = text.encode("utf-16-le", "surrogatepass")
    found = bytearray()
    for (unit,) in struct.iter_unpack("<H", units):
        try:
            found += chr(unit).encode("cp1252")
        except UnicodeEncodeError:
            found.append(unit if unit < 256 else ord("?"))
    return bytes(found)

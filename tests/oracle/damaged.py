"""Bytes to load: canonical, long-winded, cut at every place, with every bad tag, schema and name."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Bytes and the tokens by which they are loaded."""

    name: str
    data: bytes
    tokens: str


def word(number: int) -> bytes:
    """A WORD."""
    return struct.pack("<H", number)


def dword(number: int) -> bytes:
    """A DWORD."""
    return struct.pack("<I", number)


def qword(number: int) -> bytes:
    """A QWORD."""
    return struct.pack("<Q", number)


MARK = b"\xff\xfe\xff"
AGE = bytes.fromhex("ffff01000400434167651500")
PLACES = 60  # at most so many cuts of one stream


def new_class(name: bytes, schema: int) -> bytes:
    """The tag of a new class."""
    return b"\xff\xff" + word(schema) + word(len(name)) + name


def cuts(name: str, data: bytes, tokens: str) -> Iterator[Load]:
    """The whole, with more behind it, and cut at every place."""
    yield Load(name, data, tokens)
    yield Load(f"{name}, more behind", data + b"zz", tokens)
    for end in range(0, len(data), max(1, len(data) // PLACES)):
        yield Load(f"{name}, cut", data[:end], tokens)


def strings() -> Iterator[Load]:
    """Every form of a length, canonical or not; marks, code page, claims."""
    text, wide_text = bytes(range(32, 127)) * 4, ("x" * 400).encode("utf-16-le")
    for kind in ("sw", "sa"):
        for n in (0, 1, 3, 254, 255, 300):
            forms = {"WORD": b"\xff" + word(n), "DWORD": b"\xff" * 3 + dword(n), "QWORD": b"\xff" * 7 + qword(n)}
            if n < 255:
                forms["BYTE"] = bytes((n,))
            for form, length in forms.items():
                yield from cuts(f"{kind} ANSI, {form}", length + text[:n], kind)
                yield from cuts(f"{kind} Unicode, {form}", MARK + length + wide_text[: 2 * n], kind)
        yield Load(f"{kind} two marks", MARK * 2 + b"\1a", kind)
        yield Load(f"{kind} 65534 units", MARK + b"\xff\xff\xff" + dword(65534) + b"y\0" * 65534, kind)
        for byte in range(0x80, 0x100):
            yield Load(f"{kind} code page", bytes((1, byte)), kind)
        for name, units in (
            ("lone surrogate", "00d8"),
            ("pair", "3dd800de"),
            ("NULs", "610000006200"),
            ("not in cp1252", "1604"),
        ):
            content = bytes.fromhex(units)
            yield Load(f"{kind} {name}", MARK + bytes((len(content) // 2,)) + content, kind)
        for claim in (0x7FFFFFFF, 0x80000000, 0xFFFFFFFE):
            yield Load(f"{kind} claims {claim:#x}", b"\xff" * 3 + dword(claim) + b"abc", kind)
        for claim in (0xFFFFFFFF, 2**32, 2**63, 2**64 - 1):
            yield Load(f"{kind} claims {claim:#x}", b"\xff" * 7 + qword(claim) + b"abc", kind)


def values() -> Iterator[Load]:
    """Counts, times, currencies, variants and BSTRs."""
    for n in (0, 1, 0xFFFE):
        yield from cuts("ReadCount", word(n), "cnt")
    for n in (0, 5, 0xFFFF, 0xFFFFFFFE):
        yield from cuts("ReadCount", b"\xff\xff" + dword(n), "cnt")
    for n in (0, 1, 0x5D960A1B, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x80000009):
        yield from cuts("CTime", dword(n), "t")
        yield from cuts("CTimeSpan", dword(n), "ts")
    for n in (0, 0x5D960A1B, 2**63, 2**64 - 1):
        yield from cuts("CTime, 64 bits", dword(0x8000000A) + qword(n), "t")
        yield from cuts("CTime::Serialize64", qword(n), "t64")
        yield from cuts("CTimeSpan::Serialize64", qword(n), "ts64")
    for status in (0, 1, 2, 3, 0xFFFFFFFF):
        for days in (0.0, 36526.5, -1.25, 1e300, float("inf")):
            yield from cuts("COleDateTime", dword(status) + struct.pack("<d", days), "od")
            yield from cuts("COleDateTimeSpan", dword(status) + struct.pack("<d", days), "os")
        for high, low in ((0, 10000), (0xFFFFFFFF, 0xFFFFFFF0), (0x80000000, 0)):
            yield from cuts("COleCurrency", dword(status) + dword(high) + dword(low), "cy")
    for kind in [*range(24), 36, 64, 0x2003, 0x4003, 0x6003, 0x8000, 0xFFFF]:
        yield from cuts(f"COleVariant {kind}", word(kind) + (b"\xff\xff" if kind == 11 else bytes(range(1, 17))), "v")
    for n in (0, 1, 2, 3, 5, 100):
        yield from cuts("COleVariant BSTR", word(8) + dword(n) + (b"a\0" * 60)[:n], "v")
        yield from cuts("CComBSTR", dword(n) + b"a\0" * n, "bs")
    for n in (0x7FFFFFFF, 0xFFFFFFFF, 0x10000000):
        yield Load("COleVariant BSTR claims", word(8) + dword(n) + b"abc", "v")
        yield Load("CComBSTR claims", dword(n) + b"abc", "bs")


def lines(unicode: bool) -> Iterator[Load]:
    """ReadString in both forms."""
    encoding = "utf-16-le" if unicode else "cp1252"
    for text in ("", "abc", "abc\n", "abc\r\n", "abc\rxyz", "a\n\nb\n", "\n", "\r", "\r\n", "\r\r\n\n", "abc\n\r", "a\0b\nc"):
        for tokens in ("rs", "rs rs", "rs rs rs rs", "rsn:3", "rsn:4 rs", "rsn:5 rsn:5", "rsn:100 rsn:100"):
            yield Load(f"ReadString {tokens}", text.encode(encoding), tokens)
    for n in (100, 127, 129, 4096, 5000):
        yield Load("ReadString, long", ("x" * n + "\n" + "y" * n).encode(encoding), "rs rs rs")
    for n in (0, 1, 5, 6, 5000):
        yield Load("Read", b"abcde", f"raw:{n} raw:1")
        yield Load("Read, long", b"x" * 9000, f"raw:{n} raw:{n} raw:9000")


def collections() -> Iterator[Load]:
    """Collections with every form of count, maps with one key twice."""
    texts = bytes.fromhex("016100fffeff016200")
    kinds = {"ba": b"\1\2\3", "wa": word(1) + word(2) + word(3), "da": dword(1) + dword(2) + dword(3), "aw": texts, "lw": texts}
    for kind, body in kinds.items():
        for number in (word(3), b"\xff\xff" + dword(3), b"\xff" * 6 + qword(3)):
            yield from cuts(f"in:{kind}", number + body, f"in:{kind}")
        for claim in (2**40, 2**63, 2**64 - 1):
            yield Load(f"in:{kind} claims", b"\xff" * 6 + qword(claim) + body, f"in:{kind}")
    yield from cuts("in:mss, one key twice", word(3) + bytes.fromhex("016b0176016b0177fffeff016b000178"), "in:mss")
    yield from cuts("in:mso", word(1) + b"\1k" + word(0), "in:mso")
    yield from cuts("in:mwo, one key twice", word(2) + word(5) + word(0) + word(5) + AGE, "in:mwo")
    members = word(4) + AGE + bytes.fromhex("0000018016000200")
    yield from cuts("in:oa", members, "in:oa")
    yield from cuts("in:ol", members, "in:ol")


TAILS = (
    "", "0000", "0100", "0200", "0300", "0080", "01801600", "02801600", "03801600", "ff7f00000000", "ff7f01000000",
    "ff7f02000000",
    "ff7f010000801600", "ff7f020000801600", "ff7f000000801600", "ff7f03000000", "ff7fffffff7f", "ff7fffffffff", "ff7ffeffff3f",
    "fe7f", "feff", "ffff01000400434167651700", "0180160003000400",
)  # fmt: skip
"""Tags after an object of class 1: null, references that fit and do not, classes that are there and not, both sizes."""

NAMES = (
    (b"CAge", 1), (b"CAge", 0), (b"CAge", 2), (b"CAge", 0xFFFF), (b"CPerson", 3), (b"CPerson", 0xFFFE), (b"CNone", 1), (b"", 1),
    (b"CAge\0x", 1), (b"cage", 1), (b"C" * 62, 1), (b"C" * 63, 1), (b"C" * 64, 1), (b"C" * 300, 1), (b"CObject", 0),
    (b"CByteArray", 0), (b"CByteArray", 1), (b"CObList", 0), (b"CMapStringToString", 0), (b"\xe4", 1),
)  # fmt: skip


def objects() -> Iterator[Load]:
    """Tags, classes, schemas, graphs, and numbers around the six-byte tags."""
    for tokens in ("o", "o:0", "o:1", "o o", "o:0 o:1", "o o:0 o:1 o:2"):
        for tail in TAILS:
            yield Load(f"object, then {tail}", AGE + bytes.fromhex(tail), tokens)
            yield Load(f"first {tail}", bytes.fromhex(tail), tokens)
    for name, schema in NAMES:
        for tokens in ("o", "o:0", "o:1"):
            yield from cuts(
                f"class {name[:12]!r} {schema}", new_class(name, schema) + bytes.fromhex("0161090000000000"), tokens
            )
        for tokens in ("rc", "rc:0", "rc rc", "sc:0", "sc:1"):
            yield Load(f"class {name[:12]!r} {schema}", new_class(name, schema) + bytes.fromhex("01800180"), tokens)
    body = bytes.fromhex
    yield from cuts("person", new_class(b"CPerson", 3) + body("fffeff0241006c000900"), "o schema")
    yield from cuts("another schema", new_class(b"CPerson", 9) + body("02416c0900018001410700"), "o o schema")
    yield from cuts("node of itself", new_class(b"CNode", 0) + word(2), "o o")
    yield from cuts("node of node", new_class(b"CNode", 0) + body("018001800000"), "o")
    yield from cuts("node refers ahead", new_class(b"CNode", 0) + word(3), "o")
    yield from cuts("two", new_class(b"CTwo", 7) + body("0180000002000300"), "o")
    yield from cuts("list by pointer, twice", new_class(b"CObList", 0) + word(2) + AGE + body("04000200"), "o o")
    yield from cuts("array within itself", new_class(b"CObArray", 0) + body("020002000000"), "o")
    yield from cuts("map", new_class(b"CMapStringToOb", 0) + body("0100016b") + AGE, "o")
    for number in (0x7FFC, 0x7FFD, 0x7FFE, 0x7FFF, 0x8000):
        many = new_class(b"CEmpty", 0) + body("0180") * (number - 1)
        for tail in ("fe7f", "ff7fff7f0000", "ff7f00800000", "ff7ffe7f0000", "ff7f01000080", "0180"):
            yield Load(f"after {number} objects {tail}", many + body(tail), f"skip:{number} o")


def views(unicode: bool) -> Iterator[Load]:
    """The text of a CEditView with its count."""
    for text in ("", "ab", "a\r\nb"):
        content = text.encode("utf-16-le" if unicode else "cp1252")
        yield Load(f"CEditView {text!r}", dword(len(text)) + content, "ev")


def loads(unicode: bool) -> list[Load]:
    """Everything, for a build."""
    return [*strings(), *values(), *lines(unicode), *collections(), *objects(), *views(unicode)]

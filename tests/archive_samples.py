"""Small archives to look at as a whole: what the dump recognises, at its bounds, and damaged forms of one archive."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from lifecycle.archive import (
    DOUBLE,
    DWORD,
    WORD,
    Archive,
    CByteArray,
    CDWordArray,
    CMapStringToOb,
    CMapStringToString,
    CMapWordToOb,
    CObArray,
    CObList,
    CString,
    CStringArray,
    CStringList,
    CTime,
    CWordArray,
    Registry,
    serializable,
)

MFC = {path.stem: path.read_bytes() for path in sorted((Path(__file__).parent / "oracle" / "golden").glob("*.mfc"))}
"""What the real MFC wrote"""

CLASSES = Registry()
MARK = b"\xff\xfe\xff"


@serializable("CPart", 2, registry=CLASSES)
@dataclass
class Part:
    number: DWORD
    layer: WORD
    width: DOUBLE
    name: CString


def described(name: str | bytes, schema: int = 0) -> bytes:
    """The description of a class."""
    text = name.encode("latin-1") if isinstance(name, str) else name
    return struct.pack("<HHH", 0xFFFF, schema, len(text)) + text


def tag(number: int) -> bytes:
    """The tag of a further object of the class with that number."""
    return struct.pack("<H", 0x8000 | number)


def wide(text: str) -> bytes:
    """A Unicode string with its mark; at most 254 characters."""
    data = text.encode("utf-16-le", "surrogatepass")
    return MARK + bytes((len(data) // 2,)) + data


def one_of_each(*, unicode: bool) -> bytes:
    """An archive with each of the collections, objects of a class within some of them, a time and strings."""
    file = io.BytesIO()
    parts = [Part(number * 1000, 7, number + 0.25, f"part {number}") for number in range(4)]
    with Archive(file, "store", registry=CLASSES, unicode=unicode) as archive:
        archive << DWORD(12345) << CString("A drawing of four parts")
        for each in (
            CByteArray(b"abc"), CWordArray([1, 0x203]), CDWordArray([70000]), CStringArray(["one", ""]), CStringList(["two"]),
            CMapStringToString({"key": "value"}), CObArray([parts[0], None, parts[1], parts[0]]), CObList(parts[2:]),
            CMapStringToOb({"first": parts[0], "none": None}), CMapWordToOb({5: parts[3], 6: None}),
        ):  # fmt: skip
            archive.write_object(each)
        archive.store(CTime, CTime(1_570_114_075))
        archive.write_object(parts[1])
    return file.getvalue()


def damaged(data: bytes, count: int) -> Iterator[bytes]:
    """Copies of the bytes with one to three changes, always the same: other bytes, missing and repeated ones."""
    for number in range(count):
        random, changed = Random(number), bytearray(data)
        for _ in range(random.randint(1, 3)):
            at, length = random.randrange(len(changed)), random.randint(1, 6)
            match random.randrange(4):
                case 0:
                    changed[at] = random.choice(b"\0\1\x80\xff\x7f\5")
                case 1:
                    del changed[at : at + length]
                case 2:
                    changed[at:at] = changed[at : at + length]
                case _:
                    del changed[max(at, 1) :]
        yield bytes(changed)


PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 20, b"IDAT") + b"\x01\x80" * 10 + bytes(8) + b"IEND" + b"\1\2\3\4"
JPEG = b"\xff\xd8\xff\xe0\0\6abcd\xff\xdb\1\4" + bytes(258) + b"\xff\xda\0\4\1\2" + b"\x01\x80" * 5 + b"\xff\xd9"
PLAIN = bytes(range(256)) * 80
ZLIB = b"\x78\x01\x01" + struct.pack("<HH", len(PLAIN), ~len(PLAIN) & 0xFFFF) + PLAIN + struct.pack(">I", zlib.adler32(PLAIN))
"""Bytes in the form of zlib, not made smaller, which is the same with each version of zlib"""

SAMPLES: dict[str, bytes] = {
    **MFC,
    "one of each, unicode": one_of_each(unicode=True),
    "one of each, ansi": one_of_each(unicode=False),
    "names of classes": b"".join(
        described(name, number) + bytes((number,)) * 3
        for number, name in enumerate(
            ["A", "Ab", "Abc", "A" * 63, "B" * 64, "std::List<int, 2>", "A b", "1A", "A\x01b", "C\xe9", "_x", "A:b", "A::1"]
        )
    ),
    "a name behind the end": described("CThing")[:-1],
    "an empty name": described("") + b"text",
    "the greatest schema": described("CThing", 0xFFFE) + described("COther", 0xFFFF),
    "a second archive": (described("CAge") + b"\1\0" + tag(1) + b"\2\0") * 3,
    "unicode strings": b"".join(map(wide, ["", "a", "tab\tand\nline", "é", "日本", "\U0001f600", "x" * 254])),
    "unicode strings of other characters": b"\1".join(map(wide, ["\x01a", "\ud800", "\uffff", "a" * 20 + "\x02"])),
    "a unicode string of 255 characters": MARK + b"\xff\xff\0" + ("word " * 51).encode("utf-16-le"),
    "a length in a longer form than necessary": MARK + b"\xff\5\0" + "words".encode("utf-16-le"),
    "a unicode string behind the end": wide("words")[:-1],
    "a unicode string of other characters around a class": wide("\x01" + described("CAge").decode("utf-16-le") + "ab"),
    "a unicode string of other characters around two tags": (
        described("CAge") + b"\1\0" + wide("\x01" + "\u8001\u0005" * 3) + wide("\x02" + "\u8001\u0005")
    ),
    "texts behind a number": b"".join(
        struct.pack("<I", count) + text.encode("utf-16-le") + b"\1\1\1\1"
        for count, text in [
            (3, "abc"),
            (4, "abcd"),
            (8, "efgh"),
            (7, "ijkl"),
            (5, "a\tb\r\n"),
            (9, "ABCDEFGHI"),
            (999, "abcdefgh"),
        ]
    ),
    "times": b"".join(
        struct.pack("<Iq", 0x8000000A, seconds) for seconds in (0, 1, -1, 4102444799, 4102444800, 1_570_114_075, 1 << 40)
    )
    + struct.pack("<Iq", 0x8000000A, 5)[:-1],
    "long ansi strings": b"".join(
        b"\xff" + struct.pack("<H", size) + b"Some words. " * 22 + b"\0" for size in (254, 255, 264, 265)
    ),
    "short ansi strings": b"".join(
        bytes((len(text),)) + text + b"\0\0"
        for text in [
            b"abc",
            b"abcd",
            b"Hello",
            b"Hello!",
            b"a1b2c3",
            b"{}[]()",
            b"some words",
            b"$$$$words",
            b"caf\xe9",
            b"\xe9\xe8\xe9\xe8",
            b"twelve chars",
            b"x" * 40,
            b"A path: C:\\dir\\a.txt",
            b"a\tb\tc\td",
            b"12345678",
            b"ab\x01cd",
            b"na\xefve caf\xe9",
        ]
    ),
    "lengths that look like text": b"\0"
    + b"\x20"
    + b"a" * 32
    + b"!"
    + b"b" * 33
    + b"\0"
    + b"\x24words like these, which are thirty-six"
    + b"\0",
    "ansi strings beside numbers that look like text": b"\0".join(
        b"a" * beside + b"\x21" + b"The text is thirty-three letters." + b"b" * behind
        for beside, behind in [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (8, 0), (0, 1), (0, 3), (0, 4)]
    ),
    "a picture of each kind": b"\1" + PNG + b"\2\2" + JPEG + b"\3\3\3" + ZLIB + b"\4\4\4\4",
    "pictures that are not whole": PNG[:-1]
    + b"\1"
    + JPEG[:-2]
    + b"\2"
    + ZLIB[:-40]
    + b"\3"
    + PNG[:16]
    + b"\x89PNG\r\n\x1a\n"
    + bytes(12),
    "tags of two classes": (
        described("CFace", 1)
        + b"\1\1"
        + described("CEdge", 1)
        + b"\2\2"
        + tag(1)
        + b"\3"
        + tag(3)
        + b"\4\4\4"
        + tag(3)
        + tag(2)
        + b"\5"
    ),
    "a nested class": (
        described("CRoot", 1)
        + b"\1"
        + (described("CLoop", 1) + b"\2" + described("CEdge", 1) + b"\3")
        + (tag(3) + b"\4" + tag(5) + b"\5" + tag(5) + b"\6") * 3
        + tag(1)
        + b"\7"
        + tag(3)
        + b"\x08"
        + described("CLast", 1)
        + b"\x09"
    ),
    "numbers in MFC's collections": b"".join(
        described(name) + struct.pack("<H", 2) + b"\x01\x80\xff\xff\0\0\x80\x80"[: 2 * size] + b"\xaa"
        for name, size in [("CByteArray", 1), ("CWordArray", 2), ("CDWordArray", 4)]
    ),
    "collections of nothing": b"".join(
        described(name) + b"\0\0" for name in ["CByteArray", "CWordArray", "CObList", "CMapWordToOb"]
    ),
    "a collection with a schema": described("CWordArray", 1) + b"\1\0\7\0",
    "counts of which there are fewer": b"".join(
        described(name) + b"\3\0" + b"\1\0\0"
        for name in ["CDWordArray", "CStringArray", "CObList", "CMapWordToOb", "CByteArray"]
    ),
    "a long count": described("CByteArray")
    + b"\xff\xff\3\0\0\0abc"
    + described("CWordArray")
    + b"\xff\xff\xff\xff\xff\xff"
    + struct.pack("<Q", 1)
    + b"\1\0",
    "references": described("CObList")
    + b"\5\0"
    + b"\2\0\0\0\1\0\3\0\1\x80"
    + b"\1\0\2\0"
    + b"\7\0"
    + described("CObArray")
    + b"\1\0\xff\x7f",
    "references to estimated numbers": described("CAge", 1)
    + b"\x09"
    + tag(1)
    + b"\x09"
    + described("CObList")
    + b"\2\0\2\0\0\0",
    "text in bytes of numbers": b"\0\0\x80?ABCD\0\0\0\0\0\0\xf0?abcdefgh\1\0\2\0",
    "far from the beginning": (
        bytes(66_000)
        + described("CByteArray")
        + b"\5\0hello"
        + bytes(70_000)
        + described("CDWordArray")
        + b"\2\0"
        + b"\1\2\3\4" * 2
    ),
    "forty pairs of classes": b"".join(
        described(f"COuter{number:02}", 1) + b"\1" + described(f"CInner{number:02}", 1) + b"\2" for number in range(20)
    )
    + b"".join(tag(1 + 4 * number) + b"\3" + tag(3 + 4 * number) + b"\4" for number in range(20)),
    "a list that fills the file": described("CObList") + b"\x28\0" + b"\2\0" * 40,
    "pairs that fill the file": described("CMapWordToOb") + b"\x10\0" + b"\5\0\2\0" * 16,
    "strings that fill the file": described("CMapStringToString") + b"\x20\0" + b"\0\0" * 32,
    "a mark just before a class, at an odd and at an even place": b"".join(
        b"\1" * before + MARK + b"\x0c\1\xd8" + described("CAge") + b"\2" * 20 for before in (1, 2)
    ),
    "nothing": b"",
}

NUMBERS = [
    *(bytes((byte,)) for byte in (0, 1, 0x7F, 0x80, 0xFF)),
    *(struct.pack("<H", number) for number in (0, 1, 2, 3, 0x7FFF, 0x8000, 0xFFFF)),
    *(struct.pack("<I", number) for number in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)),
    *(struct.pack("<f", number) for number in (1e-6, 1.1e-6, -2.5, 9.9e11, 1e12, 1e13, float("inf"))),
    *(struct.pack("<d", number) for number in (1e-6, 1.1e-6, -2.5, 9.9e11, 1e12, 1e13, 0.1234567891)),
    *(struct.pack("<Q", number) for number in (0, 1, 1 << 63, (1 << 64) - 1)),
    b"\0\1\2", b"\0\1\2\3\4", bytes(9),
]  # fmt: skip
"""Few bytes that nothing decides, which have readings"""

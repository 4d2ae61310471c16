"""The dump of files with pictures, very many tags, and text of other code pages."""

from __future__ import annotations

import struct
import zlib

from lifecycle.archive.dump.finding import Kind
from lifecycle.archive.dump.plausible_text import CodePage, suggested
from lifecycle.archive.dump.scanning import dump, findings
from lifecycle.archive.dump.summary import summarize

DESCRIBED = b"\xff\xff\0\0\4\0CAge"


def test_pictures_and_compressed_bytes_are_no_tags() -> None:
    """PNG, JPEG and zlib within a file are one finding each, and what is in them is not counted."""
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 400, b"IDAT") + b"\x01\x80" * 200 + bytes(8) + b"IEND" + bytes(4)
    jpeg = b"\xff\xd8\xff\xe0\0\4ab\xff\xda\0\2" + b"\x01\x80" * 100 + b"\xff\xd9"
    packed = zlib.compress(bytes(range(256)) * 9)
    parts = [DESCRIBED, b"\7\0", png, b"\1\2", jpeg, packed, b"\x01\x80\x08\0"]
    found = dump(b"".join(parts))
    assert [each.note for each in found if each.kind is Kind.DATA] == ["PNG picture", "JPEG picture", "zlib: compressed bytes"]
    assert sum(each.kind is Kind.OBJECT for each in found) == 1
    assert sum(each.length for each in found) == sum(map(len, parts))


def test_numbers_are_told_by_the_tags_where_counting_went_wrong() -> None:
    """Objects that were not seen shift the numbers of all later classes; their tags, which are there often, set them right."""
    names = [b"CFace", b"CLoop", b"CEdge"]
    hidden = bytes.fromhex("ffff0000 0400") + b"CBox" + b"\1\x80" * 3
    classes = b"".join(struct.pack("<HHH", 0xFFFF, 0, len(name)) + name for name in names)
    tags = b"".join(struct.pack("<HH", 0x8000 + 20 + 2 * (number % 3), number) for number in range(300))
    summary = summarize(findings(hidden + classes + tags + bytes(1 << 17)))
    assert [(each.name, each.objects, each.estimated) for each in summary.classes[1:]] == [
        ("CFace", 101, True), ("CLoop", 101, True), ("CEdge", 101, True),
    ]  # fmt: skip


def test_a_code_page_is_suggested_where_one_fits() -> None:
    """Text of another code page is seen in more likely strings there; English text suggests nothing."""
    words = ["線分の長さ", "円弧データ", "文字の大きさ"] * 3
    data = b"".join(bytes((len(each),)) + each + bytes(3) for each in (word.encode("cp932") for word in words))
    assert suggested(data, CodePage("cp1252")) == ("cp932", 6, 0)
    assert suggested(b"\x0cplain English" * 9, CodePage("cp1252")) is None

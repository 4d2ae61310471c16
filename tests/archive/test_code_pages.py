"""Which bytes are text in each code page: the kinds of all bytes, the strings found, and the code page suggested."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest
from golden_texts import GoldenTexts

from lifecycle.archive.dump import plausible_text
from lifecycle.archive.dump.plausible_text import SUGGESTED, CodePage, suggested

golden = GoldenTexts(Path(__file__).parent / "golden")

PAGES = ("cp1252", "utf-8", "latin-1", "ascii", "cp437", *SUGGESTED)
WORDS = {
    "cp932": ["線分の長さ", "円弧データ", "文字の大きさ", "ｶﾀｶﾅ", "図面ABC", "あいうえおかきくけこ"],
    "cp936": ["直线长度", "圆弧数据", "文字大小和颜色", "图层一二三四", "ABC图层"],
    "cp949": ["선분의 길이", "원호 데이터", "글자의 크기와 색", "도면층"],
    "cp950": ["直線長度", "圓弧資料", "文字大小和顏色", "圖層一二三四"],
    "cp1250": ["Příliš žluťoučký kůň", "úpěl ďábelské ódy", "Zażółć gęślą jaźń", "czcionka"],
    "cp1251": ["Длина отрезка", "Дуга и круг", "размер текста".upper(), "Слой чертежа", "слово"],
    "cp1253": ["Μήκος γραμμής", "Τόξο και κύκλος", "ΜΕΓΕΘΟΣ", "επίπεδο σχεδίου"],
    "cp1254": ["Çizgi uzunluğu", "Yaz\u0131 büyüklüğü", "\u0131ş\u0131k ve gölge", "şekil"],
    "cp1255": ["אורך הקו", "גודל הטקסט והצבע", "שכבה ראשונה"],
    "cp1256": ["طول الخط", "حجم النص واللون", "الطبقة الأولى"],
    "cp874": ["ความยาวเส้น", "ขนาดตัวอักษร", "ชั้นของแบบ"],
    "cp1252": ["Länge der Strecke", "Größe des Textes", "couche à dessiner", "plain English", "Åse Øyvind", "ÀÉÈÊËÌÍ"],
    "utf-8": ["grüße aus Köln", "日本語のテキスト", "plain text"],
}


def runs(kinds: bytes) -> str:
    """The kinds of bytes, with how many of each are in turn."""
    return " ".join(f"{kind}x{len([*group])}" for kind, group in groupby(kinds))


@pytest.mark.parametrize("encoding", PAGES)
def test_the_kind_of_each_byte(encoding: str) -> None:
    """Each byte of a code page is no text, text, a letter of words or one with an accent; double-byte code pages are known."""
    page = CodePage(encoding)
    text = f"{runs(page._kinds)}\n{'several bytes' if page.several else 'one byte'} a character\n"
    assert text == golden("code_pages", encoding, text)


@pytest.mark.parametrize("encoding", WORDS)
def test_strings_of_a_language(encoding: str) -> None:
    """Of texts between numbers, in their code page and as others read them, these are found and these are likely."""
    data = b"\0".join(bytes((len(each),)) + each + b"\1\0" for each in (word.encode(encoding) for word in WORDS[encoding] * 2))
    lines = []
    for name in dict.fromkeys((encoding, "cp1252", "cp932", "cp936", "cp1251")):
        found = [(data[at + 1 : end], likely) for at, end, likely in CodePage(name).strings(data, 0, len(data))]
        texts = [ascii(text.decode(name, "replace")) + "~" * (not likely) for text, likely in dict.fromkeys(found)]
        lines.append(f"{name}: {len(found)} of {2 * len(WORDS[encoding])}: {', '.join(texts)}")
    lines.append(f"suggested: {suggested(data, CodePage('cp1252'))} {suggested(data, CodePage(encoding))}")
    text = "\n".join(lines) + "\n"
    assert text == golden("code_pages", f"strings in {encoding}", text)


@pytest.mark.parametrize(("count", "is_suggested"), [(2, False), (3, True), (4, True)])
def test_three_likely_strings_more_suggest_a_code_page(count: int, is_suggested: bool) -> None:
    """Two strings that another code page makes likely suggest nothing, three do."""
    data = b"".join(b"\x0c" + "Слово и дело".encode("cp1251") + b"\0\0" for _ in range(count))
    assert suggested(data, CodePage("cp1252")) == (("cp1251", count, 0) if is_suggested else None)


def test_more_than_a_fifth_has_to_be_likely_where_many_are() -> None:
    """Beside a hundred English strings, 19 Russian ones suggest nothing, and 20 do."""
    english = b"".join(b"\x0dPlain English\0\0" for _ in range(100))
    russian = b"\x0c" + "Слово и дело".encode("cp1251") + b"\0\0"
    found = [suggested(english + russian * count, CodePage("cp1252")) for count in (19, 20)]
    assert found == [None, ("cp1251", 120, 100)]


def test_a_code_page_is_suggested_by_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first megabyte is looked at."""
    assert plausible_text.LOOKED_AT == 1 << 20
    monkeypatch.setattr(plausible_text, "LOOKED_AT", 1000)
    russian = (b"\x0c" + "Слово и дело".encode("cp1251") + b"\0\0") * 5
    page = CodePage("cp1252")
    assert suggested(bytes(1000 - len(russian)) + russian, page) == ("cp1251", 5, 0)
    assert suggested(bytes(1000) + russian, page) is None


@pytest.mark.parametrize(
    ("word", "has_case"),
    [
        ("words", True),
        ("Words", True),
        ("WORDS", True),
        ("wORDS", False),
        ("WoRds", False),
        ("two Words", True),
        ("two wOrds", False),
    ],
)
def test_random_letters_have_no_case(word: str, has_case: bool) -> None:
    """A string counts for a code page if each of its words is in lower case, in capitals, or capitalised."""
    data = (bytes((len(word) + 11,)) + "словослово".encode("cp1251") + b" " + word.encode() + b"\0\0") * 4
    assert suggested(data, CodePage("cp1252")) == (("cp1251", 4, 0) if has_case else None)

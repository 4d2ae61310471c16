"""The structure of an archive from its bytes alone: every class and every string that was written, and nothing is raised."""

from __future__ import annotations

import io
import json
import os
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from long_form import part

from lifecycle.archive import (
    DWORD,
    WORD,
    Archive,
    CByteArray,
    CComBSTR,
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
from lifecycle.archive.dump.finding import MOST_TEXT, Confidence, Finding, Kind
from lifecycle.archive.dump.scanning import COLLECTIONS, dump, findings
from lifecycle.archive.dump.summary import MOST_LISTED, Build, summarize
from lifecycle.archive.format import registry

CERTAIN, LIKELY, GUESS, NONE = Confidence
STRINGS = (Kind.UNICODE_STRING, Kind.ANSI_STRING)

names = st.from_regex(r"C[A-Z][A-Za-z0-9_]{1,61}", fullmatch=True)
words = st.lists(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=12), min_size=1)
sentences = words.map(" ".join)
scraps = st.sampled_from(
    [
        b"\xff\xff",
        b"\xff\xfe\xff",
        b"\0\0",
        b"\xff",
        b"\1\x80",
        b"\xff\x7f",
        b"\4\0CAge",
        b"\n\0\0\x80",
        b"\5hello",
        b"a\0b\0c\0d\0",
    ]
    + [struct.pack("<HHH", 0xFFFF, 0, len(name)) + name.encode() for name in COLLECTIONS]
)
hostile = st.one_of(st.binary(max_size=300), st.lists(scraps | st.binary(max_size=6), max_size=40).map(b"".join))


def stored(store: Callable[[Archive], None], **settings: Any) -> bytes:
    """What an archive writes."""
    file = io.BytesIO()
    with Archive(file, "store", **settings) as archive:
        store(archive)
    return file.getvalue()


def found(data: bytes, *kinds: Kind, **settings: Any) -> list[tuple[Any, ...]]:
    """(offset, text, confidence) of the findings of some kinds."""
    return [(each.offset, each.text, each.confidence) for each in dump(data, **settings) if each.kind in kinds]


def brief(data: bytes) -> list[str]:
    """Each finding as 'kind text'."""
    return [f"{each.kind} {each.text}" for each in dump(data)]


@given(hostile, st.sampled_from(["cp1252", "cp1251", "cp932", "utf-8", "ascii", "latin-1"]))
def test_any_bytes_are_covered(data: bytes, encoding: str) -> None:
    """Whatever the bytes are, the findings cover them in order, each has text, and nothing is raised."""
    at = 0
    for each in dump(data, encoding=encoding):
        assert (each.offset, each.length > 0) == (at, True)
        assert (each.confidence is NONE) == (each.kind is Kind.UNDECIDED)
        json.dumps(each.text)
        at = each.end
    assert at == len(data)
    summary = summarize(findings(data, encoding=encoding))
    assert (summary.size, summary.decided <= len(data)) == (len(data), True)


@given(
    st.lists(
        st.tuples(names, st.integers(0, 0xFFFE), st.text(max_size=120), st.integers(0, 0x7FFF)),
        unique_by=lambda each: each[0],
    )
)
def test_unicode_archives_are_told_wholly(described: list[tuple[str, int, str, int]]) -> None:
    """Every class description and every Unicode string of an archive of objects is found where it is, in its order."""
    classes = Registry()
    things, places = [], []
    for name, schema, text, number in described:

        @serializable(name, schema, registry=classes)
        @dataclass
        class Thing:
            text: CString
            number: DWORD

        things.append(Thing(text, number))

    def store(archive: Archive) -> None:
        for thing, (name, schema, text, _) in zip(things, described, strict=True):
            places.append((archive.offset, Kind.CLASS, name, schema))
            places.append((archive.offset + 6 + len(name), Kind.UNICODE_STRING, text, None))
            archive.write_object(thing)

    data = stored(store, registry=classes)
    told = [(each.offset, each.kind, each.text, each.schema) for each in dump(data) if each.kind in (Kind.CLASS, *STRINGS)]
    assert told == places
    assert [each.number for each in dump(data) if each.kind is Kind.CLASS] == [1 + 2 * number for number in range(len(things))]


@given(st.lists(st.tuples(sentences, st.integers(0, 255)), min_size=1))
def test_ansi_strings_between_small_numbers_are_found(described: list[tuple[str, int]]) -> None:
    """Every ANSI string of four and more characters is found where it is, with numbers before and behind it."""
    places = []

    def store(archive: Archive) -> None:
        for text, number in described:
            archive << DWORD(number)
            places.append((archive.offset, text))
            archive << CString(text) << DWORD(number)

    data = stored(store, unicode=False)
    told = [(offset, text) for offset, text, _ in found(data, *STRINGS)]
    assert told == places


@given(
    st.lists(st.text(max_size=20)),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5)),
    st.booleans(),
    st.binary(max_size=9),
)
def test_collections_are_told_to_their_ends(texts: list[str], mapped: dict[str, str], unicode: bool, raw: bytes) -> None:
    """Behind the description of one of MFC's collections everything is certain: counts, all strings, NULL, references."""
    array = CStringArray(texts)
    whole = (
        array,
        CStringList(texts),
        CMapStringToString(mapped),
        CByteArray(raw),
        CWordArray(raw),
        CDWordArray(raw),
        CMapStringToOb({"a": None, "b": array}),
        CObArray([None, array]),
        CMapWordToOb({5: array, 6: None}),
        CObList([array, CStringArray(texts)]),
    )

    def store(archive: Archive) -> None:
        for thing in whole:
            archive.write_object(thing)

    data = stored(store, unicode=unicode, encoding="utf-8")
    told = dump(data, encoding="utf-8")
    assert {each.confidence for each in told} == {CERTAIN}
    pairs = [text for pair in mapped.items() for text in pair]
    assert [each.text for each in told if each.kind in STRINGS] == [*texts, *texts, *pairs, "a", "b", *texts]
    assert [each.number for each in told if each.kind is Kind.REFERENCE] == [2, 2, 2, 2]
    assert [each.kind for each in told].count(Kind.NULL) == 3
    assert [(each.text, each.number) for each in told if each.kind is Kind.OBJECT] == [("CStringArray", 21)]


def test_every_collection_has_a_layout() -> None:
    """The collections that archives load are the ones whose elements dump knows."""
    assert registry.COLLECTIONS._by_name.keys() == COLLECTIONS.keys()


OBJECTS = "ffff0100040043416765150001801600020000000300"


def test_a_sequence_of_objects() -> None:
    """A further object of a class is told by its tag; what follows is not decided, and later numbers are estimates."""
    again = OBJECTS + "ffff0000050043546578740480"
    told = dump(bytes.fromhex(again))
    assert [
        (each.offset, each.kind, each.text, each.confidence, each.number) for each in told if each.kind is not Kind.UNDECIDED
    ] == [
        (0, Kind.CLASS, "CAge", CERTAIN, 1),
        (12, Kind.OBJECT, "CAge", LIKELY, 3),
        (22, Kind.CLASS, "CText", CERTAIN, 4),
        (33, Kind.OBJECT, "CText", GUESS, 6),
    ]
    assert told[4].note == "an estimated number"


def test_a_second_archive_in_one_file() -> None:
    """A class that is described again is another archive's: its numbers begin again."""
    told = dump(bytes.fromhex(OBJECTS) * 2)
    classes = [each for each in told if each.kind is Kind.CLASS]
    assert [(each.offset, each.number) for each in classes] == [(0, 1), (22, 1)]
    assert "another archive" in classes[1].note


def test_tags_of_six_bytes() -> None:
    """An object whose class has a number above 0x7FFE is reported too."""
    count = 0x4000
    described = b"".join(struct.pack("<HHH", 0xFFFF, 0, 6) + b"C%05d" % number for number in range(count))
    told = [each for each in dump(described + bytes.fromhex("ff7fff7f00800500")) if each.kind is Kind.OBJECT]
    assert [(each.text, each.length, each.number) for each in told] == [("C16383", 6, 0x8001)]


def test_dates_and_counted_texts_stand_out() -> None:
    """A CTime of MFC 8.0 and a CComBSTR are likely, and are told from numbers."""
    moment = datetime(2019, 10, 3, 14, 47, 55, tzinfo=UTC)
    data = stored(lambda archive: archive.store(CTime, CTime.of(moment)))
    assert found(data, Kind.TIME) == [(0, "2019-10-03T14:47:55Z", LIKELY)]
    data = stored(lambda archive: archive.store(CComBSTR, "some text"))
    assert found(data, Kind.TEXT) == [(0, "some text", LIKELY)]


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("length", [254, 255, 65533, 65534, 65535, 65536, 100_000])
def test_strings_of_every_length_form(length: int, unicode: bool) -> None:
    """A string is found whatever form its length takes; of a long one the finding shows the beginning, and says so."""
    text = ("The quick brown fox. " * 5000)[:length]
    data = stored(lambda archive: archive.store(CString, text), unicode=unicode)
    (told,) = dump(data)
    assert (told.offset, told.length, told.text) == (0, len(data), text[:MOST_TEXT])
    assert told.kind is (Kind.UNICODE_STRING if unicode else Kind.ANSI_STRING)
    assert told.note == (f"the first {MOST_TEXT} of {length} characters" if length > MOST_TEXT else "")


@pytest.mark.parametrize(
    ("encoding", "text"), [("cp1251", "Привет, мир"), ("cp932", "こんにちは"), ("utf-8", "grüße aus Köln")]
)
def test_the_code_page_tells_what_text_is(encoding: str, text: str) -> None:
    """ANSI strings are found in the code page that is given, also where a character takes several bytes."""
    data = stored(lambda archive: (archive << DWORD(1) << CString(text) << DWORD(1), None)[1], unicode=False, encoding=encoding)
    assert [each[:2] for each in found(data, *STRINGS, encoding=encoding)] == [(4, text)]


@pytest.mark.parametrize("encoding", ["no-such-thing", "hex", "utf-16", "idna", "undefined"])
def test_what_is_no_code_page_is_refused(encoding: str) -> None:
    """An unknown encoding, one that is none of text, and one without characters of one byte raise LookupError."""
    with pytest.raises(LookupError):
        dump(b"abc", encoding=encoding)


@pytest.mark.parametrize(
    ("data", "readings"),
    [
        (WORD(21), "WORD 21"),
        (DWORD(12345), "DWORD 12345"),
        (DWORD(0xFFFFFFFE), "DWORD 4294967294 or -2"),
        (DWORD(0x3FC00000), "DWORD 1069547520 or FLOAT 1.5"),
        (WORD(0), "WORD 0 or NULL"),
    ],
)
def test_a_few_undecided_bytes_have_readings(data: Any, readings: str) -> None:
    """Undecided bytes as many as a number has are shown as that number, signed too, or as a float, or as NULL."""
    (told,) = dump(stored(lambda archive: (archive << data, None)[1]))
    assert (told.kind, told.note) == (Kind.UNDECIDED, readings)


def test_a_reference_is_a_reading() -> None:
    """A word with the number of an object may be a reference to it; one with the number of a class is none."""
    cycle = bytes.fromhex("ffff00000500434e6f6465")
    assert dump(cycle + b"\2\0")[1].note == "WORD 2 or object 2 again"
    assert dump(cycle + b"\1\0")[1].note == "WORD 1"


def test_a_guess_does_not_cover_a_class() -> None:
    """Bytes that look like the mark of an implausible string before a class do not swallow it."""
    class_ = bytes.fromhex("ffff0100040043416765")
    assert found(b"\xff\xfe\xff\x14\x01\xd8\x02\xd8" + class_ + bytes(40), Kind.CLASS) == [(8, "CAge", CERTAIN)]
    assert brief(b"\xff\xfe\xff\x02\x01\xd8\x02\xd8" + class_) == ["unicode string \ud801\ud802", "class CAge"]


def test_real_bytes_of_an_mfc_program() -> None:
    """What a program built for Unicode wrote by a direct Serialize: long, CString, int."""
    data = bytes.fromhex("39300000 fffeff087a00680061006e006700730061006e00 0c000000")
    assert brief(data) == ["undecided 39300000", "unicode string zhangsan", "undecided 0c000000"]
    assert summarize(dump(data)).build is Build.UNICODE


def test_summary() -> None:
    """Classes come with their objects and strings with how sure they are; more classes than are listed are only counted."""
    summary = summarize(dump(bytes.fromhex(OBJECTS) * 2 + b"\0\5hello\0"))
    (age,) = summary.classes
    assert (age.name, age.schema, age.offset, age.descriptions, age.objects) == ("CAge", 1, 0, 2, 4)
    assert (summary.build, summary.ansi_strings[GUESS], summary.unicode_strings[CERTAIN]) == (Build.UNKNOWN, 1, 0)
    many = [Finding(0, 8, Kind.CLASS, f"C{number}", CERTAIN, schema=0) for number in range(MOST_LISTED + 5)]
    assert summarize(many).more_classes == 5
    certain = [Finding(0, 1, kind, "", CERTAIN) for kind in STRINGS]
    assert [summarize(each).build for each in (certain, certain[1:], [])] == [Build.BOTH, Build.ANSI, Build.UNKNOWN]


UNIT = part(1 << 15, 1 << 13)
HOSTILE = {
    "random": os.urandom(UNIT),
    "marks": b"\xff\xfe\xff\xff\x00\x40" * (UNIT // 6),
    "marks in text": b"\xff\xfe\xff\xfe\x01\xd8\x01\xd8" * (UNIT // 8),
    "lengths": (b"\xff\x00\x80" + b"a" * 16) * (UNIT // 19),
    "text": b"4444 aaaa " * (UNIT // 10),
    "counts": b"\xff\xff\0\0\x0c\0CStringArray\xff\xff\0\0\1\0" * (UNIT // 24),
    "tags": b"\xff\xff\0\0\7\0CObList" + b"\1\0\1\x80" * (UNIT // 4),
    "classes": b"".join(b"\xff\xff\0\0\4\0%04x\2\3" % number for number in range(0xA000, 0xA000 + UNIT // 12)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_and_memory_are_in_proportion(name: str) -> None:
    """Four times the bytes take no more than about four times the time, and no memory that grows with them."""
    once, often = HOSTILE[name], HOSTILE[name] * 4

    def seconds(data: bytes) -> float:
        best = float("inf")
        for _ in range(2):
            start = process_time()
            for _ in findings(data):
                pass
            best = min(best, process_time() - start)
        return best

    assert seconds(often) < 10 * seconds(once) + 0.05
    tracemalloc.start()
    try:
        for _ in findings(often):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20

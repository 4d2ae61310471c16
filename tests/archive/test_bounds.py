"""What the sender of bytes cannot do: have an object taken for another, run code again, or cost more than it sent."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import dataclass, make_dataclass
from itertools import pairwise
from typing import Any

import pytest
from archive_bytes import stored
from archive_signs import CLASSES, Board, Sign, Spot, Tiny

from lifecycle.archive import (
    BYTE,
    DWORD,
    POINT,
    RECT,
    SIZE,
    WORD,
    Archive,
    BadClass,
    BadIndex,
    CArray,
    COleVariant,
    CString,
    GenericError,
    serializable,
)
from lifecycle.archive.format.wire import wire_of


def test_a_reference_is_of_the_class_that_was_asked_for() -> None:
    """An object that was loaded before is not an object of another class: by read_object(), and in a field of a record."""
    data = stored(Spot(1, 1), registry=CLASSES)
    with Archive(io.BytesIO(data + b"\2\0"), "load", registry=CLASSES) as archive:
        archive >> Spot
        with pytest.raises(BadClass, match="an object of Sign, found one of Spot"):
            archive.read_object(Sign)
    sign = CLASSES.entry(Sign).description + bytes(4) + b"\xff\xfe\xff\0" + b"\4\0" + b"\2\0" + bytes(2)
    with Archive(io.BytesIO(data + sign), "load", registry=CLASSES) as archive:
        archive >> Spot
        with pytest.raises(BadClass, match="an object of Spot, found one of Sign"):
            archive >> Sign


def test_the_schema_is_the_outer_objects_again_behind_a_nested_one() -> None:
    """get_object_schema() answers for the object whose method asks, behind nested ones too; of a member it answers -1."""

    @serializable("COuter", schema=3, versionable=True, registry=CLASSES)
    class Outer:
        def __init__(self) -> None:
            self.inner: Any = Board(1)
            self.schema = 0

        def serialize(self, archive: Archive) -> None:
            if archive.is_storing:
                archive << self.inner
                archive.serialize(self.inner)
            else:
                self.inner = archive >> Board
                archive.serialize(self.inner)
                self.schema = archive.get_object_schema()

    with Archive(io.BytesIO(stored(Outer(), registry=CLASSES)), "load", registry=CLASSES) as archive:
        found = archive >> Outer
        assert found is not None
        assert (found.schema, found.inner.schemas) == (3, [2, -1])


def test_a_bad_field_is_found_without_running_users_code_again() -> None:
    """The field that does not fit is named, and the method of an object before it ran once."""

    @serializable("CBoth", registry=CLASSES)
    @dataclass
    class Both:
        board: Board
        number: WORD

    Board.runs = 0
    with (
        pytest.raises(ValueError, match=r"Both\.number: -1 is not a WORD"),
        Archive(io.BytesIO(), "store", registry=CLASSES) as archive,
    ):
        archive.serialize(Both(Board(1), -1))
    assert Board.runs == 1


def test_a_count_claims_no_more_than_the_limit() -> None:
    """A count is worth its elements' bytes, and of objects about seven each, which bounds what they take in memory."""
    for kind, count, limit, fits in (
        (CArray[Spot], 21, 150, True), (CArray[Spot], 22, 150, False), (CArray[Tiny], 25, 150, True),
        (CArray[Tiny], 26, 150, False), (CArray[DWORD], 25, 100, True), (CArray[DWORD], 26, 100, False),
        (CArray[BYTE], 100, 100, True), (CArray[COleVariant], 17, 100, False),
    ):  # fmt: skip
        data = count.to_bytes(2, "little") + bytes(1000)
        with Archive(io.BytesIO(data), "load", limit=limit, registry=CLASSES) as archive:
            if fits:
                assert len(archive.load(kind)) == count
            else:
                with pytest.raises(GenericError, match=rf"{limit} bytes \(the archive's limit\), found a count of {count}"):
                    archive.load(kind)


@pytest.mark.parametrize(
    "value", [SIZE(1 << 30, 1 << 29), POINT(-(1 << 30), 1 << 30), RECT(1 << 30, 1 << 29, 1 << 28, 1 << 27)], ids=repr
)
def test_a_structure_counts_as_the_memory_that_python_takes(value: Any) -> None:
    """A tuple and its numbers, each rounded up to the next sixteen bytes at most."""
    taken = [sys.getsizeof(value), *map(sys.getsizeof, value)]
    assert sum(taken) <= wire_of(type(value)).memory <= sum(taken) + 15 * len(taken)


def test_each_record_within_a_record_counts() -> None:
    """A record of one more record by value weighs that one's weight more."""
    weights = [
        wire_of(make_dataclass("Holder", [(f"tiny{number}", Tiny) for number in range(count)])).weight for count in range(1, 8)
    ]
    inner = wire_of(Tiny).weight
    assert inner > 1
    assert all(inner <= after - before <= inner + 1 for before, after in pairwise(weights))


def test_lines_are_read_in_time_in_proportion_to_their_length() -> None:
    """A line of four million characters takes less than a second, in either width, also with all line ends but the first."""
    for unicode in (False, True):
        line = "x" * (1 << 22)
        data = f"{line}\r\nshort\n".encode("utf-16-le" if unicode else "ascii")
        with Archive(io.BytesIO(data), "load", unicode=unicode) as archive:
            began = time.process_time()
            assert archive.read_string() == line
            assert time.process_time() - began < 1
            assert (archive.read_string(), archive.read_string()) == ("short", None)


def test_a_line_in_utf_16_ends_at_whole_characters_only() -> None:
    """The bytes of a line feed that lie across two characters do not end it."""
    text = "\u0a41\u0a00\u000d\u0a0a"
    with Archive(io.BytesIO(text.encode("utf-16-le")), "load") as archive:
        assert (archive.read_string(), archive.read_string()) == ("\u0a41\u0a00", None)


@pytest.mark.parametrize(("size", "fits"), [(0, True), (19, True), (20, True), (21, False), (1000, False)])
def test_the_rest_of_a_file_is_not_longer_than_the_limit(size: int, fits: bool) -> None:
    """read() gives all that is left, up to the archive's limit; more is refused where it begins."""
    with Archive(io.BytesIO(b"ab" + b"x" * size), "load", limit=20) as archive:
        assert archive.read(2) == b"ab"
        if fits:
            assert archive.read() == b"x" * size
        else:
            with pytest.raises(GenericError, match=r"at byte 2: expected at most 20 bytes .* found the rest of the file: more"):
                archive.read()


def test_text_that_a_codec_refuses_without_a_place() -> None:
    """The error has the place of the text where the codec does not say which of its bytes is wrong."""
    with Archive(io.BytesIO(b"\1\0\0\0" + b"\4a-!!"), "load", unicode=False, encoding="punycode") as archive:
        assert archive >> DWORD == 1
        with pytest.raises(GenericError, match=r"at byte [5-8]: expected text in punycode"):
            archive >> CString


@pytest.mark.parametrize("before", range(8))
@pytest.mark.parametrize(("tag", "found"), [(b"\0\x80", "the tag 0x8000"), (b"\xff\x7f\0\0\0\x80", "0 in a tag of six bytes")])
def test_a_tag_that_is_of_no_class_is_refused_where_it_is(before: int, tag: bytes, found: str) -> None:
    """The number 0 is of no class, in either form of a tag; the error has its place, behind any bytes."""
    for read in (Archive.read_object, Archive.read_class):
        with Archive(io.BytesIO(bytes(before) + tag + b"\1\1"), "load", registry=CLASSES) as archive:
            archive.ensure_read(before)
            with pytest.raises(BadIndex, match=rf"at byte {before}: .*{found}"):
                read(archive)

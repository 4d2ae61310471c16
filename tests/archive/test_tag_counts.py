"""The counts of tags against a plain count, and the corrections of class numbers that they give."""

from __future__ import annotations

import struct
from collections import Counter
from itertools import accumulate, pairwise

import pytest
from archive_samples import described
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.archive.dump import tag_counts
from lifecycle.archive.dump.tag_counts import DESCRIBED, FARTHEST, MOST_TOGETHER, NEAR, OFTEN, TagCounts


@given(data=st.binary(max_size=80), part=st.integers(1, 40).map(lambda half: 2 * half))
def test_each_pair_of_bytes_is_counted_once(data: bytes, part: int) -> None:
    """In parts of any even size the pairs are those at every offset, of which the second byte is 0x80 at least."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tag_counts, "PART", part)
        counts = TagCounts(data)
        counts._count()
    expected = Counter(low | high << 8 for low, high in pairwise(data) if high >= 0x80)
    assert +counts._counts == expected
    assert tag_counts.PART == 1 << 20


def shift_of(*, distances: list[int], tags: dict[int, int], number: int = 21, known: int = 1) -> int:
    """The correction at the first of some descriptions of classes, so far from each other, with so many of some tags."""
    starts = [0, *accumulate(distances)]
    data = bytearray(starts[-1] + 10)
    for at in starts:
        data[at : at + 10] = described("CAge")
    data += b"".join(struct.pack("<H", 0x8000 + tag) + b"\1\1" for tag, count in tags.items() for _ in range(count))
    return TagCounts(bytes(data)).shift(0, number, {known: "CKnown"})


@pytest.mark.parametrize(
    ("distances", "tags", "shift"),
    [
        ([50, 50], {21: OFTEN}, 0),
        ([50, 50], {26: OFTEN}, 1),
        ([50, 50], {22: OFTEN}, -1),  # the second is as near, and above
        ([50, 50], {20: OFTEN}, -1),
        ([50, 50], {22: OFTEN - 1}, 0),  # not often enough
        ([50, 50], {22: OFTEN // 3, 24: OFTEN // 3, 26: OFTEN - 2 * (OFTEN // 3)}, 1),  # all neighbours together
        ([50, 50], {28: OFTEN, 29: OFTEN}, 3),  # 28 is the third from 24, 29 the third from 25: the smaller shift
        ([50, 50], {26: 100, 15: 90}, 1),  # nearly as many, farther away
        ([50, 50], {26: 90, 17: 100}, 1),  # ten per cent less, but nearer
        ([50, 50], {26: 89, 17: 100}, -4),
        ([50, 50], {21 + FARTHEST: OFTEN}, FARTHEST - 4),
        ([50, 50], {25 + FARTHEST: OFTEN}, FARTHEST),
        ([50, 50], {26 + FARTHEST: OFTEN}, 0),
        ([NEAR, NEAR], {26: OFTEN}, 1),
        ([NEAR, NEAR + 1], {26: OFTEN}, 0),  # only two together
        ([50], {24: OFTEN}, 0),
        ([50] * 9, {21 + 2 * MOST_TOGETHER - 2: OFTEN}, 0),
        ([50] * 9, {21 + 2 * MOST_TOGETHER - 1: OFTEN}, 1),
    ],
)
def test_a_correction_needs_evidence(distances: list[int], tags: dict[int, int], shift: int) -> None:
    """At three descriptions or more near each other the numbers move to where the tags are frequent, as little as can be."""
    assert shift_of(distances=distances, tags=tags) == shift


def test_a_number_stays_behind_the_known_ones() -> None:
    """No correction gives a class the number of a certain one, or one below it."""
    assert [shift_of(distances=[50, 50], tags={20: OFTEN}, known=known) for known in (19, 20, 21)] == [-1, 0, 0]


def test_an_ordinary_pair_is_no_tag() -> None:
    """The most frequent numbers have to occur four times as often as most others do."""
    ordinary = dict.fromkeys(range(1, 140), 10)
    assert shift_of(distances=[50, 50], tags={**ordinary, 26: 99}) == 0
    assert shift_of(distances=[50, 50], tags={**ordinary, 26: 100}) == 1


@pytest.mark.parametrize(("first", "shift"), [(60, 0), (70, 1)])
def test_what_is_ordinary_is_the_middle(first: int, shift: int) -> None:
    """What more than half of the numbers nearby have is ordinary, what less than half have is not."""
    assert shift_of(distances=[50, 50], tags={**dict.fromkeys(range(first, 140), 10), 26: 99}) == shift


def test_what_begins_a_description() -> None:
    """A schema but 65535, a length from 3 to 63, and a name that begins with three characters of identifiers."""
    assert DESCRIBED.match(described("Abc"))
    assert DESCRIBED.match(described("_b1" + "x" * 60, 0xFFFE))
    others = [described(name) for name in ("Ab", "1bc", "A.c", "x" * 64, "Ab\xe9")]
    for wrong in (*others, described("Abc", 0xFFFF)):
        assert DESCRIBED.match(wrong) is None

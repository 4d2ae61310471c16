"""The checklist's rows and the tests that are named for them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent.parent

SECTIONS = {
    "a": range(1, 21), "b": range(21, 43), "c": range(43, 58), "d": range(58, 75), "e": range(75, 90), "f": range(90, 96),
    "g": range(96, 116), "h": range(116, 123), "i": range(123, 133), "j": range(133, 144), "k": range(144, 177),
}  # fmt: skip

WITHOUT_A_ROW = {159}
"""Numbers that the checklist leaves out."""


OF_NOTIFICATIONS = frozenset({*range(99, 108), 113})
"""Rows that only the asynchronous sockets can have."""


def rows_tested(file: Path) -> Counter[int]:
    """row -> how many test functions of that file are named for it."""
    found = re.findall(r"^(?:async )?def test_row_(\d{3})_\w+\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    return Counter(map(int, found))


def test_every_row_has_one_test_in_its_sections_file() -> None:
    """Every row of the checklist has exactly one test function, in the file of its section."""
    for section, rows in SECTIONS.items():
        (file,) = HERE.glob(f"test_checklist_{section}_*.py")
        assert rows_tested(file) == Counter(set(rows) - OF_NOTIFICATIONS)


def test_every_row_of_events_and_blocking_has_tests_of_asynchronous_sockets() -> None:
    """All of section G is tested with awaited calls and notifications too."""
    assert set(SECTIONS["g"]) <= set(rows_tested(NOTIFICATIONS))


def test_the_sections_cover_rows_1_to_132() -> None:
    """The sections are the whole of the checklist's part that is about sockets."""
    assert sorted(row for rows in SECTIONS.values() for row in rows) == list(range(1, 133))

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

ROW = r"^(?:async )?def test_row_(\d{3})_\w+\("


def rows_tested(section: str, folder: str = "*") -> set[int]:
    """The rows for which a test function of that section is named; the golden vectors of section k have a file of their own."""
    files = [
        *TESTS.glob(f"{folder}/test_checklist_{section}_*.py"),
        *([TESTS / "archive" / "test_vectors.py"] if section == "k" else []),
    ]
    texts = [file.read_text(encoding="utf-8") for file in files]
    return {int(row) for text in texts for row in re.findall(ROW, text, re.MULTILINE)}


def test_every_row_has_a_test_in_its_section() -> None:
    """Every row of the checklist has a test function of its name, in the file of its section."""
    for section, rows in SECTIONS.items():
        assert rows_tested(section) == set(rows) - WITHOUT_A_ROW


def test_events_and_blocking_are_tested_with_awaited_calls_too() -> None:
    """All of section G has tests of the asynchronous sockets, with their notifications."""
    assert rows_tested("g", folder="aio") == set(SECTIONS["g"])


def test_the_sections_cover_rows_1_to_176() -> None:
    """The sections are the whole of the checklist."""
    assert Counter(row for rows in SECTIONS.values() for row in rows) == Counter(range(1, 177))

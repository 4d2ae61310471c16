"""The checklist's rows 1 to 132 and the tests that are named for them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent

SECTIONS = {
    "a": range(1, 21), "b": range(21, 43), "c": range(43, 58), "d": range(58, 75), "e": range(75, 90), "f": range(90, 96),
    "g": range(96, 116), "h": range(116, 123), "i": range(123, 133),
}  # fmt: skip


def rows_tested(section: str) -> Counter[int]:
    """row -> how many test functions of that section's file are named for it."""
    (file,) = HERE.glob(f"test_checklist_{section}_*.py")
    found = re.findall(r"^def test_row_(\d{3})_\w+\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    return Counter(map(int, found))


def test_every_row_has_one_test_in_its_sections_file() -> None:
    """Every row of the checklist has exactly one test function, in the file of its section."""
    for section, rows in SECTIONS.items():
        assert rows_tested(section) == Counter(rows)


def test_the_sections_cover_rows_1_to_132() -> None:
    """The sections are the whole of the checklist's part that is about sockets."""
    assert sorted(row for rows in SECTIONS.values() for row in rows) == list(range(1, 133))

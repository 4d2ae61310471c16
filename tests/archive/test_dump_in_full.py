"""All that `dump` finds in samples, letter by letter: golden/dumps.txt has each finding in its tree, and the summary."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from archive_samples import NUMBERS, SAMPLES, damaged, described, one_of_each
from golden_texts import GoldenTexts

from lifecycle.archive.dump import dump, summarize
from lifecycle.archive.dump.finding import Finding
from lifecycle.archive.dump.nesting import Nesting

golden = GoldenTexts(Path(__file__).parent / "golden")

SEVERAL = 12
"""So many damaged archives are in each section"""


def line_of(level: int, found: Finding) -> str:
    """A finding on one line."""
    text = ascii(found.text)
    if len(text) > 80:
        text = f"{text[:60]}... {len(found.text)} characters, {zlib.crc32(text.encode()):08x}"
    number = "" if found.number is None else f" #{found.number}"
    schema = "" if found.schema is None else f" schema {found.schema}"
    note = found.note and f" ({found.note})"
    return f"{'  ' * level}{found.offset}+{found.length} {found.confidence} {found.kind} {text}{schema}{number}{note}"


def page_of(data: bytes, encoding: str = "cp1252") -> str:
    """The findings as a tree, and the summary."""
    found, nesting = dump(data, encoding=encoding), Nesting()
    lines = [line_of(*each) for each in nesting.levels(list(nesting.counted(found)))]
    summary = summarize(found)
    lines += [
        f"= {each.name}: schema {each.schema}, at {each.offset}, {each.descriptions} descriptions, {each.objects} objects"
        + ", estimated" * each.estimated
        for each in summary.classes
    ]
    strings = ", ".join(str([*each.values()]) for each in (summary.unicode_strings, summary.ansi_strings))
    lines.append(f"= {summary.decided} of {summary.size} bytes, {summary.build}, strings {strings}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_whole_dump(name: str) -> None:
    """Each finding in a sample is at its place, in the object that holds it, with its text, confidence, numbers and note."""
    page = page_of(SAMPLES[name])
    assert page == golden("dumps", name, page)


@pytest.mark.parametrize("first", range(0, 24, SEVERAL))
def test_the_whole_dump_of_damaged_archives(first: int) -> None:
    """What is found in an archive that was damaged is as it was, finding for finding."""
    pages = [page_of(data) for data in damaged(one_of_each(unicode=first == 0), first + SEVERAL)][first:]
    text = "\n".join(pages)
    assert text.rstrip("\n") + "\n" == golden("dumps", f"damaged archives from {first:02}", text)


def test_the_readings_of_few_bytes() -> None:
    """Each number of 1, 2, 4 and 8 bytes that nothing decides comes with all its readings, also behind two objects."""
    text = "\n".join(
        " | ".join((data.hex(), dump(data)[0].note, dump(described("CAge", 1) + data)[-1].note)) for data in NUMBERS
    )
    assert text + "\n" == golden("dumps", "readings of few bytes", text)

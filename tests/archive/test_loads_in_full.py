"""How each valid archive and its damaged forms load, letter by letter: golden/loads.txt has values, errors and least limits."""

from __future__ import annotations

import io
import sys
import zlib
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest
from archive_fuzz_classes import CLASSES
from archive_kinds import REQUESTS, shape
from archive_mutations import mutated
from archive_seeds import Seed, seeds
from golden_texts import GoldenTexts

from lifecycle.archive import Archive, ArchiveError, Traced

golden = GoldenTexts(Path(__file__).parent / "golden")

SEEDS: dict[str, list[Seed]] = defaultdict(list)
for seed in seeds():
    SEEDS[seed.plan[0] if len(seed.plan) == 1 else f"several from {seed.plan[0]}"].append(seed)

LARGEST = 1 << 24

GROUPS = 10
"""The sections, so many groups of them"""

SMALL = 512
"""Bytes of an archive of which the least limit and depth are looked for"""


class Pieces(io.BytesIO):
    """A file that gives three bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(3 if size is None or size < 0 else min(size, 3))


def ending_of(
    data: bytes, plan: tuple[str, ...], *, unicode: bool, limit: int = LARGEST, depth: int = 100, behind: int = 0
) -> str:
    """The values of an archive, and how much of it they took, or the error with its notes. behind: bytes before it."""
    file = Pieces(bytes(behind) + data) if behind else io.BytesIO(data)
    with Archive(file, "load", unicode=unicode, registry=CLASSES, limit=limit, depth=depth) as archive:
        archive.ensure_read(behind)
        try:
            values = [REQUESTS[request](archive) for request in plan]
        except (ArchiveError, ValueError) as error:  # or a size beyond the limit was asked for
            return " / ".join((f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())))
        return f"{shortened(str(shape(*values)))}, {archive.offset} bytes of {len(data)}"


def shortened(text: str) -> str:
    """A text, or the beginning of a long one with its checksum."""
    return text if len(text) <= 100 else f"{text[:70]}... {len(text)} characters, {zlib.crc32(text.encode()):08x}"


def least(loads: range, data: bytes, plan: tuple[str, ...], whole: str, *, unicode: bool, name: str) -> int:
    """The least limit, or depth, of a range with which an archive loads."""
    low, high = loads.start, loads.stop
    while low < high:
        middle = (low + high) // 2
        if ending_of(data, plan, unicode=unicode, **{name: middle}) == whole:
            high = middle
        else:
            low = middle + 1
    return low


def build_of(seed: Seed) -> tuple[bool, str, str]:
    """Whether a Unicode program wrote the archive, how it loads then, and how otherwise."""
    wide, ansi = (ending_of(seed.data, seed.plan, unicode=unicode) for unicode in (True, False))
    is_wide = wide.endswith(f", {len(seed.data)} bytes of {len(seed.data)}")
    return is_wide, *((wide, ansi) if is_wide else (ansi, wide))


def page_of(seed: Seed, number: int) -> str:
    """An archive and what comes of it: whole, in the other build, cut, and changed."""
    unicode, whole, otherwise = build_of(seed)
    lines = [f"{shortened(', '.join(seed.plan))}: {shortened(seed.data.hex())}", f"  {'wide' if unicode else 'ansi'}: {whole}"]
    if otherwise != whole:
        lines.append(f"  otherwise: {otherwise}")
    size = len(seed.data)
    for cut in sorted({0, 1, 2, 3, 5, 7, 11, size // 3, size // 2, size - 2, size - 1} & {*range(size)}):
        ending = ending_of(seed.data[:cut], seed.plan, unicode=unicode)
        if not lines[-1].endswith(ending):
            lines.append(f"  cut at {cut}: {ending}")
    for change in range(3):
        data = mutated(Random(10 * number + change), seed.data, b"\xff\xff\0\0\1\x80")
        lines.append(f"  changed to {shortened(data.hex())}: {ending_of(data, seed.plan, unicode=unicode, behind=7)}")
    return "\n".join(lines)


def limits_of(seed: Seed) -> str:
    """What the values of an archive are charged, and with how little a small one loads."""
    unicode, whole, _ = build_of(seed)
    with Archive(io.BytesIO(seed.data), "load", unicode=unicode, registry=CLASSES) as archive:
        for request in seed.plan:
            REQUESTS[request](archive)
        about = f"{shortened(', '.join(seed.plan))}, {len(seed.data)} bytes: charged {archive._decoder.charged}"
    if len(seed.data) < SMALL:
        for bounds, setting in ((range(1, SMALL), "limit"), (range(1, 101), "depth")):
            about += f", {setting} {least(bounds, seed.data, seed.plan, whole, unicode=unicode, name=setting)}"
    return about


def sections(group: int) -> list[str]:
    """The sections of a group."""
    return [*SEEDS][group::GROUPS]


def distinct(name: str) -> list[Seed]:
    """The archives of one section, each once."""
    return list(dict.fromkeys(SEEDS[name]))


@pytest.mark.parametrize("group", range(GROUPS))
def test_the_whole_of_what_loads(group: int) -> None:
    """Values, offsets, and errors with their notes are those expected, of each archive, cut, and changed behind other bytes."""
    for name in sections(group):
        page = "\n".join(page_of(seed, number) for number, seed in enumerate(distinct(name))) + "\n"
        assert page == golden("loads", name, page)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="what Python's objects take in memory differs between versions")
@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.usefixtures("nothing_shared")
def test_the_least_limit_and_depth(group: int) -> None:
    """A small archive loads with this limit and depth, and not with less; so much memory is charged for its values."""
    for name in sections(group):
        text = "\n".join(map(limits_of, distinct(name))) + "\n"
        assert text == golden("limits", name, text)


def traced(seed: Seed, *, unicode: bool) -> tuple[list[str], str]:
    """Each value that a trace lists, and how the archive loads with one."""
    found: list[str] = []

    def tell(each: Traced) -> None:
        is_plain = isinstance(each.value, (int, float, str, bytes))  # other values may not be complete yet
        found.append(f"{each.offset} {each.kind} {repr(each.value)[:60] if is_plain else type(each.value).__name__}")

    with Archive(io.BytesIO(seed.data), "load", unicode=unicode, registry=CLASSES, trace=tell) as archive:
        values = [REQUESTS[request](archive) for request in seed.plan]
        return found, f"{shortened(str(shape(*values)))}, {archive.offset} bytes of {len(seed.data)}"


@pytest.mark.parametrize("group", range(GROUPS))
def test_the_whole_trace(group: int) -> None:
    """With a trace the same values load, and each is listed with its place and its type."""
    for name in sections(group):
        lines = []
        for seed in distinct(name):
            unicode, whole, _ = build_of(seed)
            found, loaded = traced(seed, unicode=unicode)
            assert loaded == whole
            checksum = zlib.crc32("\n".join(found).encode())
            lines.append(f"{shortened(', '.join(seed.plan))}: {len(found)} values, {checksum:08x}: {'; '.join(found[:4])}")
        page = "\n".join(lines) + "\n"
        assert page == golden("traces", name, page)

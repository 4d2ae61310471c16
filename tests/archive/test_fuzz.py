"""The archive fuzz, in short: tests/archive_fuzz.py run as a script does the same a million times."""

from __future__ import annotations

import io

import pytest
from archive_campaign import Campaign, loaded
from archive_fuzz_classes import CLASSES
from archive_kinds import REQUESTS
from archive_mutations import mutated
from archive_seeds import Seed, large_seeds, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import part

from lifecycle.archive import Archive, ArchiveError

SEEDS = seeds()
plans = st.lists(st.sampled_from(sorted(REQUESTS)), min_size=1, max_size=6).map(tuple)


@given(data=st.binary(max_size=200), plan=plans, unicode=st.booleans(), win32=st.booleans())
@settings(max_examples=part(500, 150))
def test_random_bytes_give_only_archive_errors(data: bytes, plan: tuple[str, ...], unicode: bool, win32: bool) -> None:
    """Whatever the bytes are and whatever is asked for, the ending is a value or an archive error that says where and what."""
    loaded(data, plan, unicode=unicode, win32=win32)


@given(
    seed=st.sampled_from(SEEDS), other=st.sampled_from(SEEDS), random=st.randoms(use_true_random=False), unicode=st.booleans()
)
@settings(max_examples=part(500, 150))
def test_mutated_archives_give_only_archive_errors(seed: Seed, other: Seed, random: object, unicode: bool) -> None:
    """A valid archive that was damaged loads, or raises an archive error that says where and what."""
    loaded(mutated(random, seed.data, other.data), seed.plan, unicode=unicode)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [1, 2])
def test_a_campaign_finds_nothing(number: int) -> None:
    """Some thousands of inputs, guided by what they reach, as the long campaign makes them."""
    figures = Campaign(number, large=False).run(part(2500, 1200), minutes=1)
    assert not figures.wrong
    assert figures.inputs > 500
    assert {"loaded", "EndOfFile", "BadIndex", "BadClass", "BadSchema", "GenericError"} <= set(figures.endings)


def test_every_seed_loads_in_a_build() -> None:
    """The seeds are valid archives: each loads with its plan as a Unicode or as an ANSI program, to its end."""
    for seed in [*SEEDS, *large_seeds()]:
        endings = [_ending(seed, unicode) for unicode in (True, False)]
        assert "whole" in endings, (seed.plan, seed.data[:80].hex(), endings)


def _ending(seed: Seed, unicode: bool) -> str:
    with Archive(io.BytesIO(seed.data), "load", unicode=unicode, registry=CLASSES) as archive:
        try:
            for request in seed.plan:
                REQUESTS[request](archive)
        except ArchiveError as error:
            return str(error)
        return "whole" if archive.is_buffer_empty else f"{archive.offset} of {len(seed.data)} bytes"

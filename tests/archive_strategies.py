"""Hypothesis strategies for archives: graphs of objects, with shared references and cycles, of all collections."""

from __future__ import annotations

from typing import Any

from archive_classes import Age, Box, Node, Person, Shelf
from hypothesis import strategies as st

from lifecycle.archive import (
    POINT,
    CByteArray,
    CDWordArray,
    CMapStringToOb,
    CMapStringToString,
    CMapWordToOb,
    CObArray,
    CObList,
    CStringArray,
    CStringList,
    CWordArray,
)

WORDS = st.integers(0, 0xFFFF)
DWORDS = st.integers(0, 0xFFFFFFFF)
LONGS = st.integers(-(1 << 31), (1 << 31) - 1)
TEXTS = st.text(st.characters(codec="utf-16-le"), max_size=20) | st.text("ab€\0\n", min_size=250, max_size=260)
AGES = st.builds(Age, WORDS)

LEAVES = (
    AGES
    | st.builds(Person, TEXTS, WORDS)
    | st.builds(CByteArray, st.binary(max_size=300))
    | st.builds(CWordArray, st.lists(WORDS, max_size=5))
    | st.builds(CDWordArray, st.lists(DWORDS, max_size=5))
    | st.builds(CStringArray, st.lists(TEXTS, max_size=4))
    | st.builds(CStringList, st.lists(TEXTS, max_size=4))
    | st.builds(CMapStringToString, st.dictionaries(TEXTS, TEXTS, max_size=3))
)
"""Objects that refer to no other."""

BOXES = st.builds(
    Box,
    corner=st.builds(POINT, LONGS, LONGS),
    weight=st.floats(allow_nan=True),
    label=TEXTS,
    age=AGES,
    numbers=st.lists(DWORDS, max_size=4),
    ages=st.lists(AGES, max_size=4),
)

HOLDERS = (
    BOXES
    | st.builds(Node)
    | st.builds(Shelf)
    | st.builds(CObArray)
    | st.builds(CObList)
    | st.builds(CMapStringToOb)
    | st.builds(CMapWordToOb)
)
"""Objects that refer to others, and do not yet."""


@st.composite
def graphs(draw: st.DrawFn) -> list[Any]:
    """Objects to store one after the other: among them None, the same ones again, and any that refer to any others."""
    things: list[Any] = [None, *draw(st.lists(LEAVES, max_size=5)), *draw(st.lists(HOLDERS, min_size=1, max_size=6))]
    boxes = [thing for thing in things if isinstance(thing, Box)]
    nodes = [thing for thing in things if isinstance(thing, Node)]
    any_of_them = st.sampled_from(things)
    some = st.lists(any_of_them, max_size=5)
    for thing in things:
        match thing:
            case Box():
                thing.lid = draw(st.sampled_from([None, *boxes]))
                thing.things.extend(draw(some))
            case Node():
                thing.next = draw(st.sampled_from([None, *nodes]))
            case Shelf():
                thing.note = draw(TEXTS)
                thing.things.extend(draw(some))
            case CObArray() | CObList():
                thing.extend(draw(some))
            case CMapStringToOb():
                thing.update(draw(st.dictionaries(TEXTS, any_of_them, max_size=3)))
            case CMapWordToOb():
                thing.update(draw(st.dictionaries(WORDS, any_of_them, max_size=3)))
    return draw(st.lists(any_of_them, min_size=1, max_size=6))

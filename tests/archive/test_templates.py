"""Arrays, lists and maps of every kind of element against Python's own list and dict, in any size."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from archive_fuzz_classes import CLASSES, Age, Spot
from archive_kinds import LOADABLE
from golden_texts import GoldenTexts
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import part

import lifecycle.archive as archives
from lifecycle.archive import (
    BYTE,
    DOUBLE,
    DWORD,
    RECT,
    SHORT,
    VT,
    WORD,
    Archive,
    CArray,
    Chars,
    CList,
    CMap,
    COleVariant,
    CString,
    GenericError,
)
from lifecycle.archive.format.lengths import count_prefix
from lifecycle.archive.format.strings import StringWire
from lifecycle.archive.format.wire import Fixed, wire_of

golden = GoldenTexts(Path(__file__).parent / "golden")

words = st.text("abé", max_size=3)


def loaded(kind: Any, data: bytes, **settings: Any) -> Any:
    with Archive(io.BytesIO(data), "load", **settings) as archive:
        return archive >> kind


def bytes_of(kind: Any, value: Any) -> bytes:
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive.store(kind, value)
    return file.getvalue()


MAPS: dict[str, tuple[Any, Any, st.SearchStrategy[Any], st.SearchStrategy[Any]]] = {
    "numbers": (WORD, DWORD, st.integers(0, 9), st.integers(0, 0xFFFFFFFF)),
    "signed numbers": (SHORT, SHORT, st.integers(-4, 4), st.integers(-0x8000, 0x7FFF)),
    "strings": (CString, CString, words, words),
    "numbers by strings": (CString, BYTE, words, st.integers(0, 255)),
    "strings by numbers": (DOUBLE, CString, st.sampled_from([0.0, 1.5, -2.0]), words),
}


@pytest.mark.parametrize("name", MAPS)
@settings(max_examples=part(100, 12))
@given(data=st.data())
def test_the_last_of_equal_keys_counts(name: str, data: st.DataObject) -> None:
    """A map that is loaded is the dict of its pairs, in the order of their first keys, also where keys are repeated."""
    key, item, keys, items = MAPS[name]
    pairs = data.draw(st.lists(st.tuples(keys, items), max_size=12))
    stored = count_prefix(len(pairs)) + b"".join(bytes_of(key, each) + bytes_of(item, other) for each, other in pairs)
    found = loaded(CMap[key, item], stored)
    assert found == dict(pairs)
    assert bytes_of(CMap[key, item], dict(pairs)) == bytes_of(CMap[key, item], found)


@pytest.mark.parametrize("template", [CArray, CList])
@given(values=st.lists(st.integers(0, 0xFFFF), max_size=20))
def test_arrays_and_lists_are_lists(template: Any, values: list[int]) -> None:
    """A count and the elements; a tuple and an iterator are stored like a list."""
    data = bytes_of(template[WORD], values)
    assert data == len(values).to_bytes(2, "little") + b"".join(each.to_bytes(2, "little") for each in values)
    assert loaded(template[WORD], data) == values
    for other in (tuple(values), iter(values)):
        assert bytes_of(template[WORD], other) == data


def test_each_wire_type() -> None:
    """Of each wire type, its name, its least size, and whether it is flat, stored in one step, and a key of maps."""
    lines = []
    for name in sorted(archives.__all__):
        try:
            wire = wire_of(getattr(archives, name))
        except TypeError:
            continue
        about = f"at least {wire.least}, flat {wire.is_flat}, atomic {wire.is_atomic}, key {wire.can_be_key}"
        lines.append(f"{name}: {wire.name}, {about}")
    text = "\n".join(lines) + "\n"
    assert text == golden("limits", "kinds", text)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="what Python's objects take in memory differs between versions")
@pytest.mark.usefixtures("nothing_shared")
def test_what_each_element_costs() -> None:
    """Of each wire type and each record of the seeds, what one counts against the limit, and what 1, 2 and 100 are charged."""
    kinds = [*(getattr(archives, name) for name in sorted(archives.__all__)), *LOADABLE]
    lines = []
    for kind in kinds:
        try:
            wire = wire_of(kind)
        except TypeError:
            continue
        value = 3 if isinstance(wire, Fixed) else ""
        charges = [wire.cost_of([value] * count) for count in (1, 2, 100)] if isinstance(wire, (Fixed, StringWire)) else []
        lines.append(f"{wire.name}: {wire.cost}, {getattr(wire, 'memory', None)}, {getattr(wire, 'weight', None)}, {charges}")
    text = "\n".join(sorted(set(lines))) + "\n"
    assert text == golden("limits", "costs", text)


@pytest.mark.parametrize("count", [0xFFFE, 0xFFFF, 0x10000])
def test_long_arrays_have_a_longer_count(count: int) -> None:
    """From 65,535 elements on the count has six bytes."""
    data = bytes_of(CArray[BYTE], bytes(count))
    assert len(data) == count + (2 if count < 0xFFFF else 6)
    assert len(loaded(CArray[BYTE], data)) == count


def test_a_count_beyond_the_limit_is_refused_where_it_is() -> None:
    """The error has the offset of the count, behind other values, too."""
    with Archive(io.BytesIO(b"\1\0" + b"\x0a\0" + bytes(10)), "load", limit=9) as archive:
        archive >> WORD
        with pytest.raises(GenericError, match=r"at byte 2: expected at most 9 bytes .*, found a count of 10"):
            archive >> CArray[BYTE]


CHARGED = {
    "numbers": (CArray[DWORD], lambda n: n * 70_001), "words": (CArray[WORD], lambda n: n),
    "doubles": (CArray[DOUBLE], lambda n: n + 0.5),
    "strings": (CArray[CString], lambda n: "x" * (n % 5)), "lists": (CArray[CArray[BYTE]], lambda n: [n % 7] * (n % 3)),
    "records": (CArray[Spot], lambda n: Spot(n, -n, "ab" * (n % 4))), "pointers": (CArray[Age | None], Age),
    "rectangles": (CArray[RECT], lambda n: RECT(n, n, n, n)),
    "variants": (CArray[COleVariant], lambda n: COleVariant(n, VT.I4)),
}  # fmt: skip
MAPPED = {
    "numbers": (CMap[DWORD, DWORD], lambda n: n * 70_001), "strings": (CMap[DWORD, CString], lambda n: "x" * (n % 5)),
    "records": (CMap[DWORD, Spot], lambda n: Spot(n, 0)), "words by strings": (CMap[CString, WORD], lambda n: n),
}  # fmt: skip


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="what Python's objects take in memory differs between versions")
@pytest.mark.usefixtures("nothing_shared")
def test_what_many_values_are_charged() -> None:
    """Arrays and maps of 1, 2, 30 and 1000 values of each kind are charged this much, to which their bytes are compared."""
    lines = []
    for names, is_map in ((CHARGED, False), (MAPPED, True)):
        for name, (kind, make) in names.items():
            charges = []
            for count in (1, 2, 30, 1000):
                keys = map(str, range(count)) if name.endswith("by strings") else range(count)
                value = {key: make(n) for n, key in enumerate(keys)} if is_map else [make(n) for n in range(count)]
                file = io.BytesIO()
                with Archive(file, "store", registry=CLASSES) as archive:
                    archive.store(kind, value)
                with Archive(io.BytesIO(file.getvalue()), "load", registry=CLASSES) as archive:
                    assert archive.load(kind) == value
                    charges.append(archive._decoder.charged)
            lines.append(f"{'map' if is_map else 'array'} of {name}: {charges}")
    text = "\n".join(lines) + "\n"
    assert text == golden("limits", "charges", text)


@pytest.mark.parametrize(("unicode", "fits"), [(False, 20), (True, 10)])
def test_counted_characters_count_by_their_width(unicode: bool, fits: int) -> None:
    """A count of characters may claim as many bytes as the limit, in either width."""
    kind: Any = Annotated[str, Chars(WORD, unicode=unicode)]
    for count in (fits, fits + 1):
        data = count.to_bytes(2, "little") + b"a\0" * count
        with Archive(io.BytesIO(data), "load", limit=20) as archive:
            if count == fits:
                assert len(archive.load(kind)) == fits
            else:
                with pytest.raises(GenericError, match=rf"found a count of {count}|found .*{count}"):
                    archive.load(kind)

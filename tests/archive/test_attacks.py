"""What an adversary may do to an archive: claims without bytes, calls out of turn."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from archive_fuzz_classes import CLASSES, Age, Node, Tree

from lifecycle.archive import (
    BOOL,
    DWORD,
    RECT,
    Archive,
    CArray,
    CByteArray,
    CComBSTR,
    CEditView,
    CMap,
    CObArray,
    COleVariant,
    CString,
    EndOfFile,
    GenericError,
    ReadOnly,
    WriteOnly,
)
from lifecycle.engine import IllegalCall

COUNTS = (0xFFFE, 0xFFFFFF, 0x3FFFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 1 << 62, (1 << 64) - 1)


def _claim(count: int) -> bytes:
    return struct.pack("<HI", 0xFFFF, count) if count < 0xFFFFFFFF else struct.pack("<HIQ", 0xFFFF, 0xFFFFFFFF, count)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    "kind",
    [CArray[DWORD], CArray[BOOL], CArray[RECT], CArray[CString], CArray[COleVariant], CArray[Age], CArray[Age | None],
     CArray[Node], CArray[Tree], CMap[DWORD, CString], CArray[CArray[DWORD]], CByteArray, CObArray],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_a_count_that_claims_much_costs_nothing(kind: Any, count: int) -> None:
    """A count of up to 2**64 things over a few bytes raises at once, and reserves no memory for what did not come."""
    with Archive(io.BytesIO(_claim(count) + bytes(64)), "load", registry=CLASSES) as archive:
        thing = kind() if kind in (CByteArray, CObArray) else None
        with pytest.raises((EndOfFile, GenericError)) as caught:
            _weighed(lambda: archive.load(kind) if thing is None else archive.serialize(thing), 1 << 19)
        assert archive.state == "broken"
        assert caught.value.offset <= 14 + 64


@pytest.mark.parametrize("kind", [CArray[DWORD], CArray[Age], CArray[Age | None], CMap[DWORD, Age], CArray[CArray[DWORD]]])
def test_a_limit_beyond_what_python_counts_to_changes_nothing(kind: Any) -> None:
    """Who sets no limit to speak of gets archive errors too, for any count."""
    for count in COUNTS:
        with Archive(io.BytesIO(_claim(count) + bytes(64)), "load", registry=CLASSES, limit=1 << 70) as archive:
            with pytest.raises(EndOfFile):
                archive.load(kind)
            assert archive.state == "broken"


@pytest.mark.parametrize("length", [0xFFFE, 0x3FFFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 1 << 40, (1 << 64) - 1])
@pytest.mark.parametrize("mark", [b"", b"\xff\xfe\xff"], ids=["ansi", "unicode"])
def test_a_string_that_claims_much_costs_nothing(mark: bytes, length: int) -> None:
    """A string's length of up to 2**64 over a few bytes raises at once, and reserves no memory for what did not come."""
    prefix = struct.pack("<BHI", 0xFF, 0xFFFF, min(length, 0xFFFFFFFF))
    if length >= 0xFFFFFFFF:
        prefix += struct.pack("<Q", length)
    with Archive(io.BytesIO(mark + prefix + bytes(64)), "load") as archive:
        with pytest.raises((EndOfFile, GenericError)):
            _weighed(lambda: archive >> CString, 1 << 18)
        assert archive.state == "broken"


@pytest.mark.parametrize("kind", [CComBSTR, COleVariant, CEditView], ids=lambda kind: kind.__name__)
def test_a_length_of_four_bytes_that_claims_much_costs_nothing(kind: Any) -> None:
    """The lengths of BSTRs and text views are taken at their word no more than others."""
    for length in (0xFFFFF, 0x3FFFFFF, 0x7FFFFFFE, 0xFFFFFFFF):
        data = (b"\x08\0" if kind is COleVariant else b"") + struct.pack("<I", length) + bytes(64)
        with Archive(io.BytesIO(data), "load") as archive:
            view = CEditView(limit=1 << 32)
            with pytest.raises((EndOfFile, GenericError)):
                _weighed(lambda: view.serialize(archive) if kind is CEditView else archive.load(kind), 1 << 18)  # noqa: B023
            assert archive.state == "broken"


def _weighed(call: Callable[[], Any], most: int) -> None:
    """Make the call; AssertionError when its memory had a peak above `most` bytes."""
    tracemalloc.start()
    try:
        call()
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= most, f"{peak} bytes"


# -- calls out of turn ---------------------------------------------------------------------------------------------------------

LOADS: dict[str, Callable[[Archive], Any]] = {
    ">>": lambda archive: archive >> DWORD,
    "load": lambda archive: archive.load(CString),
    "read": lambda archive: archive.read(1),
    "ensure_read": lambda archive: archive.ensure_read(1),
    "read_string": lambda archive: archive.read_string(),
    "read_count": lambda archive: archive.read_count(),
    "read_object": lambda archive: archive.read_object(),
    "read_class": lambda archive: archive.read_class(),
    "get_object_schema": lambda archive: archive.get_object_schema(),
    "set_load_params": lambda archive: archive.set_load_params(),
}
STORES: dict[str, Callable[[Archive], Any]] = {
    "<<": lambda archive: archive << DWORD(1),
    "store": lambda archive: archive.store(CString, "x"),
    "write": lambda archive: archive.write(b"x"),
    "write_string": lambda archive: archive.write_string("x"),
    "write_count": lambda archive: archive.write_count(1),
    "write_object": lambda archive: archive.write_object(None),
    "write_class": lambda archive: archive.write_class(Age),
    "set_store_params": lambda archive: archive.set_store_params(),
}
EITHER: dict[str, Callable[[Archive], Any]] = {
    "serialize": lambda archive: archive.serialize(CByteArray()),
    "serialize_class": lambda archive: archive.serialize_class(Age),
    "serialize_raw": lambda archive: archive.serialize_raw(CEditView()),
    "map_object": lambda archive: archive.map_object(Age()),
    "flush": lambda archive: archive.flush(),
}


def test_the_other_direction_is_refused_and_changes_nothing() -> None:
    """Every call of loading raises WriteOnly on a storing archive, every call of storing ReadOnly on a loading one."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        for call in LOADS.values():
            with pytest.raises(WriteOnly):
                call(archive)
        assert (archive.state, archive.offset) == ("storing", 0)
    assert not file.getvalue()
    with Archive(io.BytesIO(bytes(9)), "load", registry=CLASSES) as archive:
        for call in STORES.values():
            with pytest.raises(ReadOnly):
                call(archive)
        assert (archive.state, archive.offset) == ("loading", 0)


@pytest.mark.parametrize("mode", ["load", "store"])
@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_closed_archive_refuses_everything_but_closing(mode: Any, end: str) -> None:
    """After close() or abort() every call is an IllegalCall, and closing again does nothing."""
    archive = Archive(io.BytesIO(bytes(9)), mode, registry=CLASSES)
    getattr(archive, end)()
    for call in (LOADS | STORES | EITHER).values():
        with pytest.raises(IllegalCall):
            call(archive)
    archive.close()
    archive.abort()
    assert archive.state == "closed"


def test_a_broken_archive_refuses_everything_but_closing() -> None:
    """After an error of its bytes every call is an IllegalCall."""
    archive = Archive(io.BytesIO(b"\xff\xff"), "load", registry=CLASSES)
    with pytest.raises(EndOfFile):
        archive.read_object()
    for call in (LOADS | STORES | EITHER).values():
        with pytest.raises(IllegalCall):
            call(archive)
    archive.close()

"""What the real MFC wrote (golden/) is written byte for byte, and read back, without the DLL."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from pathlib import Path

import pytest
from oracle.golden import MAP_KEYS, document_of, golden_rows
from oracle.graphs import cases, whole_document
from oracle.loading import load_tokens
from oracle.reading import COLLECTIONS, Reading
from oracle.runtimes import RUNTIMES
from oracle.storing import Case, stored_here
from oracle.vectors import operations as operations_of_vectors

from lifecycle.archive import Archive

golden = cache(golden_rows)
GROUPS = 8  # the operations of a runtime, so many at a time
NOT_READ = ("MapObject", "WriteCount(18446744073709551615)", "WriteCount(9223372036854775808)")
"""What is numbered by objects that are not in the bytes; and counts above the limit"""


KEPT = (
    "CStringW", "CStringA", "AfxWriteStringLength", "WriteCount", "WriteString", "CTime(", "CTime::Serialize64", "CTimeSpan(",
    "COleDateTime(", "COleDateTimeSpan(", "COleCurrency", "COleVariant", "CComBSTR", "CByteArray", "CWordArray", "CDWordArray",
    "CStringArray", "CStringList", "CObArray", "CObList", "CMapStringToString of 16", "CMapStringToOb of 16",
    "CMapWordToOb of 16", "schema 65534", "32766 objects", "65536 objects", "32767 MapObject", "CEditView", "a whole document",
)  # fmt: skip


@cache
def operations(runtime: str) -> dict[str, Case]:
    """The operations that are kept, by their names."""
    known = {case.name: case for case in cases(RUNTIMES[runtime].unicode)}
    return {name: known[name] for name in golden(runtime) if name in known}


@cache
def stored(name: str, unicode: bool) -> bytes:
    """What is stored here, once for both Unicode runtimes: they have the same operations."""
    runtime = next(known for known, each in RUNTIMES.items() if each.unicode == unicode)
    return stored_here(operations(runtime)[name], unicode)


@cache
def answered(data: bytes, tokens: str, unicode: bool) -> str:
    """What reading says, once for runtimes that wrote the same bytes."""
    return Reading(unicode).answer(data, tokens)


def part(runtime: str, group: int) -> list[Case]:
    """Each GROUPS-th operation."""
    return list(operations(runtime).values())[group::GROUPS]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_kind_is_kept(runtime: str) -> None:
    """The golden files have each wire type, collections, maps, schemas, six-byte tags and the document."""
    names = " ".join(golden(runtime))
    for kind in KEPT:
        assert kind in names


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_operations_write_the_golden_bytes(runtime: str, group: int) -> None:
    """Each operation stores what MFC stored."""
    rows, unicode = golden(runtime), RUNTIMES[runtime].unicode
    for case in part(runtime, group):
        if not case.name.startswith("CTimeSpan(-9223372036854775808"):  # refused here: MFC's release build stores its low bits
            assert stored(case.name, unicode) == rows[case.name], case.name


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_golden_bytes_are_read_to_their_end(runtime: str, group: int) -> None:
    """Each operation's bytes load by their kinds, and nothing is left."""
    unicode = RUNTIMES[runtime].unicode
    for case in part(runtime, group):
        tokens = load_tokens(case.tokens, case.setup)
        if tokens is not None and not any(name in case.name for name in NOT_READ):
            answer = answered(golden(runtime)[case.name], tokens, unicode)
            assert re.search(r"(^| )ok( .*)?rest=0$", answer), (case.name, answer[-200:])


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("kind", ["mss", "mso", "mwo"])
def test_maps_are_read_in_the_order_of_either_hash_and_stored_in_the_order_they_have(runtime: str, kind: str) -> None:
    """A map that MFC wrote, loaded and stored again, is the same bytes; and it has every entry."""
    name = {"mss": "CMapStringToString of 16", "mso": "CMapStringToOb of 16", "mwo": "CMapWordToOb of 16"}[kind]
    data, unicode = golden(runtime)[name], RUNTIMES[runtime].unicode
    with Archive(io.BytesIO(data), "load", unicode=unicode) as archive:
        found = COLLECTIONS[kind]()
        found.serialize(archive)
    assert len(found) == len(MAP_KEYS)
    again = io.BytesIO()
    with Archive(again, "store", unicode=unicode) as archive:
        found.serialize(archive)
    assert again.getvalue() == data


def test_the_two_hashes_order_maps_otherwise() -> None:
    """MFC 14 and MFC 9 wrote the same strings in another order: a reader must not count on one."""
    name = "CMapStringToString of 16"
    assert sorted(golden("MFC 14")[name]) == sorted(golden("MFC 9")[name])
    assert golden("MFC 14")[name] != golden("MFC 9")[name]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_whole_document_is_the_file_that_mfc_wrote(runtime: str) -> None:
    """The document's file is what its operations store, and loads to its end."""
    case = whole_document(RUNTIMES[runtime].unicode)
    data = document_of(RUNTIMES[runtime]).read_bytes()
    assert stored_here(case, RUNTIMES[runtime].unicode) == data
    assert "CPerson" in Reading(RUNTIMES[runtime].unicode).answer(data, "raw:2 sw o in:ol in:lw o rs")


def test_vectors_say_what_confirmed_them() -> None:
    """Each golden vector that a DLL reaches is marked, and no other is."""
    rows = json.loads((Path(__file__).parent.parent / "archive" / "vectors.json").read_text(encoding="utf-8"))
    reached = {**operations_of_vectors(unicode=True), **operations_of_vectors(unicode=False)}
    marked = {row["name"] for row in rows if row.get("confirmed", "").startswith("confirmed by MFC")}
    assert marked - {"pid_0x7ffe_ref", "pid_0x7fff_ref", "class_pid_0x7fff"} == set(reached)

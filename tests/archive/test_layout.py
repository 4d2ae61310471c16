"""Layouts of unknown classes, inferred from objects that an archive stored, and the modules written from them."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import part

from lifecycle.archive import DOUBLE, DWORD, WORD, Archive, CObList, CString, Registry, serializable
from lifecycle.archive.layout import Document, Layout, infer, inference, module_source
from lifecycle.archive.layout.tree import tree_of

CLASSES = Registry()
DOCUMENTS = os.environ.get("MFC_DOCUMENTS")
"""A folder of documents of MFC programs, to try the same on files that are not the project's."""


@serializable("CLine", 3, registry=CLASSES)
@dataclass
class Line:
    colour: DWORD
    fixed: WORD
    x: DOUBLE
    y: DOUBLE


@serializable("CLabel", 3, registry=CLASSES)
@dataclass
class Label:
    colour: DWORD
    fixed: WORD
    x: DOUBLE
    y: DOUBLE
    text: CString


def drawing(*, unicode: bool = True) -> bytes:
    """A document with a header, 40 lines and 20 labels in a list."""
    file = io.BytesIO()
    lines = [Line(number % 7, 0x1234, number * 1.5 + 0.1, -number / 3) for number in range(40)]
    labels = [Label(number % 5, 0x1234, number * 2.25, 7.75 - number, f"label number {number}") for number in range(20)]
    with Archive(file, "store", registry=CLASSES, unicode=unicode) as archive:
        archive.write(b"DRAW")
        archive.write_object(CObList([*lines, *labels]))
    return file.getvalue()


def module_of(source: str) -> ModuleType:
    """The module of a source text."""
    module = ModuleType("written_layout")
    sys.modules[module.__name__] = module
    exec(compile(source, module.__name__, "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("unicode", [True, False])
def test_fields_are_inferred_from_all_objects(unicode: bool) -> None:
    """Numbers, constants, doubles and strings are found where they are, and the base of two classes that begin alike."""
    layouts = {each.name: each for each in infer(drawing(unicode=unicode))}
    line, label = layouts["CLine"], layouts["CLabel"]
    assert (line.objects, line.schema, line.lengths[0], line.is_complete) == (40, 3, (22, 40), True)
    assert [(each.kind, each.offset) for each in line.fields] == [
        ("DWORD", 0), ("Bytes", 4), ("DOUBLE", 6), ("DOUBLE", 14)
    ]  # fmt: skip
    assert line.fields[1].constant == b"\x34\x12"
    assert "fits 40 of 40" in line.fields[2].evidence
    assert [each.kind for each in label.fields] == [
        "DWORD", "Bytes", "DOUBLE", "DOUBLE", "CStringW" if unicode else "CStringA"
    ]  # fmt: skip
    assert (line.base, line.base_fields) == (label.base, label.base_fields) == (1, 4)
    assert layouts["CObList"].holds[0][0] == "CLine"


def test_a_field_may_be_all_there_is_of_an_object() -> None:
    """A class of one number is one field."""

    @serializable("COnly", registry=CLASSES)
    @dataclass
    class Only:
        number: DWORD

    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        archive.write_object(CObList([Only(number * 3) for number in range(40)]))
    (only,) = (each for each in infer(file.getvalue()) if each.name == "COnly")
    assert [(each.kind, each.offset, each.size) for each in only.fields] == [("DWORD", 0, 4)]


def test_of_very_many_objects_evenly_spread_ones_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """All objects are counted; of four times as many as are kept, and some more, the layout rests on every eighth."""
    monkeypatch.setattr(inference, "MOST_OBJECTS", 40)
    file, count = io.BytesIO(), 4 * 40 + 4
    with Archive(file, "store", registry=CLASSES) as archive:
        archive.write_object(CObList([Line(number, 7, 0.5, 1.5) for number in range(count)]))
    (line,) = (each for each in infer(file.getvalue()) if each.name == "CLine")
    assert (line.objects, line.fitting) == (count, count // 8 + 1)
    assert line.fields[0].evidence.endswith(f"{count // 8 + 1} values from 0 to {count - 5}")


def test_counts_are_kept_with_the_objects_that_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more objects than are kept, each that is looked at still has the number of those that follow it."""
    monkeypatch.setattr(inference, "MOST_OBJECTS", 40)
    holder, item = (b"\xff\xff\1\0\4\0" + name for name in (b"CBox", b"CBit"))
    data = holder + b"\1\0" + item + b"\7"
    data += b"".join(b"\1\x80" + bytes((number % 5, 0)) + b"\3\x80\7" * (number % 5) for number in range(200))
    box, bit = infer(data)
    assert (box.objects, box.counts, bit.objects) == (201, True, 401)


def test_more_classes_than_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the classes behind the first ones there is no layout, and their objects are not taken for those of others."""
    monkeypatch.setattr(inference, "MOST_CLASSES", 2)
    data = b"".join(b"\xff\xff\1\0\4\0CBi%d" % number + b"\1\0\2" for number in range(4)) + b"\1\x80\1\0\3"
    assert [(each.name, each.objects) for each in infer(data)] == [("CBi0", 2), ("CBi1", 1)]


@pytest.mark.parametrize("unicode", [True, False])
def test_the_written_module_stores_the_same_bytes(unicode: bool) -> None:
    """The module that is written loads the known fields of every object and stores the same bytes; changes arrive."""
    data = drawing(unicode=unicode)
    module = module_of(module_source(infer(data)))
    document = module.load(data)
    assert module.store(document) == data
    assert document.known()["CLine"] == (40, 40, 0)
    document.objects[1].fields.f3 = 99.5
    again = module.load(module.store(document))
    assert again.objects[1].fields.f3 == 99.5
    assert tree_of(again)["objects"][1]["fields"]["f3"] == 99.5


names = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=12)


@settings(max_examples=part(40, 15))
@given(st.lists(st.tuples(names, st.binary(max_size=60)), max_size=12), st.binary(max_size=30))
def test_any_bytes_are_stored_as_they_were(described: list[tuple[str, bytes]], head: bytes) -> None:
    """Whatever the bytes and the names of classes are, the written module is Python, and stores the same bytes."""
    data = head + b"".join(
        b"\xff\xff\1\0" + len(name).to_bytes(2, "little") + name.encode() + body * 3 for name, body in described
    )
    module = module_of(module_source(infer(data)))
    assert module.store(module.load(data)) == data


@pytest.mark.skipif(DOCUMENTS is None, reason="MFC_DOCUMENTS names no folder of documents to try")
def test_documents_of_programs_are_stored_as_they_were() -> None:
    """Each document in the folder is loaded to its end by the module written from it, and stored again byte for byte."""
    assert DOCUMENTS is not None
    for path in (each for each in Path(DOCUMENTS).rglob("*") if each.is_file()):
        data = path.read_bytes()
        module = module_of(module_source(infer(data)))
        assert module.store(module.load(data)) == data, path


def test_without_classes_everything_is_raw() -> None:
    """A layout of no classes keeps each object's bytes as they are."""
    data = drawing()
    document = Layout({}).load(data)
    assert isinstance(document, Document)
    assert all(each.fields is None for each in document.objects)
    assert Layout({}).store(document) == data


def test_a_tree_has_each_object_once() -> None:
    """Cycles and shared objects become a number; numbers that JSON does not have become text; depth does not matter."""
    cycle: list[object] = [float("nan"), b"\1\2", {1: "x"}]
    cycle.append(cycle)
    assert tree_of(cycle) == ["nan", "0102", [[1, "x"]], {"again": 1}]
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    tree = tree_of(deep)
    for _ in range(5000):
        (tree,) = tree
    assert tree == []

"""Valid archives of everything that an archive holds, and what to ask for when loading them.

A seed is the bytes of an archive and its plan: the names of the requests that load it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from archive_fuzz_classes import CLASSES, Age, Branch, Elder, Empty, Frozen, Index, Mixed, Node, Oak, Spot, Tree
from archive_kinds import WIRES, put, stored

from lifecycle import archive as mfc
from lifecycle.archive import (
    POINT,
    VT,
    Archive,
    CByteArray,
    CDWordArray,
    CMapStringToOb,
    CMapStringToString,
    CMapWordToOb,
    CObArray,
    CObList,
    COleCurrency,
    COleDateTime,
    COleVariant,
    CString,
    CStringArray,
    CStringList,
    CTime,
    CWordArray,
)


@dataclass(frozen=True, slots=True)
class Seed:
    """The bytes of an archive, and the names of the requests that load it."""

    data: bytes
    plan: tuple[str, ...]


def _numbers() -> list[tuple[str, Any]]:
    values: list[tuple[str, Any]] = [(name, 1) for name in list(WIRES)[:15]]
    values += [("WCHAR", "ß"), ("SIZE", (1, -1)), ("POINT", (2, -2)), ("RECT", (1, 2, 3, 4))]
    values += [(name, 1570113051) for name in ("CTime", "CTime32", "CTime64", "CTimeSpan", "CTimeSpan64")]
    values += [
        ("COleDateTime", COleDateTime(36526.25)),
        ("COleDateTimeSpan", mfc.COleDateTimeSpan(1.5)),
        ("COleCurrency", COleCurrency(10000)),
    ]
    values += [
        ("COleVariant", COleVariant()),
        ("COleVariant", COleVariant("hi", VT.BSTR)),
        ("COleVariant", COleVariant(None, 0x2003)),
    ]
    values += [("COleVariant", COleVariant(1, vt)) for vt in (*range(VT.I2, VT.BSTR), VT.ERROR, VT.BOOL, *range(VT.I1, 22))]
    return values


def _strings() -> list[tuple[str, Any]]:
    lengths = (0, 1, 3, 0xFE, 0xFF, 0x100)
    names = ("CString", "CStringA", "CStringW", "CComBSTR")
    return [(name, "é" * length) for name in names for length in lengths] + [("CStringW", "\U0001f600\ud800")]


def _templates() -> list[tuple[str, Any]]:
    age, elder = Age(3), Elder(4, "old")
    return [
        ("CArray[BYTE]", range(5)), ("CArray[CHAR]", (-1, 0)), ("CArray[BOOL]", (True, False)), ("CArray[DOUBLE]", (0.5, 3.0)),
        ("CArray[RECT]", [(1, 2, 3, 4)] * 3), ("CArray[CString]", ("a", "", "b" * 300)),
        ("CArray[COleVariant]", (COleVariant(1, VT.I4), COleVariant("x", VT.BSTR))), ("CArray[Age]", [age, Age(9)] * 3),
        ("CArray[Mixed]", [_mixed(), Mixed()]), ("CArray[Node]", [_graph()]), ("CArray[Age|None]", (age, None, elder, age)),
        ("CArray[CArray[WORD]]", [[1, 2], [], [3]]), ("CArray[CObList]", [CObList([age])]), ("CList[FLOAT]", (1.5, -0.0)),
        ("CList[Frozen]", [Frozen(1, "two", 3)]), ("CMap[WORD,CString]", {1: "one", 2: ""}),
        ("CMap[CString,CArray[Age]]", {"k": [age]}), ("CMap[DOUBLE,Node|None]", {0.5: _graph(), 1.0: None}),
        ("CMap[Spot,CString]", {Spot(1, -2, "a"): "one", Spot(): ""}),
        ("CMap[Frozen,Branch]", {Frozen(1, "two", 3): _branch(3)}), ("CArray[Tree]", [_tree(2), Tree()]),
        ("CArray[Branch]", [_branch(2), Branch()]),
    ]  # fmt: skip


def _mixed() -> Mixed:
    mixed = Mixed(7, 0.5, "name", True, "narrow", "wide\U0001f600", POINT(1, 2), "y", Age(5), CTime(99))
    mixed.variant = COleVariant(CString("v"), VT.BSTR)
    mixed.points, mixed.flags, mixed.ages, mixed.names = [POINT(3, 4)], [True, False], [Age(1)], {7: "seven"}
    mixed.other = Elder(80, "e" * 260)
    return mixed


def _graph() -> Node:
    """Shared references, a cycle, several classes, all collections."""
    one, two, age = Node(), Node(), Age(21)
    one.value, one.label, two.value = 1, "first", 2
    collections = [
        CByteArray(b"abc"), CWordArray([1, 0x203]), CDWordArray([1]), CStringArray(["a", ""]), CStringList(["x"]),
        CObArray([age, None, two]), CObList([age, Elder(70, "el")]), CMapStringToString({"k": "v"}),
        CMapStringToOb({"age": age, "none": None}), CMapWordToOb({5: None, 6: one}),
    ]  # fmt: skip
    one.links[:] = [two, age, *collections, Frozen(1, "bstr", -1), Empty(), _mixed()]
    two.links[:] = [one, two, age]
    return one


def _tree(depth: int) -> Tree:
    tree = Tree("leaf")
    for level in range(depth):
        tree = Tree(f"level {level}", [tree, Tree()], tree)
        tree.friend = tree
    return tree


def _index(depth: int) -> Index:
    """Records as keys, and an index that refers to itself and to others."""
    index = Index({Spot(depth, 0, "layer"): depth, Spot(): 0}, {Frozen(1, "key", depth): _tree(1)})
    index.others = {Spot(0, 1): index, Spot(0, 2): _index(depth - 1) if depth else None}
    return index


def _branch(depth: int, kind: type[Branch] = Branch) -> Branch:
    """Branches within branches, by value."""
    branch = kind()
    branch.name, branch.index = f"level {depth}", _index(1)
    branch.twigs = [_branch(depth - 1), Branch()] if depth else []
    return branch


def _objects() -> list[tuple[str, Any]]:
    values: list[tuple[str, Any]] = [("Node*", _graph()), ("Age*", Age(1)), ("Elder*", Elder(2, "x")), ("Mixed*", _mixed())]
    values += [("Frozen*", Frozen(1, "f", 2)), ("Tree*", _tree(3)), ("Empty*", Empty()), ("object", None)]
    values += [("Spot*", Spot(1, 2, "s")), ("Index*", _index(2)), ("Branch*", _branch(3)), ("Oak*", _branch(2, Oak))]
    return values + [(f"{type(each).__name__}*", each) for each in _graph().links[2:-3]]


def _many(names: tuple[str, ...], values: list[Any]) -> Callable[[Archive], None]:
    def put_all(archive: Archive) -> None:
        for name, value in zip(names, values, strict=True):
            put(archive, name, value)

    return put_all


def values() -> list[tuple[str, Any]]:
    """Every value of the seeds, with the name of the request that loads it."""
    return [*_numbers(), *_strings(), *_templates(), *_objects()]


def _hand_written() -> Iterator[Seed]:
    """Forms that a reader takes and a writer has for large archives only: long prefixes, tags of six bytes; and plain calls."""
    mark, text = b"\xff\xfe\xff", "ab".encode("utf-16-le")
    for prefix in (b"\xff\x02\0", b"\xff\xff\xff\x02\0\0\0", b"\xff\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\0\0\0"):
        yield Seed(prefix + b"ab", ("CString",))
        yield Seed(mark + prefix + text, ("CStringA",))
    for prefix in (b"\x03\0", b"\xff\xff\x03\0\0\0", b"\xff\xff\xff\xff\xff\xff\x03\0\0\0\0\0\0\0"):
        yield Seed(prefix + b"abc", ("count", "read 7"))
        yield Seed(prefix + bytes(12), ("CDWordArray.serialize",))
    described = CLASSES.entry(Age).description
    big = b"\xff\x7f\x01\0\0\x80" + b"\x07\0" + b"\xff\x7f\x02\0\0\0"
    yield Seed(described + b"\x05\0" + b"\x01\x80\x06\0" + big + b"\x02\0\x03\0\0\0", ("Age*",) * 7)
    yield Seed(described + b"\x01\x80" + big[:6], ("class", "class Age", "class"))
    yield Seed(b"\x01\0" + described + b"\x05\0\x01\0", ("map", "Age*", "Age*", "object"))
    node = CLASSES.entry(Node).description
    yield Seed(node[:2] + b"\x01\0" + node[4:] + bytes(6), ("Node*",))
    branch, tree, array = (CLASSES.entry(kind).description for kind in (Branch, Tree, CObArray))
    yield Seed(branch + b"\0\x01\0" * 40 + b"\0\0\0" + bytes(2) * 41, ("Branch*",))
    yield Seed(tree + b"\0\x01\0" * 99 + b"\0\0\0" + bytes(2) * 100, ("Tree*",))
    yield Seed(array + b"\x01\0" + b"\x01\x80\x01\0" * 98 + bytes(2), ("CObArray*",))
    yield Seed(node + (bytes(5) + b"\x01\0" + b"\x01\x80") * 60 + bytes(7), ("Node*",))
    for unicode in (True, False):
        lines = "a line\nanother\r\nlast".encode("utf-16-le" if unicode else "cp1252")
        yield Seed(lines, ("line", "line of 5", "line", "line", "line"))
        yield Seed(struct.pack("<I", 20) + lines, ("view",))
        yield Seed(lines, ("raw view",))
    yield Seed(bytes(16), ("read 7", "ensure_read 3", "count", "object", "CArray[Empty]"))


def seeds() -> list[Seed]:
    """Every seed: each value by itself, and several behind one another, in both builds."""
    found: list[Seed] = []
    groups = (_numbers(), _strings(), _templates(), _objects())
    for unicode in (True, False):
        for group in groups:
            found += [Seed(stored(unicode, _many((name,), [value])), (name,)) for name, value in group]
            names = tuple(name for name, _ in group)
            found.append(Seed(stored(unicode, _many(names, [value for _, value in group])), names))
    found += _hand_written()
    return found


def large_seeds() -> list[Seed]:
    """Strings of every long form as a writer has them, and so many objects that tags take six bytes: slow, so used rarely."""
    ages = [Age(number & 0xFFFF) for number in range(0x8004)]
    found = []
    for unicode in (True, False):
        texts = ["x" * length for length in (0xFFFD, 0xFFFE, 0xFFFF, 0x10000)]
        found += [Seed(stored(unicode, _many(("CString",), [text])), ("CString",)) for text in texts]
        found.append(Seed(stored(unicode, _many(("CObArray*",), [CObArray(ages + ages[-5:])])), ("CObArray*",)))
    return found

"""What an archive holds, for its tests: every request of a loading archive, and how values compare."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from archive_fuzz_classes import CLASSES, Age, Branch, Elder, Empty, Frozen, Index, Mixed, Node, Oak, Spot, Tree

from lifecycle import archive as mfc
from lifecycle.archive import (
    BOOL,
    BYTE,
    CHAR,
    DOUBLE,
    FLOAT,
    WORD,
    Archive,
    CArray,
    CByteArray,
    CDWordArray,
    CEditView,
    CList,
    CMap,
    CMapStringToOb,
    CMapStringToString,
    CMapWordToOb,
    CObArray,
    CObList,
    COleVariant,
    CString,
    CStringArray,
    CStringList,
    CWordArray,
)

# -- what can be asked of a loading archive ------------------------------------------------------------------------------------

Request = Callable[[Archive], Any]


def _kind(kind: Any) -> Request:
    return lambda archive: archive.load(kind)


def _member(make: Callable[[], Any]) -> Request:
    def load(archive: Archive) -> Any:
        thing = make()
        archive.serialize(thing)
        return thing

    return load


WIRES: dict[str, Any] = {
    name: getattr(mfc, name)
    for name in (
        "BYTE", "WORD", "DWORD", "UINT", "ULONGLONG", "COLORREF", "CHAR", "SHORT", "INT", "LONG", "LONGLONG", "FLOAT", "DOUBLE",
        "BOOL", "BOOLEAN", "WCHAR", "SIZE", "POINT", "RECT", "CTime", "CTime32", "CTime64", "CTimeSpan", "CTimeSpan64",
        "COleDateTime", "COleDateTimeSpan", "COleCurrency", "COleVariant", "CString", "CStringA", "CStringW", "CComBSTR",
    )
}  # fmt: skip
TEMPLATES: dict[str, Any] = {
    "CArray[BYTE]": CArray[BYTE],
    "CArray[CHAR]": CArray[CHAR],
    "CArray[BOOL]": CArray[BOOL],
    "CArray[DOUBLE]": CArray[DOUBLE],
    "CArray[RECT]": CArray[mfc.RECT],
    "CArray[CString]": CArray[CString],
    "CArray[COleVariant]": CArray[COleVariant],
    "CArray[Age]": CArray[Age],
    "CArray[Empty]": CArray[Empty],
    "CArray[Mixed]": CArray[Mixed],
    "CArray[Node]": CArray[Node],
    "CArray[Age|None]": CArray[Age | None],
    "CArray[CArray[WORD]]": CArray[CArray[WORD]],
    "CArray[CObList]": CArray[CObList],
    "CList[FLOAT]": CList[FLOAT],
    "CList[Frozen]": CList[Frozen],
    "CMap[WORD,CString]": CMap[WORD, CString],
    "CMap[CString,CArray[Age]]": CMap[CString, CArray[Age]],
    "CMap[DOUBLE,Node|None]": CMap[DOUBLE, Node | None],
    "CMap[Spot,CString]": CMap[Spot, CString],
    "CMap[Frozen,Branch]": CMap[Frozen, Branch],
    "CArray[Tree]": CArray[Tree],
    "CArray[Branch]": CArray[Branch],
}
_OBJECTS: tuple[type[Any], ...] = (
    Age, Elder, Mixed, Frozen, Tree, Node, Empty, Spot, Index, Branch, Oak, CByteArray, CWordArray, CDWordArray, CStringArray,
    CStringList, CObArray, CObList, CMapStringToString, CMapStringToOb, CMapWordToOb,
)  # fmt: skip

REQUESTS: dict[str, Request] = {
    **{name: _kind(kind) for name, kind in (WIRES | TEMPLATES).items()},
    **{f"{kind.__name__}*": _kind(kind) for kind in _OBJECTS},
    **{f"{kind.__name__}.serialize": _member(kind) for kind in _OBJECTS if kind not in (Frozen, Spot)},
    "object": lambda archive: archive.read_object(),
    "class": lambda archive: archive.read_class(),
    "class Age": lambda archive: archive.serialize_class(Age),
    "count": lambda archive: archive.read_count(),
    "line": lambda archive: archive.read_string(),
    "line of 5": lambda archive: archive.read_string(5),
    "read 7": lambda archive: archive.read(7),
    "ensure_read 3": lambda archive: archive.ensure_read(3),
    "map": lambda archive: archive.map_object(Age(9)),
    "view": _member(CEditView),
    "view of 3": _member(lambda: CEditView(limit=3)),
    "raw view": lambda archive: archive.serialize_raw(CEditView()),
}

LOADABLE = {entry.kind for registry in (CLASSES, mfc.format.registry.COLLECTIONS) for entry in registry._by_class.values()}
"""The classes of which loading may make objects."""


# -- what was loaded -----------------------------------------------------------------------------------------------------------


def shape(*values: Any) -> list[Any]:
    """Values as a flat list that is equal for values of equal structure: classes, contents, and what is the same object."""
    found: list[Any] = []
    numbers: dict[int, int] = {}
    waiting, kept = list(reversed(values)), list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, (int, float, str, bytes, type(None), type)):
            found.append(repr(value))
            continue
        if id(value) in numbers:
            found.append(numbers[id(value)])
            continue
        kept.append(value)  # an id is only its own while it lives
        numbers[id(value)] = len(numbers)
        found.append(type(value).__name__)
        parts = parts_of(value)
        found.append(len(parts))
        waiting += reversed(parts)
    return found


def parts_of(value: Any) -> list[Any]:
    """What a value that was loaded consists of."""
    if isinstance(value, dict):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, (list, tuple, bytearray)):
        return list(value)
    if is_dataclass(value):
        return [getattr(value, each.name) for each in fields(value)]
    return [getattr(value, name) for name in ("text",) if hasattr(value, name)] or list(vars(value).values())


# -- storing -----------------------------------------------------------------------------------------------------------------


def stored(unicode: bool, put_all: Callable[[Archive], None]) -> bytes:
    """The bytes of an archive into which `put_all` stores."""
    file = io.BytesIO()
    with Archive(file, "store", unicode=unicode, registry=CLASSES) as archive:
        put_all(archive)
    return file.getvalue()


def put(archive: Archive, name: str, value: Any) -> None:
    """Store what the request of that name loads."""
    kind = WIRES.get(name) or TEMPLATES.get(name)
    if kind is None:
        archive.write_object(value)
    else:
        archive.store(kind, value)

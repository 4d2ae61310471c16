"""What an archive holds, for its tests: classes of every sort, every request of a loading archive, and how values compare."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar

from lifecycle import archive as mfc
from lifecycle.archive import (
    BOOL,
    BOOLEAN,
    BYTE,
    CHAR,
    DOUBLE,
    DWORD,
    FLOAT,
    LONGLONG,
    POINT,
    SHORT,
    WCHAR,
    WORD,
    Archive,
    CArray,
    CByteArray,
    CComBSTR,
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
    CStringA,
    CStringArray,
    CStringList,
    CStringW,
    CTime,
    CWordArray,
    Registry,
    serializable,
)

CLASSES = Registry()
"""The classes that the fuzz lets an archive load."""

ORIGIN, EPOCH, NOTHING = POINT(0, 0), CTime(0), COleVariant()


@serializable("CAge", schema=1, registry=CLASSES)
@dataclass
class Age:
    """One run of fixed size."""

    years: WORD = 0


@serializable("CElder", schema=1, registry=CLASSES)
@dataclass
class Elder(Age):
    """A derived record."""

    name: CString = ""


@serializable("CMixed", registry=CLASSES)
@dataclass(slots=True)
class Mixed:
    """Runs of fixed size, short strings behind them, embedded objects, templates, pointers."""

    number: DWORD = 0
    ratio: DOUBLE = 0.0
    name: CString = ""
    flag: BOOL = False
    narrow: CStringA = ""
    wide: CStringW = ""
    at: POINT = ORIGIN
    letter: WCHAR = "x"
    age: Age = field(default_factory=Age)
    when: CTime = EPOCH
    variant: COleVariant = NOTHING
    points: CArray[POINT] = field(default_factory=CArray[POINT])
    flags: CArray[BOOLEAN] = field(default_factory=CArray[BOOLEAN])
    ages: CList[Age] = field(default_factory=CList[Age])
    names: CMap[WORD, CString] = field(default_factory=CMap[WORD, CString])
    other: Age | None = None


@serializable("CFrozen", schema=3, registry=CLASSES)
@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen record."""

    left: SHORT = 0
    text: CComBSTR = ""
    right: LONGLONG = 0


@serializable("CTree", registry=CLASSES)
@dataclass(eq=False)
class Tree:
    """A record that contains others of its class by value and points to others."""

    name: CString = ""
    kids: CArray[Tree] = field(default_factory=list)
    friend: Tree | None = None


@serializable("CNode", schema=2, versionable=True, registry=CLASSES)
class Node:
    """A class with a method of its own, of which older schemas are loaded."""

    def __init__(self) -> None:
        self.value = 0
        self.links = CObArray()
        self.label = ""

    def serialize(self, archive: Archive) -> None:
        if archive.is_storing:
            archive << DWORD(self.value) << CString(self.label)
        else:
            schema = archive.get_object_schema()
            self.value = archive >> DWORD
            self.label = archive >> CString if schema != 1 else ""
        self.links.serialize(archive)


@serializable("CEmpty", registry=CLASSES)
@dataclass
class Empty:
    """A record without a byte."""


@serializable("CForbidden")
@dataclass
class Forbidden:
    """Registered elsewhere, so that no archive of the fuzz may make one."""

    value: DWORD = 0
    made: ClassVar[int] = 0

    def __new__(cls) -> Forbidden:
        cls.made += 1
        return object.__new__(cls)


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
}
_OBJECTS: tuple[type[Any], ...] = (
    Age, Elder, Mixed, Frozen, Tree, Node, Empty, CByteArray, CWordArray, CDWordArray, CStringArray, CStringList, CObArray,
    CObList, CMapStringToString, CMapStringToOb, CMapWordToOb,
)  # fmt: skip

REQUESTS: dict[str, Request] = {
    **{name: _kind(kind) for name, kind in (WIRES | TEMPLATES).items()},
    **{f"{kind.__name__}*": _kind(kind) for kind in _OBJECTS},
    **{f"{kind.__name__}.serialize": _member(kind) for kind in _OBJECTS if kind is not Frozen},
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

LOADABLE = {entry.kind for registry in (CLASSES, mfc.registry.COLLECTIONS) for entry in registry._by_class.values()}
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

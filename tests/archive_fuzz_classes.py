"""The classes that the archive fuzz may make: records of every sort, classes with a method, and one that it may not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from lifecycle.archive import (
    BOOL,
    BOOLEAN,
    DOUBLE,
    DWORD,
    LONG,
    LONGLONG,
    POINT,
    SHORT,
    WCHAR,
    WORD,
    Archive,
    ArchiveError,
    CArray,
    CComBSTR,
    CList,
    CMap,
    CObArray,
    COleVariant,
    CString,
    CStringA,
    CStringW,
    CTime,
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


@serializable("CSpot", schema=2, registry=CLASSES)
@dataclass(frozen=True, order=True)
class Spot:
    """A record that is a key of maps: frozen, and of numbers and strings alone."""

    x: LONG = 0
    y: LONG = 0
    layer: CStringA = ""


@serializable("CIndex", registry=CLASSES)
@dataclass(eq=False)
class Index:
    """Maps by records, into objects by value, by pointer, and back to itself."""

    counts: CMap[Spot, DWORD] = field(default_factory=dict)
    trees: CMap[Frozen, Tree] = field(default_factory=dict)
    others: CMap[Spot, Index | None] = field(default_factory=dict)


@serializable("CBranch", registry=CLASSES)
class Branch:
    """A class with a method that holds others of its class by value, and goes on where what it points to is wrong."""

    def __init__(self) -> None:
        self.name = ""
        self.twigs: list[Branch] = []
        self.index: Index | None = None

    def serialize(self, archive: Archive) -> None:
        if archive.is_storing:
            archive << CString(self.name)
            archive.store(CArray[Branch], self.twigs)
            archive.store(Index, self.index)
            archive.flush()
        else:
            self.name = archive >> CString
            self.twigs = archive >> CArray[Branch]
            try:
                self.index = archive >> Index
            except ArchiveError:
                self.name += "?"


@serializable("COak", schema=1, registry=CLASSES)
class Oak(Branch):
    """A class whose method begins with its base's."""

    def __init__(self) -> None:
        super().__init__()
        self.age = 0

    def serialize(self, archive: Archive) -> None:
        super().serialize(archive)
        if archive.is_storing:
            archive << WORD(self.age)
        else:
            self.age = archive >> WORD


@serializable("CForbidden")
@dataclass
class Forbidden:
    """Registered elsewhere, so that no archive of the fuzz may make one."""

    value: DWORD = 0
    made: ClassVar[int] = 0

    def __new__(cls) -> Forbidden:
        cls.made += 1
        return object.__new__(cls)

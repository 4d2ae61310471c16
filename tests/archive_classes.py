"""Serializable classes for tests: the illustrative ones of the golden vectors, and some for each way to declare one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from lifecycle.archive import (
    DOUBLE,
    DWORD,
    POINT,
    WORD,
    Archive,
    CArray,
    CEditView,
    CObArray,
    CObList,
    CString,
    CStringList,
    CStringW,
    serializable,
)


@serializable("CAge", schema=1)
@dataclass
class Age:
    """CAge: a WORD."""

    years: WORD = 0


@serializable("CPerson", schema=1, versionable=True)
@dataclass
class Person:
    """CPerson: a Unicode name and a WORD; versionable."""

    name: str = ""
    age: int = 0

    def serialize(self, archive: Archive) -> None:
        """All versions are alike."""
        if archive.is_storing:
            archive << CStringW(self.name) << WORD(self.age)
        else:
            self.name, self.age = archive >> CStringW, archive >> WORD


@serializable("CNode")
@dataclass(eq=False)
class Node:
    """CNode: a pointer to another node."""

    next: Node | None = None


@serializable("CDoc")
class Document:
    """A document that is never stored itself, only mapped."""

    def serialize(self, archive: Archive) -> None:
        """It has nothing to store."""


@serializable("CSubItem", schema=1)
@dataclass(eq=False)
class SubItem:
    """CSubItem: a pointer back to its document, and a WORD."""

    document: Document | None = None
    number: WORD = 0


@serializable("CMsg")
@dataclass
class Message:
    """CMsg of the chat samples: a WORD that says goodbye, a text, a list of texts as a member."""

    close: WORD = 0
    text: CString = ""
    list: CStringList = field(default_factory=CStringList)


ORIGIN = POINT(0, 0)


@serializable("CBox")
@dataclass(eq=False)
class Box:
    """One field of each kind: fixed, string, embedded record, pointers, collections, typed arrays."""

    corner: POINT = ORIGIN
    weight: DOUBLE = 0.0
    label: CString = ""
    age: Age = field(default_factory=Age)
    lid: Box | None = None
    things: CObArray = field(default_factory=CObArray)
    numbers: Annotated[list[int], CArray[DWORD]] = field(default_factory=list)
    ages: Annotated[list[Age], CArray[Age]] = field(default_factory=list)


@serializable("CShelf", schema=3, versionable=True)
class Shelf:
    """A class with a method of its own: a list of objects by pointer, and a note since schema 2."""

    def __init__(self) -> None:
        self.things: CObList = CObList()
        self.note = ""
        self.stored_schema: int | None = None

    def serialize(self, archive: Archive) -> None:
        """Store or load, as the archive's direction is."""
        if archive.is_storing:
            archive << CString(self.note)
        else:
            self.stored_schema = archive.get_object_schema()
            self.note = archive >> CString
        self.things.serialize(archive)


def same(one: Any, other: Any, seen: dict[int, int] | None = None) -> bool:
    """Whether two graphs have the same shape: same classes, same values, shared where the other is shared."""
    seen = {} if seen is None else seen
    if id(one) in seen:
        return seen[id(one)] == id(other)
    if isinstance(one, (int, float, str)):  # those that are stored know their width, those that are loaded do not
        return bool(one == other) or (one != one and other != other)
    if type(one) is not type(other) and (not isinstance(one, list) or hasattr(one, "__pointer__")):
        return False  # a list in an annotated field is loaded as its CArray, which is a list
    if isinstance(one, (bytes, bytearray, CEditView, type)) or one is None:
        return bool(one == other)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(same(a, b, seen) for a, b in zip(one, other, strict=True))
    seen[id(one)] = id(other)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b, seen) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key], seen) for key in one)
    names = [name for name in vars(one) if name != "stored_schema"]
    return all(same(getattr(one, name), getattr(other, name), seen) for name in names)

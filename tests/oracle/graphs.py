"""Objects and classes: references, cycles, numbers across the six-byte tags, small buffers, and a whole document."""

from __future__ import annotations

from collections.abc import Iterator

from lifecycle.archive import WORD, Archive, CEditView, CObArray, CObList, CStringA, CStringList, CStringW

from .storing import (
    AGE,
    EMPTY,
    LONG_NAME,
    NODE,
    PERSON,
    Case,
    Objects,
    Stored,
    collections,
    lines,
    node,
    strings,
    times,
    variants,
)
from .text import utf16

AROUND_BIG_TAGS = (0x7FFC, 0x7FFD, 0x7FFE, 0x7FFF, 0x8000, 0x10000)


def ring(archive: Archive) -> None:
    """Two nodes that point to each other."""
    first: list[Stored] = []
    second = [node(first)]
    first.append(node(second))
    archive << first[0] << second[0]


def to_itself(archive: Archive) -> None:
    """A node that points to itself."""
    itself: list[Stored] = []
    itself.append(node(itself))
    archive << itself[0]


def mapped_first(archive: Archive) -> None:
    """An object that has a number before it is stored."""
    its = Objects()
    archive.map_object(its.age)
    archive.write_object(its.age)
    archive << its.other


def list_members(archive: Archive, by_pointer: bool) -> None:
    """A list with the same object twice."""
    its = Objects()
    if by_pointer:
        archive << CObList([its.age, its.age])
    else:
        CObList([its.age, its.age, None]).serialize(archive)


def array_with_list(archive: Archive) -> None:
    """An array that holds an object and a list of it, then the object and the array again."""
    its = Objects()
    array = CObArray([its.age, CObList([its.age])])
    archive << array << its.age << array


def sequence(archive: Archive) -> None:
    """Two objects, references to both, and a null pointer."""
    its = Objects()
    archive << its.age << its.other << its.age << None << its.other


def two_classes(archive: Archive) -> None:
    """Objects of two classes, by turns."""
    its = Objects()
    archive << its.age << its.person << its.other


def numbered(archive: Archive, number: int) -> None:
    """So many objects, then a reference, a new object, a new class twice, and a reference."""
    last = None
    for _ in range(number):
        last = EMPTY()
        archive << last
    its = Objects()
    archive << last << EMPTY() << its.age << its.other << last


def mapped(archive: Archive, number: int) -> None:
    """So many mapped objects, then a new class."""
    for _ in range(number):
        archive.map_object(EMPTY())
    its = Objects()
    archive << its.age << its.other << its.age


def mixed(archive: Archive) -> None:
    """Values that are larger than a small buffer."""
    archive << CStringW("x" * 300) << Objects().age
    archive.write(b"x" * 500)
    archive.write_count(70000)
    archive << CStringA("x" * 255)


def document(archive: Archive) -> None:
    """A document as a program writes it: a version, a title, an object with its parts, lists, and a text."""
    its = Objects()
    archive << WORD(3) << CStringW("Quarterly figures") << its.person
    CObList([its.age, its.person, None, its.age]).serialize(archive)
    CStringList(["north", "south"]).serialize(archive)
    archive << CObArray([its.other, its.age])
    archive.write_string("the end")


def graphs() -> Iterator[Case]:
    """Pointers, cycles, classes, and numbers around 0x7FFE."""
    lines = Objects().lines
    yield Case("NULL", "o:0", lambda a: a << None)
    yield Case("first object", "o:1001", lambda a: a << Objects().age, lines)
    yield Case("a b a NULL b", "o:1001 o:1002 o:1001 o:0 o:1002", sequence, lines)
    yield Case("two classes", "o:1001 o:1003 o:1002", two_classes, lines)
    yield Case("cycle", "o:1004", to_itself, ("object 1004 2 o:1004",))
    yield Case("ring", "o:1004 o:1005", ring, ("object 1004 2 o:1005", "object 1005 2 o:1004"))
    yield Case("MapObject", "m:1001 o:1001 o:1002", mapped_first, lines)
    in_list = (*lines, "list 1006 ol 1001,1001,0", "list 1008 ol 1001,1001")
    yield Case("CObList.Serialize x x NULL", "ser:1006", lambda a: list_members(a, by_pointer=False), in_list)
    yield Case("ar << CObList x x", "o:1008", lambda a: list_members(a, by_pointer=True), in_list)
    in_array = (*lines, "list 1007 ol 1001", "list 1006 oa 1001,1007")
    yield Case("ar << CObArray x CObList x, x, itself", "o:1006 o:1001 o:1006", array_with_list, in_array)
    yield Case("WriteClass twice", "wc:0 wc:0", lambda a: (a.write_class(AGE), a.write_class(AGE)))
    yield Case(
        "SerializeClass",
        "sc:0 sc:1 sc:0 wc:1",
        lambda a: (a.serialize_class(AGE), a.serialize_class(PERSON), a.serialize_class(AGE), a.write_class(PERSON)),
    )
    yield Case("WriteClass, object", "wc:0 o:1001", lambda a: (a.write_class(AGE), a.write_object(Objects().age)), lines)
    yield Case("schema 0", "wc:2", lambda a: a.write_class(NODE))
    yield Case("class name of 63, schema 65534", "wc:5", lambda a: a.write_class(LONG_NAME))
    for number in AROUND_BIG_TAGS:
        tokens = f"fresh:3:{number}:2000 o:2000 fresh:3:1:2001 o:1001 o:1002 o:2000"
        yield Case(f"{number} objects, then references and a new class", tokens, lambda a, n=number: numbered(a, n), lines)
        yield Case(
            f"{number} MapObject, then a new class",
            f"maps:{number} o:1001 o:1002 o:1001",
            lambda a, n=number: mapped(a, n),
            lines,
        )
    for size in (0, 1, 128, 129, 200):
        yield Case(f"buffer of {size}", "swn:300 o:1001 rawn:500 cnt:70000 san:255", mixed, lines, size)


def whole_document(unicode: bool) -> Case:
    """The document, as the agent says it."""

    def text(of: str) -> str:
        return utf16(of) if unicode else of.encode("cp1252").hex()

    return Case(
        "a whole document",
        f"raw:0300 sw:{utf16('Quarterly figures')} o:1003 ser:1010 ser:1011 o:1012 ws:{text('the end')}",
        document,
        (
            *Objects().lines,
            "list 1010 ol 1001,1003,0,1001",
            f"list 1011 lw {text('north')},{text('south')}",
            "list 1012 oa 1002,1001",
        ),
    )


def views(unicode: bool) -> Iterator[Case]:
    """The text of a CEditView, counted and raw."""
    for text in ("", "ab", "a\r\nb\r\n", "x" * 300):
        yield Case(f"CEditView {text[:6]!r}", f"et:{utf16(text)} ev", lambda a, t=text: CEditView(t).serialize(a))
        yield Case(f"CEditView {text[:6]!r} raw", f"et:{utf16(text)} er", lambda a, t=text: CEditView(t).serialize_raw(a))


def cases(unicode: bool) -> list[Case]:
    """Every operation, for a build."""
    document_and_views = [whole_document(unicode), *views(unicode)]
    values = [*strings(), *lines(unicode), *times(), *variants()]
    return [*values, *collections(unicode), *graphs(), *document_and_views]

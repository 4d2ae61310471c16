"""What was wrong once, and is not again: keys of maps, numbers of objects, how deep objects may be nested."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import archive_bytes
import pytest

from lifecycle import Journal
from lifecycle.archive import (
    DWORD,
    WORD,
    Archive,
    CArray,
    CMap,
    CObArray,
    CString,
    EndOfFile,
    GenericError,
    NestedTooDeeply,
    Registry,
    serializable,
)
from lifecycle.archive.format.classes import LEVELS_PER_STACK

CLASSES = Registry()


@serializable("CLeaf", registry=CLASSES)
@dataclass
class Leaf:
    """A flat record."""

    value: DWORD = 0


@serializable("CTwig", registry=CLASSES)
@dataclass
class Twig:
    """A record that contains others of its class by value."""

    value: DWORD
    twigs: CArray[Twig] = field(default_factory=list)


@serializable("CChain", registry=CLASSES)
@dataclass(eq=False)
class Chain:
    """A record that points to another of its class."""

    next: Chain | None = None


@serializable("CByHand", registry=CLASSES)
class ByHand:
    """A class with its own method that points to another of its class."""

    def __init__(self, other: ByHand | None = None) -> None:
        self.next = other

    def serialize(self, archive: Archive) -> None:
        if archive.is_storing:
            archive << self.next
        else:
            self.next = archive >> ByHand


stored, loading = partial(archive_bytes.stored, registry=CLASSES), partial(archive_bytes.loading, registry=CLASSES)


# -- keys ----------------------------------------------------------------------------------------------------------------------


@serializable("CKey", registry=CLASSES)
@dataclass(frozen=True)
class Key:
    """A key that would hash an object which is not loaded yet."""

    owner: Owner | None
    number: DWORD


@serializable("COwner", registry=CLASSES)
@dataclass
class Owner:
    """What such a key belongs to."""

    keys: CMap[Key | None, DWORD]


@serializable("CPlace", registry=CLASSES)
@dataclass(frozen=True)
class Place:
    """A key that is whole when it is hashed."""

    x: WORD
    name: CString


@pytest.mark.parametrize("kind", [CMap[Key | None, DWORD], CMap[CArray[DWORD], DWORD], CMap[Leaf, DWORD], CMap[Key, DWORD]])
def test_keys_that_cannot_be_found_again_are_refused(kind: Any) -> None:
    """Unhashable ones and ones that hash what may be half loaded are a TypeError, before a byte is stored or taken."""
    for archive in (Archive(io.BytesIO(), "store", registry=CLASSES), loading(b"\1\0" + bytes(90))):
        with archive:
            with pytest.raises(TypeError, match="cannot be a key"):
                archive.store(kind, {}) if archive.is_storing else archive.load(kind)
            assert archive.offset == 0
            archive.abort()


def test_a_key_that_belongs_to_what_is_being_loaded_is_refused() -> None:
    """Hostile bytes that make a map hash its own half-built owner raise no AttributeError."""
    data = CLASSES.entry(Key).description + CLASSES.entry(Owner).description + b"\1\0\2\0\7\0\0\0" + b"\x09\0\0\0"
    with loading(data) as archive, pytest.raises(TypeError, match=r"Owner\.keys|cannot be a key"):
        archive >> Key
    archive.abort()


def test_frozen_records_of_numbers_and_strings_are_keys() -> None:
    """They come back as keys that are found."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        archive.store(CMap[Place, Leaf], {Place(1, "a"): Leaf(5)})
    with loading(file.getvalue()) as archive:
        assert archive.load(CMap[Place, Leaf])[Place(1, "a")] == Leaf(5)


# -- numbers and depth ---------------------------------------------------------------------------------------------------------


def test_mapping_an_object_takes_a_new_number_on_both_sides() -> None:
    """Also of an object that has one; None takes none, and a class is not an object."""
    document, leaf = Leaf(9), Leaf(3)
    file = io.BytesIO()
    storing = Archive(file, "store", registry=CLASSES)
    for thing in (document, document, None):
        storing.map_object(thing)
    storing << leaf << leaf << document
    with pytest.raises(TypeError, match="a class, not an object"):
        storing.map_object(Leaf)
    storing.close()
    with loading(file.getvalue()) as archive:
        for thing in (document, document, None):
            archive.map_object(thing)
        first = archive >> Leaf
        assert (first, archive >> Leaf) == (leaf, first)
        assert (archive >> Leaf) is document


def chain(links: int) -> Chain:
    found = Chain()
    for _ in range(links - 1):
        found = Chain(found)
    return found


def by_hand(levels: int) -> ByHand:
    found = ByHand()
    for _ in range(levels - 1):
        found = ByHand(found)
    return found


def twigs(levels: int) -> Twig:
    found = Twig(0)
    for _ in range(levels - 1):
        found = Twig(0, [found])
    return found


def arrays(levels: int) -> CObArray:
    found = CObArray()
    for _ in range(levels - 1):
        found = CObArray([found])
    return found


@pytest.mark.parametrize("nested", [chain, by_hand, twigs, arrays], ids=["pointers", "by hand", "by value", "collections"])
def test_a_thousand_levels_are_stored_and_loaded_and_no_more(nested: Callable[[int], Any]) -> None:
    """NestedTooDeeply when storing, which stores nothing; GenericError when loading what an archive of more depth stored."""
    data = stored(nested(1000))
    with loading(data) as archive:
        archive.read_object()
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        with pytest.raises(NestedTooDeeply, match="1000 levels"):
            archive << nested(1001)
        assert (archive.state, archive.offset) == ("storing", 0)
    with Archive(file, "store", registry=CLASSES, depth=1001) as archive:
        archive << nested(1001)
    with loading(file.getvalue()) as archive:
        with pytest.raises(GenericError, match="1000 levels"):
            archive.read_object()
        assert archive.state == "broken"


@pytest.mark.parametrize("nested", [chain, by_hand, twigs, arrays], ids=["pointers", "by hand", "by value", "collections"])
def test_what_comes_one_after_the_other_is_not_nested(nested: Callable[[int], Any]) -> None:
    """Many objects of two levels in a collection are three levels, whether stored or loaded, and so in a second collection."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES, depth=3) as archive:
        for _ in range(2):
            archive.write_object(CObArray([nested(2) for _ in range(4)]))
    with loading(file.getvalue(), depth=3) as archive:
        for _ in range(2):
            assert len(archive.read_object(CObArray)) == 4


def test_records_by_value_one_after_the_other_are_not_nested() -> None:
    """A record that holds many by value is two levels, whether stored or loaded."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES, depth=2) as archive:
        archive << Twig(0, [Twig(number) for number in range(4)])
    with loading(file.getvalue(), depth=2) as archive:
        assert archive >> Twig == Twig(0, [Twig(number) for number in range(4)])


@pytest.mark.parametrize("observed", [nullcontext, Journal])
def test_methods_nest_deeper_than_pythons_stack(observed: Callable[[], AbstractContextManager[Any]]) -> None:
    """Users' serialize() methods call each other through the archive, each fifty levels on a stack of their own."""
    levels, threads = 5 * LEVELS_PER_STACK + 1, threading.active_count()
    file = io.BytesIO()
    with observed(), Archive(file, "store", registry=CLASSES, depth=levels) as archive:
        archive << by_hand(levels)
    with loading(file.getvalue(), depth=levels) as archive:
        found, depth = archive >> ByHand, 0
        while found is not None:
            found, depth = found.next, depth + 1
        assert depth == levels
    with loading(file.getvalue()[:-1], depth=levels) as archive:
        with pytest.raises(EndOfFile):
            archive >> ByHand
        assert archive.state == "broken"
    assert threading.active_count() == threads


@pytest.mark.parametrize("nested", [chain, twigs, arrays], ids=["pointers", "by value", "collections"])
def test_declared_classes_nest_deeper_than_pythons_stack(nested: Callable[[int], Any]) -> None:
    """Where no user's method runs, only the archive's depth bounds how deep objects are nested."""
    levels = 5 * sys.getrecursionlimit()  # CPython 3.13.0 itself crashes when it frees lists nested 20 times as deep
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES, depth=levels) as archive:
        archive << nested(levels)
        with pytest.raises(NestedTooDeeply, match=f"{levels} levels"):
            archive << nested(levels + 1)
    with loading(file.getvalue(), depth=levels) as archive:
        found, depth = archive.read_object(), 0
        while found is not None:
            within = found.next if isinstance(found, Chain) else found.twigs if isinstance(found, Twig) else found
            found, depth = (within[0] if within else None) if isinstance(within, list) else within, depth + 1
        assert depth == levels
    with loading(file.getvalue(), depth=levels - 1) as archive:
        with pytest.raises(GenericError, match=f"{levels - 1} levels"):
            archive.read_object()
        assert archive.state == "broken"


# -- annotations ---------------------------------------------------------------------------------------------------------------


def test_an_annotated_pointer_is_a_pointer() -> None:
    """Annotated[Leaf | None, "note"] means what is annotated, as for every other reader of annotations."""

    @serializable("CNoted", registry=CLASSES)
    @dataclass
    class Noted:
        leaf: Annotated[Leaf | None, "a note"] = None
        number: Annotated[int, "another", WORD] = 0

    leaf = Leaf(4)
    with loading(stored(Noted(leaf, 7), Noted(leaf))) as archive:
        one, other = archive >> Noted, archive >> Noted
    assert one is not None
    assert other is not None
    assert (one.leaf, one.number) == (leaf, 7)
    assert other.leaf is one.leaf

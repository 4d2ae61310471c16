"""What was wrong once, and is not again: what classes may be registered, derived, and stored by value."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import pytest

from lifecycle.archive import (
    DOUBLE,
    DWORD,
    WORD,
    Archive,
    BadClass,
    CArray,
    CByteArray,
    CEditView,
    CObArray,
    CObList,
    CString,
    GenericError,
    NotSerializable,
    Registry,
    serializable,
)

CLASSES = Registry()


@serializable("CBase", schema=1, registry=CLASSES)
@dataclass
class Base:
    """A record."""

    number: DWORD = 0


class Unregistered(Base):
    """A class that inherits all and was not made serializable itself."""


@serializable("CDerived", schema=1, registry=CLASSES)
@dataclass
class Derived(Base):
    """A record derived from another."""

    name: CString = ""


@serializable("CMethod", schema=1, registry=CLASSES)
@dataclass
class Method(Derived):
    """A record whose own method begins with its base's, as CDerived::Serialize does."""

    more: int = 0

    def serialize(self, archive: Archive) -> None:
        super().serialize(archive)
        if archive.is_storing:
            archive << WORD(self.more)
        else:
            self.more = archive >> WORD


@serializable("CList", schema=1, registry=CLASSES)
class NamedList(CObArray):
    """A collection with a name, as CObArray::Serialize called from a derived class gives it."""

    name = ""

    def serialize(self, archive: Archive) -> None:
        super().serialize(archive)
        if archive.is_storing:
            archive << CString(self.name)
        else:
            self.name = archive >> CString


@serializable("CPlainList", registry=CLASSES)
class PlainList(CObList):
    """A collection under another name."""


class View(CEditView):
    """A text view with a method of its own."""

    def serialize(self, archive: Archive) -> None:
        super().serialize(archive)


def stored(thing: Any, kind: Any = None) -> bytes:
    """What a storing archive makes of it, by pointer, or as a value of a kind."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES, unicode=False) as archive:
        archive.write_object(thing) if kind is None else archive.store(kind, thing)
    return file.getvalue()


def loaded(data: bytes) -> Any:
    with Archive(io.BytesIO(data), "load", registry=CLASSES, unicode=False) as archive:
        return archive.read_object()


# -- derived classes -----------------------------------------------------------------------------------------------------------


def test_a_method_reaches_the_members_of_its_base() -> None:
    """super().serialize(archive) stores and loads the fields of the base, without a tag, and each class's once."""
    data = stored(Method(5, "x", 7))
    assert data.endswith(b"CMethod" + b"\5\0\0\0" + b"\1x" + b"\7\0")
    assert loaded(data) == Method(5, "x", 7)


def test_a_class_reaches_the_members_of_any_base() -> None:
    """Base.serialize(thing, archive) is the base's part alone, also where a class between the two has its own."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES, unicode=False) as archive:
        thing = Method(5, "x", 7)
        Base.serialize(thing, archive)  # type: ignore[attr-defined]
        archive.serialize(thing, Derived)
        with pytest.raises(TypeError, match="is not a Method"):
            archive.serialize(Base(1), Method)
    assert file.getvalue() == b"\5\0\0\0" + b"\5\0\0\0" + b"\1x"


def test_derived_collections_are_stored_and_loaded() -> None:
    """A class derived from a collection, with a method of its own or without, travels under its own name."""
    named = NamedList([Base(1), None])
    named.name = "all"
    found = loaded(stored(named))
    assert (type(found), list(found), found.name) == (NamedList, [Base(1), None], "all")
    found = loaded(stored(PlainList([Base(2)])))
    assert (type(found), list(found)) == (PlainList, [Base(2)])


def test_a_derived_view_is_stored_and_loaded() -> None:
    """A text view's method may call its base's."""
    file, view = io.BytesIO(), View()
    with Archive(file, "store") as archive:
        View("text").serialize(archive)
    with Archive(io.BytesIO(file.getvalue()), "load") as archive:
        view.serialize(archive)
    assert view.text == "text"


def test_an_unregistered_derived_class_is_refused_everywhere() -> None:
    """By pointer, by value, in an annotation: never is it stored as its base, which would drop what it adds."""

    @dataclass
    class Holder:
        pointer: Base | None = None
        member: Base = field(default_factory=Base)

    serializable("CHolder", registry=CLASSES)(Holder)
    for wrong in (Unregistered(1), Holder(Unregistered(1))):
        with pytest.raises(NotSerializable, match="Unregistered is"):
            stored(wrong)
    for kind in (Unregistered, CArray[Base]):
        with pytest.raises(TypeError):
            stored([Unregistered(1)] if kind is not Unregistered else Unregistered(1), kind)
    with pytest.raises(TypeError, match="is not a Base"):
        stored(Holder(member=Unregistered(1)))
    with pytest.raises(NotSerializable, match="Unregistered is derived"):
        CArray[Unregistered]


def test_a_registered_derived_object_is_no_value_of_its_base() -> None:
    """A member by value is just of its class, as in C++; by pointer it may be of a derived one."""
    with pytest.raises(TypeError, match="is not a Base"):
        stored([Derived(1, "x")], CArray[Base])
    assert loaded(stored(CObArray([Derived(1, "x")])))[0] == Derived(1, "x")


# -- what may be registered ----------------------------------------------------------------------------------------------------


def test_a_dataclass_that_inherits_a_method_is_refused() -> None:
    """The method that it inherits does not know its fields, which would silently stay behind."""
    with pytest.raises(TypeError, match="inherits serialize"):

        @serializable("CSilent", registry=CLASSES)
        @dataclass
        class Silent(Method):
            forgotten: DWORD = 0


# -- elements without bytes ----------------------------------------------------------------------------------------------------


@serializable("CNothing", registry=CLASSES)
@dataclass
class Nothing:
    """A record without a byte."""


@serializable("CSized", registry=CLASSES)
@dataclass
class Sized:
    """As many bytes as it has, which may be none."""

    data: bytes = b""

    def serialize(self, archive: Archive) -> None:
        if archive.is_storing:
            archive.write(self.data)
        else:
            self.data = archive.read(1)


@pytest.mark.parametrize(
    ("kind", "values"), [(CArray[Nothing], [Nothing()]), (CArray[Sized], [Sized(b"x"), Sized()])], ids=["all", "one"]
)
def test_elements_that_take_no_bytes_are_refused_when_they_are_stored(kind: Any, values: list[Any]) -> None:
    """They are refused when they are loaded, since a count of them would cost a stranger nothing; so they are here."""
    with pytest.raises(ValueError, match="no bytes"):
        stored(values, kind)
    data = CByteArray(b"\2\0" + (b"x" if kind is CArray[Sized] else b""))
    with Archive(io.BytesIO(data), "load", registry=CLASSES) as archive, pytest.raises(GenericError, match="at least one byte"):
        archive.load(kind)


@serializable("CShape", registry=CLASSES)
@dataclass
class Shape(ABC):
    """A record of which only derived ones are made."""

    number: WORD = 0

    @abstractmethod
    def area(self) -> float: ...


@serializable("CSquare", registry=CLASSES)
@dataclass
class Square(Shape):
    """One of those."""

    side: DWORD = 0

    def area(self) -> float:
        return float(self.side**2)


@serializable("CFigure", registry=CLASSES)
class Figure(ABC):
    """A class with its own method of which only derived ones are made."""

    def serialize(self, archive: Archive) -> None:
        if archive.is_storing:
            archive << DOUBLE(self.area())

    @abstractmethod
    def area(self) -> float: ...


@pytest.mark.parametrize("kind", [Shape, Figure])
@pytest.mark.parametrize("before", [b"", CLASSES.entry(CObArray).description + b"\1\0"], ids=["pointer", "array"])
def test_bytes_that_name_an_abstract_class_are_bad_class(kind: type[Any], before: bytes) -> None:
    """No object of it can be made, and that is the bytes' fault: BadClass, and the archive is broken."""
    data = before + CLASSES.entry(kind).description + bytes(2)
    with Archive(io.BytesIO(data), "load", registry=CLASSES) as archive:
        with pytest.raises(BadClass, match=f"at byte {len(before)}: expected a class of which .* abstract C{kind.__name__}"):
            archive.read_object()
        assert archive.state == "broken"


def test_a_pointer_to_an_abstract_class_loads_what_is_derived_from_it() -> None:
    """As C++ does; and the class itself can be described, by write_class()."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        archive.write_class(Shape)
        archive << Square(1, 3)
    file.seek(0)
    with Archive(file, "load", registry=CLASSES) as archive:
        assert archive.read_class() == (Shape, 0)
        found = archive.read_object(Shape)  # type: ignore[type-abstract]
    assert found == Square(1, 3)


def test_classes_of_a_function_may_name_themselves_each_other_and_its_imports() -> None:
    """Annotations that are text find what their function had before the class, and the class itself."""
    from lifecycle.archive import SHORT

    @serializable("CLocal", registry=CLASSES)
    @dataclass
    class Local:
        height: SHORT = 0
        next: Local | None = None

    @serializable("CAround", registry=CLASSES)
    @dataclass
    class Around(Local):
        inner: Local = field(default_factory=Local)
        others: CArray[Local] = field(default_factory=list)

    around = Around(-1, Local(2), Local(3), [Local(4, Local(5))])
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        archive << around
    file.seek(0)
    with Archive(file, "load", registry=CLASSES) as archive:
        assert archive >> Around == around


def test_an_annotation_that_names_what_is_not_there_is_told() -> None:
    """A TypeError that names the class and the name, and nothing was stored."""

    @serializable("CLost", registry=CLASSES)
    @dataclass
    class Lost:
        other: Later | None = None  # type: ignore[name-defined]  # noqa: F821

    with Archive(io.BytesIO(), "store", registry=CLASSES) as archive:
        with pytest.raises(TypeError, match="Lost: name 'Later' is not defined"):
            archive << Lost()
        assert (archive.state, archive.offset) == ("storing", 0)


def test_the_decorator_without_a_name_says_that_it_needs_one() -> None:
    """A TypeError with the line to write, where the class was decorated bare."""
    with pytest.raises(TypeError, match=r"needs the class's name on the wire: @serializable\('Bare'\)"):

        @serializable  # type: ignore[arg-type]
        class Bare: ...

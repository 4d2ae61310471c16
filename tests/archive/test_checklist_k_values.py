"""The MFC checklist, section K: what a CArchive carries: texts, objects, classes and views."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from archive_bytes import loading, stored
from archive_classes import Age, Document, Node, Person, Shelf, SubItem, same
from loopback import LONG, connected_pair

from lifecycle import Archive, SocketFile
from lifecycle.archive import (
    INT,
    WORD,
    BadClass,
    BadIndex,
    BadSchema,
    CEditView,
    CObList,
    CString,
    EndOfFile,
    NotSerializable,
    ReadOnly,
    Registry,
    TooLate,
    WriteOnly,
    serializable,
)
from lifecycle.archive import (
    LONG as LONG_,
)


@pytest.mark.parametrize("text", ["", "abc", "naïve €", "x" * 254, "x" * 255, "x" * 65534, "ÿ" * 300])
def test_row_160_either_build_reads_the_other(text: str) -> None:
    """A string of a Unicode program arrives converted in an ANSI one, and the other way round, whatever its length."""
    for writer in (False, True):
        data = stored(CString(text), unicode=writer)
        for reader in (False, True):
            with loading(data, unicode=reader) as archive:
                assert archive >> CString == text


def test_row_161_an_object_is_stored_once() -> None:
    """The second time an object is only referred to, and loading gives the same object; later changes are not sent."""
    age = Age(21)
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive << age
        age.years = 22
        archive << age
    assert file.getvalue().hex() == "ffff01000400434167651500" + "0200"
    with loading(file.getvalue()) as archive:
        first, second = archive >> Age, archive >> Age
    assert first is second
    assert first == Age(21)


def test_row_162_cycles_load_to_their_shape() -> None:
    """A ring of nodes of any size comes back as a ring."""
    for size in (1, 2, 50):
        nodes = [Node() for _ in range(size)]
        for number, node in enumerate(nodes):
            node.next = nodes[(number + 1) % size]
        with loading(stored(nodes[0])) as archive:
            found = archive >> Node
        assert same(found, nodes[0])


def test_row_163_null_is_none() -> None:
    """Two zero bytes are None, and None is two zero bytes."""
    assert stored(None) == b"\0\0"
    with loading(b"\0\0") as archive:
        assert archive >> Age is None


def test_row_164_an_unknown_class_is_bad_class() -> None:
    """A class name that was not registered raises BadClass, and a name of 64 bytes too."""
    for description in (b"\xff\xff\1\0\5\0Other", b"\xff\xff\1\0\x40\0" + b"x" * 64):
        with loading(description) as archive, pytest.raises(BadClass, match="at byte 0: expected") as caught:
            archive.read_object()
        assert (caught.value.cause, archive.state) == (6, "closed")
    with loading(stored(Age(21)), registry=Registry()) as archive, pytest.raises(BadClass, match="b'CAge'"):
        archive >> Age


def test_row_165_another_schema() -> None:
    """Under another schema a plain class raises BadSchema; a versionable one loads, and its objects can ask for the number."""
    with (
        loading(b"\xff\xff\2\0\4\0CAge\x15\0") as archive,
        pytest.raises(BadSchema, match="schema 1, found schema 2") as caught,
    ):
        archive >> Age
    assert caught.value.cause == 7
    with loading(b"\xff\xff\7\0\7\0CPerson\xff\xfe\xff\0\x09\0") as archive:
        assert archive >> Person == Person("", 9)
    shelf = stored(Shelf()).replace(b"\3\0\6\0CShelf", b"\2\0\6\0CShelf")
    with loading(shelf) as archive:
        found = archive >> Shelf
    assert found is not None
    assert found.stored_schema == 2


def test_row_166_the_schema_is_told_once() -> None:
    """get_object_schema() answers once while an object loads, -1 the second time, outside, and in a direct serialize()."""
    answers: list[int] = []
    registry = Registry()

    @serializable("CAsks", schema=4, registry=registry)
    class Asks:
        def serialize(self, archive: Archive) -> None:
            if archive.is_loading:
                answers.extend((archive.get_object_schema(), archive.get_object_schema()))

    with loading(stored(Asks(), registry=registry), registry=registry) as archive:
        archive >> Asks
        assert archive.get_object_schema() == -1
        archive.serialize(Asks())
        archive.set_object_schema(7)
        assert archive.get_object_schema() == 7
    assert answers == [4, -1, -1, -1]


@pytest.mark.parametrize(
    ("data", "at", "found"),
    [
        ("ffff01000400434167651500" "0280", 12, "a reference to an object of Age (2)"),
        ("ffff01000400434167651500" "0100", 12, "a reference to the class CAge (1)"),
        ("0080", 0, "the tag 0x8000"),
        ("0500", 0, "a reference to object 5"),
        ("0580", 0, "a reference to class 5"),
        ("ff7f00000080", 0, "0 in a tag of six bytes"),
        ("ff7f05000080", 0, "a reference to class 5"),
        ("ff7fffffff7f", 0, "a reference to object 2147483647"),
    ],
)  # fmt: skip
def test_row_167_wrong_references_are_bad_index(data: str, at: int, found: str) -> None:
    """A class tag of an object, an object tag of a class, the tag 8000 and a number too large raise BadIndex with its place."""
    with loading(bytes.fromhex(data)) as archive, pytest.raises(BadIndex) as caught:
        archive.read_object()
        archive.read_object()
    assert (caught.value.cause, caught.value.offset) == (5, at)
    assert caught.value.found == found


def test_row_168_another_class_than_asked_for_is_bad_class() -> None:
    """An object of a class that is not derived from the one asked for raises BadClass; a base class is fine."""
    with loading(stored(Age(21))) as archive, pytest.raises(BadClass, match="expected an object of Person, found one of CAge"):
        archive >> Person
    with loading(stored(Age(21))) as archive:
        assert archive.read_object(object) == Age(21)
    with loading(stored(Age(21), Age(22))) as archive:
        assert archive >> Age == Age(21)
        with pytest.raises(BadClass):
            archive >> Person


def test_row_169_a_class_that_is_not_serializable() -> None:
    """An object of a class that was not made serializable is refused, also of a derived one, and nothing was stored."""

    @dataclass
    class Derived(Age):
        more: WORD = 0

    file = io.BytesIO()
    with Archive(file, "store") as archive:
        for thing in (object(), Derived(1), {}):
            with pytest.raises(NotSerializable, match="is not serializable"):
                archive << thing
            with pytest.raises(NotSerializable):
                archive.write_object(thing)
        with pytest.raises(NotSerializable):
            archive.write_object(CObList([Age(1), object()]))
        assert archive.state == "storing"
    assert file.getvalue() == b""


def test_row_170_mapped_objects_cost_no_bytes() -> None:
    """An object mapped on both sides is found by the objects that refer to it, and none of its bytes travel."""
    near, far = Document(), Document()
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive.map_object(near)
        archive << SubItem(near, 3) << SubItem(near, 4)
    assert b"CDoc" not in file.getvalue()
    with loading(file.getvalue()) as archive:
        archive.map_object(far)
        items = [archive >> SubItem, archive >> SubItem]
    assert [item is not None and item.document is far and item.number for item in items] == [3, 4]


def test_row_171_parameters_come_before_the_first_object() -> None:
    """set_load_params() and set_store_params() have no effect on bytes and are refused after the first object."""
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive.set_store_params(137, 16)
        archive << Age(21)
        with pytest.raises(TooLate, match=r"set_store_params\(\) comes before the first object"):
            archive.set_store_params()
        with pytest.raises(ReadOnly if archive.is_loading else WriteOnly):
            archive.set_load_params()
    with loading(file.getvalue()) as archive:
        archive.set_load_params(64)
        archive >> Age
        with pytest.raises(TooLate):
            archive.set_load_params()


@pytest.mark.parametrize("unicode", [False, True])
def test_row_172_lines_of_text(unicode: bool) -> None:
    """A line ends with LF, or with CR and the character behind it; the end is not given; None is the end of the file."""
    file = io.BytesIO()
    with Archive(file, "store", unicode=unicode) as archive:
        archive.write_string("String1\nString2\r\n\nlast")
    assert len(file.getvalue()) == 22 * (2 if unicode else 1)
    with loading(file.getvalue(), unicode=unicode) as archive:
        assert [archive.read_string() for _ in range(5)] == ["String1", "String2", "", "last", None]
        assert archive.state == "loading"
    with loading(file.getvalue(), unicode=unicode) as archive:
        assert [archive.read_string(most=4) for _ in range(3)] == ["Stri", "ng1", "Stri"]


@pytest.mark.parametrize("unicode", [False, True])
def test_row_173_a_text_view_travels_over_a_socket(unicode: bool) -> None:
    """serialize() tells the text's length, so that it travels over a socket; a text beyond the limit is BadIndex."""
    view = CEditView("two\r\nlines €")
    with connected_pair(timeout=LONG) as (client, accepted), SocketFile(client) as near, SocketFile(accepted) as far:
        with Archive(near, "store", unicode=unicode) as archive:
            view.serialize(archive)
        with Archive(far, "load", unicode=unicode) as archive:
            found = CEditView()
            found.serialize(archive)
    assert found == view
    small = CEditView(limit=3)
    with loading(b"\4\0\0\0abcd", unicode=False) as archive, pytest.raises(BadIndex, match="at most 3 characters"):
        small.serialize(archive)


@pytest.mark.parametrize("unicode", [True, False])
def test_a_view_without_its_text_ends_too_early(unicode: bool) -> None:
    """EndOfFile says how many bytes a character takes where these are two, as a program built for ANSI has one."""
    with loading(b"\3\0\0\0ab", unicode=unicode) as archive, pytest.raises(EndOfFile) as caught:
        CEditView().serialize(archive)
    assert caught.value.expected.startswith("the text of a view")
    assert ("2 bytes a character" in caught.value.expected) is unicode


def test_row_174_a_raw_text_view_needs_a_length() -> None:
    """serialize_raw() over a socket is refused in both directions with the reason, and nothing moves; on a file it works."""
    with connected_pair(timeout=LONG) as (client, _), SocketFile(client) as file:
        for mode in ("load", "store"):
            with Archive(file, mode) as archive:  # type: ignore[arg-type]
                with pytest.raises(io.UnsupportedOperation, match="A connection has no length"):
                    CEditView("ab").serialize_raw(archive)
                assert archive.state == {"load": "loading", "store": "storing"}[mode]
                assert archive.is_buffer_empty
    disk = io.BytesIO()
    with Archive(disk, "store") as archive:
        CEditView("ab\r\n").serialize_raw(archive)
    disk.seek(0)
    with Archive(disk, "load") as archive:
        found = CEditView()
        found.serialize_raw(archive)
    assert found == CEditView("ab\r\n")


def test_bytes_of_a_real_program() -> None:
    """The 28 bytes that a Unicode program of Visual Studio 2022 wrote: a long, a CString and an int."""
    data = bytes.fromhex("39300000 fffeff08 7a00 6800 6100 6e00 6700 7300 6100 6e00 0c000000")
    with loading(data) as archive:
        assert [archive >> LONG_, archive >> CString, archive >> INT] == [12345, "zhangsan", 12]
    assert stored(LONG_(12345), CString("zhangsan"), INT(12)) == data

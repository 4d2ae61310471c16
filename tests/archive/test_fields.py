"""What C++ has within objects, as annotations: fixed and counted arrays, enumerations, versions, conditions, structs."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, Any

import pytest

from lifecycle.archive import (
    BYTE,
    DWORD,
    GUID,
    INT,
    INT_PTR,
    LOGBRUSH,
    LOGFONT,
    LOGFONTA,
    LOGPEN,
    ULONG_PTR,
    WINDOWPLACEMENT,
    WORD,
    Archive,
    Array,
    BadSchema,
    Bytes,
    CArray,
    Chars,
    CObArray,
    CString,
    EndOfFile,
    GenericError,
    Registry,
    Wire,
    WriteOnly,
    serializable,
    since,
    when,
)

CLASSES = Registry()


class Kind(IntEnum):
    """A cast enumeration."""

    LINE = 1
    TEXT = 2


@dataclass
class Point:
    """A struct without a name in the file."""

    x: WORD
    y: WORD
    z: Annotated[WORD, since(400)] = 9


@serializable("CShape", 600, versionable=True, registry=CLASSES)
@dataclass
class Shape:
    """One field of each kind."""

    kind: Annotated[Kind, INT]
    flags: Annotated[list[int], Array(WORD, 2)]
    layer: Annotated[str, Chars(4)]
    at: Point
    width: Annotated[WORD, since(351)] = 7
    text: Annotated[CString, when(lambda shape: shape.kind == Kind.TEXT)] = "none"
    parts: Annotated[list[Point], Array(Point, BYTE)] = field(default_factory=list)
    next: Annotated[Shape | None, since(500), when(lambda shape: shape.width)] = None


def stored(value: Any, kind: Any = None, **settings: Any) -> bytes:
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES, **settings) as archive:
        archive.store(type(value) if kind is None else kind, value)
    return file.getvalue()


def loaded(data: bytes, kind: Any, **settings: Any) -> Any:
    with Archive(io.BytesIO(data), "load", registry=CLASSES, **settings) as archive:
        value = archive >> kind
        assert archive.at_end
        return value


@pytest.mark.parametrize(
    ("kind", "value", "octets"),
    [
        (Array(WORD, 2), [1, 2], "0100 0200"),
        (Array(WORD, BYTE), [1, 2], "02 0100 0200"),
        (Array(CString, WORD), ["a"], "0100 fffeff01 6100"),
        (Array(Kind_ := Annotated[Kind, BYTE], 2), [Kind.LINE, Kind.TEXT], "01 02"),
        (Array(Array(BYTE, 2), 2), [[1, 2], [3, 4]], "01020304"),
        (Chars(4), "ab", "61620000"),
        (Chars(4), "a\0b", "61006200"),
        (Chars(2, unicode=True), "a", "6100 0000"),
        (Chars(2, unicode=None), "a", "6100 0000"),
        (Chars(BYTE), "ab", "02 6162"),
        (Bytes(2), b"\1\2", "0102"),
        (Bytes(DWORD), b"\1\2", "02000000 0102"),
        (Point, Point(1, 2, 3), "0100 0200 0300"),
        (Kind_, Kind.TEXT, "02"),
        (INT_PTR, -1, "ff" * 8),
        (GUID, GUID("00112233-4455-6677-8899-aabbccddeeff"), "33221100 5544 7766 8899 aabbccddeeff"),
    ],
    ids=str,
)
def test_each_kind_has_its_bytes(kind: Any, value: Any, octets: str) -> None:
    """A value is stored as the bytes that C++ writes, and loads as itself; a file cut anywhere within ends with EndOfFile."""
    data = bytes.fromhex(octets)
    assert stored(value, kind) == data
    assert loaded(data, kind) == value
    for length in range(len(data)):
        with pytest.raises(EndOfFile):
            loaded(data[:length], kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Array(WORD, 2), [1]), (Array(WORD, 2), "ab"), (Array(BYTE, BYTE), [0] * 256), (Chars(2), "abc"), (Bytes(2), b"a"),
     (Annotated[Kind, BYTE], 3), (Chars(2), 5)],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_refused(kind: Any, value: Any) -> None:
    """A list, a text or a number that does not fit raises TypeError or ValueError, and nothing is stored."""
    with Archive(file := io.BytesIO(), "store") as archive, pytest.raises((TypeError, ValueError)):
        archive.store(kind, value)
    assert file.getvalue() == b""


def test_a_number_that_is_no_member_is_malformed() -> None:
    """A number that the enumeration does not have is GenericError, and names those that it has."""
    with pytest.raises(GenericError, match=r"expected a Kind \(1, 2\), found 3"):
        loaded(b"\3", Annotated[Kind, BYTE])


@pytest.mark.parametrize("kind", [Array(WORD, DWORD), Bytes(DWORD), Chars(INT), Array(WORD, INT)], ids=str)
def test_a_huge_count_is_refused(kind: Any) -> None:
    """A count whose elements are beyond the limit, or below 0, is refused before memory is taken for them."""
    with pytest.raises(GenericError):
        loaded(b"\xff\xff\xff\xff" + bytes(9), kind)


@pytest.mark.parametrize(("schema", "width", "z", "has_next"), [(300, 7, 9, False), (351, 5, 9, False), (600, 5, 3, True)])
def test_fields_since_a_schema(schema: int, width: int, z: int, has_next: bool) -> None:
    """A field is stored and loaded in objects of its schema number and later ones; it is that of the object around it, too."""
    shape = Shape(Kind.TEXT, [1, 2], "L", Point(1, 2, 3), 5, "text", [Point(4, 5, 3)], None)
    shape.next = Shape(Kind.LINE, [3, 4], "M", Point(1, 2, 3), 5)
    for kind, thing in ((Shape, shape), (CObArray, CObArray([shape, shape, shape.next]))):
        data = stored(thing, kind, schemas={Shape: schema})
        with Archive(io.BytesIO(data), "load", registry=CLASSES) as archive:
            found = archive >> kind
            assert (archive.schemas[Shape], archive.at_end) == (schema, True)
        first = found[0] if kind is CObArray else found
        assert (first.width, first.at, first.text, first.parts) == (width, Point(1, 2, z), "text", [Point(4, 5, z)])
        assert (first.next is not None) is has_next
        if has_next:
            assert (first.next.text, first.next.layer) == ("none", "M")
        assert stored(found, kind, schemas={"CShape": schema}) == data


def test_another_schema_is_expected_where_the_archive_is_told() -> None:
    """A class that is not versionable loads under the number in `schemas`, and under no other one."""
    registry = Registry()

    @serializable("COld", 5, registry=registry)
    @dataclass
    class Old:
        number: WORD

    with Archive(file := io.BytesIO(), "store", registry=registry, schemas={"COld": 3}) as archive:
        archive << Old(1)
    with Archive(io.BytesIO(file.getvalue()), "load", registry=registry, schemas={Old: 3}) as archive:
        assert archive >> Old == Old(1)
    with Archive(io.BytesIO(file.getvalue()), "load", registry=registry) as archive, pytest.raises(BadSchema, match="schema 5"):
        archive >> Old
    with pytest.raises(KeyError):
        Archive(io.BytesIO(), "load", registry=registry, schemas={"CNone": 3})
    with pytest.raises(ValueError, match="70000"):
        Archive(io.BytesIO(), "load", registry=registry, schemas={Old: 70000})


@pytest.mark.parametrize(("win32", "size"), [(True, 4), (False, 8)])
def test_a_pointers_width_is_the_builds(win32: bool, size: int) -> None:
    """INT_PTR and ULONG_PTR have 4 bytes in a 32-bit program and 8 in a 64-bit one, in a list and in a structure too."""
    assert stored(ULONG_PTR(5), win32=win32) == (5).to_bytes(size, "little")
    assert loaded(stored([-5], CArray[INT_PTR], win32=win32), CArray[INT_PTR], win32=win32) == [-5]
    assert len(stored(LOGBRUSH(1, 2, 3), win32=win32)) == 8 + size


@pytest.mark.parametrize(
    ("thing", "size", "settings"),
    [(LOGFONT(face_name="Arial"), 92, {}), (LOGFONT(face_name="Arial"), 60, {"unicode": False}),
     (LOGFONTA(face_name="Arial"), 60, {}), (LOGPEN(1), 16, {}), (WINDOWPLACEMENT(show=3), 44, {})],
)  # fmt: skip
def test_windows_structures(thing: Any, size: int, settings: dict[str, Any]) -> None:
    """A structure has the size that Windows gives it, and loads as itself."""
    data = stored(thing, **settings)
    assert len(data) == size
    assert loaded(data, type(thing), **settings) == thing


class Pair(Wire[tuple[int, str]]):
    """A wire of a user's own, of values of others."""

    def store(self, encoder: Any, value: tuple[int, str]) -> None:
        encoder.store(WORD, value[0])
        encoder.write(b"!")
        encoder.store(CString, value[1])

    def load(self, decoder: Any) -> tuple[int, str]:
        number = decoder.load(WORD)
        decoder.ensure_read(1)
        return number, decoder.load(CString)


@dataclass
class WithPair:
    """A struct with a field of a user's wire."""

    before: BYTE
    pair: Annotated[tuple[int, str], Pair("pair")]
    after: BYTE


def test_a_wire_of_ones_own() -> None:
    """A subclass of Wire travels alone, in a dataclass and in an array; a file that gives nothing yet loses nothing."""
    thing = WithPair(1, (2, "x"), 3)
    data = stored([thing, thing], CArray[WithPair])
    assert loaded(data, CArray[WithPair]) == [thing, thing]
    pieces: list[bytes | None] = [data[i : i + 1] for i in range(len(data))]
    drip = [piece for each in pieces for piece in (None, each)]

    class Dripping(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1, /) -> bytes | None:
            return drip.pop(0)

    with Archive(Dripping(), "load") as archive:
        while True:
            try:
                assert archive >> CArray[WithPair] == [thing, thing]
                break
            except BlockingIOError:
                assert archive.offset == 0


def test_exchange_is_either_direction() -> None:
    """exchange() stores the value in a storing archive and loads one in a loading archive; either way it returns the value."""
    with Archive(file := io.BytesIO(), "store") as archive:
        assert archive.exchange(WORD, 5) == 5
        assert archive.exchange(CString, "x") == "x"
    file.seek(0)
    with Archive(file, "load") as archive:
        assert (archive.exchange(WORD, 0), archive.exchange(CString)) == (5, "x")


def test_the_rest_and_the_end() -> None:
    """rest() takes all bytes up to the end, read() and read(-1) too; at_end asks; a storing archive refuses both."""
    data = bytes(range(256)) * 500
    for take in (lambda archive: archive.rest(), lambda archive: archive.read(), lambda archive: archive.read(-1)):
        with Archive(io.BytesIO(data), "load") as archive:
            assert (archive.at_end, archive >> BYTE, take(archive), archive.at_end, archive.rest()) == (
                False, 0, data[1:], True, b"",
            )  # fmt: skip
    with Archive(io.BytesIO(data), "load", limit=1000) as archive, pytest.raises(GenericError):
        archive.rest()
    with Archive(io.BytesIO(), "store") as archive:
        for ask in (lambda: archive.at_end, archive.rest):
            with pytest.raises(WriteOnly):
                ask()


def test_offsets_count_from_the_files_start() -> None:
    """Of a file that has a position, the offset and the errors count from the file's start; `base` says another one."""
    file = io.BytesIO(bytes(808) + b"\xff\xff\0\0\x07\0CEmbOne")
    for settings, begin in (({}, 808), ({"base": 10}, 10)):
        file.seek(808)
        with Archive(file, "load", **settings) as archive:  # type: ignore[arg-type]
            assert archive.offset == begin
            with pytest.raises(Exception, match=f"at byte {begin}"):
                archive.read_object()
    file.seek(5)
    with Archive(file, "store") as archive:
        archive.write(b"abc")
        assert archive.offset == 8

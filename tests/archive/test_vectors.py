"""Checklist rows 157 and 158: every golden vector, to its bytes and back to its value, also byte by byte over TCP."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from archive_classes import Age, Document, Message, Node, Person, SubItem, same
from loopback import Background, client_and_raw_peer

from lifecycle.archive import (
    BOOL,
    BOOLEAN,
    BYTE,
    CHAR,
    DOUBLE,
    DWORD,
    FLOAT,
    INT,
    LONG,
    LONGLONG,
    POINT,
    RECT,
    SHORT,
    SIZE,
    ULONGLONG,
    VT,
    WCHAR,
    WORD,
    Archive,
    CByteArray,
    CComBSTR,
    CDWordArray,
    CEditView,
    CMapStringToString,
    CMapWordToOb,
    CObList,
    COleCurrency,
    COleDateTime,
    COleDateTimeSpan,
    COleVariant,
    CString,
    CStringA,
    CStringArray,
    CStringList,
    CStringW,
    CTime,
    CTime32,
    CTime64,
    CTimeSpan,
    CWordArray,
    OleStatus,
    SocketFile,
)
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.lengths import length_prefix, take_length

ROWS = {row["name"]: row for row in json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))}


@dataclass
class Vector:
    """How a row is stored and what loading it gives; `options` are the archives'."""

    store: Callable[[Archive], Any]
    load: Callable[[Archive], Any]
    value: Any
    options: dict[str, Any] = field(default_factory=dict)


def value(kind: Any, content: Any, **options: Any) -> Vector:
    """A value of a wire type."""
    return Vector(lambda archive: archive << kind(content), lambda archive: archive >> kind, content, options)


def whole(content: Any, **options: Any) -> Vector:
    """A value that is an object of its wire type."""
    return Vector(lambda archive: archive << content, lambda archive: archive >> type(content), content, options)


def member(content: Any, **options: Any) -> Vector:
    """An object or a collection by a direct call of serialize()."""

    def load(archive: Archive) -> Any:
        found = type(content)()
        found.serialize(archive)
        return found

    return Vector(content.serialize, load, content, options)


def several(contents: list[Any], kinds: list[Any], store: Callable[[Archive], Any] | None = None) -> Vector:
    """Several values, one after the other."""

    def store_all(archive: Archive) -> None:
        for each in contents:
            archive << each

    return Vector(store or store_all, lambda archive: [archive >> kind for kind in kinds], contents)


def prefix(length: int, *, unicode: bool = False) -> Vector:
    """The length before a string; of the string itself there is nothing."""

    def load(archive: Archive) -> Any:
        decoder: Decoder = archive._decoder
        found = take_length(decoder)
        decoder.at += found[2]
        return found

    mark = b"\xff\xfe\xff" if unicode else b""
    data = mark + length_prefix(length)
    return Vector(lambda archive: archive.write(data), load, (unicode, length, len(data)))


def count(number: int, **options: Any) -> Vector:
    """A count."""
    return Vector(lambda archive: archive.write_count(number), Archive.read_count, number, {"limit": 1 << 70, **options})


def line(content: str, **options: Any) -> Vector:
    """A line of text, which ends with the file."""
    return Vector(lambda archive: archive.write_string(content), Archive.read_string, content, options)


def raw_view(content: str, **options: Any) -> Vector:
    """A text view without its length."""

    def load(archive: Archive) -> CEditView:
        view = CEditView()
        view.serialize_raw(archive)
        return view

    view = CEditView(content)
    return Vector(view.serialize_raw, load, view, options)


def numbered(before: int, objects: int) -> Vector:
    """An object of a known class and a reference to it, after so many objects and classes have got their numbers.

    The class is CNode, whose body is a pointer: the reference is the body's, to the object itself.
    """
    node = Node()
    node.next = node

    def map_others(archive: Archive) -> None:
        others = [object() for _ in range(before - 1)]
        if archive.is_loading:
            archive._decoder.numbered += others
        for other in others if archive.is_storing else ():
            archive._encoder.number(other)

    def store(archive: Archive) -> None:
        if not objects:
            map_others(archive)
        archive.write_class(Node)
        if objects:
            map_others(archive)
        archive.flush()
        archive.file.seek(0)
        archive.file.truncate()
        archive << node

    def load(archive: Archive) -> Node | None:
        decoder: Decoder = archive._decoder
        given, decoder.receive = decoder.receive, io.BytesIO(b"\xff\xff\0\0\5\0CNode").read
        if not objects:
            map_others(archive)
        archive.read_class(Node)
        if objects:
            map_others(archive)
        decoder.receive = given
        return archive >> Node

    return Vector(store, load, node)


def swapped_message() -> Vector:
    """A message to a peer that is no MFC program: the values are swapped first, so that the wire is big-endian."""
    kinds, values = (DWORD, WORD, WORD, DWORD), (0x01020304, 5, 6, 7)

    def store(archive: Archive) -> None:
        for kind, each in zip(kinds, values, strict=True):
            archive.store(kind, int.from_bytes(each.to_bytes(4 if kind is DWORD else 2, "big"), "little"))

    def load(archive: Archive) -> tuple[int, ...]:
        sizes = [4 if kind is DWORD else 2 for kind in kinds]
        return tuple(
            int.from_bytes((archive >> kind).to_bytes(size, "little"), "big") for kind, size in zip(kinds, sizes, strict=True)
        )

    return Vector(store, load, values)


def packet() -> Vector:
    """The packet protocol's header, a BYTE and a WORD count, then as many copies of the byte."""
    return Vector(
        lambda archive: (archive << BYTE(0x2A) << WORD(3)).write(b"\x2a" * 3),
        lambda archive: (archive >> BYTE, archive.read(archive >> WORD)),
        (0x2A, b"\x2a\x2a\x2a"),
    )


def sub_item() -> Vector:
    """An object that refers to a document which was only mapped."""
    document = Document()
    item = SubItem(document, 3)

    def store(archive: Archive) -> None:
        archive.map_object(document)
        archive << item

    def load(archive: Archive) -> SubItem | None:
        archive.map_object(document)
        found = archive >> SubItem
        assert found is not None
        assert found.document is document
        return found

    return Vector(store, load, item)


def written_class() -> Vector:
    """A class twice."""

    def store(archive: Archive) -> None:
        archive.write_class(Age)
        archive.write_class(Age)

    return Vector(store, lambda archive: [archive.read_class(), archive.read_class(Age)], [(Age, 1), (Age, 1)])


def node() -> Vector:
    """A node that points to itself."""
    found = Node()
    found.next = found
    return whole(found)


AGE, OTHER = Age(21), Age(22)
ANSI: dict[str, Any] = {"unicode": False}

VECTORS: dict[str, Vector] = {
    "BYTE": value(BYTE, 0xAB),
    "char": value(CHAR, -1),
    "bool_true": value(BOOLEAN, True),
    "bool_false": value(BOOLEAN, False),
    "BOOL_TRUE": value(BOOL, True),
    "WORD": value(WORD, 0x1234),
    "short": value(SHORT, -2),
    "wchar_t": value(WCHAR, "A"),
    "int": value(INT, -1),
    "LONG": value(LONG, 12345),
    "DWORD": value(DWORD, 0xDEADBEEF),
    "LONGLONG": value(LONGLONG, -2),
    "ULONGLONG": value(ULONGLONG, 0x0123456789ABCDEF),
    "float": value(FLOAT, 1.5),
    "double": value(DOUBLE, 3.14),
    "doc_l_i": several([LONG(5), INT(10)], [LONG, INT]),
    "doc_age_name": several([CStringW("Bob"), WORD(7)], [CStringW, WORD]),
    "POINT": whole(POINT(1, -2)),
    "SIZE": whole(SIZE(3, 4)),
    "RECT": whole(RECT(1, 2, 3, 4)),
    "CStringA_empty": value(CStringA, ""),
    "CStringA_abc": value(CStringA, "abc"),
    "CStringA_1.10": value(CString, "1.10", **ANSI),
    "CStringW_empty": value(CStringW, ""),
    "CStringW_abc": value(CString, "abc"),
    "CStringW_zhangsan": value(CStringW, "zhangsan"),
    "CStringW_surrogate": value(CStringW, "\U0001f600"),
    "CStringA_254_prefix": prefix(254),
    "CStringA_255_prefix": prefix(255),
    "CStringA_65533_prefix": prefix(0xFFFD),
    "CStringA_65534_prefix": prefix(0xFFFE),
    "CStringA_65535_prefix": prefix(0xFFFF),
    "CStringA_65536_prefix": prefix(0x10000),
    "CStringA_4G-1_prefix": prefix(0xFFFFFFFF),
    "CStringW_254_prefix": prefix(254, unicode=True),
    "CStringW_255_prefix": prefix(255, unicode=True),
    "CStringW_65534_prefix": prefix(0xFFFE, unicode=True),
    "WriteCount_0x0": count(0),
    "WriteCount_0x1": count(1),
    "WriteCount_0xfffe": count(0xFFFE),
    "WriteCount_0xffff": count(0xFFFF),
    "WriteCount_0x10000": count(0x10000),
    "WriteCount_0xffffffff_w64": count(0xFFFFFFFF),
    "WriteCount_0xffffffff_w32": count(0xFFFFFFFF, win32=True),
    "CByteArray_ser": member(CByteArray([1, 2, 3])),
    "CWordArray_ser": member(CWordArray([1, 0x203])),
    "CDWordArray_ser": member(CDWordArray([1])),
    "CStringArray_ser_W": member(CStringArray(["a", ""])),
    "CStringArray_ser_A": member(CStringArray(["a", ""]), **ANSI),
    "CStringList_ser_A": member(CStringList(["x"]), **ANSI),
    "CObList_empty": member(CObList()),
    "CMapStringToString_one_A": member(CMapStringToString({"k": "v"}), **ANSI),
    "CMapWordToOb_one_null": member(CMapWordToOb({5: None})),
    "obj_null": several([None], [Age]),
    "obj_first": whole(AGE),
    "obj_seq": several([AGE, OTHER, AGE, None, OTHER], [Age] * 5),
    "obj_two_classes": several([AGE, Person("Al", 9), OTHER], [Age, Person, Age]),
    "obj_cycle": node(),
    "obj_mapobject": sub_item(),
    "obj_coblist_ptr": whole(CObList([AGE, AGE])),
    "WriteClass_twice": written_class(),
    "pid_0x7ffe_ref": numbered(0x7FFD, objects=True),
    "pid_0x7fff_ref": numbered(0x7FFE, objects=True),
    "class_pid_0x7fff": numbered(0x7FFF, objects=False),
    "CTime_mfc8": whole(CTime(0x5D960A1B)),
    "CTime_mfc7": whole(CTime32(0x5D960A1B)),
    "CTimeSpan": whole(CTimeSpan(90061)),
    "CTime_Serialize64": whole(CTime64(0x5D960A1B)),
    "COleDateTime": whole(COleDateTime(36526.0)),
    "COleDateTime_null": whole(COleDateTime(0.0, OleStatus.NULL)),
    "COleDateTimeSpan": whole(COleDateTimeSpan(1.5)),
    "COleCurrency": whole(COleCurrency(10000)),
    "COleVariant_I4": whole(COleVariant(7, VT.I4)),
    "COleVariant_BSTR": whole(COleVariant("hi", VT.BSTR)),
    "COleVariant_BOOL": whole(COleVariant(True, VT.BOOL)),
    "COleVariant_EMPTY": whole(COleVariant()),
    "CComBSTR": value(CComBSTR, "hi"),
    "WriteString_A": line("My string.", **ANSI),
    "WriteString_W": line("ab"),
    "CMsg_W": member(Message(0, "hi")),
    "PacketHeader": packet(),
    "Message_htonl": swapped_message(),
    "EditView_Serialize_W": member(CEditView("ab")),
    "EditView_Serialize_A": member(CEditView("ab"), **ANSI),
    "EditView_Raw_A": raw_view("ab", **ANSI),
}
NEEDS_A_LENGTH = {"EditView_Raw_A"}


def _stored(vector: Vector) -> bytes:
    file = io.BytesIO()
    options = {name: each for name, each in vector.options.items() if name != "limit"}
    with Archive(file, "store", **options) as archive:
        vector.store(archive)
    return file.getvalue()


def test_every_vector_is_here() -> None:
    """Each golden row has its operations, and nothing else is here."""
    assert set(VECTORS) == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_row_157_vector_encodes_to_its_bytes(name: str) -> None:
    """The operations of a golden row give exactly its bytes."""
    assert _stored(VECTORS[name]).hex() == ROWS[name]["hex"]


@pytest.mark.parametrize("name", ROWS)
def test_row_157_vector_decodes_to_its_value(name: str) -> None:
    """The bytes of a golden row give its value, and nothing is left over."""
    vector = VECTORS[name]
    with Archive(io.BytesIO(bytes.fromhex(ROWS[name]["hex"])), "load", **vector.options) as archive:
        assert same(vector.load(archive), vector.value)
        assert archive.read(1) == b""


@pytest.mark.parametrize("name", [name for name in ROWS if name not in NEEDS_A_LENGTH])
def test_row_158_vector_decodes_when_its_bytes_arrive_one_at_a_time(name: str) -> None:
    """Over a real socket, a byte a segment, every vector decodes to its value."""
    vector = VECTORS[name]
    data = bytes.fromhex(ROWS[name]["hex"])
    with client_and_raw_peer() as (client, peer), SocketFile(client) as file:

        def send() -> None:
            for number in range(len(data)):
                peer.sendall(data[number : number + 1])
            peer.close()

        sending = Background(send)
        with Archive(file, "load", **vector.options) as archive:
            assert same(vector.load(archive), vector.value)
        sending.result()

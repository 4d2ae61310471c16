"""Whatever a call of an archive fails by, it leaves the state, the buffer, the numbers and the offset as they were."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from archive_bytes import stored
from archive_signs import BOARD, CLASSES, SIGN, SPOT, Board, Sign, Spot, Tiny
from long_form import part

from lifecycle.archive import (
    DWORD,
    VT,
    WORD,
    Archive,
    CArray,
    CByteArray,
    CEditView,
    CMap,
    CObArray,
    COleVariant,
    CString,
    CStringList,
    CTime,
    EndOfFile,
    FormatError,
    GenericError,
    NotSerializable,
    serializable,
)


def raising(error: BaseException) -> Callable[..., Any]:
    def run(*arguments: object) -> Any:
        raise error

    return run


class Cut:
    """A file that gives its bytes up to a place, and then what it is told to, once; or that takes as many."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.at = 0
        self.cut = 1 << 30
        self.then: Callable[..., Any] = lambda: b""
        self.taken = bytearray()

    def read1(self, size: int) -> bytes | None:
        if self.at >= self.cut:
            self.cut = 1 << 30
            found: bytes | None = self.then()
            return found
        data = self.data[self.at : min(self.cut, self.at + size)]
        self.at += len(data)
        return data

    read = read1

    def write(self, data: bytes) -> int | None:
        if self.cut < 1 << 30:
            self.cut = 1 << 30
            found: int | None = self.then()
            return found
        self.taken += data
        return len(data)


def snapshot(archive: Archive) -> tuple[Any, ...]:
    """What a failed call has to leave alone."""
    coder: Any = archive._decoder if archive.is_loading else archive._encoder
    buffer = (coder.unread,) if archive.is_loading else (bytes(coder.out), dict(coder.numbers))
    return archive.state, archive.offset, list(map(id, coder.numbered)), coder.depth, *buffer[1:]


def put(call: str, *arguments: Any) -> bytes:
    """The bytes of a call, which comes after FIRST."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        archive << Tiny(3)
        getattr(archive, call)(*arguments)
    return file.getvalue()[len(FIRST) :]


FIRST = stored(Tiny(3), registry=CLASSES)


def kinds() -> list[Any]:
    """(call, its arguments, its bytes, its result) of every call that loads."""
    values: list[tuple[Any, Any]] = [
        (DWORD, 5), (CString, "a string"), (CString, "x" * 300), (CTime, CTime(5)), (CArray[WORD], [1, 2, 3]),
        (CArray[CString], ["a", "b" * 300, ""]), (CArray[Sign], [SIGN, SIGN]), (CArray[Spot], [SPOT] * 5),
        (CMap[WORD, Spot], {1: SPOT, 2: SPOT}), (COleVariant, COleVariant(5, VT.I4)), (COleVariant, COleVariant("x", VT.BSTR)),
        (CArray[Spot | None], [SPOT, None, SPOT, Spot()]),
    ]  # fmt: skip
    found = [("load", (kind,), put("store", kind, value), value) for kind, value in values]
    found += [("load", (type(value),), put("write_object", value), value) for value in (SPOT, SIGN, BOARD)]
    lists = CStringList(["a", "b"])
    found += [("load", (type(value),), put("write_object", value), value) for value in (CByteArray(b"abc"), lists)]
    found += [
        ("read_object", (), put("write_object", BOARD), BOARD),
        ("read_class", (), put("write_class", Spot), (Spot, 0)),
        ("serialize_class", (Spot,), put("write_class", Spot), None),
        ("serialize", (Spot(),), put("serialize", SPOT), None),
        ("serialize", (Sign(),), put("serialize", SIGN), None),
        ("serialize", (CEditView(),), put("serialize", CEditView("text")), None),
        ("read_count", (), put("write_count", 70_000), 70_000),
        ("read_string", (), "a line\n".encode("utf-16-le"), "a line"),
        ("ensure_read", (5,), b"12345", b"12345"),
        ("read", (5,), b"12345", b"12345"),
    ]
    return found


LOADS = kinds()
NAMES = [f"{number} {call}" for number, (call, *_) in enumerate(LOADS)]


def places(size: int) -> list[int]:
    """Where a value of so many bytes is cut: everywhere in the whole form, otherwise at its ends and at some places between."""
    return sorted({*range(0, size, part(1, max(1, size // 25))), *range(max(0, size - 4), size), *range(min(size, 8))})


@pytest.mark.parametrize("trouble", ["pending", "timed_out", "failed", "interrupted"])
@pytest.mark.parametrize(("call", "arguments", "data", "result"), LOADS, ids=NAMES)
def test_a_failed_load_is_undone_wherever_it_stops(
    call: str, arguments: tuple[Any, ...], data: bytes, result: Any, trouble: str
) -> None:
    """Nothing was taken, and the same call then gives what it would have given; the object before it is known by its number."""
    troubles: dict[str, tuple[Callable[..., Any], type[BaseException]]] = {
        "pending": (lambda: None, BlockingIOError),
        "timed_out": (raising(TimeoutError("timed out")), TimeoutError),
        "failed": (raising(OSError(errno.EIO, os.strerror(errno.EIO))), OSError),
        "interrupted": (raising(KeyboardInterrupt()), KeyboardInterrupt),
    }
    then, error = troubles[trouble]
    for cut in places(len(data)):
        file = Cut(FIRST + data + b"rest")
        file.then = then
        archive = Archive(file, "load", registry=CLASSES, no_flush_on_delete=True)
        file.cut = len(FIRST)
        before_it = archive >> Tiny
        archive.set_object_schema(9)
        file.cut = len(FIRST) + cut
        before = snapshot(archive)
        with pytest.raises(error):
            getattr(archive, call)(*arguments)
        assert snapshot(archive) == before
        assert archive.get_object_schema() == 9
        assert getattr(archive, call)(*arguments) == result
        assert archive.offset == len(FIRST) + len(data)
        assert archive.read(4) == b"rest"
        assert archive._decoder.numbered[1] is before_it
        archive.abort()


@pytest.mark.parametrize(("call", "arguments", "data", "result"), LOADS, ids=NAMES)
def test_the_end_within_a_value_breaks_the_archive(call: str, arguments: tuple[Any, ...], data: bytes, result: Any) -> None:
    """EndOfFile, and the archive is broken; raw bytes and lines end with what there is."""
    for cut in places(len(data)):
        archive = Archive(io.BytesIO(FIRST + data[:cut]), "load", registry=CLASSES, no_flush_on_delete=True)
        archive >> Tiny
        if call in ("read", "read_string"):
            if call == "read_string" and cut % 2:
                with pytest.raises(GenericError):
                    archive.read_string()
            else:
                assert getattr(archive, call)(*arguments) == (
                    (result[: cut // 2] or None) if call == "read_string" else data[:cut]
                )
                assert archive.state == "loading"
        else:
            with pytest.raises(EndOfFile):
                getattr(archive, call)(*arguments)
            assert archive.state == "broken"
        archive.abort()


STORES: list[tuple[str, tuple[Any, ...], type[Exception]]] = [
    ("store", (DWORD, -1), ValueError),
    ("store", (CArray[CString], ["a", 5]), TypeError),
    ("store", (CArray[Spot], [SPOT, Spot(1, -1)]), ValueError),
    ("store", (CArray[Sign], [SIGN, Sign(text="x" * 400, spot=Spot(0, 99999))]), ValueError),
    ("store", (CArray[Sign], [SIGN, Sign(at=Tiny())]), TypeError),
    ("store", (CMap[WORD, Sign], {1: SIGN, -2: SIGN}), ValueError),
    ("write_object", (CObArray([SPOT, SIGN, Tiny(1), object()]),), NotSerializable),
    ("write_object", (Board(5, [SIGN, Sign(names=[None])]),), TypeError),
    ("serialize", (Board(-1, [SIGN]),), ValueError),
    ("serialize", (Sign(spot=Spot(3, 3), next=Sign(names=5)),), TypeError),
    ("serialize", (CEditView(5),), TypeError),
    ("write_class", (object,), NotSerializable),
    ("serialize_class", (object,), NotSerializable),
    ("write_count", (-1,), ValueError),
    ("write", (5,), TypeError),
    ("write_string", (5,), TypeError),
]


@pytest.mark.parametrize(("call", "arguments", "error"), STORES, ids=[f"{n} {each[0]}" for n, each in enumerate(STORES)])
def test_a_failed_store_is_undone(call: str, arguments: tuple[Any, ...], error: type[Exception]) -> None:
    """What does not fit leaves no byte and no number; the archive goes on as if it had not been asked."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        archive << Tiny(1)
        archive.map_object(SPOT)
        archive.map_object(SPOT)
        before = snapshot(archive)
        with pytest.raises(error):
            getattr(archive, call)(*arguments)
        assert snapshot(archive) == before
        archive << SIGN << BOARD << SPOT
    whole = io.BytesIO()
    with Archive(whole, "store", registry=CLASSES) as archive:
        archive << Tiny(1)
        archive.map_object(SPOT)
        archive.map_object(SPOT)
        archive << SIGN << BOARD << SPOT
    assert file.getvalue() == whole.getvalue()


@pytest.mark.parametrize("trouble", [lambda: 0, raising(TimeoutError("timed out"))], ids=["pending", "timed_out"])
@pytest.mark.parametrize(
    "value",
    [SIGN, BOARD, CByteArray(b"x" * 200), CObArray([Spot(n) for n in range(60)])],
    ids=["record", "method", "bytes", "objects"],
)
def test_a_store_without_room_is_undone(value: Any, trouble: Callable[[], Any]) -> None:
    """Where the buffer is full and the file takes nothing, the value is not stored; then it is, and once."""
    file, whole = Cut(), io.BytesIO()
    archive = Archive(file, "store", registry=CLASSES, buffer_size=128)
    with Archive(whole, "store", registry=CLASSES) as other:
        for each in (DWORD(1), CByteArray(b"y" * 100), value, value):
            other << each
    archive << DWORD(1) << CByteArray(b"y" * 100)
    before = snapshot(archive)
    file.cut, file.then = 0, trouble
    with pytest.raises((BlockingIOError, TimeoutError)):
        archive << value
    assert snapshot(archive) == before
    archive << value << value
    archive.close()
    assert bytes(file.taken) == whole.getvalue()


def test_a_number_given_again_is_taken_back() -> None:
    """Of an object that had a number before a value that failed, that number is valid again."""
    thing = Spot(1, 1)

    @serializable("CMapping", registry=CLASSES)
    class Mapping:
        def serialize(self, archive: Archive) -> None:
            archive.map_object(thing)
            raise LookupError("mine")

    with Archive(io.BytesIO(), "store", registry=CLASSES) as archive:
        archive << thing
        with pytest.raises(LookupError):
            archive << Mapping()
        before = archive.offset
        archive << thing
        assert archive.offset == before + 2


def test_a_send_that_was_broken_off_breaks_the_archive() -> None:
    """Nobody knows how much of it the file took, so that nothing may be sent again."""
    file = Cut()
    archive = Archive(file, "store")
    archive << DWORD(1)
    file.cut, file.then = 0, raising(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        archive.flush()
    assert archive.state == "broken"
    archive.close()


def test_wrong_bytes_that_were_caught_break_the_archive_once() -> None:
    """They break the value in which they were caught; where that value fails itself, the next one is loaded."""

    @serializable("CCatcher", registry=CLASSES)
    class Catcher:
        fails = True

        def serialize(self, archive: Archive) -> None:
            with pytest.raises(FormatError):
                archive >> Spot
            if Catcher.fails:
                raise LookupError("mine")

    data = CLASSES.entry(Catcher).description + b"\7\0"
    with Archive(io.BytesIO(data), "load", registry=CLASSES) as archive:
        with pytest.raises(LookupError):
            archive >> Catcher
        assert archive.state == "loading"
        assert (archive >> WORD, archive.load(CArray[WORD])) == (0xFFFF, [])
    Catcher.fails = False
    with Archive(io.BytesIO(data), "load", registry=CLASSES) as archive:
        with pytest.raises(FormatError):
            archive >> Catcher
        assert archive.state == "broken"

"""Whatever a call of an archive fails by, it leaves the state, the buffer, the numbers and the offset as they were."""

from __future__ import annotations

import errno
import gc
import io
import os
import pickle
import socket
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from archive_bytes import stored
from archive_signs import BOARD, CLASSES, SIGN, SPOT, Board, Sign, Spot, Tiny
from loopback import LONG, client_and_raw_peer, fill, open_descriptors

from lifecycle import IllegalCall
from lifecycle.archive import (
    BYTE,
    DWORD,
    VT,
    WORD,
    Archive,
    BadClass,
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
    ReadOnly,
    SocketFile,
    UnsupportedCall,
    WriteOnly,
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
    for cut in range(len(data)):
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
    for cut in range(len(data)):
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


# -- what the sender of bytes cannot do ----------------------------------------------------------------------------------------


def test_a_reference_is_of_the_class_that_was_asked_for() -> None:
    """An object that was loaded before is no object of another class: by read_object(), and in a field of a record."""
    data = stored(Spot(1, 1), registry=CLASSES)
    with Archive(io.BytesIO(data + b"\2\0"), "load", registry=CLASSES) as archive:
        archive >> Spot
        with pytest.raises(BadClass, match="an object of Sign, found one of Spot"):
            archive.read_object(Sign)
    sign = CLASSES.entry(Sign).description + bytes(4) + b"\xff\xfe\xff\0" + b"\4\0" + b"\2\0" + bytes(2)
    with Archive(io.BytesIO(data + sign), "load", registry=CLASSES) as archive:
        archive >> Spot
        with pytest.raises(BadClass, match="an object of Spot, found one of Sign"):
            archive >> Sign


def test_the_schema_is_the_outer_objects_again_behind_a_nested_one() -> None:
    """get_object_schema() answers for the object whose method asks, behind nested ones too; of a member it answers -1."""

    @serializable("COuter", schema=3, versionable=True, registry=CLASSES)
    class Outer:
        def __init__(self) -> None:
            self.inner: Any = Board(1)
            self.schema = 0

        def serialize(self, archive: Archive) -> None:
            if archive.is_storing:
                archive << self.inner
                archive.serialize(self.inner)
            else:
                self.inner = archive >> Board
                archive.serialize(self.inner)
                self.schema = archive.get_object_schema()

    with Archive(io.BytesIO(stored(Outer(), registry=CLASSES)), "load", registry=CLASSES) as archive:
        found = archive >> Outer
        assert found is not None
        assert (found.schema, found.inner.schemas) == (3, [2, -1])


def test_a_bad_field_is_found_without_running_users_code_again() -> None:
    """The field that does not fit is named, and the method of an object before it ran once."""

    @serializable("CBoth", registry=CLASSES)
    @dataclass
    class Both:
        board: Board
        number: WORD

    Board.runs = 0
    with pytest.raises(ValueError, match=r"Both\.number: -1 is not a WORD"):
        put("serialize", Both(Board(1), -1))
    assert Board.runs == 1


def test_a_count_claims_no_more_than_the_limit() -> None:
    """A count is worth its elements' bytes, and of objects at least six each, which bounds what they take in memory."""
    for kind, count, limit, fits in (
        (CArray[Spot], 25, 150, True), (CArray[Spot], 26, 150, False), (CArray[Tiny], 25, 150, True),
        (CArray[Tiny], 26, 150, False), (CArray[DWORD], 25, 100, True), (CArray[DWORD], 26, 100, False),
        (CArray[BYTE], 100, 100, True), (CArray[COleVariant], 17, 100, False),
    ):  # fmt: skip
        data = count.to_bytes(2, "little") + bytes(1000)
        with Archive(io.BytesIO(data), "load", limit=limit, registry=CLASSES) as archive:
            if fits:
                assert len(archive.load(kind)) == count
            else:
                with pytest.raises(GenericError, match=rf"{limit} bytes \(the archive's limit\), found a count of {count}"):
                    archive.load(kind)


def test_lines_are_read_in_time_in_proportion_to_their_length() -> None:
    """A line of four million characters takes less than a second, in either width, also with all line ends but the first."""
    for unicode in (False, True):
        line = "x" * (1 << 22)
        data = f"{line}\r\nshort\n".encode("utf-16-le" if unicode else "ascii")
        with Archive(io.BytesIO(data), "load", unicode=unicode) as archive:
            began = time.process_time()
            assert archive.read_string() == line
            assert time.process_time() - began < 1
            assert (archive.read_string(), archive.read_string()) == ("short", None)


def test_a_line_in_utf_16_ends_at_whole_characters_only() -> None:
    """The bytes of a line feed that lie across two characters are no end."""
    text = "\u0a41\u0a00\u000d\u0a0a"
    with Archive(io.BytesIO(text.encode("utf-16-le")), "load") as archive:
        assert (archive.read_string(), archive.read_string()) == ("\u0a41\u0a00", None)


# -- tracebacks, errors, finalizers, files -------------------------------------------------------------------------------------


def test_two_classes_of_one_name_have_tracebacks_of_their_own() -> None:
    """The text of each written function is its own, so that a traceback shows the line that failed."""

    def declared(wire: Any, field_name: str) -> Any:
        return serializable("CTwin", registry=CLASSES)(dataclass(type("Twin", (), {"__annotations__": {field_name: wire}})))

    seen = set()
    for kind in (declared(WORD, "one"), declared(DWORD, "other")):
        archive = Archive(io.BytesIO(), "store", registry=CLASSES, no_flush_on_delete=True)
        with pytest.raises((ValueError, TypeError)) as caught:
            archive.serialize(kind.__new__(kind))
        assert isinstance(caught.value.__cause__, AttributeError)
        frames = traceback.extract_tb(caught.value.__cause__.__traceback__)
        line = next(frame.line for frame in frames if frame.filename.startswith("<lifecycle.archive"))
        assert line is not None
        seen.add(line.partition("_thing.")[2].partition(")")[0])
        archive.abort()
    assert seen == {"one", "other"}


@pytest.mark.parametrize("call", ["load", "store", "seek"])
def test_errors_of_archives_and_files_pickle(call: str) -> None:
    """An error that was pickled, as by multiprocessing, is of the same class and has the same text."""
    if call == "seek":
        with client_and_raw_peer() as (client, _), pytest.raises(UnsupportedCall) as caught:
            SocketFile(client).seek(0)
    else:
        mode = "store" if call == "load" else "load"
        with Archive(io.BytesIO(), mode) as archive, pytest.raises(WriteOnly if call == "load" else ReadOnly) as caught:  # type: ignore[arg-type]
            getattr(archive, call)(DWORD, *([1] if call == "store" else []))
    for error in (caught.value, EndOfFile(5, "a DWORD", "the end of the file"), BadClass(1, "a", "b")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))


def test_a_forgotten_archive_does_not_wait_for_a_peer_that_does_not_read() -> None:
    """Its finalizer warns, drops what was not flushed, and closes nothing of the program's."""
    with client_and_raw_peer(timeout=LONG) as (client, _):
        fill(client)
        file = SocketFile(client)
        archive = Archive(file, "store")
        archive.write(b"x" * 1000)
        began = time.monotonic()
        with pytest.warns(ResourceWarning, match="what was not flushed is lost"):
            del archive
            gc.collect()
        assert time.monotonic() - began < LONG / 2
        assert (file.state, client.state) == ("attached", "connected")


def test_a_forgotten_archive_raises_nothing_over_a_closed_file() -> None:
    """Also where warnings are errors, the finalizer lets go of the file."""
    with client_and_raw_peer() as (client, _):
        file = SocketFile(client)
        archive = Archive(file, "store", no_flush_on_delete=True)
        archive.write(b"x")
        file.close()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ResourceWarning):
                Archive(SocketFile(client), "store").__del__()
            archive.__del__()
            assert archive.state == "closed"


# -- what a SocketFile owns ----------------------------------------------------------------------------------------------------


def owned(client: Any) -> tuple[Any, ...]:
    """What is the socket's own: its descriptor, its blocking mode, its time-out, an option, its state."""
    number = client.fileno()
    option = client.get_option(socket.SO_KEEPALIVE)
    return number, os.get_blocking(number), client.timeout, option, client.state


def test_a_file_leaves_its_socket_as_it_was() -> None:
    """Making, using, closing and refusing a file change nothing of the socket, and open no descriptor."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        client.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        before, descriptors = owned(client), open_descriptors()
        file = SocketFile(client)
        peer.sendall(b"abc")
        assert (file.read(3), file.write(b"def"), peer.recv(3)) == (b"abc", 3, b"def")
        with pytest.raises(UnsupportedCall):
            file.seek(0)
        with Archive(file, "store") as archive:
            archive << DWORD(5)
        assert (owned(client), open_descriptors()) == (before, descriptors)
        file.close()
        assert (owned(client), open_descriptors()) == (before, descriptors)
        with pytest.raises(IllegalCall):
            Archive(file, "store")
        with pytest.raises(TypeError):
            SocketFile(peer)  # type: ignore[arg-type]
        assert (owned(client), open_descriptors(), peer.recv(4)) == (before, descriptors, b"\5\0\0\0")


def test_a_write_that_times_out_returns_the_part_that_went_out() -> None:
    """So a buffered writer over the file does not send that part again; where nothing went out, TimeoutError."""
    with client_and_raw_peer(timeout=0.05) as (client, peer):
        data = bytes(range(256)) * (1 << 15)
        file = SocketFile(client)
        sent = file.write(data)
        assert sent is not None
        assert 0 < sent < len(data)
        with pytest.raises(TimeoutError):
            while True:
                more = file.write(data[sent:])
                assert more
                sent += more
        peer.settimeout(LONG)
        received = bytearray()
        while len(received) < sent:
            received += peer.recv(1 << 16)
        assert bytes(received) == data[:sent]

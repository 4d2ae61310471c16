"""Every row of the tables of files and archives happens, and leads where it says."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from archive_classes import Age
from kernel import ERROR
from loopback import LONG, client_and_raw_peer, fill, reset, until_shows

from lifecycle import ARCHIVE, SOCKET_FILE, Archive, Client, IllegalCall, Journal, SocketFile
from lifecycle.archive import DWORD, ArchiveError, CEditView
from lifecycle.archive.file import _Governed

Cell = tuple[str, str, str, str]


class Scripted(io.RawIOBase):
    """A file that gives good bytes, and takes bytes, until it is told to do otherwise: it is what an archive has to do with."""

    def __init__(self) -> None:
        self.gives: Callable[[], bytes | None] = lambda: b""
        self.takes: Callable[[bytes], int | None] = len
        self.seeks: Callable[[], int] = lambda: 0

    def read1(self, size: int) -> bytes | None:
        return self.gives()

    def write(self, data: Any, /) -> int | None:
        return self.takes(data)

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return 0

    def seek(self, *arguments: Any) -> int:
        return self.seeks()


def _raises(error: BaseException) -> Callable[..., Any]:
    def raising(*arguments: object) -> Any:
        raise error

    return raising


TROUBLE: dict[str, Callable[..., Any]] = {
    "pending": lambda *arguments: None,
    "timed_out": _raises(TimeoutError("timed out")),
    "broken": _raises(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))),
    "failed": _raises(OSError(errno.EIO, os.strerror(errno.EIO))),
    "eof": lambda *arguments: b"",
}
"""What the file does so that a call which needs it ends so."""

CLASS_DESCRIPTION = b"\xff\xff\1\0\4\0CAge"
WELL_FORMED = {
    "load": b"\5\0\0\0", "read": b"abcd", "ensure_read": b"abcd", "read_string": b"a\0\n\0", "read_count": b"\5\0",
    "read_object": b"\0\0", "read_class": CLASS_DESCRIPTION, "serialize_class": CLASS_DESCRIPTION, "serialize": b"\5\0",
}  # fmt: skip
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "load": (DWORD,), "read": (4,), "ensure_read": (4,), "store": (DWORD, 5), "write": (b"data",), "write_string": ("x",),
    "write_count": (1,), "write_object": (None,), "write_class": (Age,), "map_object": (Age(1),), "serialize_class": (Age,),
    "serialize": (Age(5),), "serialize_raw": (CEditView("x"),), "set_object_schema": (1,),
}  # fmt: skip
MALFORMED: dict[str, tuple[bytes, tuple[Any, ...]]] = {
    "load": (b"\0\x80", (Age,)),
    "read_string": (b"\x81", ()),
    "read_count": (b"\xff\xff\xff\xff\xff\xff" + b"\xff" * 8, ()),
    "read_object": (b"\0\x80", ()),
    "read_class": (b"\0\x80", ()),
    "serialize_class": (b"\0\x80", (Age,)),
    "serialize": (b"\1\0\0\0a", (CEditView(limit=0),)),
    "serialize_raw": (b"", (CEditView(limit=0),)),
}
"""What the file gives, and what is asked for, so that a loading call finds it malformed."""


def make(thing: Any, call: str, *arguments: Any) -> None:
    """Make the call, however it ends."""
    with suppress(OSError, ArchiveError, ValueError, TypeError, RuntimeError, IllegalCall):
        getattr(thing, call)(*arguments)


def provoke_archive(cell: Cell, file: Scripted) -> None:
    """Bring an archive into the cell's state and make its call end in its outcome."""
    state, call, outcome, _ = cell
    if state == "empty":
        provoke_empty(call, outcome, file)
        return
    with Archive(file, "store" if state == "storing" else "load", buffer_size=128, encoding="ascii", unicode=False) as archive:
        arguments = ARGUMENTS.get(call, ())
        if state == "broken":
            make(archive, "load", DWORD)
        elif state == "closed":
            archive.close()
        elif state == "storing":
            file.takes = TROUBLE["pending"]
            archive.write(bytes(200))  # more than the buffer keeps: the next call has to send
            file.takes = TROUBLE.get(outcome, len)
        elif outcome == "malformed":
            data, arguments = MALFORMED[call]
            chunks = iter([data, b""])
            file.gives = lambda: next(chunks)
            if call == "serialize_raw":
                file.seeks = lambda: 5
        elif call in ("flush", "close"):
            file.gives = lambda: b"\5\0\0\0more"
            archive >> DWORD
            file.seeks = TROUBLE.get(outcome, lambda: 0)
        else:
            chunks = iter([WELL_FORMED.get(call, b"x")])
            file.gives = TROUBLE.get(outcome, lambda: next(chunks))
            if call == "serialize_raw":
                file.seeks = lambda: 1
        if call.endswith("_params") and outcome == "failed":
            archive.map_object(Age(1))
        make(archive, call, *arguments)
        file.takes, file.seeks = len, lambda: 0


def provoke_empty(call: str, outcome: str, file: Scripted) -> None:
    """The constructor's own call, and the ends of an archive that never got a file."""
    if call == "attach":
        make(Archive, "__call__", object() if outcome == "failed" else file, outcome if outcome != "failed" else "load")
        return
    archive = Archive.__new__(Archive)
    super(Archive, archive).__init__()
    archive._nested = False
    make(archive, call)


@pytest.mark.filterwarnings("ignore::lifecycle.archive.UnreadBytesLost", "ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("cell", ARCHIVE.cells(), ids=".".join)
def test_row_of_archives_is_seen(cell: Cell) -> None:
    """Every (state, call, outcome) of an archive's table happens and leads to the state it says."""
    with Journal() as journal:
        provoke_archive(cell, Scripted())
    assert cell in [(r.state, r.call, r.outcome, r.next_state) for r in journal.records if r.role == "archive"]


def _empty(client: Client, peer: Any) -> Any:
    return _Governed(exact=False, engine=None)


def _attached(client: Client, peer: Any) -> Any:
    file = _Governed(exact=False, engine=None)
    file.attach(client)
    return file


def _closed(client: Client, peer: Any) -> Any:
    file = _attached(client, peer)
    file.close()
    return file


FILES = {"empty": _empty, "attached": _attached, "closed": _closed}


def provoke_file(cell: Cell, client: Client, peer: Any) -> None:
    """Bring a file into the cell's state and make its call end in its outcome."""
    state, call, outcome, _ = cell
    file = FILES[state](client, peer)
    arguments = {"read": (4, False), "write": (b"data",), "attach": (client if outcome == "ok" else None,)}.get(call, ())
    match outcome:
        case "ok" if call == "read":
            peer.sendall(b"data")
        case "pending" | "timed_out":
            if call == "write":
                fill(client)
            client.timeout = 0 if outcome == "pending" else 0.01
        case "eof":
            peer.close()
        case "broken":
            reset(peer)
            until_shows(client, ERROR)
        case "failed" if call != "attach":
            client.close()
    if call == "archive":
        with SocketFile(client) as whole, Archive(whole, "load"):
            pass
    else:
        make(file, call, *arguments)
    file.close()


@pytest.mark.parametrize("cell", SOCKET_FILE.cells(), ids=".".join)
def test_row_of_files_is_seen(cell: Cell) -> None:
    """Every (state, call, outcome) of a file's table happens on a real connection and leads to the state it says."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), Journal() as journal:
        provoke_file(cell, client, peer)
    assert cell in [(r.state, r.call, r.outcome, r.next_state) for r in journal.records if r.role == "socket_file"]


ILLEGAL = [(state.name, call) for state in ARCHIVE.states for call in ARCHIVE.illegal(state.name)]


@pytest.mark.parametrize(("state", "call"), ILLEGAL)
def test_illegal_calls_of_archives_are_refused(state: str, call: str) -> None:
    """Every call that the table does not list raises an IllegalCall with a reason, and the archive is as it was."""
    if state == "empty":
        archive: Any = Archive.__new__(Archive)
        super(Archive, archive).__init__()
        archive._nested = False
    else:
        archive = Archive(Scripted(), "store" if state == "storing" else "load")
        if state == "broken":
            make(archive, "load", DWORD)
        if state == "closed":
            archive.close()
    with pytest.raises(IllegalCall) as caught:
        getattr(archive, call)(*ARGUMENTS.get(call, (None, "load") if call == "attach" else ()))
    assert (caught.value.state, caught.value.call, archive.state) == (state, call, state)
    assert caught.value.reason
    archive.abort()

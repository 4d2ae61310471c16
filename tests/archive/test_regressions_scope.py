"""What was wrong once, and is not again: how archives end, and what happens where a file cannot take what was stored."""

from __future__ import annotations

import errno
import gc
import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from archive_classes import Age
from loopback import client_and_raw_peer, reset

from lifecycle.archive import DWORD, Archive, ClosedFile, CString, Registry, SocketFile, serializable
from lifecycle.engine import ClosedDuringCall, IllegalCall

CLASSES = Registry()


class Scripted(io.RawIOBase):
    """A file that takes what each of its answers says: a number of bytes, an error, or None for would-block; then all."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int | None:
        answer = self.answers.pop(0) if self.answers else len(data)
        if isinstance(answer, BaseException):
            raise answer
        self.taken += bytes(data[:answer]) if answer and answer > 0 else b""
        return answer


@serializable("CFlusher", registry=CLASSES)
class Flusher:
    """An object whose method flushes between two values, and may fail behind that."""

    fails = False

    def serialize(self, archive: Archive) -> None:
        if archive.is_storing:
            archive << DWORD(1)
            archive.flush()
            if self.fails:
                raise ValueError("a reason of the user's own")
            archive << DWORD(2)


@serializable("CCloser", registry=CLASSES)
class Closer:
    """An object whose method ends the archive between two values."""

    def __init__(self, ends: Callable[[Archive], None] = Archive.close) -> None:
        self.ends = ends

    def serialize(self, archive: Archive) -> None:
        archive << DWORD(1)
        self.ends(archive)
        archive << DWORD(2)


BODY = b"\1\0\0\0\2\0\0\0"

# -- ends of scope -------------------------------------------------------------------------------------------------------------


def test_a_connection_that_is_reset_is_what_the_block_raises() -> None:
    """The reset that a load meets is raised by the `with` block, and not what the storing archive then cannot send."""
    with client_and_raw_peer(timeout=2) as (client, peer):
        file = SocketFile(client)
        storing = Archive(file, "store")
        with pytest.raises(ConnectionResetError), Archive(file, "load") as loading, storing:
            storing << DWORD(1)
            reset(peer)
            loading >> DWORD
        assert (storing.state, loading.state) == ("closed", "closed")


@pytest.mark.parametrize("socket_shut", [False, True], ids=["file closed", "socket shut"])
def test_a_block_over_a_file_that_takes_nothing_ends_closed_and_says_so(socket_shut: bool) -> None:
    """What cannot be sent is told by the end of the block, the archive is closed, and nothing complains afterwards."""
    with client_and_raw_peer(timeout=2) as (client, _):
        file = SocketFile(client)
        archive = Archive(file, "store")
        with pytest.raises(IllegalCall if socket_shut else ClosedFile), archive:
            archive << DWORD(1)
            client.shut_down() if socket_shut else file.close()
        assert archive.state == "closed"
        del archive
        gc.collect()  # a warning would be an error


def test_an_error_within_the_block_stays_the_one_that_is_raised() -> None:
    """Over a file that was closed meanwhile, the block raises its own error."""
    file = io.BytesIO()
    archive = Archive(file, "store")
    with pytest.raises(KeyError, match="the real one"), archive:
        archive << DWORD(1)
        file.close()
        raise KeyError("the real one")
    assert archive.state == "closed"


def test_a_file_that_raises_an_error_of_its_own_leaves_the_archive_closed() -> None:
    """Whatever a file raises while a block is left, the archive is closed and does not complain."""
    archive = Archive(Scripted(RuntimeError("the file's own")), "store")
    with pytest.raises(RuntimeError, match="the file's own"), archive:
        archive << DWORD(1)
    assert archive.state == "closed"
    del archive
    gc.collect()


# -- flush() and close() within serialize() ------------------------------------------------------------------------------------


def test_a_flush_inside_a_value_happens_when_the_value_is_whole() -> None:
    """Nothing of an object leaves before all of it is stored; then all of it does."""
    file = Scripted()
    with Archive(file, "store", registry=CLASSES) as archive:
        archive.serialize(Flusher())
        assert file.taken == BODY


def test_a_flush_inside_a_value_that_fails_does_not_happen() -> None:
    """Neither at once, which would leave half a value with the peer, nor with the next value."""
    file, flusher = Scripted(), Flusher()
    flusher.fails = True
    with Archive(file, "store", registry=CLASSES) as archive:
        with pytest.raises(ValueError, match="of the user's own"):
            archive << flusher
        archive << DWORD(7)
        assert (file.taken, archive.offset) == (b"", 4)


def test_a_flush_inside_a_value_that_has_to_wait_is_told_later() -> None:
    """The value was stored, so that the call must not be made again: the next one that sends tells it."""
    file = Scripted(TimeoutError("timed out"), TimeoutError("timed out"))
    with Archive(file, "store", registry=CLASSES) as archive:
        archive.serialize(Flusher())
        assert archive.offset == 8
        with pytest.raises(TimeoutError):
            archive.flush()
    assert file.taken == BODY


def test_closing_inside_a_value_is_refused_and_aborting_is_told() -> None:
    """close() would leave half a value behind: it raises, and nothing was stored; abort() ends the archive and the call."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        with pytest.raises(RuntimeError, match="half a value"):
            archive << Closer(Archive.close)
        assert (archive.state, archive.offset) == ("storing", 0)
        with pytest.raises(ClosedDuringCall):
            archive << Closer(Archive.abort)
        assert archive.state == "closed"
    assert not file.getvalue()


# -- files that do not take all ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [0, None, -1])
def test_a_file_that_takes_nothing_would_block(answer: int | None) -> None:
    """write() that returns 0, None or less raises BlockingIOError, rather than to be called for ever."""
    file = Scripted(answer)
    with Archive(file, "store") as archive:
        archive << DWORD(1)
        with pytest.raises(BlockingIOError):
            archive.flush()
    assert file.taken == b"\1\0\0\0"


@pytest.mark.parametrize(
    "trouble",
    [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), TimeoutError("timed out"), None],
    ids=["full", "late", "pending"],
)
def test_an_error_behind_the_first_buffer_of_a_long_value_is_told_by_the_next_call(trouble: Any) -> None:
    """The value was taken, so that store() succeeds; the call that sends next raises, and each byte is sent once."""
    file = Scripted(100, trouble, trouble)
    with Archive(file, "store", buffer_size=128, unicode=False) as archive:
        archive << CString("x" * 500)
        assert archive.offset == 503
        with pytest.raises(OSError, match=r"No space|timed out|unavailable"):
            archive.flush()
    assert file.taken == b"\xff\xf4\1" + b"x" * 500


def test_what_an_earlier_value_left_behind_is_sent_before_another_is_taken() -> None:
    """A store that finds the buffer full and the file still busy stores nothing, so that memory does not grow."""
    file = Scripted(100, None, None, None)
    with Archive(file, "store", buffer_size=128, unicode=False) as archive:
        archive << CString("x" * 500)
        for call in (lambda: archive << DWORD(5), lambda: archive.write(b"more")):
            with pytest.raises(BlockingIOError):
                call()
            assert archive.offset == 503
        archive << Age(9)
    assert file.taken.startswith(b"\xff\xf4\1" + b"x" * 500 + b"\xff\xff")

"""The MFC checklist, section K: a CArchive's direction, buffer, messages and end. Rows 157 and 158 are in test_vectors.py."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import pytest
from archive_bytes import loading, stored
from hypothesis import given
from hypothesis import strategies as st
from kernel import DATA, shows
from loopback import LONG, Background, client_and_raw_peer, connected_pair

from lifecycle import Archive, IllegalCall, SocketFile
from lifecycle.archive import (
    BYTE,
    DWORD,
    WORD,
    Cause,
    CString,
    EndOfFile,
    ReadOnly,
    UnreadBytesLost,
    WriteOnly,
)

MODES: tuple[Literal["load"], Literal["store"]] = ("load", "store")


@contextmanager
def storing_over_a_socket(**options: Any) -> Iterator[tuple[Archive, Any]]:
    """A storing archive over a connection, and the raw peer."""
    with (
        client_and_raw_peer(timeout=LONG) as (client, peer),
        SocketFile(client) as file,
        Archive(file, "store", **options) as archive,
    ):
        yield archive, peer


@contextmanager
def loading_over_a_socket(data: bytes, **options: Any) -> Iterator[tuple[Archive, Any]]:
    """A loading archive over a connection by which `data` has arrived in one segment, and the raw peer."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), SocketFile(client) as file:
        peer.sendall(data)
        with Archive(file, "load", **options) as archive:
            yield archive, peer


def nothing_has_come(peer: Any) -> bool:
    """Whether the peer would find nothing."""
    return not shows(peer, DATA)


def test_row_144_an_archive_has_one_direction() -> None:
    """is_loading and is_storing say which, and another mode than "load" and "store" is a ValueError."""
    with Archive(io.BytesIO(), "load") as load, Archive(io.BytesIO(), "store") as store:
        assert (load.is_loading, load.is_storing, load.state) == (True, False, "loading")
        assert (store.is_loading, store.is_storing, store.state) == (False, True, "storing")
    with pytest.raises(ValueError, match="'load' or 'store', not 'both'"):
        Archive(io.BytesIO(), "both")  # type: ignore[arg-type]


def test_row_145_the_other_direction_is_refused() -> None:
    """>> on a storing archive raises WriteOnly and << on a loading one ReadOnly: illegal calls that change nothing."""
    with Archive(io.BytesIO(), "store") as store, pytest.raises(WriteOnly) as writes:
        store >> DWORD
    with loading(b"\5\0\0\0") as load:
        with pytest.raises(ReadOnly) as reads:
            load << DWORD(5)
        assert load >> DWORD == 5
    assert (writes.value.cause, reads.value.cause) == (Cause.WRITE_ONLY, Cause.READ_ONLY) == (4, 2)
    assert isinstance(writes.value, IllegalCall)
    assert isinstance(reads.value, IllegalCall)


def test_row_145_a_second_file_is_no_question_of_direction() -> None:
    """attach() on an archive that has its file is neither ReadOnly nor WriteOnly: no direction takes it."""
    for mode in MODES:
        with Archive(io.BytesIO(), mode) as archive, pytest.raises(IllegalCall) as refusal:
            archive.attach(io.BytesIO(), mode)
        assert type(refusal.value) is IllegalCall


def test_row_146_nothing_leaves_before_a_flush() -> None:
    """What is stored over a socket waits in the buffer; flush() sends exactly those bytes."""
    with storing_over_a_socket() as (archive, peer):
        archive << DWORD(5) << CString("ab")
        assert not archive.is_buffer_empty
        assert nothing_has_come(peer)
        archive.flush()
        assert archive.is_buffer_empty
        assert peer.recv(100) == stored(DWORD(5), CString("ab"))
        assert nothing_has_come(peer)


def test_row_147_a_value_that_does_not_fit_sends_what_is_there() -> None:
    """With a buffer of 128, the 129th byte sends the first 128, and itself it waits."""
    with storing_over_a_socket(buffer_size=128) as (archive, peer):
        for number in range(128):
            archive << BYTE(number)
        assert nothing_has_come(peer)
        archive << BYTE(255)
        assert peer.recv(1000) == bytes(range(128))
        assert nothing_has_come(peer)
        archive.flush()
        assert peer.recv(1000) == b"\xff"


def test_row_148_the_least_buffer_is_128() -> None:
    """A buffer size of 1 acts as 128."""
    with storing_over_a_socket(buffer_size=1) as (archive, peer):
        archive.write(bytes(128))
        assert nothing_has_come(peer)
        archive << BYTE(1)
        assert peer.recv(1000) == bytes(128)


@pytest.mark.parametrize("leaves", [False, True])
def test_row_149_leaving_scope_flushes_unless_told_otherwise(leaves: bool) -> None:
    """Leaving scope flushes and closes; with no_flush_on_delete it drops; abort() always drops; the file stays open."""
    kept, dropped, aborted = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with Archive(kept, "store") as archive:
        archive << DWORD(5)
    with Archive(dropped, "store", no_flush_on_delete=True) as archive:
        archive << DWORD(5)
        if leaves:
            archive.close()
    with Archive(aborted, "store") as archive:
        archive << DWORD(5)
        archive.abort()
    assert archive.state == "closed"
    assert kept.getvalue() == b"\5\0\0\0"
    assert dropped.getvalue() == (b"\5\0\0\0" if leaves else b"")
    assert aborted.getvalue() == b""
    assert not kept.closed


def test_row_149_a_forgotten_archive_warns_and_drops_what_it_holds() -> None:
    """A finalizer never flushes, which might wait for a peer: a forgotten archive warns, and says what is lost."""
    file = io.BytesIO()
    archive = Archive(file, "store")
    archive << DWORD(5)
    with pytest.warns(ResourceWarning, match=r"unclosed <lifecycle.*Archive storing>: unflushed data is lost"):
        del archive
    assert file.getvalue() == b""


def test_row_150_a_closed_archive_refuses() -> None:
    """After close() every call is an IllegalCall, and closing again does nothing."""
    with Archive(io.BytesIO(), "store") as archive:
        pass
    archive.close()
    for call, *arguments in (("store", DWORD, 1), ("flush",), ("write", b"x"), ("write_object", None)):
        with pytest.raises(IllegalCall, match="not legal in state 'closed'"):
            getattr(archive, call)(*arguments)
    with pytest.raises(IllegalCall):
        archive << DWORD(1)


def test_row_151_a_fresh_loading_archive_is_empty() -> None:
    """Nothing is read from the file before a value is asked for."""
    with loading_over_a_socket(b"\5\0\0\0") as (archive, _):
        assert archive.is_buffer_empty
        assert archive >> DWORD == 5


@contextmanager
def loading_over_a_pipe(data: bytes) -> Iterator[Archive]:
    """A loading archive over the reading end of a pipe that has the data."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    with open(reading, "rb", buffering=0) as file:
        archive = Archive(file, "load")
        try:
            yield archive
        finally:
            archive.abort()


def test_row_152_two_messages_in_one_segment() -> None:
    """Of a file, the buffer is not empty after the first of two values; of a connection, just what a value has is taken."""
    with loading_over_a_socket(stored(DWORD(5), DWORD(6))) as (archive, _):
        assert archive >> DWORD == 5
        assert archive.is_buffer_empty
        assert archive >> DWORD == 6
        assert archive.is_buffer_empty
    with Archive(io.BytesIO(stored(DWORD(5), DWORD(6))), "load") as archive:
        assert archive >> DWORD == 5
        assert not archive.is_buffer_empty
        assert archive >> DWORD == 6
        assert archive.is_buffer_empty


def test_row_153_the_peer_closes_too_early() -> None:
    """Two bytes of a DWORD and then the end: >> raises EndOfFile and breaks the archive; read() gives the two bytes."""
    with loading_over_a_socket(b"\5\0") as (archive, peer):
        peer.close()
        with pytest.raises(
            EndOfFile, match=r"at byte 0: expected DWORD, found the end of the file after 2 of 4 bytes"
        ) as caught:
            archive >> DWORD
        assert (caught.value.cause, caught.value.offset, archive.state) == (3, 0, "broken")
        assert isinstance(caught.value, EOFError)
        with pytest.raises(IllegalCall, match="in the middle of a value"):
            archive >> BYTE
    with loading_over_a_socket(b"\5\0") as (archive, peer):
        peer.close()
        assert (archive.read(4), archive.state) == (b"\5\0", "loading")


def test_row_154_bytes_read_ahead_are_lost_with_a_warning() -> None:
    """Closing an archive over a pipe while bytes wait in its buffer warns; a file that can seek gets them back."""
    with loading_over_a_pipe(stored(DWORD(5), DWORD(6))) as archive:
        assert archive >> DWORD == 5
        with pytest.warns(UnreadBytesLost, match="4 bytes were read ahead"):
            archive.close()
    file = io.BytesIO(stored(DWORD(5), DWORD(6)))
    with warnings.catch_warnings(), Archive(file, "load") as archive:
        warnings.simplefilter("error")
        assert archive >> DWORD == 5
    assert file.read() == b"\6\0\0\0"


def test_the_warning_of_lost_bytes_names_the_line_that_lost_them() -> None:
    """The caller's line, of close() as of a `with` block."""
    for leave in (Archive.close, lambda archive: archive.__exit__(None, None, None)):
        with loading_over_a_pipe(stored(DWORD(5), DWORD(6))) as archive:
            assert archive >> DWORD == 5
            with pytest.warns(UnreadBytesLost) as warned:
                leave(archive)
            assert [each.filename for each in warned] == [__file__]


def test_row_155_two_archives_over_one_file_talk_both_ways() -> None:
    """One loading and one storing archive over one socket file, on either side, are a conversation in both directions."""
    with ExitStack() as stack:
        ends = stack.enter_context(connected_pair(timeout=LONG))
        files = [stack.enter_context(SocketFile(end)) for end in ends]
        near_in, near_out, far_in, far_out = (stack.enter_context(Archive(file, mode)) for file in files for mode in MODES)
        for number in range(100):
            near_out << DWORD(number) << CString(f"question {number}")
            near_out.flush()
            assert (far_in >> DWORD, far_in >> CString) == (number, f"question {number}")
            far_out << CString(f"answer {number}")
            far_out.flush()
            assert near_in >> CString == f"answer {number}"


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_row_156_packets_and_acknowledgements(packets: list[bytes]) -> None:
    """A header of a BYTE and a WORD, then data, flushed packet by packet; each is acknowledged before the next."""
    with connected_pair(timeout=LONG) as (client, accepted), SocketFile(client) as near, SocketFile(accepted) as far:

        def serve() -> list[bytes]:
            got = []
            with Archive(far, "load") as packets_in, Archive(far, "store") as acknowledgements:
                for _ in packets:
                    kind, size = packets_in >> BYTE, packets_in >> WORD
                    got.append(packets_in.ensure_read(size))
                    acknowledgements << BYTE(kind)
                    acknowledgements.flush()
            return got

        serving = Background(serve)
        with Archive(near, "store") as packets_out, Archive(near, "load") as acknowledged:
            for number, packet in enumerate(packets):
                (packets_out << BYTE(number) << WORD(len(packet))).write(packet)
                packets_out.flush()
                assert acknowledged >> BYTE == number
        assert serving.result() == packets


def test_row_175_the_file_is_the_one_given() -> None:
    """`file`, and get_file(), is the file given to the constructor."""
    with client_and_raw_peer() as (client, _), SocketFile(client) as file, Archive(file, "store") as archive:
        assert archive.file is archive.get_file() is file


def test_row_176_the_document_is_free_for_the_user() -> None:
    """`document` is None until somebody sets it."""
    with Archive(io.BytesIO(), "store") as archive:
        assert archive.document is None
        archive.document = "mine"
        assert archive.document == "mine"

"""A SocketFile where Python expects a file: the standard library over it, and its own reads and writes."""

from __future__ import annotations

import array
import csv
import gzip
import io
import json
import os
import pickle
import shutil
import socket
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import part
from loopback import LONG, SHORT, Background, client_and_raw_peer, connected_pair, fill, reset, until

from lifecycle.archive import DWORD, Archive, ClosedFile, CString, SocketFile
from lifecycle.engine import IllegalCall

# -- the standard library over a SocketFile ------------------------------------------------------------------------------------


def received(peer: socket.socket, size: int) -> bytes:
    """Just `size` bytes from a plain socket."""
    data = b""
    while len(data) < size:
        part = peer.recv(size - len(data))
        assert part, "the stream ended early"
        data += part
    return data


def test_buffered_files_read_lines_and_write_blocks() -> None:
    """io.BufferedReader and io.BufferedWriter over one connection; closing them leaves the socket open."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        with io.BufferedReader(SocketFile(client)) as reader, io.BufferedWriter(SocketFile(client)) as writer:
            writer.write(b"x" * 100_000)
            writer.flush()
            assert received(peer, 100_000) == b"x" * 100_000
            peer.sendall(b"one\ntwo\nrest")
            assert (reader.readline(), reader.peek(1)[:1], reader.read(5)) == (b"one\n", b"t", b"two\nr")
        assert client.state == "connected"


def test_text_and_csv_over_both_directions() -> None:
    """io.TextIOWrapper over io.BufferedRWPair: text out, csv in, to the end of the stream."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        file = SocketFile(client)
        with io.TextIOWrapper(io.BufferedRWPair(file, file), encoding="utf-8", newline="") as text:
            csv.writer(text).writerow(["grüß", 1])
            text.flush()
            assert received(peer, 10) == "grüß,1\r\n".encode()
            peer.sendall("ä,1\r\nb,2\r\n".encode())
            peer.shutdown(socket.SHUT_WR)
            assert list(csv.reader(text)) == [["ä", "1"], ["b", "2"]]


def test_text_wrapper_straight_over_the_file() -> None:
    """io.TextIOWrapper takes the raw file itself, for json a line."""
    with (
        connected_pair(timeout=LONG) as (client, accepted),
        io.TextIOWrapper(SocketFile(client), encoding="utf-8") as out,
        io.TextIOWrapper(SocketFile(accepted), encoding="utf-8") as text,
    ):
        json.dump({"name": ["ä", 1]}, out)
        out.write("\n")
        out.flush()
        assert json.loads(text.readline()) == {"name": ["ä", 1]}


@pytest.mark.parametrize("exact", [True, False])
def test_pickle_reads_one_pickle_behind_another(exact: bool) -> None:
    """Pickles go through; an exact file needs no buffer around it, and takes not a byte of the next one."""
    things = [list(range(5000)), {"a": b"x" * 70_000}, None]
    with connected_pair(timeout=LONG) as (client, accepted):
        file = SocketFile(accepted, archive_compatible=not exact)
        reader: Any = file if exact else io.BufferedReader(file)
        sending = Background(lambda: [pickle.dump(thing, SocketFile(client)) for thing in things])
        assert [pickle.load(reader) for _ in things] == things
        sending.result()


def test_copyfileobj_copies_to_the_end_of_the_stream() -> None:
    """shutil.copyfileobj in and out, of more than the buffers of the system hold."""
    data = os.urandom(2_000_000)
    with connected_pair(timeout=LONG) as (client, accepted):

        def send() -> None:
            shutil.copyfileobj(io.BytesIO(data), SocketFile(client))
            client.shut_down()

        sending, copy = Background(send), io.BytesIO()
        shutil.copyfileobj(SocketFile(accepted), copy)
        sending.result()
        assert copy.getvalue() == data


def test_a_zip_file_and_a_gzip_file_are_written_into_a_connection() -> None:
    """What writes without a position writes through the connection, and is whole on the other side."""
    with connected_pair(timeout=LONG) as (client, accepted):
        with gzip.GzipFile(fileobj=SocketFile(client), mode="wb") as zipped:  # type: ignore[arg-type]
            zipped.write(b"gzip" * 1000)
        with zipfile.ZipFile(SocketFile(client), "w") as archive:
            archive.writestr("name", b"zip" * 1000)
        client.shut_down()
        data = SocketFile(accepted).read()
        assert data is not None
        start = data.index(b"PK")
        assert gzip.decompress(data[:start]) == b"gzip" * 1000
        with zipfile.ZipFile(io.BytesIO(data[start:])) as archive:
            assert archive.read("name") == b"zip" * 1000


# -- reads and writes ----------------------------------------------------------------------------------------------------------


@given(
    parts=st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    sizes=st.lists(st.integers(0, 50), min_size=1, max_size=12),
    exact=st.booleans(),
)
@settings(max_examples=part(60, 20))
def test_reads_of_any_sizes_give_the_stream(parts: list[bytes], sizes: list[int], exact: bool) -> None:
    """However it was sent and is read, the stream comes in order; an exact read is short at the end of the stream only."""
    whole = b"".join(parts)
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        for part in parts:
            peer.sendall(part)
        peer.shutdown(socket.SHUT_WR)
        file = SocketFile(client, archive_compatible=not exact)
        taken = b""
        for size in sizes:
            part = file.read(size)
            assert part is not None
            assert part == whole[len(taken) : len(taken) + len(part)]
            if exact:
                assert len(part) == min(size, len(whole) - len(taken))
            else:
                assert len(part) <= size
                assert part or not size or len(taken) == len(whole)
            taken += part
        assert file.readall() == whole[len(taken) :]
        assert file.read(1) == b""


def test_an_exact_read_that_is_interrupted_loses_nothing() -> None:
    """What a read had when its time passed comes with the next one, whichever it is."""
    with client_and_raw_peer(timeout=SHORT) as (client, peer):
        file = SocketFile(client, archive_compatible=False)
        peer.sendall(b"abc")
        with pytest.raises(TimeoutError):
            file.read(5)
        peer.sendall(b"de")
        assert file.read(5) == b"abcde"
        peer.sendall(b"fg")
        with pytest.raises(TimeoutError):
            file.readall()
        assert file.read1(1) == b"f"
        peer.shutdown(socket.SHUT_WR)
        assert file.read() == b"g"


def test_a_socket_that_does_not_wait_gives_none() -> None:
    """None where nothing has arrived and where nothing can be sent, as Python's raw files answer; and nothing is lost."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        client.timeout = 0
        file, exact = SocketFile(client), SocketFile(client, archive_compatible=False)
        assert [file.read(5), file.readall(), file.read1(), file.readinto(bytearray(3)), exact.read(3)] == [None] * 5
        peer.sendall(b"ab")
        until(lambda: client.io_ctl() == 2)
        assert exact.read(3) is None
        peer.sendall(b"c")
        until(lambda: exact.read(3) == b"abc")
        fill(client)
        assert file.write(b"x" * 10) is None


def test_buffers_of_other_shapes_are_filled_and_sent() -> None:
    """readinto() and write() take every contiguous buffer, and count bytes."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        file = SocketFile(client)
        words = array.array("I", [1, 2])
        assert file.write(words) == 8
        assert received(peer, 8) == words.tobytes()
        peer.sendall(b"\x03\0\0\0\x04\0\0\0")
        assert (file.readinto(words), list(words)) == (8, [3, 4])
        square = memoryview(bytearray(12)).cast("B", (3, 4))
        peer.sendall(b"x" * 12)
        assert (file.readinto(square), square.tobytes()) == (12, b"x" * 12)
        assert (file.read(0), file.readinto(bytearray()), file.write(b"")) == (b"", 0, 0)
        with pytest.raises(TypeError):
            file.write("text")  # type: ignore[arg-type]


def test_two_files_over_one_socket_share_its_stream() -> None:
    """Each reads what comes next; closing one leaves the other, and the socket."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        one, other = SocketFile(client), SocketFile(client, archive_compatible=False)
        peer.sendall(b"abcdef")
        assert (other.read(4), one.read(9)) == (b"abcd", b"ef")
        one.close()
        assert one.closed
        assert one.socket is None
        other.write(b"x")
        assert peer.recv(9) == b"x"
        for call in (lambda: one.read(1), lambda: one.write(b""), one.flush, one.fileno, one.readall):
            with pytest.raises(ClosedFile):
                call()
        with pytest.raises(ValueError, match="closed"), one:
            pass


def test_a_socket_closed_underneath_is_what_a_read_says() -> None:
    """The socket's own table answers, with its remedy; the file can still be closed."""
    with client_and_raw_peer(timeout=LONG) as (client, _):
        file = SocketFile(client)
        client.close()
        for call in (lambda: file.read(1), lambda: file.write(b"x"), file.readall):
            with pytest.raises(IllegalCall, match="Client"):
                call()
        file.close()


def test_a_reset_is_a_connection_error_and_breaks_the_archive() -> None:
    """ConnectionResetError as the socket has it; the archive is broken, and closes without an error."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        file = SocketFile(client)
        with Archive(file, "load") as archive:
            reset(peer)
            with pytest.raises(ConnectionResetError):
                archive >> DWORD
            assert archive.state == "broken"


def test_half_closed_connections_carry_archives_in_the_direction_that_is_open() -> None:
    """After the peer's shutdown a storing archive still stores; after one's own, a loading archive still loads."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        peer.shutdown(socket.SHUT_WR)
        file = SocketFile(client)
        with Archive(file, "load") as archive:
            assert archive.read(1) == b""
        with Archive(file, "store") as archive:
            archive << DWORD(7)
        assert received(peer, 4) == b"\x07\0\0\0"
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        client.shut_down()
        peer.sendall(b"\x07\0\0\0")
        with Archive(SocketFile(client), "load") as archive:
            assert archive >> DWORD == 7


def test_time_outs_in_the_middle_of_a_value_lose_nothing() -> None:
    """A string that comes in pieces, with the time passing between them, is loaded when it is whole."""
    data = io.BytesIO()
    with Archive(data, "store") as archive:
        archive << CString("in pieces") << DWORD(5)
    with client_and_raw_peer(timeout=0.005) as (client, peer), Archive(SocketFile(client), "load") as archive:
        for octet in data.getvalue()[:-5]:
            peer.sendall(bytes((octet,)))
            with pytest.raises(TimeoutError):
                archive >> CString
            assert archive.offset == 0
        peer.sendall(data.getvalue()[-5:])
        client.timeout = LONG
        assert archive >> CString == "in pieces"
        assert archive >> DWORD == 5

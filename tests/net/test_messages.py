"""Whole messages over a blocking stream: exact sizes, separators, lines, files; nothing is lost whatever ends a call."""

from __future__ import annotations

import io
import select
import socket
import sys
import tempfile
import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Background, accepted_and_raw_peer, client_and_raw_peer, connected_pair, reset, until

from lifecycle import Client, IllegalCall, IncompleteRead, Journal, Reader, SendTimedOut, SeparatorNotFound
from lifecycle.net.operations.transfer import READ_SIZE


def test_receive_exactly_waits_for_all() -> None:
    """receive_exactly() gives exactly that many bytes, however they arrive, and leaves the rest."""
    with accepted_and_raw_peer() as (accepted, peer):
        peer.sendall(b"abc")
        receiving = Background(lambda: accepted.receive_exactly(5))
        until(lambda: accepted.is_blocking)
        peer.sendall(b"defgh")
        assert receiving.result() == b"abcde"
        assert accepted.receive() == b"fgh"
        assert accepted.receive_exactly(0) == b""


@pytest.mark.parametrize("call", ["receive_exactly", "receive_until", "waitall"])
def test_nothing_is_lost_at_a_time_out(call: str) -> None:
    """A call that times out can be made again, and receive() gives what it had."""
    with accepted_and_raw_peer() as (accepted, peer):

        def ask() -> bytes:
            if call == "receive_exactly":
                return accepted.receive_exactly(11, timeout=0.02)
            if call == "receive_until":
                return accepted.receive_until(b"\n", timeout=0.02)
            return accepted.receive(11, socket.MSG_WAITALL, timeout=0.02)

        for part in (b"first ", b"second"):
            peer.sendall(part)
            until(lambda: accepted.io_ctl() > 0)
            if part == b"first ":
                with pytest.raises(TimeoutError):
                    ask()
                assert (accepted.buffered, accepted.state, accepted.timeout) == (6, "connected", None)
        assert accepted.receive_exactly(3) == b"fir"
        assert accepted.receive() == b"st "
        assert accepted.receive() == b"second"
        assert accepted.buffered == 0


@pytest.mark.skipif(sys.platform == "win32", reason="urgent data arrives otherwise there")
def test_urgent_data_overtakes_what_is_held() -> None:
    """MSG_OOB gives the urgent byte, not what an earlier call has left; MSG_DONTROUTE and no flag give what is left."""
    with accepted_and_raw_peer() as (accepted, peer):
        peer.sendall(b"line\nleft")
        assert accepted.receive_until(b"\n") == b"line"
        held = accepted.buffered
        assert held == 4
        peer.send(b"!", socket.MSG_OOB)
        until(lambda: bool(select.select([], [], [accepted], 0)[2]))
        assert accepted.receive(9, socket.MSG_OOB) == b"!"
        assert accepted.buffered == held
        assert accepted.receive(9, socket.MSG_DONTROUTE) == b"left"


def test_waitall_is_honoured() -> None:
    """receive(size, MSG_WAITALL) gives all of it, or what comes before the end, as socket.socket does (embed/waitall.py)."""
    with accepted_and_raw_peer() as (accepted, peer):
        peer.sendall(b"1234")
        receiving = Background(lambda: accepted.receive(8, socket.MSG_WAITALL))
        until(lambda: accepted.is_blocking)
        peer.sendall(b"56789")
        assert receiving.result() == b"12345678"
        peer.shutdown(socket.SHUT_WR)
        assert accepted.receive(8, socket.MSG_WAITALL) == b"9"
        assert accepted.state == "connected"
        assert accepted.receive(8, socket.MSG_WAITALL) == b""
        assert accepted.state == "peer_closed"
        with pytest.raises(OSError, match="not supported"):
            accepted.receive(8, socket.MSG_WAITALL | socket.MSG_PEEK)


def test_what_is_held_is_peeked_and_received_first() -> None:
    """What receive_until() received beyond its message comes before what is in the system's buffer."""
    with accepted_and_raw_peer() as (accepted, peer):
        peer.sendall(b"one\r\ntwo\r\nthree")
        until(lambda: accepted.io_ctl() == 15)
        assert accepted.receive_until(b"\r\n") == b"one"
        assert accepted.buffered == 10
        assert accepted.receive(3, socket.MSG_PEEK) == b"two"
        assert accepted.receive_from(4) == (b"two\r", None)
        buffer = bytearray(4)
        assert (accepted.receive_into(buffer), bytes(buffer)) == (4, b"\nthr")
        peer.sendall(b"!")
        assert accepted.receive() == b"ee"
        assert accepted.receive() == b"!"


def test_end_within_a_message() -> None:
    """IncompleteRead says what has arrived, which receive() still gives before the end."""
    with accepted_and_raw_peer() as (accepted, peer):
        peer.sendall(b"abc")
        peer.shutdown(socket.SHUT_WR)
        with pytest.raises(IncompleteRead, match="after 3 bytes, before 5 bytes") as caught:
            accepted.receive_exactly(5)
        assert (caught.value.partial, caught.value.expected, accepted.state) == (b"abc", 5, "peer_closed")
        with pytest.raises(EOFError, match="before the separator"):
            accepted.receive_until(b"\n")
        assert (accepted.receive(), accepted.receive()) == (b"abc", b"")


def test_limit() -> None:
    """SeparatorNotFound comes after `limit` bytes, and what came is not lost; a message of just the limit passes."""
    with accepted_and_raw_peer() as (accepted, peer):
        peer.sendall(b"12345\n1234567")
        assert accepted.receive_until(b"\n", limit=5) == b"12345"
        with pytest.raises(SeparatorNotFound, match="within 5 bytes"):
            accepted.receive_until(b"\n", limit=5, timeout=5)
        assert accepted.receive_exactly(7) == b"1234567"


def test_messages_are_governed_by_receive_and_send() -> None:
    """They are refused where receive() and send() are, with what is held too, and a journal shows these calls."""
    with pytest.raises(IllegalCall) as refused:
        Client().receive_until(b"\n")
    assert refused.value.remedy == ("create", "connect")
    with accepted_and_raw_peer() as (accepted, peer):
        peer.sendall(b"a\nb\n")
        until(lambda: accepted.io_ctl() == 4)
        with Journal(accepted) as journal:
            assert accepted.receive_until(b"\n") == b"a"
            accepted.send_gathered([b"x", memoryview(b"y")])
        assert [each.call for each in journal.records] == ["receive", "send"]
        assert peer.recv(5) == b"xy"
        accepted.shut_down("both")
        for call in (lambda: accepted.receive_until(b"\n"), lambda: accepted.receive_exactly(1),
                     lambda: accepted.receive_exactly(0), lambda: accepted.send_file(io.BytesIO())):  # fmt: skip
            with pytest.raises(IllegalCall, match="shut"):
                call()


def test_what_is_no_argument() -> None:
    """Wrong sizes, separators, limits, time-outs and buffers are refused, and change nothing."""
    with accepted_and_raw_peer() as (accepted, peer):
        for wrong, kind in (
            (lambda: accepted.receive_exactly(-1), ValueError),
            (lambda: accepted.receive_exactly(1.0), TypeError),  # type: ignore[arg-type]
            (lambda: accepted.receive_until(b""), ValueError),
            (lambda: accepted.receive_until("\n"), TypeError),  # type: ignore[arg-type]
            (lambda: accepted.receive_until(b"\n", limit=0), ValueError),
            (lambda: accepted.receive_exactly(1, timeout=-1), ValueError),
            (lambda: accepted.receive(1, timeout="1"), TypeError),  # type: ignore[arg-type]
            (lambda: accepted.receive_into(b"1234"), TypeError),
            (lambda: accepted.send_file(io.BytesIO(b"x"), -1), ValueError),
            (lambda: accepted.send_file(io.StringIO("text")), TypeError),
            (lambda: accepted.send_file(0), TypeError),
            (lambda: Reader(peer), TypeError),  # type: ignore[arg-type]
            (lambda: Reader(accepted, limit=0), ValueError),
        ):
            with pytest.raises(kind):
                wrong()
        peer.sendall(b"!")
        assert accepted.receive_exactly(1) == b"!"


def test_time_out_of_one_call() -> None:
    """timeout= holds for the one call, of receive() and send(); 0 does not wait, None waits."""
    with accepted_and_raw_peer(timeout=30.0) as (accepted, _):
        with pytest.raises(TimeoutError):
            accepted.receive(timeout=0.01)
        with pytest.raises(BlockingIOError):
            accepted.receive(timeout=0)
        with pytest.raises(SendTimedOut) as caught:
            accepted.send(bytes(64 << 20), timeout=0.05)
        assert 0 < caught.value.sent < 64 << 20
        assert accepted.timeout == 30.0


def test_send_file() -> None:
    """send_file() sends from the file's position to its end, or a size; after a time-out it goes on where it was."""
    content = bytes(range(256)) * 40_000
    with client_and_raw_peer() as (client, peer), tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(100)
        assert client.send_file(file, 50) == 50
        assert peer.recv(100) == content[100:150]
        file.seek(0)
        with pytest.raises(SendTimedOut) as caught:
            client.send_file(file, timeout=0.05)
        assert file.tell() == caught.value.sent
        received = bytearray()

        def drain() -> None:
            while data := peer.recv(1 << 20):
                received.extend(data)

        draining = Background(drain)
        assert client.send_file(file) == len(content) - caught.value.sent
        assert client.send_file(file) == 0
        client.shut_down()
        draining.result()
        assert received == content


def test_part_of_a_longer_file_ends_where_it_was_asked_to() -> None:
    """A size of more than one read is sent exactly, whatever the file has behind it."""
    size = 2 * READ_SIZE + 10
    with client_and_raw_peer() as (client, peer), tempfile.TemporaryFile() as file:
        file.write(bytes(range(256)) * (size // 128))
        file.seek(0)
        sending = Background(lambda: client.send_file(file, size))
        received = 0
        while received < size:
            received += len(peer.recv(1 << 20))
        assert (sending.result(), received, file.tell()) == (size, size, size)


def test_reader_loses_nothing_at_a_time_out() -> None:
    """A line in two parts with a time-out between them comes whole (embed/readline_timeout.py)."""
    with accepted_and_raw_peer(timeout=0.02) as (accepted, peer):
        reader = Reader(accepted)
        peer.sendall(b"zero\nfirst half, ")
        assert reader.readline() == b"zero\n"
        with pytest.raises(TimeoutError):
            reader.readline()
        accepted.timeout = None
        peer.sendall(b"second half\nlast")
        assert reader.readline() == b"first half, second half\n"
        peer.shutdown(socket.SHUT_WR)
        assert (reader.readline(), reader.readline(), reader.readline()) == (b"last", b"", b"")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.binary(max_size=9).map(lambda each: each.replace(b"\n", b"")), max_size=12),
    st.lists(st.integers(0, 4), max_size=40),
)
def test_reader_gives_the_stream(lines: list[bytes], ways: list[int]) -> None:
    """However reads of lines, sizes and separators are mixed, together they give what was sent, in its order."""
    sent = b"".join(each + b"\n" for each in lines)
    with connected_pair() as (client, accepted):
        client.send(sent)
        client.shut_down()
        reader, got = Reader(accepted), b""
        for way in ways:
            with suppress(IncompleteRead):
                if way == 0:
                    got += reader.readline()
                elif way == 1:
                    got += reader.read(3)
                elif way == 2:
                    got += reader.read_exactly(2)
                elif way == 3:
                    got += reader.read_until(b"\n") + b"\n"
                else:
                    got += next(iter(reader), b"")
        assert sent == got + b"".join(reader)
        assert reader.buffered == 0


def test_reader_refuses_long_lines() -> None:
    """A line beyond the limit raises SeparatorNotFound again and again, and can still be read by size."""
    with accepted_and_raw_peer() as (accepted, peer):
        reader = Reader(accepted, limit=8)
        peer.sendall(b"1234567\n" + b"x" * 20 + b"\nok\n")
        assert reader.readline() == b"1234567\n"
        for _ in range(2):
            with pytest.raises(SeparatorNotFound):
                reader.readline()
        assert reader.read_exactly(21) == b"x" * 20 + b"\n"
        assert reader.readline() == b"ok\n"


def test_reader_after_a_reset() -> None:
    """A reset raises ConnectionResetError each time, and the lines before it were read."""
    with accepted_and_raw_peer() as (accepted, peer):
        reader = Reader(accepted)
        peer.sendall(b"one\ntwo\nthr")
        assert reader.readline() == b"one\n"
        reset(peer)
        assert reader.readline() == b"two\n"
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                reader.readline()
        assert accepted.state == "broken"


def test_close_wakes_a_message() -> None:
    """close() in another thread ends receive_exactly() with ClosedDuringCall, and later calls are refused."""
    with accepted_and_raw_peer() as (accepted, peer):
        peer.sendall(b"abc")
        closing = threading.Timer(0.05, accepted.close)
        closing.start()
        with pytest.raises(IllegalCall):
            accepted.receive_exactly(5)
        closing.join()
        with pytest.raises(IllegalCall):
            accepted.receive_exactly(2)

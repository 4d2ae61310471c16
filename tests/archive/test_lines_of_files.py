"""Lines of a SocketFile, and what a time-out leaves of them."""

from __future__ import annotations

import io
import socket

import pytest
from loopback import LONG, SHORT, client_and_raw_peer

from lifecycle.archive import SocketFile


def test_a_line_in_two_parts_with_a_time_out_between_them_comes_whole() -> None:
    """readline() loses nothing at a time-out, and what came behind the line is for whatever receives next."""
    with client_and_raw_peer(timeout=SHORT) as (client, peer):
        file = SocketFile(client)
        peer.sendall(b"first half, ")
        with pytest.raises(TimeoutError):
            file.readline()
        peer.sendall(b"second half\nnext\nabcdef")
        assert file.readline() == b"first half, second half\n"
        assert (file.readline(2), file.readline(99), file.readline(0)) == (b"ne", b"xt\n", b"")
        assert (file.read(2), client.receive(2), file.read1()) == (b"ab", b"cd", b"ef")
        client.timeout = 0
        peer.sendall(b"no end")
        with pytest.raises(BlockingIOError):
            file.readline()
        peer.shutdown(socket.SHUT_WR)
        client.timeout = LONG
        assert (file.readline(), file.readline()) == (b"no end", b"")


def test_a_buffered_reader_is_refused_after_a_time_out() -> None:
    """It has lost what it had, so that the next readinto() raises, as with socket.makefile(); the file itself reads on."""
    with client_and_raw_peer(timeout=SHORT) as (client, peer):
        file = SocketFile(client)
        reader = io.BufferedReader(file)
        peer.sendall(b"first half, ")
        with pytest.raises(TimeoutError):
            reader.readline()
        peer.sendall(b"second half\n")
        with pytest.raises(OSError, match="timed out object"):
            reader.readline()
        assert file.readline() == b"second half\n"


def test_lines_that_have_arrived_cost_one_receive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Iterating 1,000 lines that are there receives once for all of them, and once for the end."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        peer.sendall(b"a line\n" * 1000)
        peer.shutdown(socket.SHUT_WR)
        asked: list[int] = []
        receive = client.receive
        file = SocketFile(client)
        first = file.readline()
        monkeypatch.setattr(type(client), "receive", lambda self, size, *more: asked.append(size) or receive(size, *more))
        assert [first, *file] == [b"a line\n"] * 1000
        assert len([size for size in asked if size]) <= 2


def test_a_write_of_a_part_returns_what_went_out() -> None:
    """A write that the time-out ends says how much of it was sent; the peer gets exactly that."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        client.timeout = SHORT
        sent = SocketFile(client).write(bytes(1 << 24))
        assert sent is not None
        assert 0 < sent < 1 << 24
        client.shut_down()
        received = sum(map(len, iter(lambda: peer.recv(1 << 20), b"")))
        assert received == sent

"""Whole messages over an awaited stream; nothing is lost at a cancellation."""

from __future__ import annotations

import io
import socket

import anyio
import pytest
from awaited import connected
from event_loops import EventLoop, on_every_loop
from loopback import Background

from lifecycle import IllegalCall, IncompleteRead, SeparatorNotFound, aio


@on_every_loop
async def test_messages() -> None:
    """Exact sizes, separators, buffers, parts and files, in the order in which they were sent."""
    async with connected() as (client, peer):
        peer.sendall(b"sizeone\ntwo\nrest")
        assert await client.receive_exactly(4) == b"size"
        assert await client.receive_until(b"\n") == b"one"
        assert await client.receive_until(b"\n", limit=3) == b"two"
        buffer = bytearray(3)
        assert (await client.receive_into(buffer), bytes(buffer)) == (3, b"res")
        assert (await client.receive(), client.buffered) == (b"t", 0)
        assert await client.send_gathered([b"a", bytearray(b"b")]) == 2
        assert await client.send_file(io.BytesIO(b"cdef"), 3) == 3
        assert peer.recv(9, socket.MSG_PEEK)[:2] == b"ab"
        peer.sendall(b"longer")
        with pytest.raises(SeparatorNotFound):
            await client.receive_until(b"\n", limit=3)
        peer.shutdown(socket.SHUT_WR)
        with pytest.raises(IncompleteRead):
            await client.receive_exactly(7)
        assert (await client.receive(), await client.receive()) == (b"longer", b"")
        client.shut_down("both")
        with pytest.raises(IllegalCall):
            await client.receive_exactly(1)


@on_every_loop
async def test_a_part_of_a_file_is_sent() -> None:
    """So many bytes as were asked for, though the file has more, and the file's position is behind them."""
    size, came = 100_000, bytearray()

    def receive() -> None:
        while part := peer.recv(1 << 16):
            came.extend(part)

    async with connected() as (client, peer):
        receiving = Background(receive)
        file = io.BytesIO(bytes(range(250)) * 1000)
        assert await client.send_file(file, size) == size
        assert file.tell() == size
        client.shut_down("sends")
        receiving.result()
    assert bytes(came) == file.getvalue()[:size]


@on_every_loop
async def test_nothing_is_lost_at_a_cancellation() -> None:
    """A call that is cancelled or times out can be made again, by a reader too; MSG_WAITALL is honoured."""
    async with connected() as (client, peer):
        reader = aio.Reader(client)
        peer.sendall(b"first half, ")
        with pytest.raises(TimeoutError):
            await client.receive_until(b"\n", timeout=0.02)
        with anyio.move_on_after(0.02) as scope:
            await client.receive(64, socket.MSG_WAITALL)
        assert scope.cancelled_caught
        with pytest.raises(TimeoutError):
            await reader.readline(timeout=0.02)
        peer.sendall(b"second half\nnext\nlast")
        assert await reader.readline() == b"first half, second half\n"
        peer.shutdown(socket.SHUT_WR)
        assert [line async for line in reader] == [b"next\n", b"last"]
        assert await reader.readline() == b""


@on_every_loop
async def test_waitall_is_honoured(event_loop: EventLoop) -> None:
    """receive(size, MSG_WAITALL) waits for all of it."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:

        async def send_later() -> None:
            while not client.is_blocking:
                await anyio.sleep(0)
            peer.sendall(b"5678")

        peer.sendall(b"1234")
        tasks.start_soon(send_later)
        assert await client.receive(8, socket.MSG_WAITALL) == b"12345678"


@on_every_loop
async def test_reader_mixes_reads() -> None:
    """Lines, sizes and separators take the stream in its order."""
    async with connected() as (client, peer):
        reader = aio.Reader(client, limit=16)
        peer.sendall(b"a line\n12345field;more\n" + b"x" * 40)
        assert await reader.readline() == b"a line\n"
        assert await reader.read_exactly(5) == b"12345"
        assert await reader.read_until(b";") == b"field"
        assert await reader.readline() == b"more\n"
        with pytest.raises(SeparatorNotFound):
            await reader.readline()
        assert len(await reader.read()) == reader.limit + 1 or reader.buffered == 0

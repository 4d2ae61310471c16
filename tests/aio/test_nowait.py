"""nowait(): calls that end at once, and say so where they cannot."""

from __future__ import annotations

import socket
import threading

import anyio
import pytest
from awaited import until_ready, waiting
from event_loops import on_every_loop
from kernel import DATA
from loopback import HOST, raw_listener, unanswering_listener, until_shows, unused_port

from lifecycle import IllegalCall, SendWouldBlock, aio
from lifecycle.aio import nowait
from lifecycle.net.aio import nonblocking


@on_every_loop
async def test_what_can_be_done_at_once_is_done() -> None:
    """Every call can be made so, and gives what it gives when it is awaited."""
    with raw_listener() as listener:
        async with aio.Client() as client, aio.Datagram() as datagram:
            nowait(client.create(0, HOST))
            with pytest.raises(BlockingIOError):
                nowait(client.connect(*listener.getsockname()))
            assert client.state == "connecting"
            with listener.accept()[0] as peer:
                nowait(client.finish_connect())
                assert nowait(client.send(b"question")) == 8
                assert peer.recv(8) == b"question"
                peer.sendall(b"answer")
                await until_ready(client)
                assert nowait(client.receive(3)) == b"ans"
                assert nowait(client.receive_from()) == (b"wer", None)
                with pytest.raises(BlockingIOError):
                    nowait(client.receive())
                peer.shutdown(socket.SHUT_WR)
                await until_ready(client)
                assert nowait(client.receive()) == b""
            nowait(datagram.create(0, HOST))
            assert nowait(datagram.send_to(b"me", *datagram.get_sock_name())) == 2
            await until_ready(datagram)
            assert nowait(datagram.receive_from()) == (b"me", datagram.get_sock_name())
            with pytest.raises(BlockingIOError):
                nowait(datagram.receive())


@on_every_loop
async def test_a_receive_is_tried_also_after_one_that_emptied_the_socket() -> None:
    """After an awaited receive that got less than it asked for nowait() still finds what has arrived."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.receive)
                    await waiting(client)
                    peer.sendall(b"short")
                peer.sendall(b"more")
                await until_ready(client)
                assert nowait(client.receive()) == b"more"


@on_every_loop
async def test_a_send_tells_how_much_went() -> None:
    """SendWouldBlock.sent is what went out, also of data that is not a bytes object."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                total = 0
                for data in (bytes(1 << 26), bytearray(1 << 20)):
                    with pytest.raises(SendWouldBlock) as failure:
                        nowait(client.send(data))
                    total += failure.value.sent
                assert client.state == "connected"
                client.close()
                left = total
                while left:
                    left -= len(peer.recv(1 << 20))
                assert peer.recv(1) == b""


@on_every_loop
async def test_refusals_and_errors_are_raised() -> None:
    """IllegalCall, and what the network says, are raised as they are by an awaited call."""
    async with aio.Client() as client:
        with pytest.raises(IllegalCall):
            nowait(client.send(b"too early"))
        nowait(client.create(0, HOST))
        with pytest.raises(BlockingIOError):
            nowait(client.connect(HOST, unused_port()))
        await until_ready(client, writing=True)
        with pytest.raises(ConnectionRefusedError):
            nowait(client.finish_connect())
        assert client.state == "bound"


@on_every_loop
async def test_names_are_not_looked_up() -> None:
    """A name is a ValueError: looking it up would have to wait; the state stays."""
    async with aio.Client() as client, aio.Datagram() as datagram:
        with pytest.raises(ValueError, match="numeric address"):
            nowait(datagram.create(0, "localhost"))
        nowait(client.create())
        with pytest.raises(ValueError, match="numeric address"):
            nowait(client.connect("localhost", 80))
        assert (client.state, datagram.state) == ("bound", "empty")


@on_every_loop
async def test_it_is_for_calls_of_sockets() -> None:
    """A coroutine that waits for something else is a RuntimeError, and is closed."""
    ended = []

    async def sleeps() -> None:
        try:
            await anyio.sleep(1)
        finally:
            ended.append(True)

    with pytest.raises(RuntimeError, match="something other than a socket"):
        nowait(sleeps())
    assert ended


@on_every_loop
async def test_it_does_not_change_other_calls() -> None:
    """What is awaited before, after, or in another thread's event loop waits as always."""
    with unanswering_listener() as address:
        async with aio.Client() as client, anyio.create_task_group() as tasks:
            await client.create(0, HOST)
            tasks.start_soon(client.connect, *address)
            await waiting(client)
            seen = []
            thread = threading.Thread(target=lambda: seen.append(nonblocking.mode.never_waits))
            async with aio.Datagram() as datagram:
                nowait(datagram.create(0, HOST))
                with pytest.raises(BlockingIOError):
                    nowait(datagram.receive())
            thread.start()
            thread.join()
            assert seen == [False]
            assert client.is_blocking
            tasks.cancel_scope.cancel()


def test_no_event_loop_is_needed() -> None:
    """Outside of any event loop nowait() makes calls too."""
    with aio.Server() as server:
        nowait(server.create(0, HOST))
        server.listen()
        with pytest.raises(BlockingIOError):
            nowait(server.accept())
        with socket.create_connection(server.get_sock_name()):
            until_shows(server, DATA)
            with nowait(server.accept()) as accepted:
                assert accepted.state == "connected"

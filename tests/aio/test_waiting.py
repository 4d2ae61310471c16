"""Tasks that wait: several on one object, ended by a close or a shutdown, and giving way."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import anyio
import pytest
from awaited import connected, waiting
from event_loops import on_every_loop
from loopback import HOST, SHORT

from lifecycle import ClosedDuringCall, IllegalCall, aio
from lifecycle.aio import nowait
from lifecycle.net.aio.anyio_readiness import watches_descriptors
from lifecycle.net.aio.driver import TURNS


@on_every_loop
async def test_several_tasks_receive_from_one_object() -> None:
    """Each of several waiting receives gets its share, and all of them the end of the stream."""
    got: list[bytes] = []

    async def receive() -> None:
        got.append(await client.receive(1))

    async with connected() as (client, peer):
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(receive)
            await waiting(client)
            for letter in (b"a", b"b", b"c"):
                peer.sendall(letter)
                await anyio.sleep(SHORT / 5)
            peer.shutdown(socket.SHUT_WR)
        assert sorted(got) == [b"", b"", b"a", b"b", b"c"]
        assert client.state == "peer_closed"


@on_every_loop
async def test_several_tasks_accept_from_one_server() -> None:
    """Each of several waiting accepts gets a connection of its own."""
    accepted: list[aio.Accepted] = []

    async def accept() -> None:
        accepted.append(await server.accept())

    async with aio.Server() as server:
        await server.create(0, HOST)
        server.listen()
        peers = [socket.socket() for _ in range(4)]
        async with anyio.create_task_group() as tasks:
            for _ in peers:
                tasks.start_soon(accept)
            await waiting(server)
            for peer in peers:
                peer.connect(server.get_sock_name())
        assert {each.peer_address for each in accepted} == {peer.getsockname() for peer in peers}
        for each in (*accepted, *peers):
            each.close()


@on_every_loop
async def test_one_of_two_receivers_is_cancelled() -> None:
    """When the task that waited first is cancelled, the other one still gets what comes."""
    got: list[bytes] = []

    async def receive() -> None:
        got.append(await client.receive())

    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        with anyio.CancelScope() as first:
            async with anyio.create_task_group() as one:
                one.start_soon(receive)
                await waiting(client)
                tasks.start_soon(receive)
                await anyio.sleep(SHORT / 5)
                first.cancel()
        peer.sendall(b"data")
        while not got:
            await anyio.sleep(0)
        assert got == [b"data"]


@on_every_loop
async def test_receiving_and_sending_wait_at_the_same_time() -> None:
    """A receive and a send wait on one object without disturbing one another."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        size = 1 << 24
        tasks.start_soon(client.send, bytes(size))
        await waiting(client)
        tasks.start_soon(client.receive)
        await anyio.sleep(SHORT / 5)
        peer.sendall(b"data")
        peer.setblocking(False)
        left = size
        while left:
            try:
                left -= len(peer.recv(1 << 20))
            except BlockingIOError:
                await anyio.sleep(0)


@on_every_loop
async def test_closing_ends_the_calls_that_wait() -> None:
    """close() from another task ends accept, receive, send, connect and receive_from with ClosedDuringCall."""
    async with connected() as (receiver, _), connected() as (sender, _), aio.Server() as server, aio.Datagram() as datagram:
        await server.create(0, HOST)
        server.listen()
        await datagram.create(0, HOST)
        with pytest.raises(BlockingIOError):
            while True:
                nowait(sender.send(bytes(1 << 16)))
        calls = {receiver: receiver.receive, sender: lambda: sender.send(bytes(1 << 24)), server: server.accept}
        calls[datagram] = datagram.receive_from

        async def overtaken(call: Any) -> None:
            with pytest.raises(ClosedDuringCall) as raised:
                await call()
            assert hasattr(raised.value, "sent") == (call is calls[sender])

        async with anyio.create_task_group() as tasks:
            for call in calls.values():
                tasks.start_soon(overtaken, call)
            await waiting(*calls)
            for target in calls:
                target.close()


@on_every_loop
async def test_detaching_ends_the_call_that_waits() -> None:
    """detach() from another task ends a waiting receive, and the descriptor is handed out as it is."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:

        async def overtaken() -> None:
            with pytest.raises(ClosedDuringCall):
                await client.receive()

        tasks.start_soon(overtaken)
        await waiting(client)
        with socket.socket(fileno=client.detach()) as handed:
            peer.sendall(b"data")
            assert handed.recv(10) == b"data"


@on_every_loop
async def test_shutting_receives_ends_the_receive_that_waits() -> None:
    """shut_down("receives") from another task ends a waiting receive: it is not legal any more. Datagrams likewise."""
    async with connected() as (client, _), aio.Datagram() as datagram, anyio.create_task_group() as tasks:
        await datagram.create(0, HOST)
        await datagram.connect(HOST, 9)

        async def refused(call: Any) -> None:
            with pytest.raises(IllegalCall):
                await call()

        for target in (client, datagram):
            tasks.start_soon(refused, target.receive)
        await waiting(client, datagram)
        client.shut_down("receives")
        datagram.shut_down("receives")


@on_every_loop
async def test_receiving_nothing_never_waits() -> None:
    """receive(0) gives b"" at once, also after a receive that has emptied the socket."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(client.receive)
        await waiting(client)
        peer.sendall(b"short")
        while client.is_blocking:
            await anyio.sleep(0)
        with anyio.fail_after(SHORT * 10):
            assert await client.receive(0) == b""
        assert client.state == "connected"


@on_every_loop
async def test_iterating() -> None:
    """`async for` gives connections until the server is closed, data until the end, and messages until the socket is closed."""
    async with aio.Server() as server:
        await server.create(0, HOST)
        server.listen()
        with socket.create_connection(server.get_sock_name()) as peer:
            async for accepted in server:
                peer.sendall(b"data")
                peer.shutdown(socket.SHUT_WR)
                async with accepted:
                    assert b"".join([data async for data in accepted]) == b"data"
                server.close()
        assert [accepted async for accepted in server] == []
    async with aio.Datagram() as datagram:
        await datagram.create(0, HOST)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((HOST, 0))
            other.sendto(b"message", datagram.get_sock_name())
            async for message, sender in datagram:
                assert (message, sender) == (b"message", other.getsockname())
                datagram.close()
    with pytest.raises(IllegalCall):
        [data async for data in aio.Client()]
    with pytest.raises(IllegalCall):
        [accepted async for accepted in aio.Server()]


@on_every_loop
async def test_calls_that_need_not_wait_give_way() -> None:
    """A task that receives, accepts or sends again and again without waiting lets others run, and can be cancelled."""
    async with connected() as (client, peer), aio.Datagram() as datagram, anyio.create_task_group() as tasks:
        await datagram.create(0, HOST)
        await datagram.connect(*datagram.get_sock_name())
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await anyio.lowlevel.checkpoint()

        tasks.start_soon(count)
        peer.sendall(bytes(8 * TURNS))
        for call in (
            lambda: client.receive(1),
            lambda: datagram.send(b"m"),
            datagram.receive,
            lambda: client.send(b"x"),
        ):
            before = turns
            for _ in range(4 * TURNS):
                await call()
            assert turns > before
        peer.sendall(bytes(8 * TURNS))
        with anyio.move_on_after(0) as scope:
            for _ in range(2 * TURNS):
                await client.receive(1)
        assert scope.cancelled_caught
        tasks.cancel_scope.cancel()


def test_time_outs_are_cancel_scopes() -> None:
    """`timeout` is None, and setting it says what to write instead."""
    with aio.Client() as client:
        assert client.timeout is None
        with pytest.raises(AttributeError, match=r"anyio\.fail_after"):
            client.timeout = 3


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_exception_as_the_loop_is_asked_leaves_no_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signal handler raises as a wait begins leaves nothing in the loop: the next socket of that number is woken."""
    loop: Any = asyncio.get_running_loop()
    if not watches_descriptors(loop):
        pytest.skip("this loop is not asked: threads watch descriptors for it")
    add = loop.add_reader

    def interrupted(descriptor: int, callback: Any) -> None:
        add(descriptor, callback)
        raise KeyboardInterrupt

    numbers = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        for each in (interrupted, add):
            monkeypatch.setattr(loop, "add_reader", each)
            with aio.Client() as client:
                client.open()
                await client.connect(*listening.getsockname())
                numbers.append(client.fileno())
                with listening.accept()[0] as peer:
                    if each is interrupted:
                        with pytest.raises(KeyboardInterrupt):
                            await client.receive(timeout=5)
                    else:
                        loop.call_soon(peer.send, b"x")
                        assert await client.receive(timeout=5) == b"x"
    assert numbers[0] == numbers[1]

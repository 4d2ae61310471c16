"""Tasks that wait: several on one object, ended by a close or a shutdown, in one event loop after another, and giving way."""

from __future__ import annotations

import asyncio
import gc
import select
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from event_loops import EventLoop, every_loop, on_every_loop
from loopback import HOST, SHORT, raw_listener, reset

from lifecycle import ClosedDuringCall, IllegalCall, aio
from lifecycle.aio import nowait
from lifecycle.aio.async_socket import TURNS
from lifecycle.aio.loop_readiness import LoopReadiness


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[aio.Client, socket.socket]]:
    """A client and the plain socket at the other end."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            peer, _ = listener.accept()
            with peer:
                yield client, peer


async def waiting(*objects: aio.Client | aio.Server | aio.Accepted | aio.Datagram) -> None:
    """Return when a call waits on each of them."""
    while not all(each.is_blocking for each in objects):
        await anyio.sleep(0)


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
            with pytest.raises(ClosedDuringCall):
                await call()

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


@every_loop
def test_an_object_outlives_its_event_loop(event_loop: EventLoop) -> None:
    """An object that waited in one event loop can be used, and closed, in the next one and outside of any."""
    client = aio.Client()
    with raw_listener() as listener:

        async def first() -> None:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with anyio.move_on_after(SHORT / 5):
                await client.receive()

        event_loop.run(first)
        with listener.accept()[0] as peer:

            async def second() -> None:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.receive)
                    await waiting(client)
                    peer.sendall(b"data")

            for _ in range(2):
                event_loop.run(second)
            client.close()
            assert peer.recv(10) == b""


@every_loop
def test_a_forgotten_object_is_closed_by_the_collector_in_any_thread(event_loop: EventLoop) -> None:
    """The loop that still watches its descriptor forgets it before it is closed, also if the last reference goes elsewhere."""

    async def main() -> None:
        with raw_listener() as listener:
            client = aio.Client()
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            peer, _ = listener.accept()
            with peer:
                with anyio.move_on_after(SHORT / 5):
                    await client.receive()  # the loop watches its descriptor now
                await anyio.sleep(0)  # it lets go of the cancellation
                number = client.fileno()
                kept = [client]
                del client

                def forget() -> None:
                    with pytest.warns(ResourceWarning, match="unclosed"):
                        kept.clear()
                        gc.collect()

                thread = threading.Thread(target=forget)
                thread.start()
                while thread.is_alive():
                    await anyio.sleep(0.001)
                peer.setblocking(False)
                await anyio.wait_readable(peer)
                assert peer.recv(1) == b""
            async with connected() as (another, its_peer), anyio.create_task_group() as tasks:
                assert another.fileno() <= number + 2
                tasks.start_soon(another.receive)
                await waiting(another)
                its_peer.sendall(b"data")

    event_loop.run(main)


@on_every_loop
async def test_a_forgotten_task_does_not_keep_the_object_waiting(event_loop: EventLoop) -> None:
    """The event loop holds no reference to an object that nobody uses: it is closed with a ResourceWarning."""
    with raw_listener() as listener:
        client = aio.Client()
        await client.create(0, HOST)
        await client.connect(*listener.getsockname())
        with listener.accept()[0] as peer:
            with anyio.move_on_after(SHORT / 5):
                await client.receive()
            await anyio.sleep(0)  # the loop lets go of the cancellation
            with pytest.warns(ResourceWarning, match="unclosed"):
                del client
                gc.collect()
            peer.settimeout(1)
            assert peer.recv(1) == b""


@on_every_loop
async def test_waiting_goes_on_after_an_error(event_loop: EventLoop) -> None:
    """A datagram socket that was told an error waits on: uvloop drops its registration then, and has to be asked again."""
    async with aio.Datagram() as datagram:
        await datagram.create(0, HOST)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((HOST, 0))
            address = peer.getsockname()
            await datagram.connect(*address)
        for _ in range(2):
            async with anyio.create_task_group() as tasks:

                async def refused() -> None:
                    with pytest.raises(ConnectionRefusedError):
                        await datagram.receive()

                tasks.start_soon(refused)
                await waiting(datagram)
                datagram._socket.send(b"to nobody")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(address)
            peer.connect(datagram.get_sock_name())
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(datagram.receive)
                await waiting(datagram)
                peer.send(b"message")


@on_every_loop
async def test_a_reset_after_data_is_told() -> None:
    """Data that came before a reset is received, then the reset is told, again and again, also where uvloop stops watching."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        got: list[object] = []

        async def receive_to_the_end() -> None:
            try:
                while data := await client.receive():
                    got.append(data)
            except ConnectionResetError:
                got.append("reset")

        tasks.start_soon(receive_to_the_end)
        await waiting(client)
        peer.sendall(b"data")
        reset(peer)
        while "reset" not in got:
            await anyio.sleep(0)
        assert got in ([b"data", "reset"], ["reset"])
        assert client.state == "broken"
        with pytest.raises(ConnectionResetError):
            await client.receive()


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="the calls are counted by Linux's epoll")
def test_a_conversation_registers_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In asyncio's loop each end is registered once, however many questions and answers go to and fro."""
    registered: list[int] = []
    original = asyncio.SelectorEventLoop.add_reader

    def counted(self: asyncio.SelectorEventLoop, fd: int, *arguments: Any) -> None:
        registered.append(fd)
        original(self, fd, *arguments)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_reader", counted)

    async def main() -> None:
        async with aio.Server() as server, aio.Client() as client:
            await server.create(0, HOST)
            server.listen()
            await client.create(0, HOST)
            await client.connect(*server.get_sock_name())
            async with await server.accept() as accepted, anyio.create_task_group() as tasks:

                async def echo() -> None:
                    async for data in accepted:
                        await accepted.send(data)

                tasks.start_soon(echo)
                for _ in range(50):
                    await client.send(b"question")
                    assert await client.receive() == b"question"
                assert registered.count(client.fileno()) == registered.count(accepted.fileno()) == 1
                client.shut_down()

    anyio.run(main)


def test_an_idle_registration_is_taken_back() -> None:
    """What comes while nobody waits does not keep asyncio's loop busy: it is reported once, and then the loop forgets it."""

    async def main() -> None:
        async with connected() as (client, peer):
            with anyio.move_on_after(SHORT / 5):
                await client.receive()
            assert isinstance(client._reading, LoopReadiness)
            assert client._reading._callback() is not None
            peer.sendall(b"nobody waits for it")
            while client._reading._callback() is not None:
                await anyio.sleep(0)
            assert await client.receive() == b"nobody waits for it"

    anyio.run(main)


@on_every_loop
async def test_a_loop_without_add_reader_works_too(monkeypatch: pytest.MonkeyPatch, event_loop: EventLoop) -> None:
    """Where the loop cannot watch descriptors itself (Windows), anyio is asked: the same calls, the same ends."""
    monkeypatch.setattr("lifecycle.aio.readiness._watches_descriptors", lambda loop: False)
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(client.receive)
        await waiting(client)
        assert not isinstance(client._reading, LoopReadiness)
        peer.sendall(b"data")
        await anyio.sleep(SHORT / 5)

        async def overtaken() -> None:
            with pytest.raises(ClosedDuringCall):
                await client.receive()

        tasks.start_soon(overtaken)
        tasks.start_soon(overtaken)
        await waiting(client)
        await anyio.sleep(SHORT / 5)
        client.close()


def test_without_anyio_the_extra_is_named() -> None:
    """Without anyio importing lifecycle.aio says which extra to install."""
    code = "import sys; sys.modules['anyio'] = None; import lifecycle.aio"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stderr.endswith('ImportError: lifecycle.aio needs anyio: pip install "lifecycle[aio]"\n')


def test_time_outs_are_cancel_scopes() -> None:
    """`timeout` is None, and setting it says what to write instead."""
    with aio.Client() as client:
        assert client.timeout is None
        with pytest.raises(AttributeError, match=r"anyio\.fail_after"):
            client.timeout = 3

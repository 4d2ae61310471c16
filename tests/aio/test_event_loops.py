"""Awaited sockets and the event loop: what it watches and lets go of, one loop after another, and loops that cannot watch."""

from __future__ import annotations

import asyncio
import gc
import select
import socket
import subprocess
import sys
import threading
from typing import Any

import anyio
import pytest
from awaited import connected, waiting
from event_loops import EventLoop, every_loop, on_every_loop
from loopback import HOST, SHORT, raw_listener, reset

from lifecycle import aio
from lifecycle.net.aio.readiness import LoopReadiness


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


def test_without_anyio_the_extra_is_named() -> None:
    """Without anyio importing lifecycle.aio says which extra to install."""
    code = "import sys; sys.modules['anyio'] = None; import lifecycle.aio"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stderr.endswith('ImportError: lifecycle.aio needs anyio: pip install "socket-lifecycle[aio]"\n')

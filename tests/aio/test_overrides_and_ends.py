"""Awaited sockets at their edges: overrides that wait, closing outside the loop, urgent data, a target that goes away."""

from __future__ import annotations

import socket
from typing import Any

import anyio
import pytest
from event_loops import EventLoop, every_loop, on_every_loop
from loopback import HOST, raw_listener
from notified import noted_client

from lifecycle import Accepted, ClosedDuringCall, aio
from lifecycle.aio import Events


@on_every_loop
async def test_an_override_that_waits_does_not_end_the_notifications() -> None:
    """A class with callbacks may override receive() by a coroutine that awaits: the notifier looks by the class's own call."""
    seen: list[str] = []

    class Slow(aio.Client):
        __slots__ = ()

        async def receive(self, size: int = 65536, flags: int = 0) -> bytes:
            await anyio.sleep(0)
            return await super().receive(size, flags)

        def on_receive(self) -> None:
            seen.append("receive")

    with raw_listener() as listener:
        async with aio.notifications():
            client = Slow()
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                peer.sendall(b"data")
                while not seen:
                    await anyio.sleep(0.001)
                assert await client.receive() == b"data"
                client.close()
    assert seen == ["receive"]


class Notified(aio.Client):
    """A client with a callback."""

    __slots__ = ()

    def on_close(self, error: int) -> None: ...


@every_loop
def test_an_object_with_callbacks_closes_outside_the_loop(event_loop: EventLoop) -> None:
    """close() after the event loop has ended closes the object, and raises nothing."""
    made: list[Notified] = []
    with raw_listener() as listener:

        async def main() -> None:
            async with aio.notifications():
                client = Notified()
                await client.create(0, HOST)
                await client.connect(*listener.getsockname())
                client.select_events(Events.CLOSE)
                made.append(client)

        event_loop.run(main)
        made[0].close()
        assert (made[0].state, made[0].fileno()) == ("closed", -1)
        listener.accept()[0].close()


@on_every_loop
async def test_out_of_band_data_is_received_after_a_receive_that_waited() -> None:
    """receive(1, MSG_OOB) asks the system at once, also where the last receive has emptied the buffer."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.receive)
                    until_waiting = 100
                    while not client.is_blocking and until_waiting:
                        until_waiting -= 1
                        await anyio.sleep(0.001)
                    peer.sendall(b"data")
                with pytest.raises(OSError, match="Invalid argument"):
                    await client.receive(1, socket.MSG_OOB)
                peer.send(b"!", socket.MSG_OOB)
                with anyio.fail_after(5):
                    while True:
                        try:
                            assert await client.receive(1, socket.MSG_OOB) == b"!"
                        except OSError:  # it is on its way
                            await anyio.sleep(0.001)
                        else:
                            break


@on_every_loop
async def test_an_accept_ends_when_its_target_is_closed() -> None:
    """accept(target) ends with ClosedDuringCall when the target is closed; the next connection is for the next accept."""
    async with aio.Server() as server:
        await server.create(0, HOST)
        server.listen()
        target = aio.Accepted()
        ended: list[Any] = []

        async def accept() -> None:
            with pytest.raises(ClosedDuringCall):
                await server.accept(target)
            ended.append(server.state)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(accept)
                while not server.is_blocking:
                    await anyio.sleep(0.001)
                target.close()
        assert ended == ["listening"]
        with socket.create_connection(server.get_sock_name()):
            (await server.accept()).close()


@on_every_loop
async def test_a_target_of_the_other_twin_is_refused() -> None:
    """accept(lifecycle.Accepted()) is a TypeError before the system is asked."""
    async with aio.Server() as server:
        await server.create(0, HOST)
        server.listen()
        with socket.create_connection(server.get_sock_name()), pytest.raises(TypeError, match="accept"):
            await server.accept(Accepted())  # type: ignore[arg-type]
        (await server.accept()).close()


@on_every_loop
async def test_iteration_ends_when_the_stream_is_closed() -> None:
    """`async for data in stream` ends when another task closes the stream, as iteration over servers and datagrams does."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            received: list[bytes] = []

            async def collect() -> None:
                async for data in client:
                    received[len(received) :] = [data]

            with anyio.fail_after(5), listener.accept()[0] as peer:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(collect)
                    peer.sendall(b"data")
                    while not received:
                        await anyio.sleep(0.001)
                    client.close()
            assert received == [b"data"]


@on_every_loop
async def test_an_end_that_a_call_has_reported_is_not_delivered_again() -> None:
    """Where a receive that waited has returned the end of the stream, on_close() is not called for it."""
    async with noted_client(Events.CLOSE) as (client, peer):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.receive)
            while not client.is_blocking:
                await anyio.sleep(0.001)
            peer.shutdown(socket.SHUT_WR)
        await client.diary.stays()

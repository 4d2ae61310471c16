"""Nothing is left of awaited sockets that nobody holds: no descriptor, no memory, no reference cycle."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from contextlib import suppress

import anyio
import pytest
from event_loops import EventLoop, every_loop, on_every_loop
from long_form import part
from loopback import HOST, open_descriptors, raw_listener

from lifecycle import IllegalCall, aio
from lifecycle.aio import nowait

CYCLES = part(400, 200)
FEW = 50
WAITS = 100
MOST_GROWTH = 20_000  # bytes; a single object that stays of each cycle makes more


async def cycle(server: aio.Server) -> None:
    """One connection from its beginning to its end, with a wait on each side."""
    async with aio.Client() as client, anyio.create_task_group() as tasks:
        await client.create(0, HOST)
        await client.connect(*server.get_sock_name())
        async with await server.accept() as accepted:
            tasks.start_soon(client.receive)
            await anyio.sleep(0)
            await accepted.send(b"question")
            with anyio.move_on_after(0):
                await accepted.receive()


@every_loop
def test_many_connections_leave_nothing(event_loop: EventLoop) -> None:
    """Hundreds of connections, one after the other, leave no descriptor and no memory."""

    async def main() -> None:
        async with aio.Server() as server:
            await server.create(0, HOST)
            server.listen()
            for _ in range(FEW):
                await cycle(server)
            gc.collect()
            descriptors, held = open_descriptors(), tracemalloc.get_traced_memory()[0]
            for _ in range(CYCLES):
                await cycle(server)
            gc.collect()
            assert open_descriptors() == descriptors
            assert tracemalloc.get_traced_memory()[0] - held < MOST_GROWTH

    tracemalloc.start()
    try:
        event_loop.run(main)
    finally:
        tracemalloc.stop()


@on_every_loop
async def test_waits_that_were_cancelled_are_forgotten() -> None:
    """A socket whose calls are cancelled a hundred times while they wait keeps none of them."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            client.open()
            await client.connect(*listener.getsockname())
            held = 0
            for number in range(FEW + WAITS):
                if number == FEW:
                    gc.collect()
                    held = len(gc.get_objects())
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.receive)
                    await anyio.sleep(0)
                    tasks.cancel_scope.cancel()
            gc.collect()
            assert len(gc.get_objects()) - held < WAITS // 2


@pytest.mark.parametrize("how", ["refused", "would block", "cancelled", "received"])
@on_every_loop
async def test_a_call_leaves_no_reference_cycle(how: str) -> None:
    """An object whose call was refused, cancelled, or made is gone when nobody holds it, without the collector."""
    with raw_listener() as listener:
        client = aio.Client()
        if how != "refused":
            client.open()
            await client.connect(*listener.getsockname())
            peer, _ = listener.accept()
        gc.collect()
        gc.disable()
        try:
            if how == "received":
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.receive)
                    await anyio.sleep(0)
                    peer.sendall(b"data")
            elif how == "cancelled":
                with anyio.move_on_after(0.001):
                    await client.receive()
            else:
                with suppress(IllegalCall, BlockingIOError):
                    nowait(client.receive())
            client.close()
            if how != "refused":
                peer.close()
            for _ in range(3):
                await anyio.sleep(0)  # the loop lets go of what it has ended
            left = weakref.ref(client)
            del client
            assert left() is None
        finally:
            gc.enable()

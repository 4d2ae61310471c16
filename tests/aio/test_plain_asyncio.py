"""lifecycle.aio in a program that knows asyncio alone (embed/plain_asyncio, crash, drain, start)."""

from __future__ import annotations

import asyncio

import pytest
from loopback import HOST

from lifecycle import aio


async def double(accepted: aio.Accepted) -> None:
    """Answers each number with twice as much; a text that is none is a fault of this handler."""
    async for data in accepted:
        await accepted.send(b"%d" % (int(data) * 2))


def test_time_outs_and_cancellations_of_asyncio() -> None:
    """TaskGroup, timeout(), wait_for() and Task.cancel() end a call, and the object is as before; nothing is lost."""

    async def main() -> None:
        async with aio.Server() as server, asyncio.TaskGroup() as tasks:
            await server.create(0, HOST)
            server.listen()
            serving = tasks.create_task(server.serve(double, grace=5))
            async with await aio.open_connection(*server.local_address) as client:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await client.receive()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.receive(), 0.01)
                with pytest.raises(TimeoutError):
                    await client.receive(timeout=0.01)
                receiving = asyncio.create_task(client.receive())
                while not client.is_blocking:
                    await asyncio.sleep(0)
                receiving.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await receiving
                await client.send(b"21")
                assert (await client.receive(), client.state) == (b"42", "connected")
                server.close()  # and yet the handler that runs goes on
                await client.send(b"4")
                assert await client.receive() == b"8"
            await serving

    asyncio.run(main())


def test_a_malformed_request_ends_the_service_or_what_on_error_says() -> None:
    """By default a handler's fault ends serve() and closes the server; with on_error the next client is served."""
    faults: list[str] = []

    async def ask(server: aio.Server, text: bytes) -> bytes:
        async with await aio.open_connection(*server.local_address) as client:
            await client.send(text)
            return await client.receive()

    async def main() -> None:
        async with aio.Server() as server:
            await server.create(0, HOST)
            server.listen()
            serving = asyncio.create_task(server.serve(double, on_error=lambda accepted, error: faults.append(str(error))))
            assert [await ask(server, text) for text in (b"21", b"what?", b"4")] == [b"42", b"", b"8"]
            server.close()
            await serving
        async with aio.Server() as server:
            await server.create(0, HOST)
            server.listen()
            address = server.local_address
            serving = asyncio.create_task(server.serve(double))
            assert await ask(server, b"what?") == b""
            with pytest.raises(ExceptionGroup) as fault:
                await serving
            assert fault.group_contains(ValueError, match="what")
            with pytest.raises(ConnectionRefusedError):
                await aio.open_connection(*address)

    asyncio.run(main())
    assert len(faults) == 1

"""serve(tls=...): each connection makes its handshake in its own task."""

from __future__ import annotations

import socket

import anyio
import pytest
from event_loops import LOOPS, EventLoop

from lifecycle import HandshakeRefused, aio
from lifecycle.conformance.adapters.certificates import client_context, server_context

HOST = "127.0.0.1"


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.name)
def test_a_failed_handshake_closes_its_connection_alone(loop: EventLoop) -> None:
    """Behind a silent client and one that refuses, a good one is served; what failed is told, and has its reason."""
    failures: list[Exception] = []

    async def echo(accepted: aio.Accepted) -> None:
        async for data in accepted:
            await accepted.send(data)

    async def main() -> None:
        with anyio.fail_after(10):
            async with aio.Server() as server, anyio.create_task_group() as tasks:
                await server.create(0, HOST)
                server.listen()

                async def serve() -> None:
                    await server.serve(
                        echo, tls=server_context(), handshake_timeout=0.2, on_error=lambda _, error: failures.append(error)
                    )

                tasks.start_soon(serve)
                silent = socket.create_connection(server.get_sock_name())
                async with aio.Client() as stranger, aio.Client() as client:
                    for each in (stranger, client):
                        await each.create()
                        await each.connect(*server.get_sock_name())
                    with pytest.raises(HandshakeRefused, match="certificate"):
                        await stranger.start_tls(client_context(trusts="stranger"))
                    await client.start_tls(client_context(checks_name=True), server_hostname="localhost")
                    await client.send(b"question")
                    assert await client.receive() == b"question"
                    client.shut_down("sends")
                    assert await client.receive() == b""
                while len(failures) < 2:
                    await anyio.sleep(0.01)
                silent.close()
                server.close()

    loop.run(main)
    assert {type(failure) for failure in failures} == {HandshakeRefused, TimeoutError}

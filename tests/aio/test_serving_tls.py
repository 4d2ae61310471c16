"""serve(tls=...): each connection makes its handshake in its own task."""

from __future__ import annotations

import socket
from functools import partial

import anyio
import pytest
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSAttribute
from event_loops import LOOP_PARAMETERS, EventLoop

from lifecycle import HandshakeRefused, aio
from lifecycle.conformance.adapters.certificates import client_context, server_context

HOST = "127.0.0.1"


@pytest.mark.parametrize("loop", LOOP_PARAMETERS)
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


@pytest.mark.parametrize("loop", LOOP_PARAMETERS)
def test_open_connection_over_tls(loop: EventLoop) -> None:
    """open_connection(tls=...) verifies the host's name; as a stream it ends, breaks at a cut, and says what TLS there is."""

    async def greet(accepted: aio.Accepted) -> None:
        await accepted.send(b"hello")
        if await accepted.receive() == b"cut":
            accepted._socket.abandon()
        else:
            accepted.shut_down("sends")

    async def main() -> None:
        with anyio.fail_after(10):
            async with aio.Server() as server, anyio.create_task_group() as tasks:
                await server.create(0, HOST)
                server.listen()
                tasks.start_soon(partial(server.serve, greet, tls=server_context()))
                port = server.get_sock_name().port
                for question, end in ((b"go on", anyio.EndOfStream), (b"cut", anyio.BrokenResourceError)):
                    async with await aio.open_connection(HOST, port, tls=client_context(checks_name=True)) as client:
                        stream = client.as_stream()
                        assert stream.extra(TLSAttribute.tls_version) == "TLSv1.3"
                        assert stream.extra(SocketAttribute.remote_port) == port
                        assert await stream.receive() == b"hello"
                        await stream.send(question)
                        with pytest.raises(end):
                            await stream.receive()
                with pytest.raises(HandshakeRefused):
                    await aio.open_connection(HOST, port, tls=client_context(checks_name=True, trusts="stranger"))
                server.close()

    loop.run(main)

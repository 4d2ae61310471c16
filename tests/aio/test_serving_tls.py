"""serve(tls=...): each connection makes its handshake in its own task."""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import partial

import anyio
import pytest
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSAttribute
from event_loops import LOOP_PARAMETERS, EventLoop

from lifecycle import HandshakeRefused, StreamTruncated, aio
from lifecycle.conformance.adapters.certificates import client_context, server_context

HOST = "127.0.0.1"


@pytest.mark.parametrize("loop", LOOP_PARAMETERS)
def test_a_failed_handshake_closes_its_connection_alone(loop: EventLoop) -> None:
    """Behind a silent client and one that refuses, a good one is served; failures are reported, with their reasons."""
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


@pytest.mark.parametrize("loop", LOOP_PARAMETERS)
@pytest.mark.parametrize("grace", [None, 0.05])
@pytest.mark.parametrize("failure", [ConnectionError, KeyError, None])
def test_a_handler_that_fails_sends_no_close_notify(
    loop: EventLoop, grace: float | None, failure: type[Exception] | None
) -> None:
    """The client of a handler that raises, or is cancelled, in the middle of its answer sees a cut, and not a whole."""

    async def answer(accepted: aio.Accepted) -> None:
        await accepted.send(b"half of the fi")
        if failure is not None:
            raise failure
        await anyio.sleep_forever()

    async def main() -> None:
        with anyio.fail_after(10):
            async with aio.Server() as server, aio.Client() as client, anyio.create_task_group() as tasks:
                await server.create(0, HOST)
                server.listen()
                tasks.start_soon(partial(server.serve, answer, tls=server_context(), grace=grace, on_error=lambda *_: None))
                await client.create()
                await client.connect(*server.local_address)
                await client.start_tls(client_context(checks_name=True), server_hostname="localhost")
                assert await client.receive() == b"half of the fi"
                tasks.cancel_scope.cancel()
                with anyio.CancelScope(shield=True), pytest.raises(StreamTruncated):
                    await client.receive()

    loop.run(main)


@pytest.mark.parametrize("loop", LOOP_PARAMETERS)
def test_what_on_error_raises_ends_serve(loop: EventLoop) -> None:
    """on_error is told of a handshake that fails, once; what it raises is raised by serve(), and not told to it again."""
    told: list[Exception] = []

    def on_error(_: aio.Accepted, error: Exception) -> None:
        told.append(error)
        if len(told) == 1:
            raise ZeroDivisionError

    async def nothing(accepted: aio.Accepted) -> None:
        raise AssertionError(accepted)

    async def main() -> None:
        with anyio.fail_after(10):
            async with aio.Server() as server:
                await server.create(0, HOST)
                server.listen()
                with socket.create_connection(server.get_sock_name()) as stranger:
                    stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    with pytest.raises(ExceptionGroup) as raised:
                        await server.serve(nothing, tls=server_context(), on_error=on_error)
                assert raised.group_contains(ZeroDivisionError)

    loop.run(main)
    assert [type(error) for error in told] == [HandshakeRefused]


@pytest.mark.parametrize("loop", LOOP_PARAMETERS)
def test_what_does_not_fit_is_refused_before_anything_is_accepted(loop: EventLoop) -> None:
    """A client's context, what is no context and what is no time-out are errors of serve(), not of each connection."""

    async def nothing(accepted: aio.Accepted) -> None:
        raise AssertionError(accepted)

    async def main() -> None:
        with anyio.fail_after(10):
            async with aio.Server() as server:
                await server.create(0, HOST)
                server.listen()
                with pytest.raises(ValueError, match="not of PROTOCOL_TLS_CLIENT"):
                    await server.serve(nothing, tls=client_context())
                with pytest.raises(TypeError, match="not a str"):
                    await server.serve(nothing, tls="context")  # type: ignore[arg-type]
                with pytest.raises(ValueError, match="0 or more seconds"):
                    await server.serve(nothing, tls=server_context(), handshake_timeout=-1)

    loop.run(main)


@pytest.mark.parametrize("loop", LOOP_PARAMETERS)
def test_a_failed_block_of_a_stream_sends_no_close_notify(loop: EventLoop) -> None:
    """Leaving `async with connection.as_stream()` by an exception, the peer sees a cut; leaving it otherwise, an end."""

    async def answer(accepted: aio.Accepted) -> None:
        question = await accepted.receive()
        with suppress(ZeroDivisionError):
            async with accepted.as_stream():
                if question == b"fail":
                    raise ZeroDivisionError

    async def main() -> None:
        with anyio.fail_after(10):
            async with aio.Server() as server, anyio.create_task_group() as tasks:
                await server.create(0, HOST)
                server.listen()
                tasks.start_soon(partial(server.serve, answer, tls=server_context()))
                port = server.get_sock_name().port
                async with await aio.open_connection(HOST, port, tls=client_context(checks_name=True)) as client:
                    await client.send(b"fail")
                    with pytest.raises(StreamTruncated):
                        await client.receive()
                async with await aio.open_connection(HOST, port, tls=client_context(checks_name=True)) as client:
                    await client.send(b"go on")
                    assert await client.receive() == b""
                server.close()

    loop.run(main)

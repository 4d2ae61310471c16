"""as_stream(): a connection as an anyio.abc.ByteStream, with anyio's errors, under anyio's own wrappers."""

from __future__ import annotations

import socket
import ssl
import threading

import anyio
import pytest
import trustme
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.text import TextStream
from anyio.streams.tls import TLSStream
from awaited import connected, waiting
from event_loops import on_every_loop
from loopback import HOST, reset

from lifecycle import IllegalCall, aio


@on_every_loop
async def test_stream_of_bytes() -> None:
    """It receives, sends, ends its sends, and says EndOfStream and ClosedResourceError as every ByteStream does."""
    async with connected() as (client, peer):
        stream = client.as_stream()
        assert isinstance(stream, ByteStream)
        assert stream.extra(SocketAttribute.remote_port) == peer.getsockname()[1]
        assert stream.extra(SocketAttribute.local_address) == tuple(client.local_address)
        peer.sendall(b"question")
        assert await stream.receive(5) == b"quest"
        assert await stream.receive() == b"ion"
        await stream.send(b"answer")
        await stream.send_eof()
        await stream.send_eof()
        assert (peer.recv(9), peer.recv(9)) == (b"answer", b"")
        with pytest.raises(IllegalCall, match="Sends were ended"):
            await stream.send(b"more")
        peer.shutdown(socket.SHUT_WR)
        for _ in range(2):
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()
        with pytest.raises(ValueError, match="max_bytes"):
            await stream.receive(0)
        await stream.aclose()
        await stream.aclose()
        assert client.state == "closed"
        for call in (stream.receive, lambda: stream.send(b"x"), stream.send_eof):
            with pytest.raises(anyio.ClosedResourceError):
                await call()


@on_every_loop
async def test_broken_and_busy() -> None:
    """A reset is BrokenResourceError; a second receive at the same time BusyResourceError; a close wakes the first one."""
    async with connected() as (client, peer):
        stream = client.as_stream()
        ends: list[type[BaseException]] = []

        async def receive() -> None:
            try:
                await stream.receive()
            except anyio.ClosedResourceError as error:
                ends.append(type(error))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            await waiting(client)
            with pytest.raises(anyio.BusyResourceError):
                await stream.receive()
            await stream.aclose()
        assert ends == [anyio.ClosedResourceError]
    async with connected() as (client, peer):
        reset(peer)
        with pytest.raises(anyio.BrokenResourceError) as caught:
            await client.as_stream().receive()
        assert isinstance(caught.value.__cause__, ConnectionResetError)


@on_every_loop
async def test_cancelled_calls_have_done_nothing() -> None:
    """A cancelled receive has taken nothing, and a cancelled scope ends a receive although data is there."""
    async with connected() as (client, peer):
        stream = client.as_stream()
        peer.sendall(b"x")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await stream.receive()
        assert scope.cancelled_caught
        assert await stream.receive() == b"x"


@on_every_loop
async def test_buffered_stream_ends() -> None:
    """anyio's BufferedByteReceiveStream takes lines and reports the end within one (embed/bufspin.py: it spun)."""
    async with connected() as (client, peer):
        stream = BufferedByteReceiveStream(client.as_stream())
        peer.sendall(b"one\ntw")
        peer.shutdown(socket.SHUT_WR)
        assert await stream.receive_until(b"\n", 100) == b"one"
        with pytest.raises(anyio.IncompleteRead):
            await stream.receive_until(b"\n", 100)
        text = TextStream(client.as_stream())
        await text.send("grüße")
        assert peer.recv(64).decode() == "grüße"


@on_every_loop
async def test_what_anyios_own_streams_promise() -> None:
    """Iteration to the end, all of a large item, a broken stream for sends to a peer that is gone, and a second sender busy."""
    async with connected() as (client, peer):
        stream = client.as_stream()
        for wrong in (-1, 0):
            with pytest.raises(ValueError, match="max_bytes must be a positive integer"):
                await stream.receive(wrong)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.send, bytes(1 << 22))
            while not client.is_blocking:
                await anyio.sleep(0)
            with pytest.raises(anyio.BusyResourceError, match="already writing to"):
                await stream.send(b"x")
            received = 0
            while received < 1 << 22:
                await anyio.wait_readable(peer)
                received += len(peer.recv(1 << 20))
        peer.sendall(b"last")
        peer.shutdown(socket.SHUT_WR)
        assert b"".join([chunk async for chunk in stream]) == b"last"
        reset(peer)
        with pytest.raises(anyio.BrokenResourceError) as caught:
            for _ in range(1000):
                await stream.send(b"foo")
        assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(anyio.ClosedResourceError):
        await stream.send(b"foo")


@pytest.mark.parametrize("host", [HOST, "::1"])
def test_attributes_of_both_families(host: str) -> None:
    """Addresses are (host, port) also where the system's IPv6 addresses have four fields, as anyio's are."""

    async def main() -> None:
        async with aio.Server() as server:
            try:
                await server.create(0, host)
            except OSError:
                pytest.skip("this machine has no IPv6 loopback address")
            server.listen()
            async with await aio.open_connection(*server.local_address) as client:
                stream = client.as_stream()
                assert stream.extra(SocketAttribute.remote_address) == (host, server.local_address.port)
                assert stream.extra(SocketAttribute.local_address) == tuple(client.local_address)
                assert stream.extra(SocketAttribute.remote_port) == server.local_address.port

    anyio.run(main)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of this run."""
    return trustme.CA()


@on_every_loop
async def test_tls_over_it(authority: trustme.CA) -> None:
    """anyio's TLSStream takes it at both ends: accepted.as_stream() and client.as_stream()."""
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(serving)
    authority.configure_trust(asking)

    async def echo(accepted: aio.Accepted) -> None:
        async with await TLSStream.wrap(accepted.as_stream(), server_side=True, ssl_context=serving) as stream:
            async for data in stream:
                await stream.send(data)

    async with aio.Server() as server, anyio.create_task_group() as tasks:
        await server.create(0, HOST)
        server.listen()
        tasks.start_soon(server.serve, echo)
        client = await aio.open_connection(*server.local_address)
        async with await TLSStream.wrap(client.as_stream(), hostname="localhost", ssl_context=asking) as stream:
            await stream.send(b"secret")
            assert await stream.receive() == b"secret"
            assert stream.extra(SocketAttribute.remote_address) == tuple(server.local_address)
        assert client.state == "closed"
        server.close()


@on_every_loop
async def test_open_connection_fails_closed() -> None:
    """open_connection() to a port on which nobody listens raises ConnectionRefusedError and leaves no descriptor."""
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    before = threading.active_count()
    with pytest.raises(ConnectionRefusedError):
        await aio.open_connection(HOST, port)
    assert threading.active_count() == before

"""The MFC checklist, section G, on awaited sockets: waiting, and being cancelled."""

from __future__ import annotations

import errno
import socket
from typing import Any

import anyio
import pytest
from awaited import until_ready, waiting
from event_loops import on_every_loop
from loopback import HOST, raw_listener, unanswering_listener
from notified import (
    noted_client,
    noted_server,
)

from lifecycle import BlockingCallCancelled, CallInProgress, aio
from lifecycle.aio import nowait

FIONBIO = 0x8004667E  # Winsock's number


async def once_waiting(target: Any, action: Any) -> None:
    """Do something when a call waits on the object."""
    await waiting(target)
    action()


@on_every_loop
async def test_row_098_an_awaited_call_waits_whatever_the_mask_is() -> None:
    """Where MFC needs AsyncSelect(0) and then FIONBIO, `await` makes a call wait and nowait() makes it not wait."""
    async with noted_client(0) as (client, peer):
        with pytest.raises(BlockingIOError):
            nowait(client.receive())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(once_waiting, client, lambda: peer.sendall(b"data"))
            assert await client.receive() == b"data"


@on_every_loop
async def test_row_108_is_blocking_while_receive_waits() -> None:
    """is_blocking is true while a receive waits, and false before and afterwards."""
    async with noted_client(0) as (client, peer), anyio.create_task_group() as tasks:
        assert not client.is_blocking
        tasks.start_soon(client.receive)
        await waiting(client)
        assert client.state == "connected"
        peer.sendall(b"data")
        while client.is_blocking:
            await anyio.sleep(0)


async def cancelled(target: Any, call: Any) -> BlockingCallCancelled:
    """What `call` raises when it is cancelled while it waits."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(once_waiting, target, target.cancel_blocking_call)
        with pytest.raises(BlockingCallCancelled) as failure:
            await call()
    assert failure.value.errno == errno.EINTR
    assert not target.is_blocking
    return failure.value


@on_every_loop
async def test_row_109_a_blocking_call_can_be_cancelled() -> None:
    """cancel_blocking_call() ends a waiting call with EINTR; any may follow (MFC: only Close), a connect is `connecting`."""
    async with noted_client(0) as (client, peer):
        await cancelled(client, client.receive)
        peer.sendall(b"data")
        assert await client.receive() == b"data"
        error = await cancelled(client, lambda: client.send(bytes(1 << 26)))
        assert error.sent == client.sent > 0
    async with noted_server(0) as server:
        await cancelled(server, server.accept)
        with socket.create_connection(server.get_sock_name()):
            accepted = await server.accept()
            assert accepted.state == "connected"
            accepted.close()
    async with aio.Datagram() as datagram:
        await datagram.create(0, HOST)
        await cancelled(datagram, datagram.receive_from)
    with unanswering_listener() as address:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await cancelled(client, lambda: client.connect(*address))
            assert client.state == "connecting"
            await cancelled(client, client.finish_connect)
            assert client.state == "connecting"


@on_every_loop
async def test_row_110_cancelling_nothing_has_no_effect() -> None:
    """cancel_blocking_call() of an object on which nothing waits changes nothing, for the next call neither."""
    async with noted_client(0) as (client, peer), anyio.create_task_group() as tasks:
        client.cancel_blocking_call()
        tasks.start_soon(once_waiting, client, lambda: peer.sendall(b"data"))
        assert await client.receive() == b"data"


@on_every_loop
async def test_row_111_a_second_call_while_one_waits() -> None:
    """Sending while a receive waits is full duplex, as on any socket (MFC refuses); a connect during a connect is refused."""
    async with noted_client(0) as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(client.receive)
        await waiting(client)
        assert await client.send(b"question") == 8
        assert peer.recv(8) == b"question"
        peer.sendall(b"answer")
    with unanswering_listener() as address:
        async with aio.Client() as client, anyio.create_task_group() as tasks:
            await client.create(0, HOST)
            tasks.start_soon(client.connect, *address)
            await waiting(client)
            with pytest.raises(CallInProgress, match="connect") as refusal:
                await client.connect(*address)
            assert refusal.value.platform_errors == {"winsock": "WSAEINPROGRESS"}
            tasks.cancel_scope.cancel()


@on_every_loop
async def test_row_114_on_message_pending_is_called_before_a_wait() -> None:
    """A subclass's on_message_pending() is called when a call is about to wait, and not when it need not."""

    class Counting(aio.Client):
        pending = 0

        def on_message_pending(self) -> None:
            self.pending += 1

    with raw_listener() as listener:
        async with Counting() as client, anyio.create_task_group() as tasks:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                peer.sendall(b"data")
                await until_ready(client)
                client.pending = 0
                assert await client.receive() == b"data"
                assert client.pending == 0
                tasks.start_soon(once_waiting, client, lambda: peer.sendall(b"more"))
                assert await client.receive() == b"more"
                assert client.pending == 1


@on_every_loop
async def test_row_115_an_awaited_call_never_tells_that_it_would_block() -> None:
    """Awaited, accept, connect, receive and send wait where nowait() gives the BlockingIOError of a CAsyncSocket."""
    async with aio.Server() as server, aio.Client() as client, anyio.create_task_group() as tasks:
        await server.create(0, HOST)
        server.listen()
        await client.create(0, HOST)
        with pytest.raises(BlockingIOError):
            nowait(server.accept())
        accepted = aio.Accepted()
        async with accepted:
            async with anyio.create_task_group() as accepting:
                accepting.start_soon(server.accept, accepted)
                await waiting(server)
                await client.connect(*server.get_sock_name())
            with pytest.raises(BlockingIOError):
                nowait(client.receive())
            tasks.start_soon(once_waiting, client, lambda: nowait(accepted.send(b"data")))
            assert await client.receive() == b"data"
            size = 1 << 24
            received = 0

            async def read_all() -> None:
                nonlocal received
                while received < size:
                    received += len(await accepted.receive(1 << 20))

            async with anyio.create_task_group() as reading:
                reading.start_soon(read_all)
                assert await client.send(bytes(size)) == size

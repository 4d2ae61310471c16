"""Connected pairs in an event loop, each way of talking over them in the same shape: send, receive, close."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import anyio
from anyio.abc import SocketAttribute

from benchmarks.loopback import BACKLOG, HOST, set_options
from lifecycle import aio
from lifecycle.conformance.adapters.certificates import client_context, server_context

CHUNK = 65536


class Pair(NamedTuple):
    """Both ends of one connection: what one trip does at the client's, and what the server's does for ever."""

    trip: Callable[[bytes], Awaitable[object]]
    echo: Callable[[], Awaitable[object]]
    close: Callable[[], object]


async def governed_pairs(count: int, *, secured: bool = False) -> list[Pair]:
    """Of lifecycle.aio."""
    pairs = []
    async with aio.Server() as server:
        await server.create(0, HOST)
        server.listen(BACKLOG)
        for _ in range(count):
            client = aio.Client()
            await client.create(0, HOST)
            await client.connect(*server.get_sock_name())
            accepted = await server.accept()
            for end in (client, accepted):
                set_options(end._socket)
            if secured:
                async with anyio.create_task_group() as handshakes:
                    handshakes.start_soon(accepted.start_tls, server_context())
                    handshakes.start_soon(client.start_tls, client_context())
            pairs.append(governed_pair(client, accepted))
    return pairs


def governed_pair(client: aio.Client, accepted: aio.Accepted) -> Pair:
    """Two ends of lifecycle.aio."""

    async def trip(message: bytes) -> None:
        await client.send(message)
        await client.receive()

    async def echo() -> None:
        while data := await accepted.receive():
            await accepted.send(data)

    def close() -> None:
        client.close()
        accepted.close()

    return Pair(trip, echo, close)


async def raw_pairs(count: int) -> list[Pair]:
    """By hand: the loop's sock_* calls on plain sockets."""
    pairs = []
    with socket.create_server((HOST, 0), backlog=BACKLOG) as listener:
        for _ in range(count):
            client = socket.create_connection(listener.getsockname())
            accepted, _ = listener.accept()
            for end in (client, accepted):
                set_options(end)
                end.setblocking(False)
            pairs.append(raw_pair(asyncio.get_running_loop(), client, accepted))
    return pairs


def raw_pair(loop: asyncio.AbstractEventLoop, client: socket.socket, accepted: socket.socket) -> Pair:
    """Two plain sockets."""

    async def trip(message: bytes) -> None:
        await loop.sock_sendall(client, message)
        await loop.sock_recv(client, CHUNK)

    async def echo() -> None:
        while data := await loop.sock_recv(accepted, CHUNK):
            await loop.sock_sendall(accepted, data)

    def close() -> None:
        client.close()
        accepted.close()

    return Pair(trip, echo, close)


async def asyncio_pairs(count: int, *, secured: bool = False) -> list[Pair]:
    """Of asyncio's streams."""
    serving, asking = ({"ssl": server_context()}, {"ssl": client_context()}) if secured else ({}, {})
    waiting: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await waiting.put((reader, writer))

    pairs = []
    server = await asyncio.start_server(keep, HOST, 0, backlog=BACKLOG, **serving)
    for _ in range(count):
        ends = (await asyncio.open_connection(*server.sockets[0].getsockname(), **asking), await waiting.get())
        for _, writer in ends:
            set_options(writer.get_extra_info("socket"))
        pairs.append(asyncio_pair(*ends))
    server.close()
    return pairs


def asyncio_pair(client: Any, accepted: Any) -> Pair:
    """Two ends of asyncio's streams, each a reader and a writer."""
    reader, writer = client
    accepted_reader, accepted_writer = accepted

    async def trip(message: bytes) -> None:
        writer.write(message)
        await writer.drain()
        await reader.read(CHUNK)

    async def echo() -> None:
        while data := await accepted_reader.read(CHUNK):
            accepted_writer.write(data)
            await accepted_writer.drain()

    def close() -> None:
        writer.close()
        accepted_writer.close()

    return Pair(trip, echo, close)


async def anyio_pairs(count: int) -> list[Pair]:
    """Of anyio's TCP streams."""
    pairs = []
    async with await anyio.create_tcp_listener(local_host=HOST, local_port=0, backlog=BACKLOG) as listener:
        [acceptor] = listener.listeners
        for _ in range(count):
            client = await anyio.connect_tcp(HOST, listener.extra(SocketAttribute.local_port))
            accepted = await acceptor.accept()  # type: ignore[attr-defined]
            for end in (client, accepted):
                set_options(end.extra(SocketAttribute.raw_socket))
            pairs.append(anyio_pair(client, accepted))
    return pairs


def anyio_pair(client: Any, accepted: Any) -> Pair:
    """Two streams of anyio."""

    async def trip(message: bytes) -> None:
        await client.send(message)
        await client.receive(CHUNK)

    async def echo() -> None:
        try:
            while True:
                await accepted.send(await accepted.receive(CHUNK))
        except anyio.EndOfStream:
            pass

    async def close() -> None:
        await client.aclose()
        await accepted.aclose()

    return Pair(trip, echo, close)


WAYS: dict[str, Callable[[int], Awaitable[list[Pair]]]] = {
    "lifecycle": governed_pairs,
    "loop.sock_*": raw_pairs,
    "asyncio streams": asyncio_pairs,
    "anyio streams": anyio_pairs,
    "lifecycle, TLS": partial(governed_pairs, secured=True),
    "asyncio streams, TLS": partial(asyncio_pairs, secured=True),
}
"""name -> makes so many connected pairs in the loop that runs"""

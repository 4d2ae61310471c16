"""The awaited calls that campaigns try, on asyncio, in plain text and over TLS."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, suppress
from typing import Any

from lifecycle import aio
from lifecycle.conformance.adapters.certificates import client_context

from .blocking_calls import HOST, Case, listener
from .tls_calls import DATA, PATIENCE, SECURE, echo_over_tls, tls_faults

Make = Callable[[ExitStack, str], Coroutine[Any, Any, Case]]
CASES: dict[str, Make] = {}


def case(make: Make) -> Make:
    CASES[make.__name__.strip("_")] = make
    return make


def make_awaited(stack: ExitStack, kind: type[Any], engine: str) -> Any:
    sock = kind(engine=engine)
    stack.callback(sock.close)
    return sock


async def awaited_pair(stack: ExitStack, engine: str) -> tuple[aio.Client, socket.socket]:
    client = make_awaited(stack, aio.Client, engine)
    listening = listener(stack)
    await client.create(0, HOST)
    await client.connect(*listening.getsockname())
    return client, stack.enter_context(listening.accept()[0])


async def awaited_server(stack: ExitStack, engine: str) -> aio.Server:
    server = make_awaited(stack, aio.Server, engine)
    await server.create(0, HOST)
    server.listen()
    return server


async def awaited_datagram(stack: ExitStack, engine: str) -> aio.Datagram:
    datagram = make_awaited(stack, aio.Datagram, engine)
    await datagram.create(0, HOST)
    return datagram


@case
async def create(stack: ExitStack, engine: str) -> Case:
    sock = make_awaited(stack, aio.Server, engine)
    return Case(lambda: sock.create(0, HOST), (sock,), stack)


@case
async def bind(stack: ExitStack, engine: str) -> Case:
    sock = make_awaited(stack, aio.Client, engine)
    sock.open()
    return Case(lambda: sock.bind(0, HOST), (sock,), stack)


@case
async def listen(stack: ExitStack, engine: str) -> Case:
    sock = make_awaited(stack, aio.Server, engine)
    await sock.create(0, HOST)
    return Case(sock.listen, (sock,), stack)


@case
async def accept(stack: ExitStack, engine: str) -> Case:
    server, target = await awaited_server(stack, engine), make_awaited(stack, aio.Accepted, engine)
    stack.enter_context(socket.create_connection(server.local_address))
    return Case(lambda: server.accept(target), (server, target), stack)


@case
async def accept_that_waits(stack: ExitStack, engine: str) -> Case:
    server, target = await awaited_server(stack, engine), make_awaited(stack, aio.Accepted, engine)
    peer = stack.enter_context(socket.socket())
    peer.setblocking(False)
    asyncio.get_running_loop().call_later(0.002, peer.connect_ex, tuple(server.local_address))
    return Case(lambda: server.accept(target), (server, target), stack)


@case
async def connect(stack: ExitStack, engine: str) -> Case:
    client = make_awaited(stack, aio.Client, engine)
    client.open()
    address = listener(stack).getsockname()
    return Case(lambda: client.connect(*address), (client,), stack)


@case
async def connect_refused(stack: ExitStack, engine: str) -> Case:
    client = make_awaited(stack, aio.Client, engine)
    client.open()
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port = unused.getsockname()[1]

    async def call() -> None:
        with suppress(ConnectionRefusedError):
            await client.connect(HOST, port)

    return Case(call, (client,), stack)


@case
async def connect_to_a_name(stack: ExitStack, engine: str) -> Case:
    client = make_awaited(stack, aio.Client, engine)
    await client.create()
    port = listener(stack).getsockname()[1]
    return Case(lambda: client.connect("localhost", port), (client,), stack)


@case
async def set_peer_and_disconnect(stack: ExitStack, engine: str) -> Case:
    datagram = await awaited_datagram(stack, engine)

    async def call() -> None:
        await datagram.connect(HOST, 9)
        datagram.disconnect()

    return Case(call, (datagram,), stack)


@case
async def receive_from_that_waits(stack: ExitStack, engine: str) -> Case:
    datagram = await awaited_datagram(stack, engine)
    peer = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    asyncio.get_running_loop().call_later(0.002, peer.sendto, b"x", tuple(datagram.local_address))
    return Case(datagram.receive_from, (datagram,), stack)


@case
async def receive_that_waits(stack: ExitStack, engine: str) -> Case:
    client, peer = await awaited_pair(stack, engine)
    asyncio.get_running_loop().call_later(0.002, peer.send, b"x")
    return Case(client.receive, (client,), stack)


@case
async def receive_the_end(stack: ExitStack, engine: str) -> Case:
    client, peer = await awaited_pair(stack, engine)
    asyncio.get_running_loop().call_later(0.002, peer.shutdown, socket.SHUT_WR)
    return Case(client.receive, (client,), stack)


@case
async def send_that_waits(stack: ExitStack, engine: str) -> Case:
    client, peer = await awaited_pair(stack, engine)
    came: list[int] = []
    data = bytes(6_000_000)

    def read() -> None:
        came.extend(map(len, iter(lambda: peer.recv(1 << 20), b"")))

    reader = threading.Thread(target=read)
    asyncio.get_running_loop().call_later(0.002, reader.start)

    def check(done: Case) -> Iterator[str]:
        sent = done.results[0] if done.results else client.sent
        client.close()
        if reader.ident is None:
            reader.start()
        reader.join(PATIENCE)
        if sent != sum(came):
            yield f"{sent} bytes were sent, as the object says, and {sum(came)} came"

    return Case(lambda: client.send(data), (client,), stack, check=check)


@case
async def shut_down(stack: ExitStack, engine: str) -> Case:
    client, _ = await awaited_pair(stack, engine)
    return Case(lambda: client.shut_down("both"), (client,), stack)


@case
async def attach_and_detach(stack: ExitStack, engine: str) -> Case:
    client = make_awaited(stack, aio.Client, engine)
    given = socket.create_connection(listener(stack).getsockname()).detach()
    done = Case(lambda: (client.attach(given), client.detach())[1], (client,), stack, [given])

    def close() -> None:
        with suppress(OSError):  # the object had it
            socket.close(given)

    stack.callback(close)
    return done


@case
async def close_while_a_call_waits(stack: ExitStack, engine: str) -> Case:
    client, _ = await awaited_pair(stack, engine)
    waiting = asyncio.ensure_future(client.receive())
    await asyncio.sleep(0)

    async def call() -> bool:
        client.close()
        await asyncio.wait({waiting}, timeout=PATIENCE)
        return waiting.done()

    def check(done: Case) -> Iterator[str]:
        if done.results == [False]:
            yield "close() has left a call waiting"
        client.close()
        waiting.cancel()

    return Case(call, (), stack, check=check)


async def awaited_tls(stack: ExitStack, engine: str, *, begun: bool = True) -> aio.Client:
    client, peer = await awaited_pair(stack, engine)
    echo_over_tls(stack, peer)
    if begun:
        await client.start_tls(client_context(), **SECURE)
    return client


@case
async def start_tls(stack: ExitStack, engine: str) -> Case:
    client = await awaited_tls(stack, engine, begun=False)
    return Case(lambda: client.start_tls(client_context(), **SECURE), (client,), stack, check=tls_faults)


@case
async def send_over_tls(stack: ExitStack, engine: str) -> Case:
    client = await awaited_tls(stack, engine)
    return Case(lambda: client.send(DATA), (client,), stack, check=tls_faults)


@case
async def receive_over_tls(stack: ExitStack, engine: str) -> Case:
    client = await awaited_tls(stack, engine)
    await client.send(b"x")
    return Case(client.receive, (client,), stack, check=tls_faults)


@case
async def end_tls(stack: ExitStack, engine: str) -> Case:
    client = await awaited_tls(stack, engine)

    async def call() -> None:
        client.shut_down()
        while await client.receive():
            pass
        await client.stop_tls()

    return Case(call, (client,), stack, check=tls_faults)

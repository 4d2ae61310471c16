"""Whether all that is sent over TLS arrives where a client ends its sends, and waits for the server's end before it closes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio

from lifecycle import Server, aio, open_connection
from lifecycle.conformance.adapters.certificates import client_context, server_context

HOST, NAME = "127.0.0.1", "localhost"
PATIENCE = 20.0
TICKETS = 2

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@dataclass
class Served:
    """What a server has received, and how its connection ended."""

    received: bytearray = field(default_factory=bytearray)
    error: OSError | None = None


def by_lifecycle(connection: Any, context: ssl.SSLContext, served: Served, greeting: bytes, answer: bytes) -> None:
    """Serve one connection of this package's server."""
    connection.start_tls(context)
    connection.send(greeting)
    for part in iter(connection.receive, b""):
        served.received += part
    connection.send(answer)
    connection.shut_down("sends")


def by_ssl(connection: socket.socket, context: ssl.SSLContext, served: Served, greeting: bytes, answer: bytes) -> None:
    """Serve one connection by ssl.SSLSocket."""
    with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as secured:
        secured.sendall(greeting)
        for part in iter(partial(secured.recv, 65536), b""):
            served.received += part
        secured.sendall(answer)
        secured.unwrap()


@contextmanager
def raw_server() -> Iterator[Any]:
    """A listening socket of the standard library, with the names that serving() needs."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener


@contextmanager
def governed_server() -> Iterator[Any]:
    """A server of this package."""
    with Server(timeout=PATIENCE) as server:
        server.create(0, HOST)
        server.listen()
        yield server


@contextmanager
def serving(way: str, version: ssl.TLSVersion, greeting: bytes, answer: bytes) -> Iterator[tuple[tuple[str, int], Served]]:
    """A server for one connection, in a thread: its address, and what it has seen when the block has ended."""
    served = Served()
    serve = by_lifecycle if way == "lifecycle" else by_ssl

    def run() -> None:
        accepted = server.accept()
        with accepted if way == "lifecycle" else accepted[0] as connection:
            if way != "lifecycle":
                connection.settimeout(PATIENCE)
            try:
                serve(connection, server_context(version, tickets=TICKETS), served, greeting, answer)
            except OSError as error:
                served.error = error

    with (governed_server if way == "lifecycle" else raw_server)() as server:
        address = server.get_sock_name() if way == "lifecycle" else server.getsockname()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield address, served
        thread.join(PATIENCE)


def ask(address: tuple[str, int], version: ssl.TLSVersion, data: bytes, *, ends: bool = True) -> bytes:
    """Send, end the sends, receive to the end, and close; what came. ends: or else only send and close."""
    with open_connection(*address, timeout=PATIENCE) as client:
        client.start_tls(client_context(version, checks_name=True), server_hostname=NAME)
        client.send(data)
        if not ends:
            return b""
        client.shut_down("sends")
        return b"".join(iter(client.receive, b""))


async def ask_awaited(address: tuple[str, int], version: ssl.TLSVersion, data: bytes) -> bytes:
    """The same, awaited."""
    with anyio.fail_after(PATIENCE):
        async with await aio.open_connection(*address) as client:
            await client.start_tls(client_context(version, checks_name=True), server_hostname=NAME)
            await client.send(data)
            client.shut_down("sends")
            return b"".join([part async for part in client])


ASKS: dict[str, Callable[[tuple[str, int], ssl.TLSVersion, bytes], bytes]] = {
    "blocking": ask,
    "asyncio": lambda *arguments: anyio.run(ask_awaited, *arguments),
    "uvloop": lambda *arguments: anyio.run(ask_awaited, *arguments, backend_options={"use_uvloop": True}),
    "trio": lambda *arguments: anyio.run(ask_awaited, *arguments, backend="trio"),
}


@dataclass(frozen=True)
class Trial:
    """name, and what is sent: by the client, by the server before it has received anything, and after all of it."""

    name: str
    data: bytes
    greeting: bytes = b""
    answer: bytes = b""

    def lost(self, asks: str, way: str, version: ssl.TLSVersion) -> str:
        """What one run of it has lost, or ""."""
        with serving(way, version, self.greeting, self.answer) as (address, served):
            answer = ASKS[asks](address, version, self.data)
        if served.error is not None or served.received != self.data:
            return f"{len(self.data) - len(served.received)} of {len(self.data)} bytes did not arrive: {served.error!r}"
        return "" if answer == self.greeting + self.answer else f"the answer was {answer[:50]!r}"


TRIALS = (
    Trial("1 MB, and the documented end", bytes(1_000_000)),
    Trial("half-close with data unread", b"question", greeting=b"greeting ", answer=b"answer"),
)


def closed_at_once(version: ssl.TLSVersion, data: bytes) -> bool:
    """Whether all arrives at a server of this package where the client only sends and closes."""
    with serving("lifecycle", version, b"", b"") as (address, served):
        ask(address, version, data, ends=False)
    return served.received == data

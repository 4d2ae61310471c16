"""Connected pairs of Unix-domain sockets in an event loop, each way of talking over them as aio_pairs has it for TCP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from anyio.abc import UNIXSocketStream

from benchmarks.aio_pairs import Pair, anyio_pair, asyncio_pair, governed_pair, raw_pair
from benchmarks.loopback import OPTIONS
from lifecycle import Accepted, Client, aio


def ends() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets of the standard library, with the buffers of every pair."""
    pair = socket.socketpair(socket.AF_UNIX)
    for end in pair:
        for level, option, value in OPTIONS:
            if level == socket.SOL_SOCKET:
                end.setsockopt(level, option, value)
    return pair


@contextmanager
def raw_ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The same, in their default, blocking mode."""
    client, accepted = ends()
    with client, accepted:
        yield client, accepted


@contextmanager
def governed_ends() -> Iterator[tuple[Client, Accepted]]:
    """A client and an accepted end over such a pair."""
    with Client() as client, Accepted() as accepted:
        for governed, end in zip((client, accepted), ends(), strict=True):
            governed.attach(end)
        yield client, accepted


async def governed_pairs(count: int) -> list[Pair]:
    """Of lifecycle.aio."""
    pairs = []
    for _ in range(count):
        client, accepted = aio.Client(), aio.Accepted()
        for governed, end in zip((client, accepted), ends(), strict=True):
            governed.attach(end)
        pairs.append(governed_pair(client, accepted))
    return pairs


async def raw_pairs(count: int) -> list[Pair]:
    """By hand: the loop's sock_* calls on plain sockets."""
    pairs = []
    for _ in range(count):
        client, accepted = ends()
        for end in (client, accepted):
            end.setblocking(False)
        pairs.append(raw_pair(asyncio.get_running_loop(), client, accepted))
    return pairs


async def asyncio_pairs(count: int) -> list[Pair]:
    """Of asyncio's streams."""
    return [asyncio_pair(*[await asyncio.open_unix_connection(sock=end) for end in ends()]) for _ in range(count)]


async def anyio_pairs(count: int) -> list[Pair]:
    """Of anyio's streams."""
    return [anyio_pair(*[await UNIXSocketStream.from_socket(end) for end in ends()]) for _ in range(count)]


WAYS: dict[str, Callable[[int], Awaitable[list[Pair]]]] = {
    "lifecycle": governed_pairs,
    "loop.sock_*": raw_pairs,
    "asyncio streams": asyncio_pairs,
    "anyio streams": anyio_pairs,
}
"""name -> makes so many connected pairs in the loop that runs"""

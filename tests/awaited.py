"""Awaited sockets in a connection, and how a test sees that a call waits."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from loopback import HOST, raw_listener

from lifecycle import aio
from lifecycle.system.polling import is_ready


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[aio.Client, socket.socket]]:
    """A client and the plain socket at the other end."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                yield client, peer


async def waiting(*objects: aio.Client | aio.Server | aio.Accepted | aio.Datagram) -> None:
    """Return when a call waits on each of them."""
    while not all(each.is_blocking for each in objects):
        await anyio.sleep(0)


async def until_ready(target: aio.Client | aio.Accepted | aio.Datagram, *, writing: bool = False) -> None:
    """Return when the system has something to receive, or, writing, room for something to send or a connect's result."""
    while not is_ready(target.fileno(), writing=writing):
        await anyio.sleep(0)

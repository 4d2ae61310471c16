"""Servers that serve, for the tests of serve()."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from loopback import HOST

from lifecycle import aio


@asynccontextmanager
async def listening() -> AsyncIterator[aio.Server]:
    """A server that listens on a free port."""
    async with aio.Server() as server:
        await server.create(0, HOST)
        server.listen()
        yield server


async def echo(accepted: aio.Accepted) -> None:
    """Send everything back."""
    async for data in accepted:
        await accepted.send(data)


@asynccontextmanager
async def served(*arguments: Any, **options: Any) -> AsyncIterator[aio.Server]:
    """A server whose serve() runs meanwhile."""
    async with listening() as server, anyio.create_task_group() as tasks:

        async def serve() -> None:
            await server.serve(*arguments, **options)

        tasks.start_soon(serve)
        yield server
        tasks.cancel_scope.cancel()


async def connected(server: aio.Server) -> aio.Client:
    client = aio.Client()
    client.open()
    await client.connect(*server.get_sock_name())
    return client

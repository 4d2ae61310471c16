"""An echo server in a process of its own: `python -m benchmarks.aio_server WAY`.

It prints its port, answers each line of its input with the bytes of memory it holds, and ends with its input.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import SocketAttribute, TaskStatus

from benchmarks.loopback import HOST
from lifecycle import aio
from lifecycle.conformance.adapters.certificates import server_context

BACKLOG = 4096
STATM = Path("/proc/self/statm")


async def governed_server(*, tls: ssl.SSLContext | None = None, task_status: TaskStatus[int]) -> None:
    """Of lifecycle.aio."""

    async def echo(accepted: aio.Accepted) -> None:
        while data := await accepted.receive():
            await accepted.send(data)

    async with aio.Server() as server:
        await server.create(0, HOST)
        server.listen(BACKLOG)
        task_status.started(server.get_sock_name().port)
        await server.serve(echo, tls=tls)


async def asyncio_server(*, tls: ssl.SSLContext | None = None, task_status: TaskStatus[int]) -> None:
    """Of asyncio's streams."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0, backlog=BACKLOG, ssl=tls)
    task_status.started(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


async def anyio_server(*, task_status: TaskStatus[int]) -> None:
    """Of anyio's TCP streams."""

    async def echo(stream: Any) -> None:
        async with stream:
            async for data in stream:
                await stream.send(data)

    async with await anyio.create_tcp_listener(local_host=HOST, local_port=0, backlog=BACKLOG) as listener:
        task_status.started(listener.extra(SocketAttribute.local_port))
        await listener.serve(echo)


SERVERS: dict[str, Callable[..., Awaitable[None]]] = {
    "lifecycle": governed_server,
    "asyncio streams": asyncio_server,
    "anyio streams": anyio_server,
}

SECURED: dict[str, Callable[..., Awaitable[None]]] = {
    "lifecycle, TLS": governed_server,
    "asyncio streams, TLS": asyncio_server,
}


def allow_all_descriptors() -> int:
    """Raise this process's limit of descriptors as far as it may; the limit, or 0 where the system does not report one."""
    try:
        import resource
    except ImportError:
        return 0
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def resident_bytes() -> int:
    """The memory that the process holds now, or its peak where the system reports only that."""
    if STATM.exists():
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def serve(way: str) -> None:
    """Serve until the input ends, in the main thread, as programs do; a thread reads the input."""
    async with anyio.create_task_group() as tasks:
        print(await tasks.start(SERVERS.get(way) or partial(SECURED[way], tls=server_context())), flush=True)
        await anyio.to_thread.run_sync(answer_questions)
        tasks.cancel_scope.cancel()


def answer_questions() -> None:
    """Tell the memory for each line of input."""
    for _ in sys.stdin:
        print(resident_bytes(), flush=True)


if __name__ == "__main__":
    allow_all_descriptors()
    anyio.run(serve, sys.argv[1])

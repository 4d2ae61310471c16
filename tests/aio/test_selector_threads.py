"""Waits in a loop that watches no descriptors: many of them, closed ones, and the end of the threads."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import anyio
import pytest
from awaited import connected, waiting
from event_loops import EventLoop, on_every_loop
from loopback import LONG, SHORT

from lifecycle import ClosedDuringCall
from lifecycle.net.aio import selector_threads
from lifecycle.net.aio.readiness import LoopReadiness
from lifecycle.net.aio.selector_threads import MOST, notify_closing, wait_readable, wait_writable


@pytest.fixture(autouse=True)
def threads_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads end as soon as nothing waits, and every test waits for that."""
    monkeypatch.setattr(selector_threads, "LINGER", 0.0)
    yield
    for thread in threading.enumerate():
        if thread.name == "lifecycle selector":
            thread.join(LONG)  # the last thing that it does is to close its waker
    assert not selector_threads._threads


def running(main: object) -> None:
    asyncio.run(asyncio.wait_for(main, LONG))  # type: ignore[arg-type]


def test_a_closed_descriptor_ends_its_own_wait_only() -> None:
    """A descriptor that is closed under select() ends its wait, with and without a notice; the other waits go on."""

    async def main() -> None:
        pairs = [socket.socketpair() for _ in range(3)]
        waits = [asyncio.ensure_future(wait_readable(reader)) for reader, _ in pairs]
        await asyncio.sleep(0)
        notify_closing(pairs[0][0])
        pairs[0][0].close()
        await waits[0]
        pairs[1][0].close()
        await asyncio.ensure_future(wait_writable(pairs[2][0]))  # the thread looks again, and finds the closed one
        await waits[1]
        assert not waits[2].done()
        pairs[2][1].send(b"data")
        await waits[2]
        for each in (*pairs[0], *pairs[1], *pairs[2]):
            each.close()

    running(main())


def test_more_waits_than_a_thread_takes() -> None:
    """Beyond what one select() may watch there is another thread; each wait ends for its own socket, or is cancelled."""

    async def main() -> None:
        pairs = [socket.socketpair() for _ in range(20)]
        waits = [asyncio.ensure_future(wait_readable(pairs[each % 20][0])) for each in range(MOST + 20)]
        await asyncio.sleep(0)
        assert sorted(len(each.waits) for each in selector_threads._threads) == [20, MOST]
        for each in waits[20:]:
            each.cancel()
        for _, writer in pairs:
            writer.send(b"data")
        ended = await asyncio.gather(*waits, return_exceptions=True)
        assert [each is None for each in ended] == [True] * 20 + [False] * MOST
        for each in pairs:
            each[0].close()
            each[1].close()

    running(main())


def test_the_next_wait_has_a_new_thread() -> None:
    """A thread without waits ends after a moment, and the next wait has a new one."""

    async def main() -> None:
        reader, writer = socket.socketpair()
        with reader, writer:
            for _ in range(3):
                await wait_writable(writer)
                while selector_threads._threads:
                    await asyncio.sleep(0)

    running(main())


@on_every_loop
async def test_a_loop_without_add_reader_works_too(monkeypatch: pytest.MonkeyPatch, event_loop: EventLoop) -> None:
    """Where the loop cannot watch descriptors itself (Windows), threads do: the same calls, the same ends."""
    for module in ("readiness", "anyio_readiness"):
        monkeypatch.setattr(f"lifecycle.net.aio.{module}.watches_descriptors", lambda loop: False)
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        received = anyio.Event()

        async def first() -> None:
            assert await client.receive() == b"data"
            received.set()

        tasks.start_soon(first)
        await waiting(client)
        assert not isinstance(client._reading, LoopReadiness)
        peer.sendall(b"data")
        await received.wait()

        async def overtaken() -> None:
            with pytest.raises(ClosedDuringCall):
                await client.receive()

        tasks.start_soon(overtaken)
        tasks.start_soon(overtaken)
        await waiting(client)
        await anyio.sleep(SHORT / 5)
        client.close()

"""The claim: awaited calls are faster than streams, and cost at most 1.1 times what loop.sock_* calls by hand do.

1 KiB echo round trips over the loopback interface, both ends in one event loop, over one connection and over 100 at a time.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import inspect
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from benchmarks.aio_pairs import WAYS, Pair
from benchmarks.claim import Claim, Figure
from benchmarks.effort import Effort
from benchmarks.interleaved import Series, duration

Makers = Mapping[str, Callable[[int], Awaitable[list[Pair]]]]

MESSAGE = bytes(1024)

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)

PLAIN = ("lifecycle", "loop.sock_*", "asyncio streams", "anyio streams")

LOOPS = {
    "asyncio": ("asyncio", {}, PLAIN),
    "uvloop": ("asyncio", {"use_uvloop": True}, PLAIN),
    "trio": ("trio", {}, ("lifecycle", "anyio streams")),
}
"""name -> anyio's backend, its options, and the ways that there are in it"""

SHAPES = {1: 500, 100: 20}
"""connections at a time -> round trips of each in a batch"""

LIMITS = {
    ("asyncio", "loop.sock_*"): 1.1,
    ("asyncio", "asyncio streams"): 1.0,
    ("asyncio", "anyio streams"): 1.0,
    ("uvloop", "asyncio streams"): 1.0,
    ("uvloop", "anyio streams"): 1.0,
    ("trio", "anyio streams"): 1.0,
}
"""(loop, way) -> the longest that lifecycle may take, in times of what that way takes"""


def measure(effort: Effort, makers: Makers = WAYS, rounds: int = 100) -> list[Figure]:
    """A figure per loop, shape and other way. makers: what makes the pairs of each way."""
    _keep_freed_memory()
    figures = []
    for loop in LOOPS:
        if loop == "asyncio" or importlib.util.find_spec(loop) is not None:
            for connections in SHAPES:
                figures += _measure(effort, loop, connections, makers, rounds)
    return figures


def _keep_freed_memory() -> None:
    """Tell glibc not to give memory back to the system.

    asyncio's streams receive into 256 KiB each time. Where that happens to lie at the end of the heap, each of them costs page
    faults, and a trip takes more than twice as long: they are measured at their best.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # another system, another allocator
        return
    for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
        mallopt(parameter, 1 << 25)


def _measure(effort: Effort, loop: str, connections: int, makers: Makers, rounds: int) -> list[Figure]:
    backend, options, ways = LOOPS[loop]
    series = anyio.run(rounds_of, effort, ways, connections, makers, rounds, backend=backend, backend_options=options)
    times = {way: series.nanoseconds(way) for way in ways}
    return [
        Figure(
            f"{loop}, {connections} at a time, against {way}",
            series.ratio("lifecycle", way),
            "x",
            LIMITS.get((loop, way)),
            baseline=f"{way} {duration(times[way])}",
            nanoseconds=times,
        )
        for way in ways
        if way != "lifecycle"
    ]


async def rounds_of(effort: Effort, ways: Sequence[str], connections: int, makers: Makers = WAYS, rounds: int = 100) -> Series:
    """As interleave(), in an event loop: every way once per round, in shuffled order."""
    series = Series(ways)
    shuffled, present = random.Random(0), list(ways)
    async with AsyncExitStack() as stack:
        pairs = {way: await stack.enter_async_context(_echoed(makers[way], connections)) for way in ways}
        gc.collect()
        gc.disable()
        try:
            for _ in effort.rounds(rounds):
                shuffled.shuffle(present)
                series.add({way: [await _batch(pairs[way], SHAPES[connections])] for way in present})
        finally:
            gc.enable()
    return series


async def _batch(pairs: Sequence[Pair], trips: int) -> float:
    """The nanoseconds of one round trip."""
    begin = time.perf_counter_ns()
    async with anyio.create_task_group() as talks:
        for pair in pairs:
            talks.start_soon(_talk, pair, trips)
    return (time.perf_counter_ns() - begin) / (trips * len(pairs))


async def _talk(pair: Pair, trips: int) -> None:
    for _ in range(trips):
        await pair.trip(MESSAGE)


@asynccontextmanager
async def _echoed(make: Callable[[int], Awaitable[list[Pair]]], connections: int) -> AsyncIterator[list[Pair]]:
    pairs = await make(connections)
    async with anyio.create_task_group() as echoes:
        for pair in pairs:
            echoes.start_soon(pair.echo)
        yield pairs
        echoes.cancel_scope.cancel()
    for pair in pairs:
        closing = pair.close()
        if inspect.isawaitable(closing):
            await closing


CLAIM = Claim("aio-echo", "1 KiB echo round trips, awaited", measure)

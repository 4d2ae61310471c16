"""Sends of several tasks on one stream: made one after the other, whole, however they end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby

import anyio
import pytest
from event_loops import on_every_loop
from hypothesis import given
from hypothesis import strategies as st
from loopback import HOST, raw_listener

from lifecycle import BlockingCallCancelled, ClosedDuringCall, IllegalCall, SendWouldBlock, aio
from lifecycle.aio import nowait
from lifecycle.net.aio.send_queue import SendQueue

SIZE = 1 << 19  # more than a connection takes whose buffers are small
SMALL_BUFFER = 4096


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[aio.Client, socket.socket]]:
    """A client and the plain socket at the other end, between which little fits."""
    with raw_listener() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        async with aio.Client() as client:
            client.open()
            client.set_option(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
            await client.connect(*listener.getsockname())
            peer, _ = listener.accept()
            with peer:
                peer.setblocking(False)
                yield client, peer


async def read(peer: socket.socket, size: int) -> bytes:
    """Just so many bytes."""
    data = bytearray()
    while len(data) < size:
        try:
            data += peer.recv(size - len(data))
        except BlockingIOError:
            await anyio.sleep(0)
    return bytes(data)


async def turns() -> None:
    """Let the tasks that were started come to where they wait."""
    for _ in range(10):
        await anyio.sleep(0)


def runs(data: bytes) -> list[tuple[str, int]]:
    """(letter, how often it comes in a row), one after the other."""
    return [(chr(letter), len(list(group))) for letter, group in groupby(data)]


@on_every_loop
async def test_sends_of_several_tasks_are_not_mixed() -> None:
    """Each message arrives whole, in the order in which the sends began, also one that is small enough to slip in."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        sizes = {"a": SIZE, "b": SIZE, "c": 1, "d": SIZE}
        for letter, size in sizes.items():
            tasks.start_soon(client.send, letter.encode() * size)
            await turns()
        assert runs(await read(peer, sum(sizes.values()))) == list(sizes.items())
        tasks.start_soon(client.send, b"e")
        assert await read(peer, 1) == b"e"


@on_every_loop
async def test_a_send_that_is_cancelled_lets_the_next_one_go_on() -> None:
    """One that waits for its turn has sent nothing; one that has its turn knows how much; those behind them are made."""
    told: dict[str, int] = {}

    async def send(letter: str, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                told[letter] = await client.send(letter.encode() * SIZE)
            except BaseException:
                told[letter] = client.sent
                raise

    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        scopes = {letter: anyio.CancelScope() for letter in "abcd"}
        for letter, scope in scopes.items():
            tasks.start_soon(send, letter, scope)
            await turns()
        scopes["b"].cancel()
        scopes["a"].cancel()
        await turns()
        scopes["c"].cancel()
        await turns()
        assert 0 < told["a"] < SIZE
        assert told["b"] == 0
        assert told["c"] < SIZE  # more than 0 where the system has made room meanwhile
        sent = {"a": told["a"], "c": told["c"], "d": SIZE}
        assert runs(await read(peer, sum(sent.values()))) == [(letter, count) for letter, count in sent.items() if count]
        await turns()
        assert told["d"] == SIZE


@on_every_loop
async def test_the_turn_passes_on_when_it_comes_with_a_cancellation() -> None:
    """A send whose turn has come in the moment in which it is cancelled hands it on."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        first, second = anyio.CancelScope(), anyio.CancelScope()

        async def send(data: bytes, scope: anyio.CancelScope) -> None:
            with scope:
                try:
                    await client.send(data)
                finally:
                    second.cancel()

        tasks.start_soon(send, b"a" * SIZE, first)
        await turns()
        tasks.start_soon(send, b"b" * SIZE, second)
        await turns()
        tasks.start_soon(client.send, b"c" * SIZE)
        await turns()
        first.cancel()
        await turns()
        sent = runs(await read(peer, SIZE))[0][1]
        assert runs(await read(peer, sent)) == [("c", sent)]


@on_every_loop
async def test_ending_all_sends() -> None:
    """close(), shut_down() and cancel_blocking_call() end the send that waits, and those that follow it."""
    ends = {"close": ClosedDuringCall, "shut_down": IllegalCall, "cancel_blocking_call": BlockingCallCancelled}
    for end, error in ends.items():
        async with connected() as (client, _), anyio.create_task_group() as tasks:

            async def overtaken(client: aio.Client, error: type[Exception]) -> None:
                with pytest.raises(error):
                    await client.send(bytes(SIZE))

            for _ in range(3):
                tasks.start_soon(overtaken, client, error)
            await turns()
            getattr(client, end)()
    async with connected() as (client, peer):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(overtaken, client, BlockingCallCancelled)
            await turns()
            client.cancel_blocking_call()
        sent = client.sent
        await read(peer, sent)
        assert await client.send(b"again") == 5
        assert await read(peer, 5) == b"again"


@on_every_loop
async def test_nowait_does_not_slip_in() -> None:
    """A send that must not wait would have to, while another one does: it has sent nothing."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(client.send, b"a" * SIZE)
        await turns()
        assert await read(peer, 1 << 10)
        with pytest.raises(SendWouldBlock) as failure:
            nowait(client.send(b"b"))
        assert failure.value.sent == 0
        tasks.cancel_scope.cancel()


def test_a_loop_that_left_its_sends_behind() -> None:
    """Sends that an asyncio loop was stopped in the middle of do not hold those of another loop up."""

    async def begin() -> None:
        left.append(asyncio.ensure_future(client.send(bytes(SIZE))))
        await asyncio.sleep(0)

    async def go_on() -> None:
        with anyio.fail_after(5):
            peer.setblocking(False)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.send, b"b" * SIZE)
                while b"b" not in await read(peer, 1):
                    pass
                await read(peer, SIZE - 1)

    left: list[asyncio.Future[int]] = []
    with raw_listener() as listener, aio.Client() as client:

        async def connect() -> None:
            client.open()
            client.set_option(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
            await client.connect(HOST, listener.getsockname()[1])

        first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
        first.run_until_complete(connect())
        peer, _ = listener.accept()
        with peer:
            first.run_until_complete(begin())
            second.run_until_complete(go_on())
            left[0].cancel()
            first.run_until_complete(asyncio.wait(left))
        first.close()
        second.close()


@given(st.lists(st.sampled_from(["enter", "leave", "give up"]), max_size=30))
def test_a_queue_has_one_turn_at_a_time(steps: list[str]) -> None:
    """In whatever order waiters leave, one of those that are left has the turn, the longest there; then nobody."""

    async def main() -> None:
        queue, followers = SendQueue(), []
        for step in steps:
            if step == "enter":
                followers.append(queue.enter())
            elif step == "give up" and followers:
                assert not queue.release(followers.pop())
            elif step == "leave" and followers:
                assert not queue.release()
                assert followers.pop(0).is_set()
            assert not any(each.is_set() for each in followers)
        while followers:
            assert not queue.release()
            assert followers.pop(0).is_set()
        assert queue.release()

    anyio.run(main)

"""timeout= of every call that waits, awaited: it ends that call alone, and nothing is lost."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import ssl
from contextlib import ExitStack
from functools import partial

import anyio
import pytest
from awaited import connected
from event_loops import on_every_loop
from loopback import LONG, Background, open_descriptors
from waiting_calls import SCENES, drain, fill

from lifecycle import Journal, SendTimedOut, SendWouldBlock, aio
from lifecycle.conformance.adapters.certificates import client_context, server_context
from lifecycle.net.operations.transfer import READ_SIZE

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="half of the calls wait over a Unix-domain socket")


@on_every_loop
async def test_calls_time_out_and_can_be_made_again() -> None:
    """After a time-out the object has its descriptor, blocking mode and state, and the call goes on when it can."""
    for name, scene in SCENES.items():
        with ExitStack() as stack:
            place = scene(aio, stack)
            subject = place.subject
            number, mode, descriptors = subject.fileno(), os.get_blocking(subject.fileno()), open_descriptors()
            for wrong, kind in ((-1, ValueError), ("1", TypeError)):
                with pytest.raises(kind):
                    await place.call(wrong)  # type: ignore[arg-type]
            with pytest.raises(TimeoutError):
                await place.call(0.01)
            with pytest.raises(BlockingIOError):
                await place.call(0)
            assert (name, subject.state, subject.fileno()) == (name, place.during, number)
            assert (os.get_blocking(number), subject.is_blocking, open_descriptors()) == (mode, False, descriptors), name
            place.end()
            if place.gives is not None:
                assert (name, await place.call(LONG)) == (name, place.gives)


@on_every_loop
async def test_a_time_out_is_an_outcome_and_a_cancellation_is_the_callers() -> None:
    """timeout= ends a call with `timed_out`; a cancellation that comes first is the caller's."""
    async with connected() as (client, _):
        with Journal(client) as journal:
            with pytest.raises(TimeoutError):
                await client.receive(timeout=0.01)
            with anyio.move_on_after(0.01) as scope:
                await client.receive(timeout=LONG)
        assert scope.cancelled_caught
        assert [each.outcome for each in journal.records] == ["timed_out", "failed"]


@on_every_loop
async def test_a_send_that_waits_for_its_turn_times_out() -> None:
    """A send behind another one that waits has sent nothing when its time is over, and the next one follows in its turn."""
    mine, peer = socket.socketpair()
    with peer, aio.Client() as client:
        client.attach(mine)
        fill(client)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, b"first")
            while not client.is_blocking:
                await anyio.sleep(0)
            with pytest.raises(SendTimedOut) as late:
                await client.send(b"second", timeout=0.01)
            with pytest.raises(SendWouldBlock):
                await client.send(b"second", timeout=0)
            assert late.value.sent == 0
            drain(peer)
        await client.send(b" third", timeout=LONG)
        assert peer.recv(99) == b"first third"


def test_open_connection_has_one_time_for_all_of_it() -> None:
    """open_connection(timeout=) ends a handshake that is never answered, and leaves nothing open."""

    async def main() -> None:
        before = open_descriptors()
        with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimeoutError):
            await aio.open_connection(*listener.getsockname(), tls=client_context(), timeout=0.05)
        assert open_descriptors() == before

    asyncio.run(main())


@on_every_loop
async def test_a_file_that_times_out_stands_behind_what_was_sent() -> None:
    """The error has the bytes of all parts that went, which is where the file is, so that the call may be made again."""
    one, other = aio.Client.socketpair()
    async with one, other:
        file = io.BytesIO(bytes(8 << 20))
        with pytest.raises(SendTimedOut) as caught:
            await one.send_file(file, timeout=0.05)
        assert READ_SIZE < caught.value.sent < 8 << 20
        assert file.tell() == caught.value.sent


def test_a_send_over_tls_that_times_out_says_what_will_arrive() -> None:
    """`sent` counts what TLS has taken, also of a send for whose first piece there was no room; a later send delivers it."""
    data = bytes(range(251)) * 280  # a piece of TLS and some more

    def everything(peer: ssl.SSLSocket) -> bytes:
        received = bytearray()
        while part := peer.recv(1 << 20):
            received += part
        return bytes(received)

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = Background(lambda: server_context().wrap_socket(listener.accept()[0], server_side=True))
            async with await aio.open_connection(*listener.getsockname(), tls=client_context(), timeout=LONG) as client:
                expected, late = b"", 0
                while late < 2:
                    try:
                        expected += data[: await client.send(data, timeout=0.05)]
                    except SendTimedOut as error:
                        expected += data[: error.sent]
                        late += 1
                with serving.result() as peer:
                    reading = Background(partial(everything, peer))
                    await client.send(b"end", timeout=LONG)
                    client.shut_down()
                    assert reading.result() == expected + b"end"

    asyncio.run(main())

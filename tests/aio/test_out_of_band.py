"""Out-of-band data as notifications, told by the event loop and by a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from unittest.mock import patch

import pytest
from event_loops import INSTALLED, LOOPS, EventLoop, on_every_loop
from loopback import reset, until
from notified import (
    noted_client,
)

from lifecycle.aio import Events, nowait
from lifecycle.net.notify import dispatcher, urgent


async def out_of_band_data_is_told() -> None:
    """OnOutOfBandData is called once for urgent data, and again after a receive if there is more."""
    async with noted_client(Events.OOB) as (client, peer):
        peer.send(b"!", socket.MSG_OOB)
        await client.diary.until_told("out of band")
        peer.sendall(b"data")
        await client.diary.stays()
        assert nowait(client.receive(1, socket.MSG_OOB)) == b"!"
        await client.diary.stays()
        peer.send(b"?", socket.MSG_OOB)
        await client.diary.until_told("out of band", "out of band")
        assert nowait(client.receive(1, socket.MSG_OOB)) == b"?"


@on_every_loop
async def test_out_of_band_data_is_told() -> None:
    """OnOutOfBandData is called once for urgent data, and again after a receive if there is more."""
    await out_of_band_data_is_told()


@on_every_loop
async def test_out_of_band_data_inline_is_data() -> None:
    """With SO_OOBINLINE urgent data is told by OnReceive, and not by OnOutOfBandData."""
    async with noted_client(Events.OOB | Events.READ) as (client, peer):
        client.set_option(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        peer.send(b"!", socket.MSG_OOB)
        await client.diary.until_told("receive")
        assert nowait(client.receive()) == b"!"


async def the_end_is_not_urgent() -> None:
    """The end of both directions, and a reset, are not out-of-band data."""
    for end in (lambda peer: peer.close(), reset):
        async with noted_client(Events.OOB) as (client, peer):
            client.shut_down()
            end(peer)
            await client.diary.stays()
            with suppress(ConnectionResetError):
                nowait(client.receive())
            await client.diary.stays()


@on_every_loop
async def test_the_end_is_not_urgent() -> None:
    """The end of both directions, and a reset, are not out-of-band data."""
    await the_end_is_not_urgent()


@pytest.mark.parametrize("behaviour", [out_of_band_data_is_told, the_end_is_not_urgent])
@pytest.mark.parametrize(
    "event_loop", [each for each in LOOPS if each.is_asyncio and INSTALLED[each.name]], ids=lambda each: each.name
)
def test_a_thread_watches_as_the_event_loop_does(event_loop: EventLoop, behaviour: Callable[[], Awaitable[None]]) -> None:
    """The same where a thread has to watch for it. (Not under trio, which keeps its threads for longer than a test lasts.)"""
    with patch.object(dispatcher, "until_urgent", urgent.until_urgent_by_thread):
        event_loop.run(behaviour)
    until(lambda: not [each for each in threading.enumerate() if each.name.startswith("AnyIO")])

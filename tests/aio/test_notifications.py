"""Notifications beyond the MFC checklist: connects, datagrams, masks, subclasses, and the block that tells them."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack
from typing import Any

import anyio
import pytest
from event_loops import on_every_loop
from loopback import HOST, raw_listener, unused_port
from notified import (
    Diary,
    NotedAccepted,
    NotedClient,
    NotedDatagram,
    noted_client,
    noted_server,
)

from lifecycle import MessageTruncated, aio
from lifecycle.aio import Events, nowait


@on_every_loop
async def test_a_connect_without_waiting_is_told_once() -> None:
    """A connect that does not wait leaves the object `connecting`; OnConnect(0) follows once, and then OnSend."""
    async with aio.notifications():
        with raw_listener() as listener:
            async with NotedClient(Diary()) as client:
                await client.create(0, HOST)
                with pytest.raises(BlockingIOError):
                    nowait(client.connect(*listener.getsockname()))
                assert client.state == "connecting"
                await client.diary.until_told(("connect", 0), "send")
                assert client.state == "connected"


@on_every_loop
async def test_calls_meanwhile_leave_the_result_of_a_connect_to_be_told() -> None:
    """What the program asks or sets while a connect is under way does not take OnConnect away."""
    async with aio.notifications():
        with raw_listener() as listener:
            async with NotedClient(Diary()) as client:
                await client.create(0, HOST)
                with pytest.raises(BlockingIOError):
                    nowait(client.connect(*listener.getsockname()))
                client.get_sock_name()
                client.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                assert client.state == "connecting"
                await client.diary.until_told(("connect", 0), "send")


@on_every_loop
async def test_a_refused_connect_is_told_and_leads_back() -> None:
    """A pending connect that is refused gives OnConnect(ECONNREFUSED), and the object is bound again and may retry."""
    async with aio.notifications():
        with raw_listener() as listener:
            async with NotedClient(Diary()) as client:
                await client.create(0, HOST)
                with pytest.raises(BlockingIOError):
                    nowait(client.connect(HOST, unused_port()))
                await client.diary.until_told(("connect", errno.ECONNREFUSED))
                assert client.state == "bound"
                await client.connect(*listener.getsockname())
                await client.diary.until_told(("connect", errno.ECONNREFUSED), "send")


@on_every_loop
async def test_an_awaited_connect_is_not_told() -> None:
    """An awaited connect tells itself how it ended: OnConnect is never called for it."""
    async with noted_client() as (client, _):
        await client.diary.until_told("send")


@on_every_loop
async def test_an_accepted_object_inherits_the_mask() -> None:
    """An accepted object is notified of its server's events, unless it chose its own before."""
    async with (
        noted_server(Events.ACCEPT | Events.CLOSE) as server,
        NotedAccepted(Diary()) as heir,
        NotedAccepted(Diary()) as own,
    ):
        own.select_events(Events.READ)
        with ExitStack() as stack:
            for accepted in (heir, own):
                peer = stack.enter_context(socket.create_connection(server.get_sock_name()))
                await server.accept(accepted)
                peer.sendall(b"data")
            await own.diary.until_told("receive")
            assert heir.diary.told == []


@on_every_loop
async def test_datagrams_are_told_of() -> None:
    """A datagram socket gets OnReceive per message that is received, be it longer than what is asked for, or an error."""
    async with aio.notifications(), NotedDatagram(Diary()) as datagram:
        datagram.select_events(Events.READ)
        await datagram.create(0, HOST)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            for message in (b"one", b"", b"three"):
                other.sendto(message, datagram.get_sock_name())
            await datagram.diary.until_told("receive")
            assert nowait(datagram.receive()) == b"one"
            await datagram.diary.until_told("receive", "receive")
            assert nowait(datagram.receive()) == b""
            await datagram.diary.until_told("receive", "receive", "receive")
            with pytest.raises(MessageTruncated):
                nowait(datagram.receive(2))
            await datagram.diary.stays()
        await datagram.connect(HOST, unused_port(socket.SOCK_DGRAM))
        nowait(datagram.send(b"to nobody"))
        await datagram.diary.until_told(*["receive"] * 4)
        with pytest.raises(ConnectionRefusedError):
            nowait(datagram.receive())


@on_every_loop
async def test_an_exception_of_a_callback_ends_the_block() -> None:
    """What a callback raises is raised by the block of notifications(), in an ExceptionGroup: it is not lost."""
    diary = Diary()

    def fail(_: Any) -> None:
        raise LookupError("of the callback")

    diary.reacts["receive"] = fail
    with pytest.raises(ExceptionGroup) as failure:
        async with noted_client(Events.READ, diary) as (_, peer):
            peer.sendall(b"data")
            await anyio.sleep_forever()
    assert failure.group_contains(LookupError, match="of the callback")


@on_every_loop
async def test_callbacks_need_somebody_who_calls_them() -> None:
    """An object whose class has callbacks cannot be made outside notifications(); one without callbacks can."""
    with pytest.raises(aio.NotificationsNotRunning, match=r"async with aio.notifications\(\)"):
        NotedClient(Diary())
    with aio.Client() as client:
        client.select_events(Events.READ)


@on_every_loop
async def test_a_mask_is_checked() -> None:
    """select_events() raises TypeError for what is not an int, ValueError for bits that are not an event."""
    async with noted_client(0) as (client, _):
        for wrong in (64, -1, 1 << 40):
            with pytest.raises(ValueError, match="not events"):
                client.select_events(wrong)
        for no_int in (None, "READ", True):
            with pytest.raises(TypeError):
                client.select_events(no_int)  # type: ignore[arg-type]


@on_every_loop
async def test_an_override_of_a_call_keeps_the_notifications() -> None:
    """A class that overrides a call beside its callbacks, or above them, is notified as any other."""

    class Upper(NotedClient):
        async def receive(self, size: int = 65536, flags: int = 0) -> bytes:
            return (await super().receive(size, flags)).upper()

    async with aio.notifications():
        with raw_listener() as listener:
            async with Upper(Diary()) as client:
                client.select_events(Events.READ)
                await client.create(0, HOST)
                await client.connect(*listener.getsockname())
                with listener.accept()[0] as peer:
                    peer.sendall(b"data")
                    await client.diary.until_told("receive")
                    assert nowait(client.receive(2)) == b"DA"
                    await client.diary.until_told("receive", "receive")


@on_every_loop
async def test_objects_outlive_the_block() -> None:
    """After the block an object is no longer notified, and can be used on."""
    with raw_listener() as listener:
        async with aio.notifications():
            client = NotedClient(Diary())
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            client.select_events(Events.READ)
        with client, listener.accept()[0] as peer:
            client.diary.told.clear()
            peer.sendall(b"data")
            assert await client.receive() == b"data"
            await client.diary.stays()
            assert client.diary.told == []

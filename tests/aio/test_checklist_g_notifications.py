"""The MFC checklist, section G, on awaited sockets: notifications."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack

import anyio
import pytest
from event_loops import on_every_loop
from kernel import END
from loopback import HOST, raw_listener, reset, until_shows
from notified import (
    QUIET,
    Diary,
    NotedAccepted,
    NotedClient,
    NotedDatagram,
    NotedServer,
    noted_client,
    noted_server,
)

from lifecycle import aio
from lifecycle.aio import Events, nowait

FIONBIO = 0x8004667E  # Winsock's number

READ_CLOSE = Events.READ | Events.CLOSE


@on_every_loop
async def test_row_096_select_events_replaces_the_mask() -> None:
    """select_events() works in any state with a socket, which is nonblocking; a new mask replaces the earlier one."""
    async with noted_client(Events.READ) as (client, peer):
        if hasattr(os, "get_blocking"):
            assert not os.get_blocking(client.fileno())
        client.select_events(Events.CLOSE)
        peer.sendall(b"data")
        await client.diary.stays()
        client.select_events(READ_CLOSE)
        await client.diary.until_told("receive")


@on_every_loop
async def test_row_097_io_ctl_does_not_switch_blocking() -> None:
    """MFC refuses FIONBIO while AsyncSelect is active; here io_ctl() has no such command at all, and raises ValueError."""
    async with noted_client() as (client, _):
        with pytest.raises(ValueError, match="FIONREAD"):
            client.io_ctl(FIONBIO)


@on_every_loop
async def test_row_099_one_on_receive_until_receive_is_called() -> None:
    """Data that arrives gives exactly one OnReceive until receive() is called; then the next data gives another."""
    async with noted_client(READ_CLOSE) as (client, peer):
        peer.sendall(b"one")
        await client.diary.until_told("receive")
        peer.sendall(b"two")
        await client.diary.stays()
        assert nowait(client.receive()) == b"onetwo"
        await client.diary.stays()
        peer.sendall(b"three")
        await client.diary.until_told("receive", "receive")


@on_every_loop
async def test_row_100_a_partial_read_is_followed_by_another_on_receive() -> None:
    """An OnReceive that read only a part is followed by another, until all is read."""
    diary, parts = Diary(), []
    diary.reacts["receive"] = lambda client: parts.append(nowait(client.receive(2)))
    async with noted_client(READ_CLOSE, diary) as (_, peer):
        peer.sendall(b"abcde")
        await diary.until_told("receive", "receive", "receive")
        assert parts == [b"ab", b"cd", b"e"]


@on_every_loop
async def test_row_100_a_failed_receive_enables_the_event_too() -> None:
    """A receive that would block, and one that only looks, let OnReceive be called again."""
    async with noted_client(READ_CLOSE) as (client, peer):
        with pytest.raises(BlockingIOError):
            nowait(client.receive())
        peer.sendall(b"data")
        await client.diary.until_told("receive")
        assert nowait(client.receive(2, socket.MSG_PEEK)) == b"da"
        await client.diary.until_told("receive", "receive")


@on_every_loop
async def test_row_101_an_on_receive_that_reads_nothing_is_not_followed() -> None:
    """An OnReceive that calls nothing gets no second one, even if more data comes, and a refused call enables nothing."""
    async with noted_client(READ_CLOSE) as (client, peer):
        peer.sendall(b"one")
        await client.diary.until_told("receive")
        peer.sendall(b"two")
        await client.diary.stays()
        client.get_sock_name()
        assert await client.send(b"answer") == 6
        await client.diary.stays()


@on_every_loop
async def test_row_102_a_stale_notification_is_dropped() -> None:
    """OnReceive is not called for data that was read before it could be reported."""
    other = Diary()
    async with aio.notifications():
        with raw_listener() as listener:
            async with NotedClient(Diary()) as client, NotedClient(other) as slow:
                for each in (client, slow):
                    await each.create(0, HOST)
                    await each.connect(*listener.getsockname())
                    each.select_events(READ_CLOSE)
                with listener.accept()[0] as peer, listener.accept()[0] as slow_peer:
                    go_on = anyio.Event()
                    other.reacts["receive"] = lambda _: go_on.wait()
                    slow_peer.sendall(b"x")  # its callback holds the queue up
                    await other.until(lambda: "receive" in other.told)
                    client.diary.told.clear()
                    peer.sendall(b"data")
                    await anyio.sleep(QUIET)  # the event is noticed and posted behind
                    assert nowait(client.receive()) == b"data"
                    go_on.set()
                    await client.diary.stays()
                    assert client.diary.told == []
                    peer.sendall(b"more")
                    await client.diary.until_told("receive")


@on_every_loop
async def test_row_103_one_on_accept_per_accept() -> None:
    """Pending connections give one OnAccept, and after an accept another if more wait."""
    async with noted_server() as server:
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(socket.create_connection(server.get_sock_name()))
            await server.diary.until_told("accept")
            for taken in (1, 2):
                nowait(server.accept()).close()
                await server.diary.until_told(*["accept"] * (taken + 1))
            nowait(server.accept()).close()
            with pytest.raises(BlockingIOError):
                nowait(server.accept())
            await server.diary.stays()


@on_every_loop
async def test_row_104_one_on_send_after_connecting() -> None:
    """A socket just connected or accepted gets one OnSend, also where sending goes on; a datagram socket one when bound."""
    async with aio.notifications(), NotedServer(Diary()) as server, NotedClient(Diary()) as client:
        await server.create(0, HOST)
        server.listen()
        await client.create(0, HOST)
        await client.connect(*server.get_sock_name())
        async with NotedAccepted(Diary()) as accepted, NotedDatagram(Diary()) as datagram:
            await server.accept(accepted)
            await datagram.create(0, HOST)
            for each in (client, accepted, datagram):
                await each.diary.until_told("send")
            assert await client.send(b"more") == 4
            await client.diary.stays()


@on_every_loop
async def test_row_104_on_send_comes_before_what_the_peer_has_sent_already() -> None:
    """Connected to a peer that sends at once: OnConnect, OnSend, OnReceive, in that order on every loop."""
    async with aio.notifications(), NotedClient(Diary()) as waits, NotedClient(Diary()) as asks, NotedClient(Diary()) as takes:
        with raw_listener() as listener, ExitStack() as stack:

            def peer_speaks() -> None:
                stack.enter_context(listener.accept()[0]).sendall(b"welcome")

            await waits.create(0, HOST)
            await waits.connect(*listener.getsockname())
            peer_speaks()
            await asks.create(0, HOST)
            with pytest.raises(BlockingIOError):
                nowait(asks.connect(*listener.getsockname()))
            peer_speaks()
            handle = socket.create_connection(listener.getsockname()).detach()
            peer_speaks()
            takes.attach(handle)
            await waits.diary.until_told("send", "receive")
            await asks.diary.until_told(("connect", 0), "send", "receive")
            await takes.diary.until_told("send", "receive")
            takes.select_events(Events.READ | Events.WRITE)
            await takes.diary.until_told("send", "receive", "send", "receive")


@on_every_loop
async def test_row_104_on_send_comes_again_when_there_is_room() -> None:
    """After a send that would have blocked OnSend is called once, when there is room; after another send it is not."""
    async with noted_client(Events.WRITE) as (client, peer):
        await client.diary.until_told("send")
        with pytest.raises(BlockingIOError):
            while True:
                nowait(client.send(bytes(1 << 16)))
        await client.diary.stays()
        peer.setblocking(False)
        while client.diary.told != ["send", "send"]:
            with pytest.raises(BlockingIOError):
                while peer.recv(1 << 20):
                    pass
            await anyio.sleep(0.001)
        assert nowait(client.send(b"room")) == 4
        await client.diary.stays()


@on_every_loop
async def test_row_105_on_close_comes_after_the_data() -> None:
    """OnClose(0) comes once, after all data was read, and the object's state tells it too."""
    async with noted_client(READ_CLOSE) as (client, peer):
        peer.sendall(b"last words")
        peer.shutdown(socket.SHUT_WR)
        await client.diary.until_told("receive")
        nowait(client.receive(4))
        await client.diary.until_told("receive", "receive")
        nowait(client.receive())
        await client.diary.until_told("receive", "receive", ("close", 0))
        assert client.state == "peer_closed"
        assert nowait(client.receive()) == b""
        await client.diary.stays()


@on_every_loop
async def test_row_105_on_close_tells_of_a_reset() -> None:
    """A reset gives OnClose with ECONNRESET, once; also where a send was what found it."""
    async with noted_client(READ_CLOSE) as (client, peer):
        reset(peer)
        await client.diary.until_told(("close", errno.ECONNRESET))
        assert client.state == "broken"
        with pytest.raises(ConnectionResetError):
            nowait(client.receive())
        await client.diary.stays()
    async with noted_client(READ_CLOSE) as (client, peer):
        peer.sendall(b"unread")
        await client.diary.until_told("receive")
        client.shut_down("receives")
        reset(peer)
        await anyio.sleep(QUIET)
        with pytest.raises(ConnectionError):
            nowait(client.send(b"into nothing"))
        await client.diary.until(lambda: client.diary.told[1:])
        assert client.diary.told[1:] in ([("close", errno.ECONNRESET)], [("close", errno.EPIPE)])


@on_every_loop
async def test_row_105_a_callback_that_reads_to_the_end_is_told_of_the_close() -> None:
    """Where OnReceive itself reads the end of the stream, OnClose(0) still follows."""
    diary = Diary()
    diary.reacts["receive"] = lambda client: [nowait(client.receive()), until_shows(client, END), nowait(client.receive())]
    async with noted_client(READ_CLOSE, diary) as (client, peer):
        peer.sendall(b"data")
        peer.shutdown(socket.SHUT_WR)
        await diary.until_told("receive", ("close", 0))
        assert client.state == "peer_closed"


@on_every_loop
async def test_row_106_a_local_close_gives_no_on_close() -> None:
    """close() gives no OnClose, and events that are queued then are dropped."""
    async with noted_client(READ_CLOSE) as (client, peer):
        peer.sendall(b"data")
        peer.shutdown(socket.SHUT_WR)
        client.close()
        await client.diary.stays()
        assert client.diary.told == []
    other = Diary()
    other.reacts["receive"] = lambda client: client.close()
    async with noted_client(READ_CLOSE, other) as (client, peer):
        peer.sendall(b"data")
        peer.shutdown(socket.SHUT_WR)
        await other.until_told("receive")


@on_every_loop
async def test_row_107_no_callbacks_after_the_mask_is_cleared() -> None:
    """select_events(0) ends all callbacks, those that are queued too."""
    diary = Diary()
    diary.reacts["send"] = lambda client: client.select_events(0)
    async with noted_client(Events.ALL, diary) as (_, peer):
        await diary.until(lambda: "send" in diary.told)
        peer.sendall(b"data")
        peer.shutdown(socket.SHUT_WR)
        await diary.until_told("send")


@on_every_loop
async def test_row_112_notifications_of_other_sockets_are_kept_while_one_waits() -> None:
    """While the callback of one object awaits a receive, events of others are delivered when that has ended."""
    diary = Diary()

    async def receive_all(client: NotedClient) -> None:
        while len(await client.receive(1)):
            diary.note("received")
            if diary.count("received") == 2:
                return

    async with aio.notifications():
        with raw_listener() as listener:
            async with NotedClient(diary) as waiting, NotedClient(Diary()) as other:
                for each in (waiting, other):
                    await each.create(0, HOST)
                    each.select_events(Events.READ)
                    await each.connect(*listener.getsockname())
                with listener.accept()[0] as peer, listener.accept()[0] as other_peer:
                    diary.reacts["receive"] = receive_all
                    peer.sendall(b"1")
                    await diary.until(lambda: diary.told == ["receive", "received"])
                    other_peer.sendall(b"meanwhile")
                    await other.diary.stays()
                    assert other.diary.told == []
                    peer.sendall(b"2")
                    await other.diary.until_told("receive")
                    assert diary.told == ["receive", "received", "received"], "what the call waited for is its own"
                    assert nowait(other.receive()) == b"meanwhile"


@on_every_loop
async def test_row_113_no_recursive_on_receive() -> None:
    """While OnReceive awaits more data of its own object, no OnReceive is called; the rest is reported afterwards."""
    diary = Diary()
    depth = 0

    async def receive_a_message(client: NotedClient) -> None:
        nonlocal depth
        depth += 1
        assert depth == 1
        message = b""
        while len(message) < 4:
            message += await client.receive(4 - len(message))
        diary.note(message)
        depth -= 1

    diary.reacts["receive"] = receive_a_message
    async with noted_client(READ_CLOSE, diary) as (_, peer):
        for part in (b"on", b"e,t", b"wo,"):
            peer.sendall(part)
            await anyio.sleep(QUIET)
        await diary.until_told("receive", b"one,", "receive", b"two,")

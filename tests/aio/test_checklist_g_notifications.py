"""The MFC checklist, section G, on awaited sockets: events and blocking."""

from __future__ import annotations

import errno
import os
import socket
import threading
from contextlib import ExitStack, suppress
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from event_loops import INSTALLED, LOOPS, EventLoop, on_every_loop
from loopback import HOST, raw_listener, reset, unanswering_listener, until, unused_port
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

from lifecycle import BlockingCallCancelled, CallInProgress, MessageTruncated, aio
from lifecycle.aio import Events, notifier, nowait, urgent

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
async def test_row_098_an_awaited_call_waits_whatever_the_mask_is() -> None:
    """Where MFC needs AsyncSelect(0) and then FIONBIO, `await` makes a call wait and nowait() makes it not wait."""
    async with noted_client(0) as (client, peer):
        with pytest.raises(BlockingIOError):
            nowait(client.receive())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(delayed, lambda: peer.sendall(b"data"))
            assert await client.receive() == b"data"


async def delayed(action: Any) -> None:
    """Do something after the others had their turn."""
    await anyio.sleep(QUIET)
    action()


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
    """OnReceive is not called for data that was read before it could be told."""
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
    diary.reacts["receive"] = lambda client: [nowait(client.receive()), nowait(client.receive())]
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
async def test_row_108_is_blocking_while_receive_waits() -> None:
    """is_blocking is true while a receive waits, and false before and afterwards."""
    async with noted_client(0) as (client, peer), anyio.create_task_group() as tasks:
        assert not client.is_blocking
        tasks.start_soon(client.receive)
        await anyio.sleep(QUIET)
        assert client.is_blocking
        assert client.state == "connected"
        peer.sendall(b"data")
        await anyio.sleep(QUIET)
        assert not client.is_blocking


async def cancelled(target: Any, call: Any) -> BlockingCallCancelled:
    """What `call` raises when it is cancelled while it waits."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(delayed, target.cancel_blocking_call)
        with pytest.raises(BlockingCallCancelled) as failure:
            await call()
    assert failure.value.errno == errno.EINTR
    assert not target.is_blocking
    return failure.value


@on_every_loop
async def test_row_109_a_blocking_call_can_be_cancelled() -> None:
    """cancel_blocking_call() ends a waiting call with EINTR; any may follow (MFC: only Close), a connect is `connecting`."""
    async with noted_client(0) as (client, peer):
        await cancelled(client, client.receive)
        peer.sendall(b"data")
        assert await client.receive() == b"data"
        error = await cancelled(client, lambda: client.send(bytes(1 << 26)))
        assert error.sent == client.sent > 0
    async with noted_server(0) as server:
        await cancelled(server, server.accept)
        with socket.create_connection(server.get_sock_name()):
            accepted = await server.accept()
            assert accepted.state == "connected"
            accepted.close()
    async with aio.Datagram() as datagram:
        await datagram.create(0, HOST)
        await cancelled(datagram, datagram.receive_from)
    with unanswering_listener() as address:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await cancelled(client, lambda: client.connect(*address))
            assert client.state == "connecting"
            await cancelled(client, client.finish_connect)
            assert client.state == "connecting"


@on_every_loop
async def test_row_110_cancelling_nothing_has_no_effect() -> None:
    """cancel_blocking_call() of an object on which nothing waits changes nothing, for the next call neither."""
    async with noted_client(0) as (client, peer), anyio.create_task_group() as tasks:
        client.cancel_blocking_call()
        tasks.start_soon(delayed, lambda: peer.sendall(b"data"))
        assert await client.receive() == b"data"


@on_every_loop
async def test_row_111_a_second_call_while_one_waits() -> None:
    """Sending while a receive waits is full duplex, as on any socket (MFC refuses); a connect during a connect is refused."""
    async with noted_client(0) as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(client.receive)
        await anyio.sleep(QUIET)
        assert await client.send(b"question") == 8
        assert peer.recv(8) == b"question"
        peer.sendall(b"answer")
    with unanswering_listener() as address:
        async with aio.Client() as client, anyio.create_task_group() as tasks:
            await client.create(0, HOST)
            tasks.start_soon(client.connect, *address)
            await anyio.sleep(QUIET)
            with pytest.raises(CallInProgress, match="connect") as refusal:
                await client.connect(*address)
            assert refusal.value.platform_errors == {"winsock": "WSAEINPROGRESS"}
            tasks.cancel_scope.cancel()


@on_every_loop
async def test_row_112_notifications_of_other_sockets_are_kept_while_one_waits() -> None:
    """While the callback of one object awaits a receive, what comes to others is told when that has ended."""
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
    """While OnReceive awaits more data of its own object, no OnReceive is called; what is left is told afterwards."""
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


@on_every_loop
async def test_row_114_on_message_pending_is_called_before_a_wait() -> None:
    """A subclass's on_message_pending() is called when a call is about to wait, and not when it need not."""

    class Counting(aio.Client):
        pending = 0

        def on_message_pending(self) -> None:
            self.pending += 1

    with raw_listener() as listener:
        async with Counting() as client, anyio.create_task_group() as tasks:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                peer.sendall(b"data")
                client.pending = 0
                assert await client.receive() == b"data"
                assert client.pending == 0
                tasks.start_soon(delayed, lambda: peer.sendall(b"more"))
                assert await client.receive() == b"more"
                assert client.pending == 1


@on_every_loop
async def test_row_115_an_awaited_call_never_tells_that_it_would_block() -> None:
    """Awaited, accept, connect, receive and send wait where nowait() gives the BlockingIOError of a CAsyncSocket."""
    async with aio.Server() as server, aio.Client() as client, anyio.create_task_group() as tasks:
        await server.create(0, HOST)
        server.listen()
        await client.create(0, HOST)
        with pytest.raises(BlockingIOError):
            nowait(server.accept())
        accepted = aio.Accepted()
        async with accepted:
            tasks.start_soon(server.accept, accepted)
            await anyio.sleep(QUIET)
            await client.connect(*server.get_sock_name())
            with pytest.raises(BlockingIOError):
                nowait(client.receive())
            tasks.start_soon(delayed, lambda: nowait(accepted.send(b"data")))
            assert await client.receive() == b"data"
            size = 1 << 24
            received = 0

            async def read_all() -> None:
                nonlocal received
                while received < size:
                    received += len(await accepted.receive(1 << 20))

            async with anyio.create_task_group() as reading:
                reading.start_soon(read_all)
                assert await client.send(bytes(size)) == size


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
    """An awaited connect tells itself how it came out: OnConnect is never called for it."""
    async with noted_client() as (client, _):
        await client.diary.until_told("send")


@on_every_loop
async def test_an_accepted_object_inherits_the_mask() -> None:
    """An accepted object is told of what its server is told of, unless it chose itself before."""
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


@pytest.mark.parametrize(
    "event_loop", [each for each in LOOPS if each.is_asyncio and INSTALLED[each.name]], ids=lambda each: each.name
)
def test_out_of_band_data_is_told_by_a_thread(event_loop: EventLoop) -> None:
    """The same where a thread has to watch for it. (Not under trio, which keeps its threads for longer than a test lasts.)"""
    with patch.object(notifier, "until_urgent", urgent.until_urgent_by_thread):
        event_loop.run(out_of_band_data_is_told)
    until(lambda: not [each for each in threading.enumerate() if each.name.startswith("AnyIO")])


@on_every_loop
async def test_out_of_band_data_inline_is_data() -> None:
    """With SO_OOBINLINE urgent data is told by OnReceive, and not by OnOutOfBandData."""
    async with noted_client(Events.OOB | Events.READ) as (client, peer):
        client.set_option(socket.SO_OOBINLINE, 1)
        peer.send(b"!", socket.MSG_OOB)
        await client.diary.until_told("receive")
        assert nowait(client.receive()) == b"!"


async def the_end_is_not_urgent() -> None:
    """The end of both directions, and a reset, are no out-of-band data."""
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
    """The end of both directions, and a reset, are no out-of-band data."""
    await the_end_is_not_urgent()


@pytest.mark.parametrize(
    "event_loop", [each for each in LOOPS if each.is_asyncio and INSTALLED[each.name]], ids=lambda each: each.name
)
def test_the_end_is_not_urgent_to_a_thread(event_loop: EventLoop) -> None:
    """The same where a thread has to watch for it."""
    with patch.object(notifier, "until_urgent", urgent.until_urgent_by_thread):
        event_loop.run(the_end_is_not_urgent)
    until(lambda: not [each for each in threading.enumerate() if each.name.startswith("AnyIO")])


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
    """select_events() raises TypeError for what is no int, ValueError for bits that are no event."""
    async with noted_client(0) as (client, _):
        for wrong in (64, -1, 1 << 40):
            with pytest.raises(ValueError, match="no event"):
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

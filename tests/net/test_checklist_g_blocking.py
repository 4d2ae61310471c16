"""The MFC checklist, section G: events and blocking.

AsyncSelect and its notifications are lifecycle.aio's, and so are rows 99 to 107 and 113: see tests/aio. Where another row
says something about calls and data too, that is asserted here.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
from loopback import (
    HOST,
    LONG,
    Background,
    client_and_raw_peer,
    connected_pair,
    datagram_pair,
    listening,
    unanswering_listener,
    until,
)
from refusals import bad_input, unchanged
from sockets_in_states import Arrangement, bound, in_any_state

from lifecycle import BlockingCallCancelled, CallInProgress, Client, Datagram, Server

FIONBIO = 0x8004667E  # Winsock's number


class Counting(Client):
    """A client that counts how often it was about to wait."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pending = 0

    def on_message_pending(self) -> None:
        self.pending += 1


@in_any_state
def test_row_096_every_descriptor_is_nonblocking(arranged: Arrangement) -> None:
    """AsyncSelect makes an MFC socket nonblocking; here every descriptor is, and the timeout says how long a call waits."""
    with arranged() as target:
        if hasattr(os, "get_blocking"):
            assert not os.get_blocking(target.fileno())
        with unchanged(target):
            for timeout in (None, 0, LONG):
                target.timeout = timeout
                assert target.timeout == timeout


def test_row_097_io_ctl_does_not_switch_blocking() -> None:
    """MFC refuses FIONBIO while AsyncSelect is active; here io_ctl() has no such command at all, and raises ValueError."""
    with connected_pair(timeout=LONG) as (client, _), bad_input(client, ValueError):
        client.io_ctl(FIONBIO)


def test_row_098_a_time_out_switches_blocking_at_any_time() -> None:
    """Where MFC needs AsyncSelect(0) and then FIONBIO, `timeout = None` makes an object that did not wait wait again."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        client.timeout = 0
        with pytest.raises(BlockingIOError):
            client.receive()
        client.timeout = None
        receiving = Background(client.receive)
        until(lambda: client.is_blocking)
        peer.sendall(b"data")
        assert receiving.result() == b"data"


def test_row_108_is_blocking_while_receive_waits() -> None:
    """is_blocking is true while receive() waits, and false before and afterwards."""
    with client_and_raw_peer() as (client, peer):
        assert not client.is_blocking
        receiving = Background(client.receive)
        until(lambda: client.is_blocking)
        assert client.state == "connected"
        peer.sendall(b"data")
        assert receiving.result() == b"data"
        assert not client.is_blocking


def cancelled(target: Client | Server | Any, call: Callable[[], object]) -> BlockingCallCancelled:
    """What `call` raises when it is cancelled while it waits."""
    running = Background(call)
    until(lambda: target.is_blocking)
    target.cancel_blocking_call()
    with pytest.raises(BlockingCallCancelled) as cancelled_call:
        running.result()
    assert cancelled_call.value.errno == errno.EINTR
    assert not target.is_blocking
    return cancelled_call.value


def test_row_109_a_blocking_call_can_be_cancelled() -> None:
    """cancel_blocking_call() ends a waiting call with EINTR; any may follow (MFC: only Close), a connect is `connecting`."""
    with client_and_raw_peer() as (client, peer):
        with unchanged(client):
            cancelled(client, client.receive)
        peer.sendall(b"data")
        assert client.receive() == b"data"
        with unchanged(client):
            assert cancelled(client, lambda: client.send(bytes(1 << 26))).sent > 0
    with listening() as server:
        with unchanged(server):
            cancelled(server, server.accept)
        with socket.create_connection(server.get_sock_name(), LONG), server.accept() as accepted:
            assert accepted.state == "connected"
    with bound(Datagram) as datagram, unchanged(datagram):
        datagram.timeout = None
        cancelled(datagram, datagram.receive_from)  # type: ignore[attr-defined]
    with unanswering_listener() as address, Client() as client:
        client.create(0, HOST)
        cancelled(client, lambda: client.connect(*address))
        assert client.state == "connecting"
        cancelled(client, client.finish_connect)
        assert client.state == "connecting"


@in_any_state
def test_row_110_cancelling_nothing_has_no_effect(arranged: Arrangement) -> None:
    """cancel_blocking_call() of an object on which nothing waits changes nothing, for the next call neither."""
    with arranged() as target, unchanged(target):
        target.cancel_blocking_call()
        assert not target.is_blocking
    with client_and_raw_peer() as (client, peer):
        client.cancel_blocking_call()
        receiving = Background(client.receive)
        until(lambda: client.is_blocking)
        peer.sendall(b"data")
        assert receiving.result() == b"data"


def test_row_111_a_second_call_while_one_waits() -> None:
    """Sending while a receive waits is full duplex, as on any socket (MFC refuses); a connect during a connect is refused."""
    with client_and_raw_peer() as (client, peer):
        receiving = Background(client.receive)
        until(lambda: client.is_blocking)
        assert client.send(b"question") == 8
        assert peer.recv(8) == b"question"
        peer.sendall(b"answer")
        assert receiving.result() == b"answer"
    with unanswering_listener() as address, Client() as client:
        client.create(0, HOST)
        connecting = Background(lambda: client.connect(*address))
        until(lambda: client.is_blocking)
        with unchanged(client), pytest.raises(CallInProgress, match="connect") as refusal:
            client.connect(*address)
        assert refusal.value.running == "connect"
        assert refusal.value.platform_errors == {"winsock": "WSAEINPROGRESS"}
        assert connecting.is_running()
        client.cancel_blocking_call()
        with pytest.raises(BlockingCallCancelled):
            connecting.result()


def test_row_112_what_comes_to_other_sockets_while_one_waits_is_kept() -> None:
    """What arrives for other objects while one waits is there afterwards."""
    with client_and_raw_peer() as (waiting, peer), client_and_raw_peer(timeout=LONG) as (other, other_peer):
        receiving = Background(waiting.receive)
        until(lambda: waiting.is_blocking)
        other_peer.sendall(b"meanwhile")
        until(lambda: other.io_ctl() == 9)
        assert receiving.is_running()
        peer.sendall(b"data")
        assert receiving.result() == b"data"
        assert other.receive() == b"meanwhile"


def test_row_114_on_message_pending_is_called_before_a_wait() -> None:
    """A subclass's on_message_pending() is called when a call is about to wait, and not when it need not."""
    with listening(timeout=LONG) as server, Counting(timeout=LONG) as client:
        client.create(0, HOST)
        client.connect(*server.get_sock_name())
        with server.accept() as accepted:
            accepted.send(b"data")
            until(lambda: client.io_ctl() == 4)
            client.pending = 0
            assert client.receive() == b"data"
            assert client.pending == 0
            receiving = Background(client.receive)
            until(lambda: client.is_blocking and client.pending)
            accepted.send(b"more")
            assert receiving.result() == b"more"
            assert client.pending == 1


def test_row_115_a_blocking_object_never_tells_that_it_would_block() -> None:
    """Without a time-out accept, connect, receive and send wait where a CAsyncSocket's would answer WSAEWOULDBLOCK."""
    with listening() as server, Client() as client:
        client.create(0, HOST)
        accepting = Background(server.accept)
        until(lambda: server.is_blocking)
        client.connect(*server.get_sock_name())
        with accepting.result() as accepted:
            receiving = Background(client.receive)
            until(lambda: client.is_blocking)
            accepted.send(b"data")
            assert receiving.result() == b"data"
            left = size = 1 << 24
            sending = Background(lambda: client.send(bytes(size)))
            until(lambda: client.is_blocking)
            while left:
                left -= len(accepted.receive(1 << 20))
            assert sending.result() == size
    with datagram_pair() as (one, other):
        receiving = Background(one.receive_from)
        until(lambda: one.is_blocking)
        other.send_to(b"data", *one.get_sock_name())
        assert receiving.result() == (b"data", other.get_sock_name())

"""Notifications, and waits for readability, over what was taken from the system already."""

from __future__ import annotations

import errno
import ssl
from contextlib import suppress

from event_loops import on_every_loop
from loopback import Background
from notified import noted_client
from secured import TLS_1_3

from lifecycle.aio import Events, nowait
from lifecycle.conformance.adapters.certificates import client_context, server_context

READ_CLOSE = Events.READ | Events.CLOSE


@on_every_loop
async def test_data_that_was_decrypted_is_notified() -> None:
    """Each receive of a part is followed by another on_receive, to the last byte, and then on_close: no poll sees any of it."""
    async with noted_client(READ_CLOSE) as (client, sock):
        received = bytearray()
        client.diary.reacts["receive"] = lambda client: received.extend(nowait(client.receive(2)))
        serving = Background(lambda: server_context(TLS_1_3, tickets=2).wrap_socket(sock, server_side=True))
        await client.start_tls(client_context(TLS_1_3))
        with serving.result() as peer:
            await client.diary.stays()  # tickets are nothing to receive
            for part in (b"one", b"two"):
                peer.sendall(part)
            with suppress(ssl.SSLWantReadError):
                peer.setblocking(False)
                peer.unwrap()
            await client.diary.until(lambda: client.diary.count(("close", 0)))
        assert bytes(received) == b"onetwo"
        assert client.state == "secured_peer_closed"


@on_every_loop
async def test_a_cut_is_notified_once() -> None:
    """The end without close_notify is an on_close with an error, and a receive says what it was."""
    async with noted_client(READ_CLOSE) as (client, sock):
        serving = Background(lambda: server_context().wrap_socket(sock, server_side=True))
        await client.start_tls(client_context())
        serving.result().close()
        await client.diary.until_told(("close", errno.ECONNRESET))
        assert client.state == "truncated"


@on_every_loop
async def test_what_a_message_left_is_notified() -> None:
    """What receive_until() has received beyond its message is reported as data that arrives is."""
    async with noted_client(READ_CLOSE) as (client, peer):
        client.diary.reacts["receive"] = lambda client: client.diary.note(nowait(client.receive_until(b"\n")))
        peer.sendall(b"one\ntwo\n")
        await client.diary.until_told("receive", b"one", "receive", b"two")

"""The programs that go wrong over `ssl`, written with these objects: none of them goes wrong, or it is refused with its remedy.

A test for each of what test_tls.py does not have; each begins with the fault that it is about.
"""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import ExitStack, suppress

import pytest
from event_loops import on_every_loop
from loopback import LONG, Background, client_and_raw_peer, connected_pair, fill, listening, raw_listener, until
from secured import TLS_1_3, VERSIONS, accepted_of_ssl, client_of_ssl, in_the_clear, secured_pair, wants_certificate

from lifecycle import HandshakeRefused, IllegalCall, StreamTruncated, aio, open_connection
from lifecycle.conformance.adapters.certificates import client_context, server_context
from lifecycle.conformance.adapters.tls_end import TlsEnd
from lifecycle.system.portable_calls import readable_bytes


@VERSIONS
def test_close_without_close_notify(version: ssl.TLSVersion) -> None:
    """close() sends close_notify: a peer that reads strictly sees the end, and no cut."""
    with accepted_of_ssl(server_context(version), client_context(version)) as (accepted, peer):
        accepted.send(b"x" * 1000)
        accepted.close()
        assert (peer.recv(4096), peer.recv(4096)) == (b"x" * 1000, b"")


def test_handshake_in_accept() -> None:
    """accept() makes no handshake: behind a silent client the next one is accepted and secured."""
    with listening(timeout=LONG) as server, ExitStack() as stack:
        stack.enter_context(socket.create_connection(server.get_sock_name()))
        assert stack.enter_context(server.accept()).state == "connected"
        client = stack.enter_context(open_connection(*server.get_sock_name(), timeout=LONG))
        accepted = stack.enter_context(server.accept())
        serves = Background(lambda: accepted.start_tls(server_context()))
        client.start_tls(client_context())
        serves.result()


def test_refused_but_told_connected() -> None:
    """A server that wants a certificate refuses after the client's handshake: only a receive confirms, and tells why."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        serves = Background(lambda: wants_certificate(TLS_1_3).wrap_socket(peer, server_side=True))
        client.start_tls(client_context(TLS_1_3))
        with pytest.raises(ssl.SSLError):
            serves.result()
        with pytest.raises(HandshakeRefused, match="CERTIFICATE_REQUIRED"):
            client.send(b"important")
            client.receive()
        assert client.state == "broken"


def test_readable_but_nothing_to_read() -> None:
    """Session tickets make a descriptor readable: a receive that may not wait does not, and reports that."""
    with client_of_ssl(server_context(TLS_1_3, tickets=2)) as (client, peer):
        assert select.select([client], [], [], LONG)[0]
        with pytest.raises(BlockingIOError):
            client.receive(timeout=0)
        with pytest.raises(TimeoutError):
            client.receive(timeout=0.01)
        peer.sendall(b"data")
        assert client.receive() == b"data"


def test_wait_while_data_is_pending() -> None:
    """A poll of the descriptor does not see what came with another record: `buffered` does, and says how much."""
    with client_of_ssl(server_context()) as (client, peer):
        for part in (b"one", b"more"):
            peer.sendall(part)
        until(lambda: readable_bytes(client._socket) > 44)  # both records
        assert client.receive(1) == b"o"
        assert client.buffered == 6
        assert not select.select([client], [], [], 0)[0]
        assert client.receive(2) + client.receive() == b"nemore"


def test_asked_before_the_handshake() -> None:
    """Version, protocol and certificate are refused before the handshake has ended, and there after it."""
    with client_and_raw_peer(timeout=0.01) as (client, peer):
        with pytest.raises(IllegalCall, match=r"Call start_tls\(\) first"):
            client.get_tls()
        serving, asking = server_context(), client_context(checks_name=True)
        with pytest.raises(TimeoutError):
            client.start_tls(asking, server_hostname="localhost")
        with pytest.raises(IllegalCall, match=r"Call finish_tls\(\) first"):
            client.get_tls()
        client.timeout = LONG
        serves = Background(lambda: serving.wrap_socket(peer, server_side=True))
        client.finish_tls()
        with serves.result():
            details = client.get_tls()
            assert details.version.startswith("TLS")
            assert details.peer_certificate["subjectAltName"] == (("DNS", "localhost"), ("IP Address", "127.0.0.1"))


def test_handshake_of_an_object_that_does_not_wait() -> None:
    """start_tls() with a timeout of 0 begins the handshake, and finish_tls() goes on with it, step by step."""
    with client_and_raw_peer() as (client, peer):
        client.timeout = 0
        with pytest.raises(BlockingIOError):
            client.start_tls(client_context())
        serves = Background(lambda: server_context().wrap_socket(peer, server_side=True))
        while client.state == "handshaking":
            select.select([client], [], [], LONG)
            with suppress(BlockingIOError):
                client.finish_tls()
        assert client.state == "secured"
        serves.result().close()


@VERSIONS
def test_alert_left_in_the_memory(version: ssl.TLSVersion) -> None:
    """A handshake that fails here sends its alert: the peer knows at once, and what is wrong."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        serves = Background(lambda: server_context(version).wrap_socket(peer, server_side=True))
        with pytest.raises(HandshakeRefused):
            client.start_tls(client_context(version, trusts="stranger"))
        with pytest.raises(ssl.SSLError, match="ALERT_UNKNOWN_CA"):
            serves.result()


def test_failed_handshake_gone_on() -> None:
    """After a failed handshake every call but close() is refused, and a receive tells the failure again."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        peer.sendall(b"220 plain text\r\n")
        with pytest.raises(HandshakeRefused):
            client.start_tls(client_context())
        for call in (client.finish_tls, client.get_tls, client.stop_tls, lambda: client.send(b"x"), client.shut_down):
            with pytest.raises(IllegalCall, match=r"close"):
                call()
        for _ in range(2):
            with pytest.raises(ConnectionError):
                client.receive()
        client.close()
        assert in_the_clear(peer)[0] == 22  # a record of the handshake; nothing else was sent


def test_session_taken_too_early() -> None:
    """There is no session before the server's ticket has arrived, and the one that was received with data resumes."""
    serving, asking = server_context(TLS_1_3, tickets=2), client_context(TLS_1_3)
    session = None
    for is_resumed in (False, True):
        with client_of_ssl(serving, asking, session=session) as (client, peer):
            details = client.get_tls()
            assert (details.is_resumed, details.session) == (is_resumed, session)
            peer.sendall(b"hi")
            assert client.receive() == b"hi"
            session = client.get_tls().session
            assert session is not None


@VERSIONS
def test_plain_text_lost_after_the_end_of_tls(version: ssl.TLSVersion) -> None:
    """What came in plain text together with close_notify is received first after stop_tls()."""
    with client_and_raw_peer(timeout=LONG) as (client, sock):
        sock.setblocking(False)
        peer = TlsEnd(sock, server_context(version), server_side=True)
        peer.begin()
        client.start_tls(client_context(version))
        peer.end()
        sock.send(b"200 plain again\r\n")
        assert client.receive() == b""
        client.shut_down("sends")
        client.stop_tls()
        assert client.state == "connected"
        assert client.receive_until(b"\r\n") == b"200 plain again"
        client.send(b"QUIT\r\n")
        client.close()
        sock.setblocking(True)
        assert in_the_clear(sock).endswith(b"QUIT\r\n")


@on_every_loop
async def test_truncation_awaited() -> None:
    """A cut connection is not an end for awaited calls either: receive() raises, and so does a loop over the connection."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            await client.create()
            await client.connect(*listener.getsockname())

            def cut() -> None:
                with server_context().wrap_socket(listener.accept()[0], server_side=True) as peer:
                    peer.sendall(b"half of the fi")

            cutting = Background(cut)
            await client.start_tls(client_context())
            assert await client.receive() == b"half of the fi"
            with pytest.raises(StreamTruncated):
                async for _ in client:
                    pass
            assert client.state == "truncated"
            cutting.result()


def test_other_data_after_a_send_that_would_have_waited() -> None:
    """What a send has taken is committed: other data may follow it, and both arrive in their order."""
    with secured_pair() as (client, accepted):
        sent = fill(client)
        client.timeout = LONG
        sending = Background(lambda: client.send(b"the end"))
        received = bytearray()
        while len(received) < sent + 7:
            received += accepted.receive()
        sending.result()
        assert received == bytes(sent) + b"the end"


def test_detached_and_gone_on() -> None:
    """A descriptor cannot leave TLS: detach() is refused until stop_tls(), and hands plain text out afterwards."""
    with secured_pair() as (client, accepted):
        with pytest.raises(IllegalCall, match="cannot carry its keys"):
            client.detach()
        client.shut_down()
        accepted.shut_down()
        assert (client.receive(), accepted.receive()) == (b"", b"")
        client.stop_tls()
        accepted.stop_tls()
        with socket.socket(fileno=client.detach()) as handle:
            accepted.send(b"plain")
            assert handle.recv(100) == b"plain"


def test_verifies_nobody() -> None:
    """An impostor is refused by a context that verifies; one that does not is the program's own, and get_tls() says so."""
    impostor = server_context(by="stranger")
    with connected_pair(timeout=LONG) as (client, accepted):
        serves = Background(lambda: accepted.start_tls(impostor))
        with pytest.raises(HandshakeRefused, match="certificate"):
            client.start_tls(ssl.create_default_context(), server_hostname="localhost")
        with pytest.raises(HandshakeRefused):
            serves.result()
            accepted.receive()
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    with client_of_ssl(impostor, careless) as (client, _):
        assert not client.get_tls().is_verified
    with client_of_ssl(server_context()) as (client, _):
        assert client.get_tls().is_verified


def test_name_left_out() -> None:
    """A context that checks the name wants one: start_tls() without it raises before anything is sent."""
    with client_and_raw_peer(timeout=LONG) as (client, _):
        with pytest.raises(ValueError, match="server_hostname"):
            client.start_tls(client_context(checks_name=True))
        assert client.state == "connected"

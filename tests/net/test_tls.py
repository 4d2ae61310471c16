"""The faults of programs over TLS, which are impossible here or refused."""

from __future__ import annotations

import socket
import ssl

import pytest
from loopback import LONG, Background, client_and_raw_peer, connected_pair
from secured import VERSIONS, secured_pair

from lifecycle import Client, HandshakeRefused, IllegalCall, Journal, PlainTextUnread, StreamTruncated
from lifecycle.conformance.adapters.certificates import client_context, server_context


@VERSIONS
def test_ending_receives_is_refused_and_nothing_goes_in_the_clear(version: ssl.TLSVersion) -> None:
    """shut_down("receives") over TLS is a ValueError; what is sent afterwards arrives over TLS."""
    with secured_pair(version) as (client, accepted):
        with pytest.raises(ValueError, match="close"):
            client.shut_down("receives")
        client.send(b"password=hunter2")
        assert accepted.receive() == b"password=hunter2"


def test_a_cut_is_no_end() -> None:
    """A FIN without close_notify raises StreamTruncated, again and again; who says so takes it for an end."""
    with secured_pair() as (client, accepted):
        accepted._socket.below.shutdown(socket.SHUT_WR)
        for _ in range(2):
            with pytest.raises(StreamTruncated):
                client.receive()
        assert client.state == "truncated"


def test_leaving_a_block_by_an_exception_sends_no_close_notify() -> None:
    """The peer of a program that failed in the middle sees a cut, and not a whole."""
    with secured_pair() as (client, accepted):
        with pytest.raises(ZeroDivisionError), accepted:
            accepted.send(b"half of the fi")
            raise ZeroDivisionError
        assert client.receive() == b"half of the fi"
        with pytest.raises(StreamTruncated):
            client.receive()


def test_what_was_read_before_tls_is_not_handed_out_after_it() -> None:
    """Plain text that was read ahead is refused by PlainTextUnread; given as received=, it fails the handshake."""
    with connected_pair(timeout=LONG) as (client, accepted):
        client.send(b"STARTTLS\r\nDELETE everything\r\n")
        assert accepted.receive_until(b"\r\n") == b"STARTTLS"
        with pytest.raises(PlainTextUnread):
            accepted.start_tls(server_context())
        assert accepted.state == "connected"
        rest = accepted.receive()
        with pytest.raises(HandshakeRefused):
            accepted.start_tls(server_context(), received=rest)
        assert accepted.state == "broken"
        with pytest.raises(IllegalCall):
            accepted.send(b"in plain text")


def test_a_silent_peer_is_bounded_by_the_timeout() -> None:
    """A handshake with a peer that says nothing ends by the timeout, and finish_tls() goes on with it."""
    with client_and_raw_peer(timeout=0.01) as (client, _):
        with pytest.raises(TimeoutError):
            client.start_tls(client_context())
        with pytest.raises(IllegalCall, match="finish_tls"):
            client.send(b"too early")
        with pytest.raises(TimeoutError):
            client.finish_tls()
        assert client.state == "handshaking"


def test_several_threads_may_send_at_once() -> None:
    """What three threads send arrives whole."""
    with secured_pair() as (client, accepted):

        def send(letter: bytes) -> None:
            for _ in range(20):
                client.send(letter * 16000)

        sending = [Background(lambda letter=letter: send(letter)) for letter in (b"A", b"B", b"C")]
        received = b""
        while len(received) < 3 * 20 * 16000:
            received += accepted.receive()
        for each in sending:
            each.result()
        assert [received.count(letter) for letter in b"ABC"] == [320_000] * 3


def test_a_handle_and_a_second_tls_are_refused_with_the_remedy() -> None:
    """detach() and start_tls() over TLS say how to get back to plain text."""
    with secured_pair() as (client, _):
        for call in (client.detach, lambda: client.start_tls(client_context())):
            with pytest.raises(IllegalCall, match=r"Call shut_down\(\), then receive\(\) to its end, then stop_tls\(\) first"):
                call()


def test_an_encrypting_socket_is_not_attached() -> None:
    """attach() of an SSLSocket is a TypeError that says what to do; the caller keeps it."""
    with client_and_raw_peer() as (client, _), Client() as other:
        handle = socket.socket(fileno=client.detach())
        with client_context().wrap_socket(handle, do_handshake_on_connect=False) as tls:
            with pytest.raises(TypeError, match="start_tls"):
                other.attach(tls)
            assert other.state == "empty"
            assert tls.fileno() != -1


def test_what_is_sent_over_tls_is_recorded_as_its_length() -> None:
    """A journal shows no payload of TLS, and the details no session."""
    with secured_pair() as (client, accepted), Journal() as journal:
        client.send(b"password=hunter2")
        accepted.send(data=b"x")
        assert client.receive() == b"x"
        assert "SSLSession" not in repr(client.get_tls())
    shown = [record.arguments.partition(",")[0] for record in journal.records if record.call == "send"]
    assert shown == ["<16 bytes>", "<1 bytes>"]

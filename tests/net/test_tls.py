"""The faults of programs over TLS, which are impossible here or refused."""

from __future__ import annotations

import gc
import socket
import ssl

import pytest
from loopback import LONG, Background, client_and_raw_peer, connected_pair, listening, until
from secured import VERSIONS, secured_pair

from lifecycle import (
    Accepted,
    Client,
    ClosedDuringCall,
    HandshakeRefused,
    IllegalCall,
    Journal,
    PlainTextUnread,
    StreamTruncated,
    open_connection,
)
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


def test_a_failed_block_of_a_view_sends_no_close_notify() -> None:
    """The same holds for a block of the view that as_socket() gives."""
    with secured_pair() as (client, accepted):
        with pytest.raises(ZeroDivisionError), accepted.as_socket():
            raise ZeroDivisionError
        with pytest.raises(StreamTruncated):
            client.receive()


def test_an_object_that_is_collected_sends_no_close_notify() -> None:
    """Nobody has ended a connection that is forgotten: its peer sees a cut."""
    with listening() as server:

        def serve() -> Accepted:
            accepted = server.accept()
            accepted.start_tls(server_context())
            return accepted

        serves = Background(serve)
        forgotten = [open_connection(*server.local_address, tls=client_context(checks_name=True))]
        with serves.result() as accepted:
            with pytest.warns(ResourceWarning, match="secured"):
                forgotten.clear()
                gc.collect()
            with pytest.raises(StreamTruncated):
                accepted.receive()


def test_a_close_during_a_send_sends_no_close_notify() -> None:
    """Whoever closes while another thread sends does not say that all of it was sent."""
    with secured_pair() as (client, accepted):
        sends = Background(lambda: client.send(bytes(1 << 26)))
        accepted.receive_exactly(1 << 20)
        until(lambda: client.is_blocking)  # the rest waits for room
        client.close()
        with pytest.raises(ClosedDuringCall) as closed:
            sends.result()
        with pytest.raises(StreamTruncated):
            while accepted.receive():
                pass
        assert closed.value.sent < 1 << 26


def test_a_close_during_a_send_for_which_there_is_room() -> None:
    """The same holds where the system would take the close_notify: a send that waits is woken later than that."""
    with secured_pair() as (client, accepted):
        client.send(b"half of the fi")
        with client._secure_layer().send_under_way():
            client.close()
        assert accepted.receive() == b"half of the fi"
        with pytest.raises(StreamTruncated):
            accepted.receive()


def test_after_a_send_that_waited_close_sends_close_notify() -> None:
    """A send that is over, after whatever it waited for, leaves close() as it was."""
    with secured_pair() as (client, accepted):
        sends = Background(lambda: client.send(bytes(1 << 24)))
        accepted.receive_exactly(1 << 24)
        sends.result()
        client.close()
        assert accepted.receive() == b""


def test_a_name_is_for_the_client_of_tls() -> None:
    """OpenSSL ignores a name that its server is given; start_tls() refuses it, and what is no context, and nothing is begun."""
    with connected_pair(timeout=LONG) as (client, accepted):
        with pytest.raises(ValueError, match="only TLS's client checks it"):
            accepted.start_tls(server_context(), server_hostname="localhost")
        with pytest.raises(TypeError, match=r"an ssl\.SSLContext, not a str"):
            client.start_tls("context", server_hostname="localhost")  # type: ignore[arg-type]
        assert (client.state, accepted.state) == ("connected", "connected")


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

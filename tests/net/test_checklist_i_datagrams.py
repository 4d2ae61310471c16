"""The MFC checklist, section I: datagrams."""

from __future__ import annotations

import errno
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import HOST, LONG, datagram_pair, until
from refusals import bad_input, fails, refused, unchanged

from lifecycle import Datagram, IllegalCall, MessageTruncated, SocketFile
from lifecycle.net.blocking.stream import Stream


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=5))
@settings(max_examples=50)
def test_row_123_a_record_arrives_whole_with_its_sender(messages: list[bytes]) -> None:
    """What send_to() sends, receive_from() gives: the same bytes, one record per call, and the sender's address."""
    with datagram_pair(timeout=LONG) as (one, other):
        for message in messages:
            assert other.send_to(message, *one.get_sock_name()) == len(message)
        assert [one.receive_from() for _ in messages] == [(message, other.get_sock_name()) for message in messages]


def test_row_124_an_unbound_socket_sends_but_does_not_receive() -> None:
    """receive_from() in `open` is refused, where Linux waits for ever; send_to() binds implicitly, and then it is legal."""
    with datagram_pair(timeout=LONG) as (one, _), Datagram(timeout=LONG) as unbound:
        unbound.open()
        with refused(unbound, "receive_from", "WSAEINVAL"):
            unbound.receive_from()
        assert unbound.send_to(b"data", *one.get_sock_name()) == 4
        assert unbound.state == "bound"
        data, sender = one.receive_from()
        assert (data, sender.port) == (b"data", unbound.get_sock_name().port)
        one.send_to(b"answer", *sender)
        assert unbound.receive_from() == (b"answer", one.get_sock_name())


def test_row_125_send_without_a_peer_is_refused() -> None:
    """send() of a datagram socket that is not connected, bound or not, raises IllegalCall."""
    with Datagram() as datagram:
        datagram.open()
        with refused(datagram, "send", "WSAENOTCONN"):
            datagram.send(b"data")
        datagram.bind(0, HOST)
        with refused(datagram, "send", "WSAENOTCONN"):
            datagram.send(b"data")


def test_row_126_with_a_peer_send_and_receive_work_and_others_are_not_seen() -> None:
    """After connect() send() goes to the peer, and only the peer's messages are received."""
    with datagram_pair(timeout=LONG) as (one, peer), Datagram() as stranger:
        stranger.create(0, HOST)
        one.connect(*peer.get_sock_name())
        assert one.state == "connected"
        assert one.get_peer_name() == peer.get_sock_name()
        assert one.send(b"question") == 8
        assert peer.receive_from() == (b"question", one.get_sock_name())
        stranger.send_to(b"noise", *one.get_sock_name())
        peer.send_to(b"answer", *one.get_sock_name())
        assert one.receive() == b"answer"
        assert one.io_ctl() == 0


def test_row_127_connect_again_sets_another_peer() -> None:
    """connect() of a connected datagram socket retargets it."""
    with datagram_pair(timeout=LONG) as (one, first), Datagram(timeout=LONG) as second:
        second.create(0, HOST)
        for peer in (first, second, first):
            one.connect(*peer.get_sock_name())
            assert one.state == "connected"
            assert one.get_peer_name() == peer.get_sock_name()
            one.send(b"data")
            assert peer.receive_from() == (b"data", one.get_sock_name())


def test_row_128_a_message_that_is_too_long_is_not_sent() -> None:
    """65,508 bytes over IPv4 raise EMSGSIZE and nothing is sent, with a peer or without; 65,507 arrive whole."""
    with datagram_pair(timeout=LONG) as (one, other):
        with fails(one, errno.EMSGSIZE):
            one.send_to(bytes(65508), *other.get_sock_name())
        assert one.send_to(bytes(65507), *other.get_sock_name()) == 65507
        assert other.receive() == bytes(65507)
        one.connect(*other.get_sock_name())
        with fails(one, errno.EMSGSIZE):
            one.send(bytes(65508))
        one.send(b"after")
        assert other.receive() == b"after"


def test_row_129_a_message_longer_than_the_size_is_an_error_with_its_head() -> None:
    """receive_from(2) of a 5-byte message raises MessageTruncated (EMSGSIZE) with 2 bytes and the sender; the rest is gone."""
    with datagram_pair(timeout=LONG) as (one, other):
        for call in (one.receive_from, one.receive):
            other.send_to(b"12345", *one.get_sock_name())
            other.send_to(b"next", *one.get_sock_name())
            with unchanged(one), pytest.raises(MessageTruncated) as truncated:
                call(2)
            assert truncated.value.errno == errno.EMSGSIZE
            assert truncated.value.head == b"12"
            assert truncated.value.sender == other.get_sock_name()
            assert one.receive() == b"next"


def test_row_130_a_broadcast_needs_its_option() -> None:
    """send_to() a broadcast address raises EACCES until SO_BROADCAST is set; no address (MFC: broadcast) is a TypeError."""
    with datagram_pair(timeout=LONG) as (one, other):
        port = other.get_sock_name().port
        with bad_input(one, TypeError):
            one.send_to(b"data", None, port)  # type: ignore[arg-type]
        with fails(one, errno.EACCES):
            one.send_to(b"data", "127.255.255.255", port)
        one.set_option(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        assert one.send_to(b"data", "127.255.255.255", port) == 4


def test_row_131_an_empty_message_is_no_end() -> None:
    """A zero-length message is received as b"", by receive() and receive_from(), and the socket goes on."""
    with datagram_pair(timeout=LONG) as (one, other):
        with unchanged(one, other):
            for _ in range(2):
                assert other.send_to(b"", *one.get_sock_name()) == 0
            assert one.receive_from() == (b"", other.get_sock_name())
            assert one.receive() == b""
        other.send_to(b"data", *one.get_sock_name())
        until(lambda: one.io_ctl() == 4)
        assert one.receive() == b"data"


def test_row_132_a_datagram_socket_is_no_stream() -> None:
    """A SocketFile over a Datagram is refused in every state with the reason, for it has messages and no stream with an end."""
    with datagram_pair() as (one, _):
        with pytest.raises(IllegalCall, match="a datagram socket has messages"):
            SocketFile(one)  # type: ignore[arg-type]
        assert one.state == "bound"
    assert Datagram.role.never_legal("socket_file")
    assert not issubclass(Datagram, Stream)

"""The MFC checklist, section D: data transfer."""

from __future__ import annotations

import errno
import socket

import pytest
from loopback import (
    HOST,
    LONG,
    Background,
    accepted_and_raw_peer,
    client_and_raw_peer,
    connected_pair,
    datagram_pair,
    fill,
    reset,
    until,
)
from refusals import fails, refused, unchanged
from sockets_in_states import bound

from lifecycle import Client, Datagram, SendWouldBlock, Server
from lifecycle.sockets import FIONREAD

every_pair = pytest.mark.parametrize("pair", [client_and_raw_peer, accepted_and_raw_peer])


def test_row_058_send_sends_all() -> None:
    """send(b"abc") returns 3, as CSocket's does: never less."""
    with connected_pair(timeout=LONG) as (client, accepted):
        with unchanged(client):
            assert client.send(b"abc") == 3
        assert accepted.receive() == b"abc"
        assert accepted.send(b"abc") == 3
        assert client.receive() == b"abc"


def test_row_059_send_of_more_than_the_buffer_waits_until_all_is_sent() -> None:
    """A send larger than all buffers waits for the reader, returns the full length, and every byte arrives in order."""
    data = bytes(range(256)) * (1 << 15)
    with connected_pair() as (client, accepted):
        accepted.timeout = LONG
        sending = Background(lambda: client.send(data))
        until(lambda: client.is_blocking)
        received = bytearray()
        while len(received) < len(data):
            received += accepted.receive()
        assert sending.result() == len(data)
        assert received == data


def test_row_060_send_of_nothing_returns_0() -> None:
    """send(b"") returns 0 and puts nothing on the wire, whether there is room or not."""
    with connected_pair(timeout=LONG) as (client, accepted):
        with unchanged(client):
            assert client.send(b"") == 0
        client.send(b"x")
        assert accepted.receive() == b"x"
        fill(client)
        assert client.send(b"") == 0


def test_row_061_send_of_an_unconnected_stream_is_refused() -> None:
    """send() of a client that is not connected, bound or not, raises IllegalCall."""
    with Client() as client:
        client.open()
        with refused(client, "send", "WSAENOTCONN"):
            client.send(b"data")
        client.bind(0, HOST)
        with refused(client, "send", "WSAENOTCONN"):
            client.send(b"data")


def test_row_062_send_into_a_full_buffer_without_waiting_would_block() -> None:
    """With timeout 0 and a full buffer send() raises BlockingIOError and tells what went out; it works again after a read."""
    with connected_pair(timeout=LONG) as (client, accepted):
        sent = fill(client)
        client.timeout = 0
        with unchanged(client), pytest.raises(SendWouldBlock) as full:
            client.send(bytes(1 << 24))
        assert isinstance(full.value, BlockingIOError)
        assert full.value.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
        sent += full.value.sent
        while sent:
            sent -= len(accepted.receive(1 << 20))
        client.timeout = LONG
        assert client.send(b"again") == 5
        assert accepted.receive() == b"again"


def test_row_063_receive_of_nothing_without_waiting_would_block() -> None:
    """With timeout 0 and nothing queued receive() raises BlockingIOError, and the connection stays."""
    with connected_pair(timeout=LONG) as pair:
        for end in pair:
            end.timeout = 0
            with unchanged(end), pytest.raises(BlockingIOError) as would_block:
                end.receive()
            assert would_block.value.errno in (errno.EAGAIN, errno.EWOULDBLOCK)


@every_pair
def test_row_064_receive_takes_what_is_there(pair: type) -> None:
    """receive(10) gives what has arrived, and at most 10 bytes of it."""
    with pair(timeout=LONG) as (end, peer):
        peer.sendall(b"abc")
        assert end.receive(10) == b"abc"
        peer.sendall(b"0123456789ab")
        until(lambda: end.io_ctl() == 12)
        assert end.receive(10) == b"0123456789"
        assert end.receive(10) == b"ab"


@every_pair
def test_row_065_a_peek_leaves_what_it_shows(pair: type) -> None:
    """receive() with MSG_PEEK shows the same bytes each time, and leaves them to be received."""
    with pair(timeout=LONG) as (end, peer):
        peer.sendall(b"abc")
        assert [end.receive(3, socket.MSG_PEEK) for _ in range(2)] == [b"abc"] * 2
        assert end.receive(3) == b"abc"


@every_pair
def test_row_066_the_end_of_the_stream_comes_after_the_data(pair: type) -> None:
    """After the peer has closed, receive() gives what is left and then b"", again and again, in `peer_closed`."""
    with pair(timeout=LONG) as (end, peer):
        peer.sendall(b"last words")
        peer.close()
        assert end.receive(5) == b"last "
        assert end.receive() == b"words"
        assert end.state == "connected"
        assert [end.receive() for _ in range(3)] == [b""] * 3
        assert end.state == "peer_closed"


@every_pair
def test_row_067_a_reset_is_told(pair: type) -> None:
    """After the peer has reset the connection, receive() raises ConnectionResetError, each time, in `broken`."""
    with pair(timeout=LONG) as (end, peer):
        reset(peer)
        for _ in range(3):
            with pytest.raises(ConnectionResetError) as broken:
                end.receive()
            assert broken.value.errno == errno.ECONNRESET
            assert end.state == "broken"


def test_row_068_a_datagram_has_no_out_of_band_data() -> None:
    """MSG_OOB on a datagram socket raises EOPNOTSUPP, and takes nothing."""
    with datagram_pair(timeout=LONG) as (one, other):
        other.send_to(b"data", *one.get_sock_name())
        for call in (one.receive, one.receive_from):
            with fails(one, errno.EOPNOTSUPP):
                call(10, socket.MSG_OOB)
        with fails(other, errno.EOPNOTSUPP):
            other.send_to(b"data", *one.get_sock_name(), socket.MSG_OOB)
        assert one.receive() == b"data"


@every_pair
def test_row_069_receive_from_of_a_stream_tells_no_sender(pair: type) -> None:
    """receive_from() of a stream gives (data, None), and (b"", None) at its end."""
    with pair(timeout=LONG) as (end, peer):
        peer.sendall(b"data")
        assert end.receive_from(10) == (b"data", None)
        peer.close()
        assert end.receive_from(10) == (b"", None)
        assert end.state == "peer_closed"


@every_pair
def test_row_070_send_to_of_a_stream_ignores_the_address(pair: type) -> None:
    """send_to() of a stream sends on the connection, whatever the address says."""
    with pair(timeout=LONG) as (end, peer):
        assert end.send_to(b"data", "192.0.2.1", 9) == 4
        assert end.send_to(b" more") == 5
        received = b""
        while len(received) < 9:
            received += peer.recv(9)
        assert received == b"data more"


def test_row_071_io_ctl_tells_how_much_can_be_received() -> None:
    """io_ctl(FIONREAD) gives all bytes of a stream, and those of the first message of a datagram socket."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        assert client.io_ctl(FIONREAD) == 0
        for part in (b"abc", b"de"):
            peer.sendall(part)
        until(lambda: client.io_ctl(FIONREAD) == 5)
        assert client.receive() == b"abcde"
        assert client.io_ctl() == 0
    with datagram_pair(timeout=LONG) as (one, other):
        assert one.io_ctl(FIONREAD) == 0
        for message in (b"abc", b"de"):
            other.send_to(message, *one.get_sock_name())
        until(lambda: one.io_ctl(FIONREAD) == 3)
        assert one.receive() == b"abc"
        assert one.io_ctl() == 2


@every_pair
def test_row_072_get_peer_name_tells_the_peers_address(pair: type) -> None:
    """get_peer_name() gives the dotted address and the port of the peer."""
    with pair() as (end, peer), unchanged(end):
        assert end.get_peer_name() == peer.getsockname()
        assert (end.get_peer_name().host, end.get_peer_name().port) == peer.getsockname()
        assert end.peer_address == end.get_peer_name()


@pytest.mark.parametrize("kind", [Server, Client, Datagram])
def test_row_073_get_peer_name_of_an_unconnected_socket_is_refused(kind: type[Client]) -> None:
    """get_peer_name() in `bound` raises IllegalCall, and peer_address is None."""
    with bound(kind) as target:
        with refused(target, "get_peer_name", "WSAENOTCONN"):
            target.get_peer_name()
        assert target.peer_address is None


@pytest.mark.parametrize("kind", [Server, Client, Datagram])
def test_row_074_get_sock_name_of_an_unbound_socket_is_refused(kind: type[Client]) -> None:
    """get_sock_name() in `open` raises IllegalCall, where Linux would tell 0.0.0.0:0, and local_address is None."""
    with kind() as target:
        target.open()
        with refused(target, "get_sock_name", "WSAEINVAL"):
            target.get_sock_name()
        assert target.local_address is None

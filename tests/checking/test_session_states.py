"""The state in which checked_sockets() sees a socket is the one that the system is in."""

from __future__ import annotations

import _socket
import os
import socket
from collections.abc import Callable

import pytest
from loopback import HOST

from lifecycle.checking import checked_sockets
from lifecycle.checking.observed import corrected
from lifecycle.checking.registry import track_of


def test_older_socket_is_followed_from_its_real_state(listener: socket.socket) -> None:
    """A socket that is older than the check is followed from its real state, and is never a leak."""
    client = socket.create_connection(listener.getsockname())
    unbound = socket.socket()
    with checked_sockets() as findings:
        listener.accept()[0].close()
        client.sendall(b"hello")
        with pytest.raises(OSError, match="Invalid argument"):
            unbound.accept()
    assert [(found.kind, found.state, found.call) for found in findings] == [("order", "open", "accept")]
    client.close()
    unbound.close()


@pytest.mark.parametrize(
    "receive",
    [
        lambda sock: sock.recv(0),
        lambda sock: sock.recvfrom(0),
        lambda sock: sock.recvmsg(0),
        lambda sock: sock.recv_into(bytearray()),
        lambda sock: sock.recvfrom_into(bytearray()),
        lambda sock: sock.recvmsg_into([bytearray()]),
    ],
)
def test_receiving_nothing_is_not_the_end_of_the_stream(receive: Callable[[socket.socket], object]) -> None:
    """A receive of 0 bytes says nothing about the stream."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        with left, right:
            right.sendall(b"x")
            receive(left)
            assert _state(left) == "connected"
    assert findings == []


@pytest.mark.parametrize(
    "receive",
    [
        lambda sock: sock.recv(9),
        lambda sock: sock.recvfrom(9),
        lambda sock: sock.recvmsg(9),
        lambda sock: sock.recv_into(bytearray(9)),
        lambda sock: sock.recv_into(buffer=bytearray(9)),
        lambda sock: sock.recvfrom_into(bytearray(9), 3),
        lambda sock: sock.recvmsg_into([bytearray(), bytearray(9)]),
    ],
)
def test_each_way_to_receive_sees_the_end_of_the_stream(receive: Callable[[socket.socket], object]) -> None:
    """Data leaves the stream connected; a receive of no data, although some were asked for, is the peer's end."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        with left, right:
            right.sendall(b"x")
            receive(left)
            assert _state(left) == "connected"
            right.shutdown(socket.SHUT_WR)
            receive(left)
            assert _state(left) == "peer_closed"
    assert findings == []


def test_frequent_call_that_fails_is_recorded() -> None:
    """The error of a call that has often succeeded changes the state as the first one's would."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        for _ in range(3):
            left.send(b"x")
        right.close()
        with pytest.raises(OSError, match="Broken pipe"):
            left.send(b"x")
        assert _state(left) == "broken"
        left.close()
    assert findings == []


def test_listener_that_c_code_shuts_down_may_connect(listener: socket.socket) -> None:
    """A listener that listens no more, which bypassed the methods, is judged by the state that it is in."""
    with checked_sockets() as findings, socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.listen()
        _socket.socket.shutdown(sock, socket.SHUT_RDWR)
        sock.connect(listener.getsockname())
        listener.accept()[0].close()
    assert findings == []


def test_descriptor_that_is_reused_is_another_socket() -> None:
    """A detached descriptor that is closed, and whose number another socket gets, does not pass its state on."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        number = left.detach()
        os.close(number)
        other = _socket.socket()
        assert other.fileno() == number
        with socket.socket(fileno=other.detach()) as sock:
            assert _state(sock) == "open"
        right.close()
    assert findings == []


def test_state_is_the_real_one_after_each_step(listener: socket.socket) -> None:
    """After every step of a conversation the state of each end is the one that the system is in."""
    with checked_sockets() as findings, socket.socket() as client:
        assert _state(client) == "open"
        client.bind((HOST, 0))
        assert _state(client) == "bound"
        client.connect(listener.getsockname())
        assert _state(client) == "connected"
        peer, _ = listener.accept()
        with peer:
            assert _state(peer) == "connected"
            peer.shutdown(socket.SHUT_WR)
            assert _state(peer) == "send_shut"
            assert client.recv(1) == b""
            assert _state(client) == "peer_closed"
            client.shutdown(socket.SHUT_WR)
            assert _state(client) == "ended"
            assert peer.recv(1) == b""
            assert _state(peer) == "ended"
        assert _state(peer) == "closed"
    assert findings == []


def test_socket_that_c_code_changes_is_not_misjudged() -> None:
    """Calls that bypass the methods are noticed before anything is reported."""
    import _socket

    with checked_sockets() as findings, socket.socket() as sock, socket.socket() as client:
        _socket.socket.bind(sock, (HOST, 0))
        _socket.socket.listen(sock)
        client.connect(sock.getsockname())
        sock.accept()[0].close()
    assert findings == []


def _state(sock: socket.socket) -> str:
    track = track_of(sock)
    assert track is not None
    return corrected(track.state, sock).name

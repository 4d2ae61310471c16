"""What goes wrong outside: descriptors that run out, and resets. No call hangs, and no state is untrue."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
from descriptors import no_descriptors_left
from loopback import HOST, LONG, accepted_and_raw_peer, client_and_raw_peer, listening, reset, until

from lifecycle import Accepted, Client, Datagram, IllegalCall, Server

End = Client | Accepted

ENDS = {"client": client_and_raw_peer, "accepted": accepted_and_raw_peer}
both_ends = pytest.mark.parametrize("end", ENDS)

# -- no descriptors left --------------------------------------------------------------------------------------------------


def test_accept_without_descriptors() -> None:
    """An accept that finds no descriptor fails with EMFILE, and the connection still waits in the queue."""
    with (
        listening(timeout=LONG) as server,
        Accepted() as target,
        socket.create_connection(server.get_sock_name(), LONG) as peer,
    ):
        peer.sendall(b"still here")
        with no_descriptors_left():
            for _ in range(3):
                with pytest.raises(OSError, match="Too many open files"):
                    server.accept(target)
        assert (server.state, target.state) == ("listening", "empty")
        assert server.accept(target) is target
        assert target.get_peer_name() == peer.getsockname()
        assert target.receive() == b"still here"


@pytest.mark.parametrize("kind", [Server, Client, Datagram])
def test_no_socket_without_descriptors(kind: type[Server] | type[Client] | type[Datagram]) -> None:
    """create() and open() that find no descriptor fail with EMFILE and leave the object empty; later they work."""
    with kind() as created, kind() as opened:
        with no_descriptors_left():
            with pytest.raises(OSError, match="Too many open files"):
                created.create(0, HOST)
            with pytest.raises(OSError, match="Too many open files"):
                opened.open()
        for sock in (created, opened):
            assert (sock.state, sock.fileno()) == ("empty", -1)
        created.create(0, HOST)
        opened.open()
        assert (created.state, opened.state) == ("bound", "open")


# -- a reset in every state of the data phase -----------------------------------------------------------------------------


def _connected(end: End, peer: socket.socket) -> None:
    """The connection is as it was made."""


def _send_shut(end: End, peer: socket.socket) -> None:
    end.shut_down("sends")


def _receive_shut(end: End, peer: socket.socket) -> None:
    end.shut_down("receives")


def _peer_closed(end: End, peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_WR)
    assert end.receive() == b""


def _shut(end: End, peer: socket.socket) -> None:
    end.shut_down("both")


PATHS = {
    "connected": _connected,
    "send_shut": _send_shut,
    "receive_shut": _receive_shut,
    "peer_closed": _peer_closed,
    "shut": _shut,
}

CALLS: dict[str, tuple[Any, ...]] = {
    "send": (b"x",),
    "send_to": (b"x", HOST, 9),
    "receive": (),
    "receive_from": (),
    "shut_down": ("both",),
    "io_ctl": (),
    "get_peer_name": (),
    "get_sock_name": (),
    "get_option": (socket.SO_KEEPALIVE,),
    "set_option": (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
}

TRANSFERS = frozenset({"send", "send_to", "receive", "receive_from"})


def expected_after_reset(state: str, call: str) -> tuple[type[Exception] | None, str]:
    """What a call does that finds the reset first: its error, and the next state."""
    match state, call:
        case "peer_closed", "receive" | "receive_from":
            return None, state  # the end of the stream came first, and stays
        case _, call if call in TRANSFERS:
            return ConnectionError, "broken"
        case _, "get_peer_name" | "shut_down":
            return OSError, state  # the system has let go of the connection
        case _:
            return None, state


@both_ends
@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.skipif(sys.platform != "linux", reason="what the calls beside the transfers do after a reset is Linux's")
def test_reset(end: str, state: str, call: str) -> None:
    """After a reset a transfer fails and the object is broken; the other calls tell what there is and keep the state."""
    with ENDS[end](timeout=LONG) as (sock, peer):
        PATHS[state](sock, peer)
        assert sock.state == state
        reset(peer)
        until(lambda: sock.peer_address is None, "the reset")
        if call not in sock.legal:
            with pytest.raises(IllegalCall):
                getattr(sock, call)(*CALLS[call])
            assert sock.state == state
            return
        error, after = expected_after_reset(state, call)
        if error is None:
            getattr(sock, call)(*CALLS[call])
        else:
            with pytest.raises(error):
                getattr(sock, call)(*CALLS[call])
        assert sock.state == after
        sock.close()
        assert (sock.state, sock.fileno()) == ("closed", -1)


def again_and_again(call: Callable[..., Any], *arguments: Any) -> None:
    """Make the call until it fails: the system may need a moment to report a reset."""
    while True:
        call(*arguments)


@both_ends
@pytest.mark.parametrize("finder", ["send", "receive"])
def test_broken_stays_broken(end: str, finder: str) -> None:
    """Once a reset was found, by a send or a receive, each receive tells it again, and sending is refused."""
    with ENDS[end](timeout=LONG) as (sock, peer):
        reset(peer)
        with pytest.raises(ConnectionError):
            again_and_again(getattr(sock, finder), *CALLS[finder])
        assert sock.state == "broken"
        for _ in range(3):
            with pytest.raises(ConnectionResetError):
                sock.receive()
            with pytest.raises(ConnectionResetError):
                sock.receive_from()
            with pytest.raises(IllegalCall):
                sock.send(b"x")
            with pytest.raises(IllegalCall):
                sock.shut_down()
        assert sock.state == "broken"
        assert sock.get_sock_name() == sock.local_address


@both_ends
@pytest.mark.skipif(sys.platform != "linux", reason="whether a reset drops what is queued is the system's choice")
def test_queued_data_outlives_a_reset(end: str) -> None:
    """What came before the reset is received, also after a send has found the reset."""
    with ENDS[end](timeout=LONG) as (sock, peer):
        peer.sendall(b"last words")
        until(lambda: sock.io_ctl() == 10)
        reset(peer)
        with pytest.raises(ConnectionError):
            again_and_again(sock.send, b"x")
        assert sock.state == "broken"
        assert sock.receive(4) == b"last"
        assert sock.receive_from() == (b" words", None)
        with pytest.raises(ConnectionResetError):
            sock.receive()
        assert sock.state == "broken"


def test_reset_between_connect_and_accept() -> None:
    """A connection that was reset in the queue is accepted, or passed over; the server serves on."""
    with listening(timeout=LONG) as server:
        reset(socket.create_connection(server.get_sock_name(), LONG))
        with socket.create_connection(server.get_sock_name(), LONG) as peer:
            names = set()
            while peer.getsockname() not in names:
                with server.accept() as accepted:
                    names.add(accepted.peer_address)
        assert server.state == "listening"


# -- looking without taking -----------------------------------------------------------------------------------------------


@both_ends
def test_peek_at_the_end_of_the_stream(end: str) -> None:
    """A peek takes no data; at the end of the stream it sees the end, which then stays seen."""
    with ENDS[end](timeout=LONG) as (sock, peer):
        peer.sendall(b"ab")
        peer.shutdown(socket.SHUT_WR)
        for _ in range(3):
            assert sock.receive(1, socket.MSG_PEEK) == b"a"
            assert sock.state == "connected"
        assert sock.receive(2) == b"ab"
        assert sock.state == "connected"
        for flags in (socket.MSG_PEEK, socket.MSG_PEEK, 0, socket.MSG_PEEK):
            assert sock.receive(1, flags) == b""
            assert sock.state == "peer_closed"
        assert sock.send(b"still sending") == 13
        assert peer.recv(100) == b"still sending"


@both_ends
def test_peek_after_a_reset(end: str) -> None:
    """A peek finds a reset as a receive does."""
    with ENDS[end](timeout=LONG) as (sock, peer):
        reset(peer)
        for _ in range(3):
            with pytest.raises(ConnectionResetError):
                sock.receive(1, socket.MSG_PEEK)
            assert sock.state == "broken"

"""The MFC checklist, section B: listening and accepting."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack

import pytest
from kernel import DATA
from loopback import HOST, LONG, SHORT, Background, connected_pair, listening, until, until_shows
from refusals import bad_input, refused, unchanged
from sockets_in_states import bound, full_queue

from lifecycle import Accepted, Client, Datagram, Server


def test_row_021_listen_of_a_bound_server_opens_the_queue() -> None:
    """listen() leads to `listening`; its default queue is the system's, longer than MFC's five."""
    with Server(timeout=LONG) as server, ExitStack() as clients:
        server.create(0, HOST)
        server.listen()
        assert server.state == "listening"
        assert server.get_option(socket.SO_ACCEPTCONN) == 1
        for _ in range(10):
            clients.enter_context(socket.create_connection(server.get_sock_name(), LONG))


def test_row_022_listen_of_an_unbound_socket_is_refused() -> None:
    """listen() in `open` raises IllegalCall, where Linux alone would pick a port."""
    with Server() as server:
        server.open()
        with refused(server, "listen", "WSAEINVAL"):
            server.listen()


def test_row_023_listen_of_a_connected_socket_is_refused() -> None:
    """listen() on either end of a connection raises IllegalCall."""
    with connected_pair() as pair:
        for end in pair:
            with refused(end, "listen", "WSAEISCONN"):
                end.listen()  # type: ignore[union-attr]


def test_row_024_listen_of_a_datagram_socket_is_refused() -> None:
    """listen() on a bound datagram socket raises IllegalCall: datagrams need no connection."""
    with bound(Datagram) as datagram, refused(datagram, "listen", "WSAEOPNOTSUPP"):
        datagram.listen()  # type: ignore[attr-defined]


def test_row_025_listen_again_keeps_the_queue() -> None:
    """listen() while listening succeeds: same state, same port, and who waits in the queue stays there."""
    with listening(timeout=LONG) as server, socket.create_connection(server.get_sock_name(), LONG) as peer:
        with unchanged(server):
            server.listen()
            server.listen(3)
        with server.accept() as accepted:
            assert accepted.get_peer_name() == peer.getsockname()


@pytest.mark.parametrize("backlog", [0, 99, -1, 2**40])
def test_row_026_any_backlog_is_accepted(backlog: int) -> None:
    """listen() clamps a length that is outside the system's range, and says nothing."""
    with Server(timeout=LONG) as server:
        server.create(0, HOST)
        server.listen(backlog)
        assert server.state == "listening"
        with socket.create_connection(server.get_sock_name(), LONG), server.accept() as accepted:
            assert accepted.state == "connected"


def test_row_027_connect_to_a_full_queue_does_not_succeed() -> None:
    """A client that finds the queue full is refused, or as on Linux learns nothing and stays `connecting`."""
    with full_queue() as (server, client):
        assert server.state == "listening"
        assert client.state in ("connecting", "bound")
        if client.state == "connecting":
            with unchanged(client), pytest.raises(TimeoutError):
                client.finish_connect()


def test_row_028_accept_on_a_bound_socket_is_refused() -> None:
    """accept() before listen() raises IllegalCall and leaves its target empty; listen() is the remedy."""
    with Accepted() as target, bound(Server) as server:
        assert isinstance(server, Server)
        with unchanged(target), refused(server, "accept", "WSAEINVAL"):
            server.accept(target)
        assert server.role.remedy("bound", "accept") == ("listen",)


def test_row_029_accept_on_a_datagram_socket_is_refused() -> None:
    """accept() on a bound datagram socket raises IllegalCall."""
    with bound(Datagram) as datagram, refused(datagram, "accept", "WSAEOPNOTSUPP"):
        datagram.accept()  # type: ignore[attr-defined]


def test_row_030_accept_from_an_empty_queue_without_waiting_would_block() -> None:
    """With timeout 0 (a CAsyncSocket's manner) accept() raises BlockingIOError, and goes on listening."""
    with listening(timeout=0) as server, unchanged(server):
        with pytest.raises(BlockingIOError) as would_block:
            server.accept()
        assert would_block.value.errno in (errno.EAGAIN, errno.EWOULDBLOCK)


def test_row_031_accept_from_an_empty_queue_waits() -> None:
    """Without a time-out (a CSocket's manner) accept() waits until a client comes."""
    with listening() as server:
        accepting = Background(server.accept)
        until(lambda: server.is_blocking)
        assert accepting.is_running()
        with socket.create_connection(server.get_sock_name(), LONG) as peer, accepting.result() as accepted:
            assert accepted.get_peer_name() == peer.getsockname()


def test_row_032_accept_fills_an_empty_object() -> None:
    """accept(s) into an empty object leads it to `connected`, returns it, and leaves the server listening."""
    with listening(timeout=LONG) as server, socket.create_connection(server.get_sock_name(), LONG), Accepted() as target:
        with unchanged(server):
            assert server.accept(target) is target
        assert target.state == "connected"
        assert target.fileno() not in (-1, server.fileno())


def test_row_033_accept_into_a_used_object_takes_nothing_from_the_queue() -> None:
    """Where MFC asserts, accept(s) into an object in use or closed is refused, and the waiting client stays in the queue."""
    with connected_pair(timeout=LONG) as (_, used), listening(timeout=LONG) as server, Client() as created:
        created.create(0, HOST)
        with socket.create_connection(server.get_sock_name(), LONG) as peer:
            with unchanged(server), refused(used, "accepted"):
                server.accept(used)
            with unchanged(server), bad_input(created, TypeError):
                server.accept(created)  # type: ignore[arg-type]
            closed = Accepted()
            closed.close()
            with unchanged(server), refused(closed, "accepted"):
                server.accept(closed)
            with server.accept() as accepted:
                assert accepted.get_peer_name() == peer.getsockname()


def test_row_034_a_failed_accept_leaves_its_target_empty() -> None:
    """After an accept() that would block or timed out the target is still empty, and serves for the next one."""
    with listening() as server, Accepted() as target:
        for timeout, error in ((0, BlockingIOError), (SHORT, TimeoutError)):
            server.timeout = timeout
            with unchanged(server, target), pytest.raises(error):
                server.accept(target)
        assert (target.state, target.fileno()) == ("empty", -1)
        server.timeout = LONG
        with socket.create_connection(server.get_sock_name(), LONG):
            server.accept(target)
        assert target.state == "connected"


def test_row_035_an_accepted_socket_neither_listens_nor_accepts() -> None:
    """listen() and accept() on an accepted connection raise IllegalCall."""
    with connected_pair() as (_, accepted):
        with refused(accepted, "listen", "WSAEISCONN"):
            accepted.listen()  # type: ignore[attr-defined]
        with refused(accepted, "accept", "WSAEINVAL"):
            accepted.accept()  # type: ignore[attr-defined]


def test_row_036_an_accepted_socket_inherits_the_time_out() -> None:
    """An accepted object gets the listener's time-out, as MFC's gets its mode, unless it was given its own."""
    with listening(timeout=LONG) as server, Accepted(timeout=SHORT) as own, ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(socket.create_connection(server.get_sock_name(), LONG))
        inherits = opened.enter_context(server.accept())
        assert inherits.timeout == LONG
        assert server.accept(own).timeout == SHORT
        server.timeout = 0
        until_shows(server, DATA)
        does_not_wait = opened.enter_context(server.accept())
        with unchanged(does_not_wait), pytest.raises(BlockingIOError):
            does_not_wait.receive()
        if hasattr(os, "get_blocking"):
            assert not os.get_blocking(inherits.fileno())


def test_row_037_an_accepted_socket_tells_the_peers_address() -> None:
    """The accepted object itself tells the peer's address; accept() has no out-parameters for it."""
    with listening(timeout=LONG) as server, Client(timeout=LONG) as client:
        client.create(0, HOST)
        client.connect(*server.get_sock_name())
        with server.accept() as accepted:
            assert accepted.get_peer_name() == accepted.peer_address == client.get_sock_name()
            assert accepted.get_sock_name() == client.get_peer_name()


def test_row_038_clients_are_accepted_in_the_order_of_their_arrival() -> None:
    """accept() takes the first queued connection."""
    with listening(timeout=LONG) as server, ExitStack() as opened:
        peers = [opened.enter_context(socket.create_connection(server.get_sock_name(), LONG)) for _ in range(3)]
        accepted = [opened.enter_context(server.accept()) for _ in range(3)]
        assert [each.get_peer_name() for each in accepted] == [peer.getsockname() for peer in peers]


def test_row_039_an_accepted_socket_that_leaves_its_scope_closes() -> None:
    """When the accepted object leaves its `with`, or is forgotten, its connection closes: the peer sees the end."""
    with listening(timeout=LONG) as server, ExitStack() as opened:
        for forgotten in (False, True):
            peer = opened.enter_context(socket.create_connection(server.get_sock_name(), LONG))
            accepted = server.accept()
            if forgotten:
                with pytest.warns(ResourceWarning, match="unclosed <lifecycle.Accepted connected"):
                    del accepted
            else:
                with accepted:
                    pass
            assert peer.recv(1) == b""


def test_row_040_closing_the_listener_leaves_accepted_sockets_connected() -> None:
    """A connection that was accepted outlives its server."""
    with (
        listening(timeout=LONG) as server,
        socket.create_connection(server.get_sock_name(), LONG) as peer,
        server.accept() as accepted,
    ):
        server.close()
        assert accepted.state == "connected"
        peer.sendall(b"still here")
        assert accepted.receive() == b"still here"


def test_row_041_connect_of_a_listening_socket_is_refused() -> None:
    """connect() of a server that listens raises IllegalCall."""
    with listening() as server, refused(server, "connect", "WSAEINVAL"):
        server.connect(HOST, 9)  # type: ignore[attr-defined]


def test_row_042_a_listening_socket_carries_no_data() -> None:
    """send() and receive() of a server that listens raise IllegalCall."""
    with listening() as server:
        with refused(server, "send", "WSAENOTCONN"):
            server.send(b"data")  # type: ignore[attr-defined]
        with refused(server, "receive", "WSAENOTCONN"):
            server.receive()  # type: ignore[attr-defined]

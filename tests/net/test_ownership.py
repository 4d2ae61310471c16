"""What a call does besides its outcome: descriptors, blocking mode, options and owners, after success and after failure."""

from __future__ import annotations

import errno
import gc
import os
import socket
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from descriptors import same_descriptors
from kernel import ERROR
from loopback import (
    HOST,
    LONG,
    SHORT,
    client_and_raw_peer,
    listening,
    open_descriptors,
    peer_of,
    raw_listener,
    until,
    until_shows,
    unused_port,
)
from refusals import fails

from lifecycle import Accepted, Client, ClosedDuringCall, Datagram, Server

# -- descriptors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Server, Client, Datagram])
def test_creation_owns_one_descriptor(kind: Any) -> None:
    """create() and open() hold one descriptor until close(); where they fail, they hold none."""
    with same_descriptors(), kind(timeout=LONG) as target, fails(target, errno.EADDRNOTAVAIL):
        target.create(0, "192.0.2.1")
    with same_descriptors(), kind(timeout=LONG) as target:
        before = open_descriptors()
        target.open()
        assert open_descriptors() - before == {target.fileno()}
        number = target.fileno()
        with pytest.raises(OSError, match="requested address"):
            target.bind(0, "192.0.2.1")
        target.bind(0, HOST)
        assert target.fileno() == number


def test_creation_that_cannot_prepare_its_socket_leaves_nothing() -> None:
    """Where an option before the bind cannot be set, the descriptor is closed and the state stays empty."""
    fault = patch("lifecycle.net.created.claim_address", side_effect=OSError(errno.ENOPROTOOPT, "no such option"))
    with same_descriptors(), Server() as server, fault:
        for begin in (server.open, lambda: server.create(0, HOST)):
            with fails(server, errno.ENOPROTOOPT):
                begin()


def test_accept_owns_what_it_returns() -> None:
    """accept() adds one descriptor, which is the accepted object's; an accept that times out adds none."""
    with same_descriptors(), listening(timeout=SHORT) as server:
        with same_descriptors(), pytest.raises(TimeoutError):
            server.accept()
        with socket.create_connection(server.get_sock_name(), LONG):
            before = open_descriptors()
            with server.accept() as accepted:
                assert open_descriptors() - before == {accepted.fileno()}
                assert not os.get_blocking(accepted.fileno())
                assert not os.get_inheritable(accepted.fileno())


def test_a_refused_connect_keeps_its_socket() -> None:
    """After a refusal the object has the descriptor, the address and the options that it had, and connects over them."""
    with same_descriptors(), Client(timeout=LONG) as client:
        client.create(0, HOST)
        client.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        before = client.fileno(), client.get_sock_name()
        with pytest.raises(ConnectionRefusedError):
            client.connect(HOST, unused_port())
        assert (client.fileno(), client.get_sock_name()) == before
        with raw_listener() as listener:
            client.connect(*listener.getsockname())
            assert peer_of(listener) == before[1]
            assert client.get_option(socket.SO_KEEPALIVE)


# -- attach and detach ----------------------------------------------------------------------------------------------------


def test_a_refused_attach_leaves_the_handle_as_it_was() -> None:
    """A handle that is refused stays its owner's: open, in its blocking mode, and usable."""
    with raw_listener() as listener:
        for blocking in (True, False):
            listener.setblocking(blocking)
            with Client() as client, pytest.raises(ValueError, match=r"which .* never is"):
                client.attach(listener)
            assert os.get_blocking(listener.fileno()) is blocking
        listener.settimeout(LONG)
        with socket.create_connection(listener.getsockname(), LONG):
            listener.accept()[0].close()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_attach_that_loses_to_a_close_leaves_the_handle_as_it_was(engine: str) -> None:
    """A close() that comes while attach() is taking a handle over ends the object, and the handle stays the caller's."""

    class Closes(socket.socket):
        def detach(self) -> int:  # when the object has the handle, and its state has not changed
            client.close()
            return super().detach()

    client = Client(engine=engine)
    with listening() as server, Closes() as plain:
        plain.connect(server.local_address)
        number = plain.fileno()
        with pytest.raises(ClosedDuringCall):
            client.attach(plain)
        assert (client.state, client.fileno(), plain.fileno()) == ("closed", -1, number)
        assert plain.getpeername() == server.local_address
        assert os.get_blocking(number)


def test_attach_takes_the_descriptor() -> None:
    """A socket.socket that was attached has no descriptor any more, and its end does not close the object's."""
    with same_descriptors():
        plain = socket.socket()
        plain.bind((HOST, 0))
        number = plain.fileno()
        with Client() as client:
            client.attach(plain)
            assert plain.fileno() == -1
            del plain
            gc.collect()
            assert client.fileno() == number
            assert client.get_sock_name().host == HOST
            assert not os.get_blocking(number)


def test_detach_hands_the_descriptor_out_in_blocking_mode() -> None:
    """The descriptor that detach() returns is open, blocking, and nobody else's."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), socket.socket(fileno=client.detach()) as plain:
        assert os.get_blocking(plain.fileno())
        assert client.fileno() == -1
        client.close()
        plain.sendall(b"still open")
        assert peer.recv(10) == b"still open"


def test_attach_of_a_closing_connection_with_data_left() -> None:
    """A connection both of whose ends were shut is `send_shut` while there is data to read, and `ended` afterwards."""
    with raw_listener() as listener:
        plain = socket.create_connection(listener.getsockname(), LONG)
        peer, _ = listener.accept()
        with peer, Client(timeout=LONG) as client:
            peer.sendall(b"rest")
            plain.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    plain.send(bytes(1 << 20))
            plain.shutdown(socket.SHUT_WR)
            peer.shutdown(socket.SHUT_WR)
            until(lambda: len(plain.recv(5, socket.MSG_PEEK)) == 4)
            client.attach(plain)
            assert client.state == "send_shut"
            assert client.receive() == b"rest"
            assert client.receive() == b""
            assert client.state == "ended"


# -- datagrams ------------------------------------------------------------------------------------------------------------


def test_disconnect_clears_the_old_peers_error() -> None:
    """What the old peer refused is not reported to the calls that come after disconnect()."""
    with Datagram(timeout=SHORT) as datagram:
        datagram.create(0, HOST)
        datagram.connect(HOST, unused_port(socket.SOCK_DGRAM))
        datagram.send(b"to nobody")
        until_shows(datagram, ERROR)
        datagram.disconnect()
        with pytest.raises(TimeoutError):
            datagram.receive_from()


def test_a_connect_that_fails_keeps_the_old_peer() -> None:
    """After a connect that the system refuses, messages go to the peer that was set before."""
    with Datagram(timeout=LONG) as datagram, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((HOST, 0))
        peer.settimeout(LONG)
        datagram.create(0, "0.0.0.0")
        datagram.connect(*peer.getsockname())
        with pytest.raises(PermissionError):
            datagram.connect("255.255.255.255", 9)
        assert datagram.peer_address == peer.getsockname()
        datagram.send(b"to the old peer")
        assert peer.recv(50) == b"to the old peer"


# -- a connect that is interrupted -----------------------------------------------------------------------------------------


def test_an_interrupted_finish_connect_does_not_connect_to_itself() -> None:
    """Where the refusal was collected as the call was interrupted, the next finish_connect() asks the peer again."""
    from lifecycle.system import portable_calls

    asked = portable_calls.connect_result
    port = unused_port()

    def interrupted(sock: socket.socket, address: Any) -> int:
        asked(sock, address)
        raise KeyboardInterrupt

    with Client(timeout=0) as client:
        client.create(0, HOST)
        with pytest.raises(BlockingIOError):
            client.connect(HOST, port)
        until_shows(client, ERROR)
        client.timeout = LONG
        with patch.object(portable_calls, "connect_result", interrupted), pytest.raises(KeyboardInterrupt):
            client.finish_connect()
        assert client.state == "connecting"
        with pytest.raises(ConnectionRefusedError):
            client.finish_connect()
        assert client.state == "bound"


# -- accept and its target ------------------------------------------------------------------------------------------------


def test_an_accept_that_fails_leaves_its_target_empty() -> None:
    """A target of an accept that times out is as it was, and takes the next connection."""
    with listening(timeout=SHORT) as server, Accepted() as target:
        with pytest.raises(TimeoutError):
            server.accept(target)
        assert (target.state, target.fileno()) == ("empty", -1)
        with socket.create_connection(server.get_sock_name(), LONG):
            server.accept(target)
            assert target.state == "connected"

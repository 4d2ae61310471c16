"""Both families: a free client takes any address, a refused connect begins anew, and a server listens to all it was given."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack
from unittest.mock import patch

import pytest
from hosts import HOST6, needs_ipv6
from loopback import HOST, LONG, raw_listener, unused_port

from lifecycle import Client, Server
from lifecycle.net import created
from lifecycle.system import portable_calls


@needs_ipv6
@pytest.mark.parametrize("begin", ["create", "open"])
def test_a_free_client_takes_a_literal_of_either_family(begin: str) -> None:
    """A client that was given no family connects to ::1, with the options that were set, and to an IPv4 address afterwards."""
    with ExitStack() as stack:
        client = stack.enter_context(Client(timeout=LONG))
        getattr(client, begin)()
        client.set_option(option=socket.SO_KEEPALIVE, value=1)
        state = client.state
        for refused in (HOST6, HOST):
            with pytest.raises(ConnectionRefusedError):
                client.connect(refused, unused_port())
            assert client.state == state
        listener = stack.enter_context(socket.create_server((HOST6, 0), family=socket.AF_INET6))
        client.connect(HOST6, listener.getsockname()[1])
        assert client.state == "connected"
        assert client.get_peer_name().host == HOST6
        assert client.get_option(socket.SO_KEEPALIVE)


@needs_ipv6
def test_a_client_with_an_address_keeps_its_family() -> None:
    """A client that was given an IPv4 address does not leave it for ::1."""
    with Client(timeout=LONG) as client:
        client.create(0, HOST)
        with pytest.raises(OSError, match="another family") as failure:
            client.connect(HOST6, 9)
        assert (failure.value.errno, client.state) == (errno.EAFNOSUPPORT, "bound")


@pytest.mark.parametrize("begin", ["create", "create at a port", "open", "open and bind", "pending"])
def test_a_refused_connect_begins_anew(begin: str) -> None:
    """After a refusal the system's socket is another one, with the same descriptor, options and address, and it connects."""
    port = unused_port()
    with Client(timeout=LONG) as client, raw_listener() as listener:
        if begin.startswith("create"):
            client.create(*((port, HOST) if begin.endswith("port") else ()))
        else:
            client.open()
        if begin in ("open and bind", "pending"):
            client.bind(port, HOST)
        client.set_option(option=socket.SO_KEEPALIVE, value=1)
        client.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before = (client.state, client.fileno(), client.local_address)
        cookie = (
            client.get_option(57, size=8) if hasattr(socket, "SO_INCOMING_CPU") else None
        )  # SO_COOKIE: Linux numbers sockets
        for _ in range(2):
            if begin == "pending":
                client.timeout = 0
                with pytest.raises(BlockingIOError):
                    client.connect(HOST, unused_port())
                client.timeout = LONG
                with pytest.raises(ConnectionRefusedError):
                    client.finish_connect()
            else:
                with pytest.raises(ConnectionRefusedError):
                    client.connect(HOST, unused_port())
            assert (client.state, client.fileno(), client.local_address) == before
            assert client.get_option(socket.SO_KEEPALIVE)
            assert client.get_option(socket.TCP_NODELAY, level=socket.IPPROTO_TCP)
        assert cookie is None or client.get_option(57, size=8) != cookie
        client.connect(*listener.getsockname())
        assert client.state == "connected"
        assert before[2] is None or client.local_address.port == before[2].port


def test_an_attached_socket_is_kept_after_a_refusal() -> None:
    """A socket that others made is not replaced: its options are not known."""
    with Client(timeout=LONG) as client, raw_listener() as listener, socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.attach(plain)
        with pytest.raises(ConnectionRefusedError):
            client.connect(HOST, unused_port())
        assert client.get_option(socket.SO_KEEPALIVE)
        client.connect(*listener.getsockname())
        assert client.state == "connected"


@needs_ipv6
def test_a_server_of_every_interface_takes_both_families() -> None:
    """create(port) without an address listens to IPv4 and IPv6, and an IPv4 peer is shown as one."""
    with Server(timeout=LONG) as server:
        server.create(0)
        server.listen()
        for host in (HOST, HOST6):
            with Client(timeout=LONG) as client:
                client.create()
                client.connect(host, server.local_address.port)
                with server.accept() as accepted:
                    assert accepted.get_peer_name() == (host, client.local_address.port)


def test_a_server_without_ipv6_listens_to_ipv4() -> None:
    """Where the system has no IPv6, every interface means those of IPv4."""
    make = portable_calls.new_socket

    def without_ipv6(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no IPv6")
        return make(family, kind)

    with Server() as server:
        with patch.object(created, "new_socket", without_ipv6):
            server.create(0)
        assert server.local_address.host == "0.0.0.0"


def test_a_port_of_the_server_that_is_taken() -> None:
    """A port that is taken on one of the families is taken: nothing is left open, and the state stays `empty`."""
    with Server() as one, Server() as other:
        one.create(0)
        one.listen()
        with pytest.raises(OSError, match="in use"):
            other.create(one.local_address.port)
        assert other.state == "empty"

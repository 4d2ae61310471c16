"""A server listens at every address that its name has here: two families, one port, one queue to accept from."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import pytest
from loopback import HOST, LONG, Background, open_descriptors, until

from lifecycle import Client, IllegalCall, Server
from lifecycle.net import created

V6, NAME = "::1", "both.test"


def has_ipv6() -> bool:
    """Whether this system can listen at ::1."""
    try:
        with socket.create_server((V6, 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not has_ipv6(), reason="this system has no ::1")

resolve = socket.getaddrinfo


def addresses(*hosts: str) -> Any:
    """Have NAME mean these addresses."""

    def look_up(host: str, port: int, family: int = 0, type: int = 0, *rest: int) -> list[Any]:
        found = [each for host in hosts for each in resolve(host, port, 0, type)] if host == NAME else None
        if found is None:
            return resolve(host, port, family, type, *rest)
        return [each for each in found if family in (0, each[0])]

    return mock.patch("socket.getaddrinfo", look_up)


@contextmanager
def serving() -> Iterator[Server]:
    """A server that listens at ::1 and 127.0.0.1; at the end no descriptor of it is left open."""
    before = open_descriptors()
    with Server(timeout=LONG) as made:
        with addresses(V6, HOST):
            made.create(0, NAME)
        made.listen()
        yield made
    assert open_descriptors() == before


def test_one_accept_takes_from_every_address() -> None:
    """The listeners share a port; accept() waits on both, and neither has to wait for the other."""
    with serving() as server:
        first, second = server.local_addresses
        assert (first.host, second.host, second.port) == (V6, HOST, first.port)
        assert server.local_address == first
        for host in (HOST, V6, HOST):
            waiting = Background(server.accept)
            until(lambda: server.is_blocking)
            with Client(timeout=LONG) as client:
                client.create()
                client.connect(host, first.port)
                with waiting.result() as accepted:
                    assert accepted.local_address.host == host
        with ExitStack() as stack:
            clients = [stack.enter_context(socket.create_connection((host, first.port))) for host in (V6, V6, HOST)]
            hosts = [stack.enter_context(server.accept()).local_address.host for _ in clients]
            assert HOST in hosts[:2], "one address is served before the other"
        server.timeout = 0.01
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_close_in_another_thread_ends_the_accept() -> None:
    """The thread that waits on both listeners is woken; accept() is refused afterwards, and there are no addresses."""
    with serving() as server:
        waiting = Background(server.accept)
        until(lambda: server.is_blocking)
        server.close()
        with pytest.raises(IllegalCall):
            waiting.result()
        assert server.local_addresses == ()


def test_options_hold_on_every_address() -> None:
    """An option is set on all listeners, one of IPv6 on that of IPv6; detach() hands the first listener out."""
    with serving() as server:
        server.set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        server.set_option(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 3)
        assert len({each.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for each in server._own_sockets}) == 1
        with socket.socket(fileno=server.detach()) as listener:
            assert listener.getsockname()[0] == V6


def test_addresses_that_cannot_be_had() -> None:
    """What is not this machine's is left out; what is taken is an error, which leaves nothing open."""
    before = open_descriptors()
    with Server() as server, addresses("192.0.2.1", HOST):
        server.create(0, NAME)
        assert [address.host for address in server.local_addresses] == [HOST]
    with Server() as server, addresses("192.0.2.1"), pytest.raises(OSError, match="assign") as caught:
        server.create(0, NAME)
    assert caught.value.errno == errno.EADDRNOTAVAIL
    with socket.create_server((HOST, 0)) as rival, Server() as server, addresses(V6, HOST):
        with pytest.raises(OSError, match="in use"):
            server.create(rival.getsockname()[1], NAME)
        assert server.state == "empty"
    assert open_descriptors() == before


@pytest.mark.parametrize("one_for_both", [True, False])
def test_no_address_means_both_families(one_for_both: bool) -> None:
    """One socket of both families where the system has that, else two: clients of either family come in."""
    everywhere = created.everywhere if one_for_both else lambda prepare, port: None
    with Server(timeout=LONG) as server, mock.patch.object(created, "everywhere", everywhere):
        server.create()
        server.listen()
        assert len(server.local_addresses) == (1 if one_for_both else 2)
        for host in (HOST, V6):
            with socket.create_connection((host, server.local_address.port), LONG), server.accept() as accepted:
                assert accepted.peer_address is not None
                assert accepted.peer_address.host == host

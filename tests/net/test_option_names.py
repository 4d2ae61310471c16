"""Options by name: what the system says of them afterwards, and where they are refused."""

from __future__ import annotations

import socket

import pytest
from loopback import HOST, connected_pair, datagram_pair

from lifecycle import Client, Datagram, IllegalCall


def test_stream_options() -> None:
    """Keepalive with its three numbers, no delay, and buffers are what get_option() says then."""
    with connected_pair() as (client, accepted):
        client.set_keepalive(idle=30, interval=5, count=4)
        assert client.get_option(socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            numbers = [
                client.get_option(option, level=socket.IPPROTO_TCP)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ]
            assert numbers == [30, 5, 4]
        client.set_keepalive(False)
        assert not client.get_option(socket.SO_KEEPALIVE)
        accepted.set_no_delay()
        assert accepted.get_option(socket.TCP_NODELAY, level=socket.IPPROTO_TCP)
        client.set_buffer_sizes(send=20_000, receive=30_000)
        sizes = client.get_option(socket.SO_SNDBUF), client.get_option(socket.SO_RCVBUF)
        assert sizes in ((20_000, 30_000), (40_000, 60_000))
        with pytest.raises(ValueError, match="1 or more"):
            client.set_buffer_sizes(send=0)
    with pytest.raises(IllegalCall):
        Client().set_keepalive()


def test_multicast() -> None:
    """A member of a group gets its messages, and none after leaving it."""
    group = "239.255.77.77"
    with datagram_pair() as (sender, _), Datagram() as member:
        member.create(0)
        member.timeout = 5
        member.join_group(group, HOST)
        sender.set_multicast(hops=0, loop=True, interface=HOST)
        sender.send_to(b"to all", group, member.local_address.port)
        assert member.receive_from() == (b"to all", sender.local_address)
        member.leave_group(group, HOST)
        with pytest.raises(OSError, match="assign"):
            member.leave_group(group, HOST)
        for wrong in ("127.0.0.1", "none"):
            with pytest.raises(ValueError, match=wrong):
                member.join_group(wrong)
        with pytest.raises(TypeError):
            member.join_group(group, 3)
        member.set_broadcast()
        assert member.get_option(socket.SO_BROADCAST)
        member.set_broadcast(False)
        assert not member.get_option(socket.SO_BROADCAST)


def test_multicast_over_ipv6() -> None:
    """The same over IPv6, where an interface is a name or an index."""
    if not socket.has_ipv6:
        pytest.skip("this system has no IPv6")
    with Datagram() as member:
        member.open(socket.AF_INET6)
        loopback = next((index for index, name in socket.if_nameindex() if name.startswith("lo")), 0)
        try:
            member.join_group("ff01::4d", loopback)
        except OSError as error:
            pytest.skip(f"no interface of this machine takes it: {error}")
        member.set_multicast(hops=3, loop=False, interface=loopback)
        assert member.get_option(socket.IPV6_MULTICAST_HOPS, level=socket.IPPROTO_IPV6) == 3
        assert member.get_option(socket.IPV6_MULTICAST_IF, level=socket.IPPROTO_IPV6) == loopback
        member.leave_group("ff01::4d", loopback)

"""Options by name: what the system says of them afterwards, and where they are refused."""

from __future__ import annotations

import socket
import sys

import pytest
from loopback import HOST, connected_pair, datagram_pair

from lifecycle import Client, Datagram, IllegalCall
from lifecycle.net.option_names import interface_address, interface_index, option_of


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


class Recorded(Datagram):
    """Notes what is set, and sets it."""

    calls: list[tuple[int, int | None, int | bytes | None]]

    def set_option(self, level: int = socket.SOL_SOCKET, option: int | None = None, value: int | bytes | None = None) -> None:
        self.calls.append((level, option, value))


class RecordedClient(Client):
    """Notes what is set."""

    calls: list[tuple[int, int | None, int | bytes | None]]

    def set_option(self, level: int = socket.SOL_SOCKET, option: int | None = None, value: int | bytes | None = None) -> None:
        self.calls.append((level, option, value))


def set_by(
    kind: type[Recorded] | type[RecordedClient], family: int, name: str, *arguments: object, **keywords: object
) -> object:
    """Each option that a call sets."""
    with kind() as target:
        target.calls = []
        target.open(family)
        getattr(target, name)(*arguments, **keywords)
        return target.calls


LEVEL, TCP = socket.SOL_SOCKET, socket.IPPROTO_TCP


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="this system has other names of these options")
def test_what_each_call_of_a_stream_sets() -> None:
    """Only what was given is set, in its order, by the options of the documentation."""

    def of(name: str, *arguments: object, **keywords: object) -> object:
        return set_by(RecordedClient, socket.AF_INET, name, *arguments, **keywords)

    assert of("set_buffer_sizes") == []
    assert of("set_buffer_sizes", send=1) == [(LEVEL, socket.SO_SNDBUF, 1)]
    assert of("set_buffer_sizes", receive=2) == [(LEVEL, socket.SO_RCVBUF, 2)]
    assert of("set_buffer_sizes", send=3, receive=4) == [(LEVEL, socket.SO_SNDBUF, 3), (LEVEL, socket.SO_RCVBUF, 4)]
    assert [of("set_no_delay"), of("set_no_delay", False)] == [[(TCP, socket.TCP_NODELAY, on)] for on in (1, 0)]
    assert [of("set_keepalive"), of("set_keepalive", False)] == [[(LEVEL, socket.SO_KEEPALIVE, on)] for on in (1, 0)]
    assert of("set_keepalive", idle=1, interval=2, count=3) == [
        (LEVEL, socket.SO_KEEPALIVE, 1), (TCP, socket.TCP_KEEPIDLE, 1), (TCP, socket.TCP_KEEPINTVL, 2),
        (TCP, socket.TCP_KEEPCNT, 3),
    ]  # fmt: skip
    assert of("set_keepalive", interval=0) == [(LEVEL, socket.SO_KEEPALIVE, 1), (TCP, socket.TCP_KEEPINTVL, 0)]
    with pytest.raises(ValueError, match="not 0"):
        of("set_buffer_sizes", receive=0)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_what_each_call_of_a_datagram_sets(family: int) -> None:
    """The options of multicast are those of the socket's family, with interfaces in its form."""
    if family == socket.AF_INET6 and not socket.has_ipv6:
        pytest.skip("this system has no IPv6")
    v6 = family == socket.AF_INET6
    level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP

    def of(name: str, *arguments: object, **keywords: object) -> object:
        return set_by(Recorded, family, name, *arguments, **keywords)

    assert [of("set_broadcast"), of("set_broadcast", False)] == [[(LEVEL, socket.SO_BROADCAST, on)] for on in (1, 0)]
    assert of("set_multicast") == []
    assert of("set_multicast", hops=0) == [(level, socket.IPV6_MULTICAST_HOPS if v6 else socket.IP_MULTICAST_TTL, 0)]
    loop = socket.IPV6_MULTICAST_LOOP if v6 else socket.IP_MULTICAST_LOOP
    assert [of("set_multicast", loop=on) for on in (True, False)] == [[(level, loop, on)] for on in (1, 0)]
    if v6:
        assert of("set_multicast", interface=3) == [(level, socket.IPV6_MULTICAST_IF, 3)]
        group = bytes.fromhex("ff02" + "00" * 13 + "4d")
        assert of("join_group", "ff02::4d") == [(level, socket.IPV6_JOIN_GROUP, group + bytes(4))]
        assert of("leave_group", "ff02::4d", 2) == [(level, socket.IPV6_LEAVE_GROUP, group + b"\2\0\0\0")]
        name, index = socket.if_nameindex()[0][::-1]
        assert interface_index(name) == index
    else:
        assert of("set_multicast", interface=HOST) == [(level, socket.IP_MULTICAST_IF, b"\x7f\0\0\1")]
        assert of("join_group", "224.0.0.77") == [(level, socket.IP_ADD_MEMBERSHIP, bytes([224, 0, 0, 77]) + bytes(4))]
        assert of("leave_group", "224.0.0.77", HOST) == [
            (level, socket.IP_DROP_MEMBERSHIP, bytes([224, 0, 0, 77]) + b"\x7f\0\0\1")
        ]
    assert (interface_index(None), interface_index(0), interface_address(None)) == (0, 0, bytes(4))
    with pytest.raises(TypeError):
        interface_address(0)


def test_an_option_that_the_system_has() -> None:
    """The first of the names that is there; an error names the first where none is."""
    assert option_of("SO_NONE", "SO_REUSEADDR", "SO_TYPE") == socket.SO_REUSEADDR
    with pytest.raises(OSError, match="this system has no SO_NONE"):
        option_of("SO_NONE", "SO_NEITHER")


@pytest.mark.skipif(sys.platform != "linux", reason="the two have the same number on Linux")
def test_an_option_of_ip_with_the_number_of_a_socket_option() -> None:
    """IP_TOS has the number of SO_DEBUG, whose values are 0 and 1 alone; its own are more."""
    with connected_pair() as (client, _):
        client.set_option(socket.IPPROTO_IP, socket.IP_TOS, 16)
        assert client.get_option(socket.IP_TOS, level=socket.IPPROTO_IP) == 16
        with pytest.raises(ValueError, match="level, option, value"):
            client.set_option(socket.SOL_SOCKET, socket.SO_DEBUG, 16)

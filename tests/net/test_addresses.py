"""Addresses on real sockets: IPv6, names, scopes, families that do not match, and how an Address looks."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import HOST, LONG, datagram_pair, listening
from refusals import fails, kernel_addresses, refused
from sockets_in_states import BINDABLE

from lifecycle import Address, Client, Datagram, Server
from lifecycle.net.blocking.created import Created as Bindable
from lifecycle.net.operations import Resolve
from lifecycle.net.operations.connecting import resolving

HOST6 = "::1"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((HOST6, 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 on its loopback interface")
every_bindable = pytest.mark.parametrize("kind", BINDABLE)


def resolving_to(*hosts: str) -> Any:
    """A resolver that finds those numeric hosts, of the family that was asked for."""

    def look_up(host: str, port: int, family: int, kind: int) -> Any:
        found = []
        for each in hosts:
            its = socket.AF_INET6 if ":" in each else socket.AF_INET
            if family in (its, socket.AF_UNSPEC):
                found.append((its, kind, 0, "", (each, port, 0, 0) if its == socket.AF_INET6 else (each, port)))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    return look_up


@needs_ipv6
@every_bindable
def test_a_numeric_ipv6_address_makes_an_ipv6_socket(kind: type[Bindable]) -> None:
    """create(0, "::1") opens a socket of IPv6 without being told the family, and its name has two fields."""
    with kind() as target:
        target.create(0, HOST6)
        assert target.get_sock_name() == (HOST6, kernel_addresses(target)[0][1])  # type: ignore[index]
        assert repr(target) == f"<lifecycle.{kind.__name__} bound [::1]:{target.get_sock_name().port}>"


@needs_ipv6
@every_bindable
def test_the_family_chooses_every_interface(kind: type[Bindable]) -> None:
    """Without an address, family=AF_INET6 means "::" to create(), and so does bind() after open(AF_INET6)."""
    with kind() as created, kind() as opened:
        created.create(0, family=socket.AF_INET6)
        opened.open(socket.AF_INET6)
        opened.bind(0)
        assert created.get_sock_name().host == opened.get_sock_name().host == "::"


@needs_ipv6
def test_a_connection_over_ipv6() -> None:
    """A client connects over ::1, both ends tell each other's address, and data flows."""
    with Server(timeout=LONG) as server, Client(timeout=LONG) as client:
        server.create(0, HOST6)
        server.listen()
        client.open(socket.AF_INET6)
        client.connect(*server.get_sock_name())
        with server.accept() as accepted:
            assert accepted.get_peer_name() == client.get_sock_name()
            assert client.get_peer_name() == accepted.get_sock_name() == server.get_sock_name()
            client.send(b"data")
            assert accepted.receive() == b"data"


@needs_ipv6
def test_datagrams_over_ipv6() -> None:
    """Messages go over ::1, the sender's address has two fields, and an answer to it arrives."""
    with Datagram(timeout=LONG) as one, Datagram(timeout=LONG) as other:
        one.create(0, HOST6)
        other.create(0, HOST6)
        other.send_to(b"question", *one.get_sock_name())
        data, sender = one.receive_from()
        assert (data, sender) == (b"question", other.get_sock_name())
        one.send_to(b"answer", *sender)
        assert other.receive() == b"answer"


@needs_ipv6
def test_an_unbound_datagram_socket_of_ipv6_binds_by_sending() -> None:
    """send_to() of an open IPv6 socket binds it to "::"."""
    with Datagram(timeout=LONG) as one, Datagram(timeout=LONG) as other:
        one.create(0, HOST6)
        other.open(socket.AF_INET6)
        other.send_to(b"data", *one.get_sock_name())
        assert other.state == "bound"
        assert one.receive_from() == (b"data", Address(HOST6, other.get_sock_name().port))


@needs_ipv6
@pytest.mark.parametrize("any_address", ["::", "0.0.0.0"])
def test_the_address_of_no_machine_is_nobodys_in_both_families(any_address: str) -> None:
    """connect() to "::" raises EADDRNOTAVAIL as to 0.0.0.0."""
    with Client(timeout=LONG) as client:
        client.open(socket.AF_INET6 if ":" in any_address else socket.AF_INET)
        with fails(client, errno.EADDRNOTAVAIL):
            client.connect(any_address, 80)


def test_localhost_is_resolved() -> None:
    """The name "localhost" serves both to listen and to connect."""
    with Server(timeout=LONG) as server, Client(timeout=LONG) as client:
        server.create(0, "localhost", family=socket.AF_INET)
        server.listen()
        assert server.get_sock_name().host == HOST
        client.create(0, HOST)
        client.connect("localhost", server.get_sock_name().port)
        assert client.get_peer_name() == server.get_sock_name()


@needs_ipv6
def test_a_name_is_taken_in_the_sockets_own_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of IPv4 takes a name's first IPv4 address, and create() of no family the very first one."""
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(HOST6, HOST))
    with listening() as server, Client(timeout=LONG) as client, Client() as of_no_family:
        client.create(0, HOST)
        client.connect("both.invalid", server.get_sock_name().port)
        assert client.get_peer_name().host == HOST
        of_no_family.create(0, "both.invalid")
        assert of_no_family.get_sock_name().host == HOST6


def test_a_name_without_an_address_of_the_family_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that has addresses of the other family only is the resolver's error, and the state stays."""
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(HOST6))
    with Client() as client:
        client.open(socket.AF_INET)
        with fails(client, socket.EAI_NONAME):
            client.connect("six.invalid", 80)


@needs_ipv6
@pytest.mark.parametrize(("own", "foreign"), [(HOST, HOST6), (HOST6, HOST)])
@pytest.mark.parametrize("kind", [Client, Datagram])
def test_an_address_of_the_other_family_fails(kind: type[Client], own: str, foreign: str) -> None:
    """connect(), send_to() and bind() raise EAFNOSUPPORT for a numeric address of the other family, and the state stays."""
    with kind() as bound, kind() as opened:
        bound.create(0, own)
        with fails(bound, errno.EAFNOSUPPORT):
            bound.connect(foreign, 80)
        if isinstance(bound, Datagram):
            with fails(bound, errno.EAFNOSUPPORT):
                bound.send_to(b"data", foreign, 80)
        opened.open(socket.AF_INET6 if ":" in own else socket.AF_INET)
        with fails(opened, errno.EAFNOSUPPORT):
            opened.bind(0, foreign)


@every_bindable
@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, HOST6), (socket.AF_INET6, HOST)])
def test_create_refuses_an_address_of_another_family_than_it_was_told(kind: type[Bindable], family: int, address: str) -> None:
    """create() with a family and a numeric address of the other one raises EAFNOSUPPORT, and stays empty."""
    with kind() as target:
        with fails(target, errno.EAFNOSUPPORT):
            target.create(0, address, family=family)
        assert target.state == "empty"


@needs_ipv6
@pytest.mark.skipif(not hasattr(socket, "if_nameindex"), reason="this system does not list its interfaces")
def test_a_scope_names_the_interface() -> None:
    """ "fe80::1%interface" resolves to an address with that interface's number, by its name and by its number."""
    number, name = socket.if_nameindex()[0]
    for scope in (name, str(number)):
        operation = resolving(f"fe80::1%{scope}", 80, socket.AF_UNSPEC, socket.SOCK_STREAM)
        asked = next(operation)
        assert isinstance(asked, Resolve)
        with pytest.raises(StopIteration) as found:
            operation.send(socket.getaddrinfo(asked.host, asked.port, asked.family, asked.kind))
        ((family, address),) = found.value.value
        assert (family, address[1], address[3]) == (socket.AF_INET6, 80, number)
    with Client() as client, fails(client, errno.EADDRNOTAVAIL):
        client.create(0, f"fe80::dead:beef%{name}")


@needs_ipv6
def test_a_scope_of_no_interface_does_not_resolve() -> None:
    """ "fe80::1%nosuch0" is the resolver's error, and the object stays empty."""
    with Client() as client, pytest.raises(socket.gaierror):
        client.create(0, "fe80::1%nosuch0")
    assert client.state == "closed"


@given(address=st.ip_addresses(), port=st.integers(0, 65535))
def test_an_address_looks_as_in_a_url(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    """str() of an Address is host:port, the host in brackets for IPv6; it is a plain tuple besides."""
    text = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    assert str(Address(str(address), port)) == text
    assert Address(str(address), port) == (str(address), port)


@given(address=st.ip_addresses(), port=st.integers(0, 65535))
def test_a_numeric_address_is_never_looked_up(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    """Every numeric address resolves to itself in its own family, and to EAFNOSUPPORT in the other."""
    own, other = (socket.AF_INET, socket.AF_INET6) if address.version == 4 else (socket.AF_INET6, socket.AF_INET)
    for family in (own, socket.AF_UNSPEC):
        with pytest.raises(StopIteration) as found:
            next(resolving(str(address), port, family, socket.SOCK_STREAM))
        assert found.value.value == [(own, (str(address), port))]
    with pytest.raises(OSError, match="another family") as mismatch:
        next(resolving(str(address), port, other, socket.SOCK_STREAM))
    assert mismatch.value.errno == errno.EAFNOSUPPORT


def test_the_repr_tells_state_and_addresses() -> None:
    """repr() of an object shows its class, its state, and both ends as far as they are known."""
    with datagram_pair() as (one, other):
        mine, its = one.get_sock_name(), other.get_sock_name()
        assert repr(one) == f"<lifecycle.Datagram bound {mine}>"
        one.connect(*its)
        assert repr(one) == f"<lifecycle.Datagram connected {mine} -> {its}>"
    assert repr(one) == "<lifecycle.Datagram closed>"
    assert repr(Client()) == "<lifecycle.Client empty>"
    with refused(one, "get_sock_name"):
        one.get_sock_name()

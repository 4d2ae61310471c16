"""Descriptors that get an owner, and what is known of a socket whose descriptor is closed underneath."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
from collections.abc import Iterator
from typing import Any

import pytest
from loopback import HOST, raw_listener

from lifecycle.roles.facts import OVER
from lifecycle.system import handles, portable_calls
from lifecycle.system.handles import SystemSocket, fill, own, unfilled

KINDS: dict[str, tuple[int, int]] = {
    "tcp": (socket.AF_INET, socket.SOCK_STREAM),
    "udp": (socket.AF_INET, socket.SOCK_DGRAM),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM),
    "unix": (int(getattr(socket, "AF_UNIX", socket.AF_INET)), socket.SOCK_STREAM),
}


of_posix = pytest.mark.skipif(os.name != "posix", reason="os.dup(), os.fstat() and os.get_blocking() take no handle of Windows")


def plain_of(name: str) -> socket.socket:
    try:
        return socket.socket(*KINDS[name])
    except OSError:
        pytest.skip("this machine has no sockets of this family")


@of_posix
@pytest.mark.parametrize("kind", [SystemSocket, socket.socket])
@pytest.mark.parametrize("name", KINDS)
def test_an_owner_has_the_family_the_type_and_the_protocol(name: str, kind: type[socket.socket]) -> None:
    """They are asked of the system, by both kinds of objects; the object closes the descriptor."""
    with plain_of(name) as plain, socket.socket(fileno=os.dup(plain.fileno())) as again:
        expected = plain.family, plain.type, again.proto
        number = plain.detach()
    sock = unfilled() if kind is SystemSocket else kind.__new__(kind)
    if kind is not SystemSocket:
        sock._closed = False  # type: ignore[attr-defined]  # as its __init__() does
    assert handles.blocking_mode(number)
    own(sock, number)
    assert (sock.family, sock.type, sock.proto, sock.fileno()) == (*expected, number)
    with handles.borrowed(number) as view:
        assert (view.family, view.type, view.proto, view.fileno()) == (*expected, number)
        view.setblocking(False)
    assert not handles.blocking_mode(number)
    handles.make_blocking(number)
    assert handles.blocking_mode(number)
    identity = handles.identity_of(number)
    assert identity == (os.fstat(number).st_dev, os.fstat(number).st_ino)
    sock.close()
    assert handles.identity_of(number) != identity


def test_a_descriptor_is_owned_again_where_there_was_one() -> None:
    """own_again() puts back what was detached, as often as it is called; without a descriptor it does nothing."""
    with socket.socket() as plain:
        for nothing in ([], [-1]):
            handles.own_again(plain, nothing)
        number = plain.detach()
        for _ in range(2):
            handles.own_again(plain, [number])
            assert plain.fileno() == number


@of_posix
def test_a_socket_object_without_a_descriptor_is_no_open_file() -> None:
    """An unfilled object has no descriptor, and can be closed or filled; `with` closes it, and its repr says so."""
    sock = unfilled()
    assert sock.fileno() == -1
    fill(sock, socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        assert stat.S_ISSOCK(os.fstat(sock.fileno()).st_mode)
    assert sock.fileno() == -1
    unfilled().close()


class Listener(socket.socket):
    """A listener of a class of the program's own."""


@of_posix
@pytest.mark.parametrize("kind", [SystemSocket, Listener])
def test_an_accepted_connection_does_not_block(kind: type[socket.socket]) -> None:
    """It is in non-blocking mode, of the listener's family, type and protocol, whatever class the listener has."""
    listener = kind(socket.AF_INET, socket.SOCK_STREAM)
    with listener, unfilled() as into:
        listener.bind((HOST, 0))
        listener.listen()
        with (
            socket.create_connection(listener.getsockname()) as client,
            handles.take_connection(listener, into) as connection,
        ):
            assert (connection is into) == (kind is SystemSocket)
            assert (connection.getblocking(), os.get_blocking(connection.fileno())) == (False, False)
            assert (connection.family, connection.type, connection.proto) == (
                listener.family,
                listener.type,
                listener.proto,
            )
            assert connection.getpeername() == client.getsockname()


class Interrupt(BaseException):
    """As a signal handler raises it."""


@of_posix
def test_an_interrupted_accept_does_not_lose_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception behind the accept leaves the connection in the object, whole, and the object does not block."""
    left = [Interrupt]

    def filled(*arguments: Any) -> None:
        fill(*arguments)
        if left:
            raise left.pop()

    with raw_listener() as plain, unfilled() as into, unfilled() as listener:
        own(listener, os.dup(plain.fileno()))
        monkeypatch.setattr(handles, "fill", filled)
        with socket.create_connection(plain.getsockname()) as client:
            with pytest.raises(Interrupt):
                handles.take_connection(listener, into)
            assert (into.getblocking(), into.getpeername()) == (False, client.getsockname())


@pytest.mark.skipif(os.name != "posix", reason="handles of Windows have 64 bits")
def test_the_greatest_handle_is_the_greatest_int_of_c() -> None:
    """A descriptor is an int of C: the greatest may be asked for, the next number cannot be one."""
    assert identity_or_error(handles.MAX_HANDLE) is None
    assert identity_or_error(handles.MAX_HANDLE + 1) is OverflowError
    assert type(handles.MAX_HANDLE) is int


def identity_or_error(number: int) -> Any:
    try:
        return handles.identity_of(number)
    except OverflowError:
        return OverflowError


def test_a_plain_accept_gives_a_socket_and_its_peer() -> None:
    """As socket.accept() does, with the listener's family, type and protocol."""
    with raw_listener() as listener, socket.create_connection(listener.getsockname()) as client:
        connection, address = handles.accept_plainly(listener)
        with connection:
            assert address == client.getsockname() == connection.getpeername()
            assert (connection.family, connection.type, connection.proto) == (listener.family, listener.type, listener.proto)


@pytest.fixture(params=KINDS)
def closed_underneath(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """A socket object whose descriptor somebody else has closed."""
    sock = plain_of(request.param)
    os.close(sock.fileno())
    yield sock
    sock.detach()


@of_posix
def test_a_descriptor_that_was_closed_underneath_has_no_facts(closed_underneath: Any) -> None:
    """Nothing is known of it, and nothing is raised: not bound, not listening, no peer, no state of TCP, no file."""
    sock = closed_underneath
    asked = (handles.is_bound, handles._listens, handles._has_peer)
    assert [ask(sock) for ask in asked] == [False, False, False]
    assert handles._tcp_state(sock) is None
    assert handles._peek(sock) == errno.EBADF
    assert handles.identity_of(sock.fileno()) is None


def test_a_closed_socket_is_over() -> None:
    """Its facts are those of the end, with and without a look at its data."""
    sock = socket.socket()
    sock.close()
    assert [handles.facts_of(sock, peek=peek) for peek in (True, False)] == [OVER, OVER]


@pytest.mark.parametrize(("name", "kind", "is_it"), [
    ("tcp", socket.SOCK_STREAM, True), ("tcp", socket.SOCK_DGRAM, False), ("udp", socket.SOCK_DGRAM, True),
    ("tcp6", socket.SOCK_STREAM, True), ("unix", socket.SOCK_STREAM, True), ("unix", socket.SOCK_DGRAM, False),
])  # fmt: skip
def test_the_kind_of_a_socket(name: str, kind: int, is_it: bool) -> None:
    """A socket is of a kind if its type is that one, in each family that objects have."""
    with plain_of(name) as plain:
        assert handles.is_of_kind(plain, kind) is is_it


@pytest.mark.skipif(not hasattr(socket, "AF_PACKET"), reason="this system has no such family")
def test_other_families_are_of_no_kind() -> None:
    """A socket of a family that objects of this package do not have is of no kind of theirs."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM)
    with netlink:
        assert not handles.is_of_kind(netlink, socket.SOCK_DGRAM)


@pytest.mark.skipif(os.name == "nt", reason="Winsock has another call for it")
def test_a_peer_that_cannot_be_forgotten_is_an_error() -> None:
    """The system's answer is raised, as of a descriptor that was closed underneath."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    os.close(sock.fileno())
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EBADF))):
        portable_calls.dissolve(sock)
    sock.detach()


@of_posix
def test_a_new_socket_is_as_asked_for() -> None:
    """Not blocking, not inherited, of the family and type; one of IPv6 takes no connections of IPv4."""
    for name in ("tcp", "udp", "tcp6"):
        family, kind = KINDS[name]
        plain_of(name).close()
        with portable_calls.new_socket(family, kind) as sock:
            assert (sock.family, sock.type, sock.getblocking(), os.get_inheritable(sock.fileno())) == (
                family,
                kind,
                False,
                False,
            )
            assert not os.get_blocking(sock.fileno())
            if family == socket.AF_INET6:
                assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1

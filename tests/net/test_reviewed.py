"""What a review found: each of these was wrong once."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest
from kernel import ERROR
from loopback import (
    HOST,
    LONG,
    Background,
    accepted_and_raw_peer,
    client_and_raw_peer,
    datagram_pair,
    listening,
    reset,
    until,
    until_shows,
    unused_port,
)

from lifecycle import Accepted, Client, Datagram, IllegalCall, Lifecycle, Role, Server
from lifecycle.engine import Call, State
from lifecycle.system.addresses import from_system

TRIES = 20

ECHO = Role(
    name="echo",
    doc="Gives back what it is given.",
    states=(State("here", "Here."), State("gone", "Gone.")),
    calls=(Call("give", "Give it back."), Call("leave", "Go.", exclusive=True)),
    rows=(("here", "give", {"ok": "here"}), ("here", "leave", {"ok": "gone"})),
    initial="here",
    final=frozenset({"gone"}),
)


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_parameters_of_any_name_arrive(engine: str) -> None:
    """A handler's parameters may have the names that a generated method might want for itself, and `self` another name."""

    class Echo(Lifecycle, role=ECHO):
        def give(this, row: int, after: int = 2, *result: int, error: int = 4, **self: int) -> tuple[object, ...]:  # noqa: N805
            return row, after, result, error, self

        def leave(self, claimed: int, taken: int) -> int:
            return claimed + taken

    echo = Echo(engine=engine)
    assert echo.give(1, 7, 8, error=9, row_number=10) == (1, 7, (8,), 9, {"row_number": 10})
    assert echo.leave(1, 2) == 3


def test_parameter_that_would_clash_is_refused() -> None:
    """A parameter with a name of the generated method's own is refused when the class is made."""
    with pytest.raises(TypeError, match="rename its parameter '_lc_node'"):

        class Echo(Lifecycle, role=ECHO):
            def give(self, _lc_node: int) -> None: ...

            def leave(self) -> None: ...


@pytest.mark.parametrize("how", ["receives", "both"])
def test_blocked_receive_of_a_datagram_ends_when_receives_are_ended(how: str) -> None:
    """shut_down() in another thread ends a receive that waits on a datagram socket, as on a stream."""
    with datagram_pair(timeout=LONG) as (one, other):
        one.connect(*other.get_sock_name())
        blocked = Background(one.receive)
        until(lambda: one.is_blocking)
        one.shut_down(how)  # type: ignore[arg-type]
        with pytest.raises(IllegalCall):
            blocked.result()


def test_refused_connect_keeps_the_port() -> None:
    """After a refusal a bound client really has the port that it tells: nobody else gets it."""
    with Client(timeout=LONG) as client:
        client.create(0, HOST)
        with pytest.raises(ConnectionRefusedError):
            client.connect(HOST, unused_port())
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(client.get_sock_name())
    with Client(timeout=0) as client:
        client.open()
        with pytest.raises(BlockingIOError):
            client.connect(HOST, unused_port())
        until_shows(client, ERROR)
        with pytest.raises(ConnectionRefusedError):
            client.finish_connect()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(client.get_sock_name())


def test_inherited_override_is_checked() -> None:
    """A call that a second base class overrides is checked too; one that is not a plain method is refused."""

    class Loud:
        def listen(self, backlog: int | None = None) -> None:
            raise AssertionError("ran unchecked")

    class LoudServer(Loud, Server):
        __slots__ = ()

    with pytest.raises(IllegalCall):
        LoudServer().listen()
    with pytest.raises(TypeError, match=r"Odd.listen is a staticmethod, .* write `def listen"):
        type("Odd", (Server,), {"listen": staticmethod(lambda: None), "__slots__": ()})


def test_accept_keeps_a_timeout_that_was_set() -> None:
    """A target's own time-out, given or set, is kept; else it has the server's."""
    with listening(timeout=LONG) as server, Accepted() as accepted, socket.create_connection(server.get_sock_name()):
        accepted.timeout = 5
        server.accept(accepted)
        assert accepted.timeout == 5
    with listening(timeout=LONG) as server, socket.create_connection(server.get_sock_name()), server.accept() as accepted:
        assert accepted.timeout == LONG


@pytest.mark.parametrize("nobody", ["::", "0::0", "::0", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0"])
def test_address_of_nobody_is_refused_however_it_is_spelt(nobody: str) -> None:
    """Every spelling of the address that means all interfaces is refused as a peer."""
    with Datagram() as datagram:
        datagram.open(socket.AF_INET6)
        with pytest.raises(OSError, match="every interface"):
            datagram.connect(nobody, 9)
        assert datagram.state == "open"


def test_link_local_addresses_keep_their_interface() -> None:
    """The scope of a link-local address is part of its text, so that it can be used to answer."""
    assert from_system(("fe80::1", 5, 0, 7)) == ("fe80::1%7", 5)
    assert from_system(("::1", 5, 0, 0)) == ("::1", 5)


def test_reset_after_a_complete_stream_is_its_end() -> None:
    """A peer that sent everything and closed, and answers a late send with a reset, has still ended its stream."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        peer.sendall(b"everything")
        peer.close()
        client.send(b"late")
        until(lambda: client.peer_address is None)
        assert client.receive() == b"everything"
        assert client.receive() == b""
        assert client.state == "peer_closed"
    with accepted_and_raw_peer(timeout=LONG) as (accepted, peer):
        reset(peer)
        with pytest.raises(ConnectionResetError):
            accepted.receive()


def test_ipv6_sockets_are_of_ipv6_only() -> None:
    """An IPv6 socket takes no IPv4, on every system, and so both can have the same port."""
    with Server() as six:
        six.create(0, "::")
        assert six.get_option(socket.IPV6_V6ONLY, level=socket.IPPROTO_IPV6) == 1
    for _ in range(TRIES):
        with Server() as six, Server() as four, suppress(OSError):  # another program may have the port, over IPv4
            six.create(0, "::")
            four.create(six.get_sock_name().port, "0.0.0.0")
            return
    pytest.fail(f"no port was free for both in {TRIES} tries")

"""The MFC checklist, section C: connecting."""

from __future__ import annotations

import errno
import select
import socket
from contextlib import suppress
from typing import Any

import pytest
from loopback import HOST, LONG, SHORT, Background, connected_pair, raw_listener, until
from refusals import bad_input, fails, refused, unchanged
from sockets_in_states import connecting_client, full_queue, reserved_port

from lifecycle import Client


def no_lookup(*_: object) -> Any:
    raise AssertionError("nothing is to be looked up")


def test_row_043_connect_of_a_bound_client_connects() -> None:
    """connect() to a listening address leads to `connected`, from the address that the client was bound to."""
    with raw_listener() as listener, Client(timeout=LONG) as client:
        client.create(0, HOST)
        local = client.get_sock_name()
        client.connect(*listener.getsockname())
        assert client.state == "connected"
        peer, address = listener.accept()
        peer.close()
        assert address == local


def test_row_044_connect_of_an_open_client_binds_it() -> None:
    """connect() of an unbound client binds it: get_sock_name() works afterwards."""
    with raw_listener() as listener, Client(timeout=LONG) as client:
        client.open()
        assert client.local_address is None
        client.connect(*listener.getsockname())
        assert client.state == "connected"
        assert client.get_sock_name().host == HOST
        assert client.get_sock_name().port > 0


def test_row_045_connect_resolves_a_name_and_takes_its_first_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that is not dotted is looked up, and the first address found is used."""
    asked = []

    def two_addresses(host: str, port: int, family: int, kind: int) -> Any:
        asked.append(host)
        return [(family, kind, 0, "", (HOST, port)), (family, kind, 0, "", ("192.0.2.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
    with raw_listener() as listener, Client(timeout=LONG) as client:
        client.create(0, HOST)
        client.connect("machine.invalid", listener.getsockname()[1])
        assert client.get_peer_name() == listener.getsockname()
    assert asked == ["machine.invalid"]


def test_row_046_connect_to_a_name_that_does_not_resolve_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve raises the resolver's own error, where MFC says WSAEINVAL; the state stays `bound`."""

    def nothing(*_: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with Client() as client:
        client.create(0, HOST)
        with unchanged(client), pytest.raises(socket.gaierror):
            client.connect("no-such-host.invalid", 80)


def test_row_047_a_dotted_address_of_no_host_is_accepted_and_fails_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dotted address is taken by its form alone, without a look-up; that there is no such host is learned by connecting."""
    monkeypatch.setattr(socket, "getaddrinfo", no_lookup)
    with Client(timeout=SHORT) as client:
        client.open()
        with fails(client, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EADDRNOTAVAIL):
            client.connect("255.255.255.255", 9)


def test_row_048_connect_to_a_closed_port_is_refused_and_may_be_repeated() -> None:
    """A refused connect raises ConnectionRefusedError, and the client is in the state it came from, open or bound."""
    with reserved_port() as closed, raw_listener() as listener:
        for begin in (Client.open, Client.create):
            with Client(timeout=LONG) as client:
                begin(client)
                state = client.state
                for _ in range(2):
                    with pytest.raises(ConnectionRefusedError):
                        client.connect(*closed.getsockname())
                    assert client.state == state
                client.connect(*listener.getsockname())
                assert client.state == "connected"


def test_row_049_a_client_that_came_too_early_retries() -> None:
    """A client whose server is not ready yet retries on the same object, and succeeds once the server listens."""
    with reserved_port() as server, Client(timeout=LONG) as client:
        client.create(0, HOST)
        with fails(client, errno.ECONNREFUSED):
            client.connect(*server.getsockname())
        server.listen()
        client.connect(*server.getsockname())
        assert client.state == "connected"


def test_row_050_connect_of_a_connected_socket_is_refused() -> None:
    """connect() on either end of a connection raises IllegalCall."""
    with connected_pair() as pair:
        for end in pair:
            with refused(end, "connect", "WSAEISCONN"):
                end.connect(HOST, 9)  # type: ignore[union-attr]


def test_row_051_connect_without_waiting_is_pending() -> None:
    """With timeout 0 connect() raises BlockingIOError, state `connecting`; finish_connect() tells how it ended, once."""
    with raw_listener() as listener, Client(timeout=0) as client:
        client.create(0, HOST)
        with pytest.raises(BlockingIOError) as pending:
            client.connect(*listener.getsockname())
        assert pending.value.errno in (errno.EINPROGRESS, errno.EWOULDBLOCK)
        assert client.state == "connecting"
        client.timeout = LONG
        client.finish_connect()
        assert client.state == "connected"
        with refused(client, "finish_connect"):
            client.finish_connect()


def test_row_052_a_second_connect_while_connecting_is_refused() -> None:
    """connect() in `connecting` raises IllegalCall: Winsock would answer WSAEALREADY (WSAEINVAL to programs of version 1.1)."""
    with connecting_client() as client, refused(client, "connect", "WSAEALREADY"):
        client.connect(HOST, 9)


def test_row_053_a_pending_connect_that_is_refused_leads_back_to_bound() -> None:
    """finish_connect() raises ConnectionRefusedError, after which the client is `bound` and may connect elsewhere."""
    with reserved_port() as closed, raw_listener() as listener, Client(timeout=0) as client:
        client.create(0, HOST)
        with pytest.raises(BlockingIOError):
            client.connect(*closed.getsockname())
        assert client.state == "connecting"
        select.select([], [client.fileno()], [client.fileno()], LONG)
        with pytest.raises(ConnectionRefusedError):
            client.finish_connect()
        assert client.state == "bound"
        client.timeout = LONG
        client.connect(*listener.getsockname())
        assert client.state == "connected"


def test_row_054_connect_without_a_time_out_returns_when_it_is_finished() -> None:
    """Without a time-out connect() waits until the server has room, and returns `connected`: nothing is left to finish."""
    with full_queue() as (server, _), Client() as client:
        client.create(0, HOST)
        connecting = Background(lambda: client.connect(*server.get_sock_name()))
        until(lambda: client.is_blocking)
        server.timeout = SHORT

        def is_done_after_making_room() -> bool:
            with suppress(TimeoutError):
                server.accept().close()
            return not connecting.is_running()

        until(is_done_after_making_room, "the end of the connect")
        connecting.result()
        assert client.state == "connected"
        assert client.get_peer_name() == server.get_sock_name()


@pytest.mark.parametrize("begin", [Client.open, Client.create])
def test_row_055_connect_to_the_address_of_no_machine_fails(begin: Any) -> None:
    """connect("0.0.0.0", p) raises EADDRNOTAVAIL, where Linux would take its own loopback."""
    with raw_listener() as listener, Client(timeout=LONG) as client:
        begin(client)
        with fails(client, errno.EADDRNOTAVAIL):
            client.connect("0.0.0.0", listener.getsockname()[1])


@pytest.mark.parametrize("begin", [Client.open, Client.create])
def test_row_056_connect_to_port_0_fails(begin: Any) -> None:
    """connect(host, 0) raises EADDRNOTAVAIL."""
    with Client(timeout=LONG) as client:
        begin(client)
        with fails(client, errno.EADDRNOTAVAIL):
            client.connect(HOST, 0)


def test_row_057_connect_to_no_address_is_bad_input() -> None:
    """Where MFC asserts, connect(None, p) raises TypeError, and connect("", p) ValueError."""
    with Client() as client:
        client.create(0, HOST)
        with bad_input(client, TypeError):
            client.connect(None, 80)  # type: ignore[arg-type]
        with bad_input(client, ValueError):
            client.connect("", 80)

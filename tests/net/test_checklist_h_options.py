"""The MFC checklist, section H: options."""

from __future__ import annotations

import errno
import select
import socket

import pytest
from loopback import HOST, LONG, connected_pair, listening
from refusals import fails, unchanged
from sockets_in_states import BINDABLE, Arrangement, bound, in_any_state, reserved_port

from lifecycle import Client, Datagram, Server
from lifecycle.net.blocking.created import Created as Bindable

READ_ONLY = [
    name
    for name in (
        "SO_ACCEPTCONN", "SO_ERROR", "SO_TYPE", "SO_RCVTIMEO", "SO_SNDTIMEO", "SO_RCVLOWAT", "SO_SNDLOWAT",
    )
    if hasattr(socket, name)
]  # fmt: skip


@in_any_state
def test_row_116_an_option_never_set_has_its_default(arranged: Arrangement) -> None:
    """get_option() of an option that was never set gives its default: SO_KEEPALIVE and SO_DONTROUTE are off."""
    with arranged() as target, unchanged(target):
        assert target.get_option(socket.SO_KEEPALIVE) == 0
        assert target.get_option(socket.SO_DONTROUTE) == 0


@pytest.mark.parametrize("kind", BINDABLE)
def test_the_systems_own_defaults_are_kept(kind: type[Bindable]) -> None:
    """A fresh socket has the very defaults of a plain one, but that a server may reuse its port."""
    with kind() as target, socket.socket(type=socket.SOCK_DGRAM if kind is Datagram else socket.SOCK_STREAM) as plain:
        target.open()
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF, socket.SO_BROADCAST, socket.SO_ERROR, socket.SO_TYPE):
            assert target.get_option(option) == plain.getsockopt(socket.SOL_SOCKET, option)
        assert target.get_option(socket.SO_LINGER, size=8) == plain.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            return
        assert target.get_option(socket.SO_REUSEADDR) == (1 if kind is Server else 0)


def test_row_117_accept_conn_tells_whether_the_server_listens() -> None:
    """SO_ACCEPTCONN is 0 for a bound server and 1 for a listening one."""
    with bound(Server) as server:
        assert server.get_option(socket.SO_ACCEPTCONN) == 0
    with listening() as server:
        assert server.get_option(socket.SO_ACCEPTCONN) == 1


@in_any_state
def test_row_118_options_that_are_told_only_cannot_be_set(arranged: Arrangement) -> None:
    """set_option() of SO_ACCEPTCONN, SO_ERROR, SO_TYPE, SO_RCVTIMEO and their like raises ENOPROTOOPT in every state."""
    with arranged() as target:
        for name in READ_ONLY:
            with fails(target, errno.ENOPROTOOPT):
                target.set_option(socket.SOL_SOCKET, getattr(socket, name), 1)


@pytest.mark.parametrize("kind", [Server, Client])
def test_row_119_a_stream_does_not_broadcast(kind: type[Bindable]) -> None:
    """set_option(SO_BROADCAST) of a stream raises ENOPROTOOPT, and a datagram socket takes it."""
    with bound(kind) as stream, bound(Datagram) as datagram:
        with fails(stream, errno.ENOPROTOOPT):
            stream.set_option(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        datagram.set_option(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        assert datagram.get_option(socket.SO_BROADCAST)


@pytest.mark.parametrize("name", ["SO_KEEPALIVE", "SO_LINGER", "SO_OOBINLINE"])
def test_row_120_a_datagram_socket_has_no_options_of_streams(name: str) -> None:
    """set_option() of SO_KEEPALIVE, SO_LINGER and SO_OOBINLINE raises ENOPROTOOPT of datagrams; streams take them."""
    value: int | bytes = bytes([1, 0, 0, 0, 1, 0, 0, 0]) if name == "SO_LINGER" else 1
    option = getattr(socket, name)
    with bound(Datagram) as datagram, bound(Client) as stream:
        with fails(datagram, errno.ENOPROTOOPT):
            datagram.set_option(socket.SOL_SOCKET, option, value)
        stream.set_option(socket.SOL_SOCKET, option, value)
        assert stream.get_option(option)


def test_row_121_no_delay_belongs_to_the_level_of_tcp() -> None:
    """TCP_NODELAY is set and read with level IPPROTO_TCP; at the level of sockets the same number is another option."""
    with connected_pair(timeout=LONG) as pair:
        for end in pair:
            assert end.get_option(socket.TCP_NODELAY, level=socket.IPPROTO_TCP) == 0
            end.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.set_option(socket.SOL_SOCKET, socket.TCP_NODELAY, 0)  # this is SO_DEBUG
            assert end.get_option(socket.TCP_NODELAY, level=socket.IPPROTO_TCP)


def test_row_122_the_error_of_a_failed_connect_is_told_once() -> None:
    """SO_ERROR tells the code of a connect that failed unseen, then 0; finish_connect() still fails then."""
    with reserved_port() as closed, Client(timeout=0) as client:
        client.create(0, HOST)
        with pytest.raises(BlockingIOError):
            client.connect(*closed.getsockname())
        select.select([], [client.fileno()], [client.fileno()], LONG)
        with unchanged(client):
            assert client.get_option(socket.SO_ERROR) == errno.ECONNREFUSED
            assert client.get_option(socket.SO_ERROR) == 0
        with pytest.raises(ConnectionError):
            client.finish_connect()
        assert client.state == "bound"

"""Objects of every role in every state that has a socket: for what must hold in any of them."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial

import pytest
from loopback import (
    HOST,
    LONG,
    SHORT,
    accepted_and_raw_peer,
    client_and_raw_peer,
    crowd,
    reset,
    unanswering_listener,
    until_acknowledged,
    unused_port,
)

from lifecycle import Accepted, Client, Datagram, Server
from lifecycle.net.blocking.created import Created as Bindable
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket
from lifecycle.net.blocking.stream import Stream

Arrangement = Callable[[], AbstractContextManager[OsSocket]]

CLASSES: tuple[type[OsSocket], ...] = (Server, Client, Accepted, Datagram)
BINDABLE: tuple[type[Bindable], ...] = (Server, Client, Datagram)
STREAM_STATES = ("connected", "send_shut", "receive_shut", "peer_closed", "ended", "shut", "broken")


@contextmanager
def opened(kind: type[Bindable]) -> Iterator[OsSocket]:
    with kind(timeout=LONG) as target:
        target.open()
        yield target


@contextmanager
def bound(kind: type[Bindable]) -> Iterator[OsSocket]:
    with kind(timeout=LONG) as target:
        target.create(0, HOST)
        yield target


@contextmanager
def listening_server() -> Iterator[OsSocket]:
    with Server(timeout=LONG) as server:
        server.create(0, HOST)
        server.listen()
        yield server


@contextmanager
def connecting_client() -> Iterator[Client]:
    """A client whose connect neither succeeds nor fails."""
    with unanswering_listener() as address, Client(timeout=SHORT) as client:
        client.create(0, HOST)
        with pytest.raises(TimeoutError):
            client.connect(*address)
        yield client


@contextmanager
def stream_in(state: str, pair: Callable[..., AbstractContextManager[tuple[Stream, socket.socket]]]) -> Iterator[OsSocket]:
    """A stream in that state of the data phase."""
    with pair(timeout=LONG) as (stream, peer):
        bring(stream, peer, state)
        yield stream


def bring(stream: Stream, peer: socket.socket, state: str) -> None:
    """Bring a connected stream into a state of the data phase."""
    match state:
        case "send_shut":
            stream.shut_down("sends")
            until_acknowledged(stream)
        case "receive_shut":
            stream.shut_down("receives")
        case "shut":
            stream.shut_down("both")
            until_acknowledged(stream)
        case "peer_closed":
            peer.shutdown(socket.SHUT_WR)
            assert stream.receive() == b""
        case "ended":
            stream.shut_down("sends")
            until_acknowledged(stream)
            peer.shutdown(socket.SHUT_WR)
            assert stream.receive() == b""
        case "broken":
            reset(peer)
            with pytest.raises(ConnectionResetError):
                stream.receive()
    assert stream.state == state


@contextmanager
def datagram_in(state: str) -> Iterator[OsSocket]:
    """A datagram socket that has, or had, a peer."""
    with Datagram(timeout=LONG) as datagram:
        datagram.create(0, HOST)
        datagram.connect(HOST, unused_port(socket.SOCK_DGRAM))
        if state != "connected":
            datagram.shut_down({"send_shut": 1, "receive_shut": 0, "shut": 2}[state])  # type: ignore[arg-type]
        assert datagram.state == state
        yield datagram


WITH_A_SOCKET: dict[str, Arrangement] = {
    **{f"{kind.role.name}-open": partial(opened, kind) for kind in BINDABLE},
    **{f"{kind.role.name}-bound": partial(bound, kind) for kind in BINDABLE},
    "server-listening": listening_server,
    "client-connecting": connecting_client,
    **{f"client-{state}": partial(stream_in, state, client_and_raw_peer) for state in STREAM_STATES},
    **{f"accepted-{state}": partial(stream_in, state, accepted_and_raw_peer) for state in STREAM_STATES},
    **{f"datagram-{state}": partial(datagram_in, state) for state in ("connected", "send_shut", "receive_shut", "shut")},
}
"""role-state -> an arrangement that yields such an object"""

in_any_state = pytest.mark.parametrize("arranged", WITH_A_SOCKET.values(), ids=WITH_A_SOCKET)
"""Runs a test for every role in every state that has a socket."""


def choose_port(take: Callable[[int], None]) -> int:
    """Call `take` with ports below the range that systems choose from, until one is free; that port."""
    first = 20000 + os.getpid() % 5000
    for port in range(first, first + 200):
        try:
            take(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port
    raise AssertionError("no port is free")


@contextmanager
def reserved_port() -> Iterator[socket.socket]:
    """A bound socket that does not listen: a connect to it is refused until it does, and nobody else gets its port."""
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.settimeout(LONG)
        yield holder


@contextmanager
def full_queue() -> Iterator[tuple[Server, Client]]:
    """A server whose queue is full, and the client whose connect found it so."""
    with ExitStack() as stack:
        server = stack.enter_context(Server(timeout=LONG))
        server.create(0, HOST)
        server.listen(0)
        crowd(server._socket, stack)
        client = stack.enter_context(Client(timeout=SHORT))
        client.create(0, HOST)
        with pytest.raises((TimeoutError, ConnectionRefusedError)):
            client.connect(*server.get_sock_name())
        yield server, client

"""Connected pairs on the loopback interface, all with the same options: raw, governed by a role, governed by a rival."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.rivals import Rival, Stream
from lifecycle import Accepted, Client, Server

HOST = "127.0.0.1"
BACKLOG = 128

OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20),
    (socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20),
)
"""No delay, and buffers of a fixed size: a system that sizes them as it goes treats one connection unlike the next."""


def set_options(sock: socket.socket) -> None:
    """Give a socket of the standard library the options of every pair."""
    for level, option, value in OPTIONS:
        sock.setsockopt(level, option, value)


@contextmanager
def raw_listener() -> Iterator[socket.socket]:
    """A listening socket of the standard library."""
    with socket.create_server((HOST, 0), backlog=BACKLOG) as listener:
        yield listener


@contextmanager
def listening() -> Iterator[tuple[Server, tuple[str, int]]]:
    """A server, and where it listens."""
    with Server() as server:
        server.create(0, HOST)
        server.listen(BACKLOG)
        yield server, server.get_sock_name()


@contextmanager
def raw_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets of the standard library, in its default, blocking mode."""
    with raw_listener() as listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        with accepted:
            for end in (client, accepted):
                set_options(end)
            yield client, accepted


@contextmanager
def governed_pair() -> Iterator[tuple[Client, Accepted]]:
    """A client and the accepted end of its connection."""
    with listening() as (server, address), Client() as client:
        client.create(0, HOST)
        client.connect(*address)
        with server.accept() as accepted:
            for end in (client, accepted):
                for level, option, value in OPTIONS:
                    end.set_option(level, option, value)
            yield client, accepted


@contextmanager
def rival_pair(rival: Rival) -> Iterator[tuple[Stream, Stream]]:
    """Two connected streams of another library: both accepted, since setting an option is not an event of theirs."""
    with raw_listener() as listener:
        connection = socket.create_connection(listener.getsockname())
        client, accepted = rival.stream(), rival.stream()
        for stream, end in ((client, connection), (accepted, listener.accept()[0])):
            set_options(end)
            stream.accepted(end)
        try:
            yield client, accepted
        finally:
            client.close()
            accepted.close()

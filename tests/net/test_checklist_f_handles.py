"""The MFC checklist, section F: handles."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from loopback import (
    LONG,
    Background,
    accepted_and_raw_peer,
    client_and_raw_peer,
    connected_pair,
    listening,
)
from refusals import bad_input, fails, refused
from sockets_in_states import CLASSES, WITH_A_SOCKET, Arrangement, bound, in_any_state

from lifecycle import Accepted, Client, Datagram
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket

every_class = pytest.mark.parametrize("kind", CLASSES)
every_pair = pytest.mark.parametrize("pair", [client_and_raw_peer, accepted_and_raw_peer])


@contextmanager
def closed_descriptor() -> Iterator[int]:
    """A number that was a descriptor just now."""
    reader, writer = os.pipe()
    os.close(writer)
    os.close(reader)
    yield reader


@every_pair
def test_row_090_detach_hands_the_socket_out(pair: type) -> None:
    """detach() returns the descriptor, in blocking mode, and closes the object only: the connection lives on in the socket."""
    with pair(timeout=LONG) as (end, peer):
        descriptor = end.fileno()
        handle = end.detach()
        assert handle == descriptor
        assert (end.state, end.fileno()) == ("closed", -1)
        with socket.socket(fileno=handle) as alive:
            assert alive.gettimeout() is None
            peer.sendall(b"question")
            assert alive.recv(8) == b"question"
            alive.sendall(b"answer")
            assert peer.recv(6) == b"answer"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a half-closed connection cannot be told from an open one")
@pytest.mark.parametrize("name", WITH_A_SOCKET)
def test_row_091_attach_takes_the_state_from_the_handle(name: str) -> None:
    """attach(h) of an empty object holds that very descriptor and enters the state that it is really in."""
    with WITH_A_SOCKET[name]() as origin, type(origin)(timeout=LONG) as target:
        state = origin.state
        handle = origin.detach()
        target.attach(handle)
        assert target.fileno() == handle
        assert target.state == ("ended" if state == "broken" else state)  # a reset that was told already is forgotten


@every_class
def test_row_092_attach_of_no_handle_fails(kind: type[OsSocket]) -> None:
    """attach(-1) raises ValueError, a closed descriptor EBADF, one that is not a socket ENOTSOCK; the object stays empty."""
    target: Any
    reader, writer = os.pipe()
    try:
        with kind() as target:
            with bad_input(target, ValueError):
                target.attach(-1)
            with closed_descriptor() as gone, fails(target, errno.EBADF):
                target.attach(gone)
            with fails(target, errno.ENOTSOCK):
                target.attach(reader)
            assert target.state == "empty"
    finally:
        os.close(reader)
        os.close(writer)


@every_class
def test_row_093_there_is_no_map_of_handles(kind: type[OsSocket]) -> None:
    """There is no FromHandle: an object is found by reference; fileno() tells its handle, and -1 once it is closed."""
    target: Any
    with kind() as target:
        assert not hasattr(kind, "from_handle")
        assert target.fileno() == -1
        if "create" in target.legal:
            target.create(0, "127.0.0.1")
            assert target.fileno() >= 0
        target.close()
        assert target.fileno() == -1


@in_any_state
def test_row_094_an_object_is_usable_from_another_thread(arranged: Arrangement) -> None:
    """Where MFC's map is per thread, an object here is shared by threads: another one sees its state, uses it and closes it."""
    with arranged() as target:
        seen = Background(lambda: (target.state, target.fileno(), target.get_option(socket.SO_TYPE))).result()
        assert seen == (target.state, target.fileno(), target.get_option(socket.SO_TYPE))
        Background(target.close).result()
        assert target.state == "closed"


def test_row_095_a_connection_is_handed_to_a_worker() -> None:
    """Accept, detach, and attach in a worker thread: the connection is usable there."""
    with listening(timeout=LONG) as server, socket.create_connection(server.get_sock_name(), LONG) as peer:
        handle = server.accept().detach()

        def work() -> bytes:
            with Accepted(timeout=LONG) as mine:
                mine.attach(handle)
                question = mine.receive(8)
                mine.send(question.upper())
                return question

        worker = Background(work)
        peer.sendall(b"question")
        assert peer.recv(8) == b"QUESTION"
        assert worker.result() == b"question"
        assert peer.recv(1) == b""


@every_class
def test_attach_takes_over_sockets_of_its_own_kind_only(kind: type[OsSocket]) -> None:
    """A handle of the other kind, or in a state that the role does not have, is a ValueError, and the caller keeps it."""
    with connected_pair() as (client, _), bound_of_another_kind(kind) as foreign, kind() as target:
        with bad_input(target, ValueError):
            target.attach(foreign.fileno())
        assert foreign.getsockname()
        if kind in (Client, Accepted):
            return
        with bad_input(target, ValueError):
            target.attach(client.fileno())
        assert client.state == "connected"
        assert client.get_peer_name()


@contextmanager
def bound_of_another_kind(kind: type[OsSocket]) -> Iterator[socket.socket]:
    other = socket.SOCK_STREAM if kind is Datagram else socket.SOCK_DGRAM
    with socket.socket(type=other) as foreign:
        foreign.bind(("127.0.0.1", 0))
        yield foreign


def test_attach_of_an_object_in_use_is_refused() -> None:
    """attach() of an object that has a socket is refused, where MFC overwrites the handle and leaks it."""
    with bound(Client) as client, socket.socket() as other, refused(client, "attach"):
        client.attach(other)

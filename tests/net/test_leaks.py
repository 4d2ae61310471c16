"""Opening and closing thousands of times leaves descriptors and memory as they were, and forgotten objects close themselves."""

from __future__ import annotations

import gc
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from long_form import part
from loopback import HOST, LONG, connected_pair, listening, open_descriptors, raw_listener

from lifecycle import Accepted, Client, Datagram, Server

CYCLES = part(10_000, 3_000)
WARM_UP = 400


@pytest.fixture
def without_collector() -> Iterator[None]:
    """The cyclic collector is off, and what it would find was found before, with what the finalizers of other tests leave.

    Nor is anything imported or compiled any more, which is done with the first object of a class, and leaves cycles once.
    """
    with connected_pair(timeout=LONG) as (client, accepted), Datagram(), Server():
        client.send(b"x")
        accepted.receive()
        client.shut_down()
    for _ in range(10):
        if not gc.collect():
            break
    gc.disable()
    yield
    gc.enable()


def stream_cycle(server: Server) -> None:
    """One connection from construction to both closes; the accepted end closes first, so that no client port stays taken."""
    with Client(timeout=LONG) as client:
        client.create(0, HOST)
        client.connect(*server.get_sock_name())
        with server.accept() as accepted:
            assert client.send(b"x") == 1
            assert accepted.receive(1) == b"x"
        assert client.receive() == b""


def datagram_cycle(server: Server) -> None:
    with Datagram(timeout=LONG) as datagram:
        datagram.create(0, HOST)
        there = datagram.get_sock_name()
        datagram.send_to(b"x", *there)
        assert datagram.receive_from() == (b"x", there)


def server_cycle(server: Server) -> None:
    with Server() as other:
        other.create(0, HOST)
        other.listen()


def unused_cycle(server: Server) -> None:
    for kind in (Server, Client, Accepted, Datagram):
        kind().close()


def handed_on_cycle(server: Server) -> None:
    with Datagram() as giver, Datagram() as taker:
        giver.create(0, HOST)
        taker.attach(giver.detach())


MIX: tuple[Callable[[Server], None], ...] = (
    stream_cycle,
    datagram_cycle,
    server_cycle,
    datagram_cycle,
    stream_cycle,
    handed_on_cycle,
    server_cycle,
    unused_cycle,
)


@pytest.mark.usefixtures("without_collector")
def test_thousands_of_cycles() -> None:
    """3,000 mixed cycles, 10,000 in the whole form, leave no descriptor and no memory, without the cyclic collector."""
    with listening(timeout=LONG) as server:
        for number in range(WARM_UP):
            MIX[number % len(MIX)](server)
        descriptors, blocks = open_descriptors(), sys.getallocatedblocks()
        for number in range(CYCLES):
            MIX[number % len(MIX)](server)
        assert open_descriptors() == descriptors
        grown = sys.getallocatedblocks() - blocks
        assert grown < CYCLES / 20, f"{grown} blocks of memory more after {CYCLES} cycles"
    assert gc.collect() == 0
    assert gc.garbage == []


@pytest.mark.usefixtures("without_collector")
def test_no_reference_cycles() -> None:
    """Objects that were used and closed are gone as soon as nobody holds them: the collector has nothing to find."""
    with connected_pair(timeout=LONG) as (client, accepted):
        for number in (1, 1 << 16):
            client.send(bytes(number))
            received = 0
            while received < number:
                received += len(accepted.receive())
        client.shut_down()
        assert accepted.receive() == b""
        accepted.close()
        assert client.receive() == b""
        client.close()
        left = [weakref.ref(client), weakref.ref(accepted)]
    del client, accepted
    assert [each() for each in left] == [None, None]
    assert gc.collect() == 0
    assert gc.garbage == []


def opened_server() -> Any:
    server = Server()
    server.open()
    return server


def listening_server() -> Any:
    server = Server()
    server.create(0, HOST)
    server.listen()
    return server


def bound_client() -> Any:
    client = Client()
    client.create(0, HOST)
    return client


def connected_client() -> Any:
    with listening() as server:
        client = bound_client()
        client.connect(*server.get_sock_name())
        return client


def connected_accepted() -> Any:
    with listening() as server, Client() as client:
        client.create(0, HOST)
        client.connect(*server.get_sock_name())
        return server.accept()


def attached_datagram() -> Any:
    datagram = Datagram()
    with Datagram() as giver:
        giver.create(0, HOST)
        datagram.attach(giver.detach())
    return datagram


FORGOTTEN = (opened_server, listening_server, bound_client, connected_client, connected_accepted, attached_datagram)


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("make", FORGOTTEN, ids=lambda each: each.__name__)
def test_forgotten_object(make: Callable[[], Any]) -> None:
    """A forgotten object closes its descriptor the moment that nobody holds it, and one ResourceWarning names it."""
    sock = make()
    number = sock.fileno()
    name, state = type(sock).__name__, sock.state
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        del sock
        assert number not in open_descriptors()
    (warning,) = warned
    assert warning.category is ResourceWarning
    assert str(warning.message).startswith(f"unclosed <lifecycle.{name} {state}")


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("kind", [Server, Client, Accepted, Datagram])
def test_unused_object_is_forgotten_in_silence(kind: Callable[[], Any]) -> None:
    """An object that never had a socket needs no close, and gives no warning."""
    sock = kind()
    gone = weakref.ref(sock)
    del sock
    assert gone() is None


def test_the_peer_of_a_forgotten_object_sees_the_end() -> None:
    """When a connected object is forgotten, its peer sees the end of the stream at once."""
    with raw_listener() as listener:
        client = bound_client()
        client.connect(*listener.getsockname())
        peer, _ = listener.accept()
        with peer:
            with pytest.warns(ResourceWarning, match="unclosed"):
                del client
            assert peer.recv(1) == b""

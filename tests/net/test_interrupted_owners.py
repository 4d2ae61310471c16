"""Descriptors keep one owner where an exception comes in the middle of a call, as that of a signal handler may."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from descriptors import same_descriptors
from loopback import HOST, LONG, client_and_raw_peer, listening, raw_listener

from lifecycle import Accepted, Client, Server
from lifecycle.net.operations import PATIENCE, READABLE, STILL_WRITABLE, WRITABLE, Operation
from lifecycle.net.ownership import giving_back, refuse_own_way, taking_back
from lifecycle.roles import words
from lifecycle.system import polling
from lifecycle.system.handles import unfilled


class Interrupt(BaseException):
    """As a signal handler raises it."""


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    """No descriptor is left open, and none is closed twice."""
    with same_descriptors():
        yield


def test_a_detach_that_is_interrupted_has_not_happened() -> None:
    """The object has its descriptor again, which does not block, and its state."""

    def detach(client: Client) -> int:
        Client.detach.__wrapped__(client)  # type: ignore[attr-defined]
        raise Interrupt

    with client_and_raw_peer() as (client, peer):
        number = client.fileno()
        with pytest.raises(Interrupt):
            taking_back(detach)(client)
        assert (client.fileno(), client.state, os.get_blocking(number)) == (number, "connected", False)
        client.send(b"still mine")
        assert peer.recv(99) == b"still mine"
        with pytest.raises(Interrupt):
            taking_back(lambda target: (_ for _ in ()).throw(Interrupt))(client)
        assert (client.fileno(), client.state) == (number, "connected")


def test_an_attach_that_is_interrupted_has_not_happened() -> None:
    """The caller has the descriptor, in the mode that it had, and the object is empty."""

    def attach(client: Client, handle: Any) -> None:
        Client.attach.__wrapped__(client, handle)  # type: ignore[attr-defined]
        client._moves(client._node, node)
        raise Interrupt

    with raw_listener() as listener, socket.create_connection(listener.getsockname()) as plain, Client() as client:
        node = client._node
        for handle, blocks in ((plain, True), (plain, False), (plain.fileno(), False)):
            plain.setblocking(blocks)
            number = plain.fileno()
            with pytest.raises(Interrupt):
                giving_back(attach)(client, handle)
            assert (plain.fileno(), client.fileno(), client.state) == (number, -1, "empty")
            assert isinstance(handle, int) or os.get_blocking(number) in (blocks, True)


def test_an_interrupted_accept_leaves_its_connection_for_the_next() -> None:
    """What was taken is kept, unless nothing was; the next accept gives it."""
    with listening(timeout=LONG) as server, Accepted() as target:
        server._leave(unfilled(), target)
        assert not server._left
        with socket.create_connection(server.get_sock_name()) as client:
            taken = server._socket.accept()[0]
            target._socket = taken
            server._leave(taken, target)
            assert (server._left, target._socket) == ([taken], None)
            server._leave(other := unfilled(), target)
            assert server._left == [taken]
            assert other.fileno() == -1
            assert server._arriving() is taken
            assert not server._left
            assert server._arriving().fileno() == -1
            server._left.append(taken)
            assert taken.getpeername() == client.getsockname()
    assert taken.fileno() == -1  # closed with the server


@pytest.mark.parametrize("address", [HOST, None])
def test_a_socket_beside_is_as_the_own_one(address: str | None) -> None:
    """It has the options of the client's, and a port of its own where the client is bound."""
    with Client() as client:
        client.open()
        with client._socket_beside(socket.AF_INET) as unbound:
            assert unbound.getsockname()[1] == 0
        client.set_no_delay()
        client.set_option(option=socket.SO_SNDBUF, value=30_000)
        client.bind(0, address)
        with client._socket_beside(socket.AF_INET) as one, client._socket_beside(socket.AF_INET) as other:
            ports = {sock.getsockname()[1] for sock in (client._socket, one, other)}
            assert len(ports) == 3
            assert min(ports) > 1
            assert one.getsockname()[0] == "0.0.0.0"
            assert not one.getblocking()
            sizes = [sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) for sock in (client._socket, one)]
            assert sizes[0] == sizes[1]


def test_a_socket_that_is_ready_in_vain_is_asked_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 64 waits in vain each pauses, until something was done again."""
    asked: list[tuple[bool, bool]] = []

    def until_ready(wait: object, numbers: object, *, writing: bool, deadline: object, in_vain: bool) -> bool:
        asked.append((writing, in_vain))
        return True

    def busy() -> Operation[None]:
        for _ in range(PATIENCE + 3):
            yield STILL_WRITABLE
        yield WRITABLE
        for _ in range(2):
            yield READABLE

    monkeypatch.setattr(polling.Wait, "until_ready", until_ready)
    with client_and_raw_peer() as (client, _):
        client._run(words.SEND, busy())
    assert asked == [(True, False)] * PATIENCE + [(True, True)] * 3 + [(True, False)] + [(False, False)] * 2
    assert PATIENCE == 64


class Wrapping(socket.socket):
    """Sends in its own way."""

    def send(self, *arguments: Any) -> int:
        return super().send(*arguments)


class Named(socket.socket):
    """Has more names, and sends as every socket does."""

    def label(self) -> str:
        return "a label"


def test_a_socket_that_sends_its_own_way_is_not_taken_over() -> None:
    """Its descriptor alone would lose what it adds; a subclass without a send or a receive of its own is taken over."""
    with Wrapping() as wrapping, Named() as named, socket.socket() as plain:
        refuse_own_way(plain)
        refuse_own_way(named)
        with pytest.raises(TypeError, match=r"a Wrapping has send\(\) of its own"):
            refuse_own_way(wrapping)
        with Server() as server, pytest.raises(TypeError):
            server.attach(wrapping)
        assert wrapping.fileno() != -1

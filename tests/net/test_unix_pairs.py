"""Unix-domain sockets: pairs that are connected to each other, and who the peer is."""

from __future__ import annotations

import os
import sys
from typing import Any

import anyio
import pytest
from loopback import LONG

from lifecycle import Accepted, Client, Datagram, aio

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked")


@pytest.mark.parametrize("kind", [Client, Accepted, Datagram])
def test_a_pair(kind: type[Client | Accepted | Datagram]) -> None:
    """socketpair() gives two objects that are connected to each other, with the options that were given."""
    one, other = kind.socketpair(timeout=LONG)
    with one, other:
        assert (one.state, other.state) == ("connected", "connected")
        one.send(b"data")
        assert other.receive() == b"data"


@on_linux
def test_credentials() -> None:
    """Both ends see who the other is; without a connection and over IP there is nobody."""
    one, other = Client.socketpair()
    with one, other, Client() as client:
        assert one.peer_credentials == other.peer_credentials == (os.getpid(), os.getuid(), os.getgid())
        assert client.peer_credentials is None
        client.create()
        assert client.peer_credentials is None


def test_an_awaited_pair() -> None:
    """socketpair() of the awaited classes gives awaited objects."""

    async def talk() -> Any:
        one, other = aio.Client.socketpair()
        async with one, other:
            await one.send(b"data")
            return await other.receive()

    assert anyio.run(talk) == b"data"

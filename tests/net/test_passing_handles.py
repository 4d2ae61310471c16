"""Descriptors that travel over Unix-domain sockets: what arrives, what may not, and that none stays open that nobody has."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from descriptors import no_descriptors_left
from loopback import LONG, client_and_raw_peer, open_descriptors

from lifecycle import Accepted, Client, Datagram, MessageTruncated, SendTimedOut, TooManyHandles, aio
from lifecycle.conformance.adapters.certificates import client_context
from lifecycle.system.passing import MOST

pytestmark = pytest.mark.skipif(not hasattr(socket, "SCM_RIGHTS"), reason="this system passes no descriptors")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a receiver look at descriptors first")


@contextmanager
def ends(kind: type[Any] = Client) -> Iterator[tuple[Any, Any]]:
    """Two objects that are connected; at the end no descriptor has been left open."""
    before = open_descriptors()
    one, other = kind.socketpair() if issubclass(kind, (aio.Client, aio.Datagram)) else kind.socketpair(timeout=LONG)
    with one, other:
        yield one, other
    assert open_descriptors() == before


@pytest.mark.parametrize("kind", [Client, Accepted, Datagram])
def test_descriptors_arrive_with_their_bytes(kind: type[Any]) -> None:
    """What arrives is a duplicate that is not inherited, in order; the sender's own stays open."""
    with ends(kind) as (one, other):
        reading, writing = os.pipe()
        assert one.send_handles(b"two", [reading, writing]) == 3
        data, handles = other.receive_handles()
        assert (data, len(handles)) == (b"two", 2)
        assert not any(os.get_inheritable(handle) for handle in handles)
        os.write(handles[1], b"x")
        assert os.read(reading, 9) == b"x"
        for handle in (reading, writing, *handles):
            os.close(handle)
        one.send_handles(b"none", [])
        assert other.receive_handles() == (b"none", [])


def test_as_many_descriptors_as_one_message_carries_arrive() -> None:
    """Each is a descriptor of its own, though the same one was sent each time."""
    with ends() as (one, other):
        assert one.send_handles(b"many", [0] * MOST) == 4
        data, handles = other.receive_handles(limit=MOST)
        for handle in handles:
            os.close(handle)
        assert (data, len(set(handles))) == (b"many", MOST)
        with pytest.raises(ValueError, match=f"{MOST} descriptors at most, not {MOST + 1}"):
            one.send_handles(b"more", [0] * (MOST + 1))


def test_objects_with_a_fileno_can_be_sent() -> None:
    """A connection is handed on by its object; a text, a bool and no data at all are refused before anything is sent."""
    with ends() as (one, other), ends() as (mine, theirs):
        one.send_handles(b"c", [mine])
        with Accepted(timeout=LONG) as handed_on:
            handed_on.attach(other.receive_handles()[1][0])
            theirs.send(b"hello")
            assert handed_on.receive() == b"hello"
        for handles, data, error in (("0", b"x", TypeError), ([True], b"x", TypeError), ([0], b"", ValueError)):
            with pytest.raises(error):
                one.send_handles(data, handles)
        with pytest.raises(OSError, match="Bad file") as caught:
            one.send_handles(b"x", [1 << 20])
        assert caught.value.errno == errno.EBADF


def test_a_stream_ends_and_waits_as_in_receive() -> None:
    """(b"", []) is the end; a time-out says how much went; what receive_until() has kept comes first, without descriptors."""
    with ends() as (one, other):
        other.timeout = 0
        with pytest.raises(BlockingIOError):
            other.receive_handles()
        with pytest.raises(TimeoutError):
            other.receive_handles(timeout=0.01)
        one.send_handles(b"a line\nrest", [0])
        other.timeout = LONG
        assert other.receive_until(b"\n") == b"a line"  # drops the descriptor, which came unasked
        assert other.receive_handles() == (b"rest", [])
        with pytest.raises(SendTimedOut) as caught:
            one.send_handles(bytes(8 << 20), [0], timeout=0.05)
        assert 0 < caught.value.sent < 8 << 20
        received = 0
        while received < caught.value.sent:
            data, handles = other.receive_handles()
            assert len(handles) == (not received)
            os.close(handles[0]) if handles else None
            received += len(data)
        one.shut_down()
        assert other.receive_handles() == (b"", [])
        assert other.state == "peer_closed"


@pytest.mark.parametrize("kind", [Client, Datagram])
@pytest.mark.parametrize("call", ["receive", "receive_from", "closing"])
def test_descriptors_that_arrive_unasked_are_closed(kind: type[Any], call: str) -> None:
    """A plain receive gives the bytes and drops the descriptors; so does a close over what was not received."""
    with ends(kind) as (one, other):
        for _ in range(3):
            one.send_handles(b"surprise", [0, 1, 2])
        if call != "closing":
            got = getattr(other, call)()
            assert (got[0] if call == "receive_from" else got).startswith(b"surprise")


@on_linux
@pytest.mark.parametrize("kind", [Client, Datagram])
def test_more_than_the_limit_or_than_there_is_room_for(kind: type[Any]) -> None:
    """Too many descriptors, or none left in the process: an error, nothing was taken, and nothing stays open."""
    with ends(kind) as (one, other):
        one.send_handles(b"many", [0, 0, 0])
        with pytest.raises(TooManyHandles, match="3 descriptors arrived, and at most 1 are allowed") as caught:
            other.receive_handles(limit=1)
        assert (caught.value.count, caught.value.limit, caught.value.errno) == (3, 1, errno.EMSGSIZE)
        with no_descriptors_left(), pytest.raises(OSError, match="Too many open files"):
            other.receive_handles()
        assert other.state == "connected"
        data, handles = other.receive_handles(limit=3)
        assert (data, len(handles)) == (b"many", 3)
        for handle in handles:
            os.close(handle)
        for bad in ({"limit": -1}, {"limit": 254}, {"size": 0}):
            with pytest.raises(ValueError, match="a size is 1 byte or more"):
                other.receive_handles(**bad)


def test_a_message_that_is_too_long_takes_its_descriptors_with_it() -> None:
    """MessageTruncated has the head, as from receive(), and the descriptors are closed."""
    with ends(Datagram) as (one, other):
        one.send_handles(b"long message", [0])
        with pytest.raises(MessageTruncated) as caught:
            other.receive_handles(4)
        assert caught.value.head == b"long"


def test_none_pass_while_another_call_makes_the_tls_handshake() -> None:
    """A handshake under way has taken the socket's place: descriptors are refused, and the handshake goes on."""

    async def main() -> None:
        one, other = aio.Client.socketpair()
        with one, other:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one.start_tls, client_context())
                while not one.is_blocking:
                    await anyio.sleep(0)
                with pytest.raises(OSError, match="not supported"):
                    await one.receive_handles()
                with pytest.raises(OSError, match="not supported"):
                    await one.send_handles(b"x", [0])
                assert (one.is_blocking, await other.receive(1)) == (True, b"\x16")
                tasks.cancel_scope.cancel()

    anyio.run(main)


def test_other_sockets_pass_none() -> None:
    """Over IP both calls fail with EOPNOTSUPP, keep the state, and send nothing."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        for call in (lambda: client.send_handles(b"x", [0]), client.receive_handles):
            with pytest.raises(OSError, match="only a Unix-domain socket") as caught:
                call()
            assert caught.value.errno == errno.EOPNOTSUPP
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(1)
        assert client.state == "connected"


@on_linux
@pytest.mark.parametrize("kind", [aio.Client, aio.Datagram])
def test_awaited(kind: type[Any]) -> None:
    """The awaited calls wait for room and for data; a cancelled receive has taken nothing."""

    async def main() -> None:
        with ends(kind) as (one, other):
            with anyio.move_on_after(0.01):
                await other.receive_handles()
            await one.send_handles(b"data", [0, 1])
            data, handles = await other.receive_handles()
            assert (data, len(handles)) == (b"data", 2)
            for handle in handles:
                os.close(handle)
            await one.send_handles(b"again", [0])
            with pytest.raises(TooManyHandles):
                await other.receive_handles(limit=0)
            assert await other.receive() == b"again"

    anyio.run(main)

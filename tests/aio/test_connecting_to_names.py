"""Connecting to a name that has several addresses, in the manner of RFC 8305."""

from __future__ import annotations

import errno
import inspect
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from event_loops import INSTALLED, LOOPS, EventLoop, on_every_loop
from hosts import HOST6, SECOND, THIRD, family_of, needs_ipv6, needs_more_hosts
from hypothesis import given
from hypothesis import strategies as st
from loopback import HOST, SHORT, open_descriptors, raw_listener, unanswering_listener, unused_port

from lifecycle import BlockingCallCancelled, ClosedDuringCall, aio
from lifecycle.net.operations.connecting import CONNECTION_ATTEMPT_DELAY, interleaved


@contextmanager
def name_of(*hosts: str) -> Iterator[list[int]]:
    """Every name means these hosts, of the family that is asked for; the families that were."""
    asked: list[int] = []

    async def look_up(host: str, port: int, *, family: int, type: int) -> Any:
        asked.append(family)
        found = [each for each in hosts if family in (family_of(each), socket.AF_UNSPEC)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(family_of(each), type, 0, "", (each, port, 0, 0) if ":" in each else (each, port)) for each in found]

    with patch.object(anyio, "getaddrinfo", look_up):
        yield asked


def listener_at(stack: ExitStack, host: str, port: int) -> socket.socket:
    """A listening socket on that port of another host."""
    sock = stack.enter_context(socket.create_server((host, port), family=family_of(host)))
    sock.settimeout(1)
    return sock


families = st.tuples(st.sampled_from([socket.AF_INET, socket.AF_INET6]), st.tuples(st.text(max_size=3), st.integers(0, 9)))


@given(st.lists(families, min_size=1, unique=True))
def test_families_take_turns(candidates: list[Any]) -> None:
    """The first address stays first, each family keeps its order, and they alternate as long as both have addresses."""
    mixed = interleaved(candidates)
    assert mixed[0] == candidates[0]
    assert sorted(mixed) == sorted(candidates)
    for family in (socket.AF_INET, socket.AF_INET6):
        assert [each for each in mixed if each[0] == family] == [each for each in candidates if each[0] == family]
    both = 2 * min(sum(each[0] == family for each in candidates) for family in (socket.AF_INET, socket.AF_INET6))
    assert all(mixed[place][0] != mixed[place + 1][0] for place in range(both - 1))


@needs_ipv6
@on_every_loop
async def test_the_first_address_that_answers_is_taken() -> None:
    """A client that was given neither family nor address takes what the name has first, IPv6 or not."""
    with ExitStack() as stack:
        listener = stack.enter_context(raw_listener())
        port = listener.getsockname()[1]
        listener_at(stack, HOST6, port)
        for hosts in ((HOST6, HOST), (HOST, HOST6)):
            for begin in (aio.Client.create, aio.Client.open):
                with name_of(*hosts) as asked:
                    async with aio.Client() as client:
                        begun = begin(client)
                        if inspect.isawaitable(begun):
                            await begun
                        await client.connect("both.invalid", port)
                        assert client.get_peer_name() == (hosts[0], port)
                        assert client.get_sock_name().host == hosts[0]
                        assert asked == [socket.AF_UNSPEC]


@needs_ipv6
@on_every_loop
async def test_a_refusal_begins_the_next_attempt_at_once() -> None:
    """Where nobody listens at the first address the second is tried without waiting, with the same options."""
    with raw_listener() as listener, name_of(HOST6, HOST):
        async with aio.Client() as client:
            client.open()
            client.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            client.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with anyio.fail_after(CONNECTION_ATTEMPT_DELAY):
                await client.connect("both.invalid", listener.getsockname()[1])
            assert client.get_peer_name().host == HOST
            assert client.get_option(socket.SO_KEEPALIVE)
            assert client.get_option(socket.TCP_NODELAY, level=socket.IPPROTO_TCP)
            await client.send(b"hello")
            with listener.accept()[0] as peer:
                assert peer.recv(5) == b"hello"


@needs_more_hosts
@on_every_loop
async def test_an_attempt_that_hangs_is_overtaken() -> None:
    """Where the first address does not answer the second is tried after a quarter of a second, and its socket is kept."""
    with unanswering_listener() as address, ExitStack() as stack, name_of(HOST, SECOND):
        listener = listener_at(stack, SECOND, address[1])
        before = open_descriptors()
        async with aio.Client() as client:
            await client.create()
            begin = anyio.current_time()
            await client.connect("slow.invalid", address[1])
            assert CONNECTION_ATTEMPT_DELAY * 0.9 <= anyio.current_time() - begin < CONNECTION_ATTEMPT_DELAY * 4
            assert client.get_peer_name().host == SECOND
            assert client.state == "connected"
            assert len(open_descriptors() - before) == 1
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.receive)
                await anyio.sleep(SHORT / 5)
                assert client.is_blocking
                tasks.cancel_scope.cancel()
            with listener.accept()[0] as peer:  # the waits are those of the socket that was kept
                peer.setblocking(False)
                left = 1 << 22
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.send, bytes(left))
                    while left:
                        with suppress(BlockingIOError):
                            left -= len(peer.recv(1 << 16))
                        await anyio.sleep(0)


@needs_more_hosts
@on_every_loop
async def test_when_all_fail_the_first_error_is_raised() -> None:
    """The first attempt's error is raised, from the group of all of them; the client is what it was, and may retry."""
    with name_of(HOST, SECOND, THIRD):
        async with aio.Client() as client:
            await client.create()
            before = client.get_sock_name()
            with pytest.raises(ConnectionRefusedError) as failure:
                await client.connect("nobody.invalid", unused_port())
            assert isinstance(failure.value.__cause__, ExceptionGroup)
            assert len(failure.value.__cause__.exceptions) == 3
            assert client.state == "bound"
            assert client.get_sock_name() == before
            with raw_listener() as listener:
                await client.connect("nobody.invalid", listener.getsockname()[1])
                assert client.get_peer_name().host == HOST


@needs_more_hosts
@on_every_loop
async def test_a_client_with_an_address_keeps_its_socket() -> None:
    """One that was given an address, a port or a family tries the addresses of its family in turn, over its own socket."""
    with ExitStack() as stack, name_of(HOST6, HOST, SECOND) as asked:
        listener = listener_at(stack, SECOND, 0)
        port = listener.getsockname()[1]
        begins: list[Callable[[aio.Client], Any]] = [
            lambda client: client.create(0, "127.0.0.1"),
            lambda client: client.create(0, None, family=socket.AF_INET),
            lambda client: client.open(socket.AF_INET),
        ]
        for begin in begins:
            async with aio.Client() as client:
                begun = begin(client)
                if inspect.isawaitable(begun):
                    await begun
                number, before = client.fileno(), client.local_address
                await client.connect("several.invalid", port)
                assert client.get_peer_name().host == SECOND
                assert client.fileno() == number
                assert before is None or client.get_sock_name().port == before.port
        assert set(asked) == {socket.AF_INET}


@needs_more_hosts
@on_every_loop
async def test_cancelled_attempts_leave_nothing_open() -> None:
    """Whenever the attempts are cancelled, the object is where it was, or `connecting` over its own socket."""
    with unanswering_listener() as address, name_of(HOST, HOST6, SECOND, THIRD):
        for seconds in (0, 0.05, CONNECTION_ATTEMPT_DELAY * 1.2):
            before = open_descriptors()
            async with aio.Client() as client:
                client.open()
                own = client.fileno()
                with anyio.move_on_after(seconds) as scope:
                    await client.connect("slow.invalid", address[1])
                assert scope.cancelled_caught
                assert client.state in ("open", "connecting")
                assert client.fileno() == own
                assert open_descriptors() - before == {own}
                assert not client.is_blocking


@needs_more_hosts
@on_every_loop
async def test_closing_and_cancelling_end_the_attempts() -> None:
    """close() during the attempts gives ClosedDuringCall, cancel_blocking_call() BlockingCallCancelled; nothing stays open."""
    with unanswering_listener() as address, name_of(HOST, HOST6, SECOND):
        for end, error in (("close", ClosedDuringCall), ("cancel_blocking_call", BlockingCallCancelled)):
            before = open_descriptors()
            async with aio.Client() as client, anyio.create_task_group() as tasks:
                client.open()

                async def connect(client: aio.Client, error: type[Exception]) -> None:
                    with pytest.raises(error):
                        await client.connect("slow.invalid", address[1])

                tasks.start_soon(connect, client, error)
                await anyio.sleep(SHORT)
                assert client.is_blocking
                getattr(client, end)()
            assert open_descriptors() == before


@on_every_loop
async def test_an_address_of_nobody_among_the_names_addresses() -> None:
    """A name that means the address of no machine is refused before anything is tried."""
    with name_of("0.0.0.0", HOST):
        async with aio.Client() as client:
            client.open()
            with pytest.raises(OSError, match="every interface") as failure:
                await client.connect("odd.invalid", 80)
            assert failure.value.errno == errno.EADDRNOTAVAIL
            assert client.state == "open"


@pytest.mark.parametrize(
    "event_loop", [each for each in LOOPS if each.is_asyncio and INSTALLED[each.name]], ids=lambda each: each.name
)
def test_localhost_is_looked_up(event_loop: EventLoop) -> None:
    """The system's own resolver is asked in the loop's way. (Not under trio, which keeps its threads beyond a test.)"""

    async def main() -> None:
        async with aio.Server() as server, aio.Client() as client, aio.Datagram() as datagram:
            await server.create(0, "localhost", family=socket.AF_INET)
            server.listen()
            await client.create()
            await client.connect("localhost", server.get_sock_name().port)
            assert client.get_peer_name() == server.get_sock_name()
            await datagram.create(0, "localhost", family=socket.AF_INET)
            assert await datagram.send_to(b"me", "localhost", datagram.get_sock_name().port) == 2
            assert await datagram.receive() == b"me"

    event_loop.run(main)

"""An awaited server with two listeners: several accepts at once, their end, and notifications, on every event loop."""

from __future__ import annotations

import socket
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from event_loops import on_every_loop
from loopback import HOST, open_descriptors

from lifecycle import BlockingCallCancelled, ClosedDuringCall, IllegalCall, aio

V6 = "::1"


def two_families(host: str, port: int, **asked: Any) -> Any:
    """Every name means both loopback addresses."""
    return [
        (family, socket.SOCK_STREAM, 0, "", (each, port)) for family, each in ((socket.AF_INET6, V6), (socket.AF_INET, HOST))
    ]


async def look_up(host: str, port: int, **asked: Any) -> Any:
    return two_families(host, port)


async def ends(server: aio.Server, expected: type[Exception] | tuple[type[Exception], ...], ended: list[bool]) -> None:
    """An accept() that ends so."""
    with pytest.raises(expected):
        await server.accept()
    ended.append(True)


@on_every_loop
@pytest.mark.skipif(not socket.has_ipv6, reason="this system has no IPv6")
async def test_accepts_of_several_tasks() -> None:
    """Two tasks take one connection of each family; cancel_blocking_call(), a cancellation and close() end their waits."""
    before = open_descriptors()
    with patch.object(anyio, "getaddrinfo", look_up):
        async with aio.Server() as server:
            await server.create(0, "both.test")
            server.listen()
            port, hosts, ended = server.local_address.port, [], []

            async def accept() -> None:
                with await server.accept() as accepted:
                    hosts.append(accepted.local_address.host)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(accept)
                tasks.start_soon(accept)
                await anyio.wait_all_tasks_blocked()
                for host in (HOST, V6):
                    with socket.create_connection((host, port)):
                        await anyio.wait_all_tasks_blocked()
            assert sorted(hosts) == [HOST, V6]
            with anyio.move_on_after(0.01) as scope:
                await server.accept()
            assert scope.cancelled_caught
            for end, expected in ((server.cancel_blocking_call, BlockingCallCancelled), (server.close, ClosedDuringCall)):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(ends, server, expected, ended)
                    tasks.start_soon(ends, server, expected, ended)
                    await anyio.wait_all_tasks_blocked()
                    end()
            assert len(ended) == 4
    assert len(open_descriptors()) <= len(before)


class Notified(aio.Server):
    """Keeps where connections came in."""

    __slots__ = ("hosts",)

    def on_accept(self) -> None:
        with aio.nowait(self.accept()) as accepted:
            self.hosts.append(accepted.local_address.host)


@on_every_loop
@pytest.mark.skipif(not socket.has_ipv6, reason="this system has no IPv6")
async def test_notifications() -> None:
    """on_accept() is called for a connection to either address."""
    with patch.object(anyio, "getaddrinfo", look_up):
        async with aio.notifications(), Notified() as server:
            server.hosts = []
            await server.create(0, "both.test")
            server.listen()
            for host in (HOST, V6, HOST):
                with socket.create_connection((host, server.local_address.port)):
                    with anyio.fail_after(5):
                        while not server.hosts or server.hosts[-1] != host:
                            await anyio.lowlevel.checkpoint()
            assert server.hosts == [HOST, V6, HOST]


@on_every_loop
@pytest.mark.skipif(not socket.has_ipv6, reason="this system has no IPv6")
async def test_closed_before_its_waits_begin() -> None:
    """close() in the turn in which accept() has only asked for tasks that wait ends it as at any other time."""
    for turns in range(12):
        with patch.object(anyio, "getaddrinfo", look_up):
            async with aio.Server() as server:
                await server.create(0, "both.test")
                server.listen()
                ended: list[bool] = []
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(ends, server, (ClosedDuringCall, IllegalCall), ended)
                    for _ in range(turns):
                        await anyio.lowlevel.cancel_shielded_checkpoint()
                    server.close()
                assert ended == [True]

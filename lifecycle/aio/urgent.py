"""Waiting for out-of-band data, which event loops do not watch for."""

from __future__ import annotations

import select
import socket
import sys

import anyio
import anyio.to_thread

from lifecycle.sockets.waiting import Waker


async def until_urgent_by_select(sock: socket.socket) -> None:
    """Let a thread ask select(2) for exceptional conditions, the one way that every system has."""
    waker = Waker()

    def look() -> None:
        try:
            select.select([waker], [], [sock.fileno()])
        finally:
            waker.close()

    try:
        await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
    finally:
        waker.wake()


until_urgent = until_urgent_by_select

if sys.platform == "linux":

    async def until_urgent_by_epoll(sock: socket.socket) -> None:
        """An epoll that watches for urgent data only is itself readable when there is some."""
        with select.epoll(1) as urgent:
            urgent.register(sock.fileno(), select.EPOLLPRI)
            await anyio.wait_readable(urgent.fileno())

    until_urgent = until_urgent_by_epoll

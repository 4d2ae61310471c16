"""Waiting for out-of-band data, which event loops do not watch for."""

from __future__ import annotations

import select
import socket
import sys

import anyio
import anyio.to_thread

from lifecycle.sockets.waiting import Waker


async def until_urgent_by_thread(sock: socket.socket) -> None:
    """Let a thread ask the system, which every one of them can be asked."""
    waker = Waker()

    def look() -> None:
        try:
            _until_exceptional(sock.fileno(), waker)
        finally:
            waker.close()

    try:
        await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
    finally:
        waker.wake()


if sys.platform == "win32":

    def _until_exceptional(descriptor: int, waker: Waker) -> None:
        select.select([waker], [], [descriptor])

else:

    def _until_exceptional(descriptor: int, waker: Waker) -> None:
        poller = select.poll()
        poller.register(descriptor, select.POLLPRI)
        poller.register(waker, select.POLLIN)
        poller.poll()


until_urgent = until_urgent_by_thread

if sys.platform == "linux":

    async def until_urgent_by_epoll(sock: socket.socket) -> None:
        """An epoll that watches for urgent data only is itself readable when there is some."""
        with select.epoll(1) as urgent:
            urgent.register(sock.fileno(), select.EPOLLPRI)
            await anyio.wait_readable(urgent.fileno())

    until_urgent = until_urgent_by_epoll

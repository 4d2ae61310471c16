"""Waiting for out-of-band data, which event loops do not watch for."""

from __future__ import annotations

import select
import socket
import sys

import anyio
import anyio.to_thread

from lifecycle.system.polling import Waker, until_exceptional


async def until_urgent_by_thread(sock: socket.socket) -> bool:
    """Let a thread ask the system, which every system can be asked. False: there is none, and the connection has ended."""
    waker = Waker()

    def look() -> bool:
        try:
            return until_exceptional(sock.fileno(), waker)
        finally:
            waker.close()

    try:
        return await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
    finally:
        waker.wake()


until_urgent = until_urgent_by_thread

if sys.platform == "linux":

    async def until_urgent_by_epoll(sock: socket.socket) -> bool:
        """An epoll that watches for urgent data only is itself readable when there is some, or when a connection has ended."""
        with select.epoll(1) as urgent:
            urgent.register(sock.fileno(), select.EPOLLPRI)
            await anyio.wait_readable(urgent.fileno())
            return any(events & select.EPOLLPRI for _, events in urgent.poll(0))

    until_urgent = until_urgent_by_epoll

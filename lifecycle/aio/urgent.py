"""Waiting for out-of-band data, which event loops do not watch for."""

from __future__ import annotations

import select
import socket
import sys

import anyio
import anyio.to_thread

from lifecycle.system.polling import Waker


async def until_urgent_by_thread(sock: socket.socket) -> bool:
    """Let a thread ask the system, which every one of them can be asked. False: there is none, and the connection has ended."""
    waker = Waker()

    def look() -> bool:
        try:
            return _until_exceptional(sock.fileno(), waker)
        finally:
            waker.close()

    try:
        return await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
    finally:
        waker.wake()


if sys.platform == "win32":

    def _until_exceptional(descriptor: int, waker: Waker) -> bool:
        return bool(select.select([waker], [], [descriptor])[2])

else:

    def _until_exceptional(descriptor: int, waker: Waker) -> bool:
        poller = select.poll()
        poller.register(descriptor, select.POLLPRI)
        poller.register(waker, select.POLLIN)
        return any(events & select.POLLPRI for number, events in poller.poll() if number == descriptor)


until_urgent = until_urgent_by_thread

if sys.platform == "linux":

    async def until_urgent_by_epoll(sock: socket.socket) -> bool:
        """An epoll that watches for urgent data only is itself readable when there is some, or when a connection has ended."""
        with select.epoll(1) as urgent:
            urgent.register(sock.fileno(), select.EPOLLPRI)
            await anyio.wait_readable(urgent.fileno())
            return any(events & select.EPOLLPRI for _, events in urgent.poll(0))

    until_urgent = until_urgent_by_epoll

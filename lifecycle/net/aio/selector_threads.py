"""Waiting in an asyncio loop that cannot watch descriptors (the proactor loop of Windows): threads call select() for it.

anyio has such a thread, too. It ends, and every later wait with it, when a socket is closed while select() watches it
(Windows: WSAENOTSOCK) or when there are more than select() takes (512 on Windows).
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
from contextlib import suppress

from lifecycle.system.polling import Waker

MOST = 400
"""Waits of a thread: CPython's select() takes 512 descriptors on Windows"""

LINGER = 1.0
"""Seconds after which a thread that has nothing to watch ends"""


class SelectorThread:
    """Watches descriptors, each until it is reported once. waits: who waits, for which descriptor, whether to write."""

    def __init__(self) -> None:
        self.waits: dict[asyncio.Future[None], tuple[int, bool]] = {}
        self.waker = Waker()
        threading.Thread(target=self._run, name="lifecycle selector", daemon=True).start()

    def _run(self) -> None:
        while True:
            waits = list(self.waits.items())
            ready = self._select({watched for _, watched in waits}, None if waits else LINGER)
            for future, watched in waits:
                if watched in ready:
                    end(future)
            if not waits and not ready and self._is_over():
                return

    def _select(self, watched: set[tuple[int, bool]], seconds: float | None) -> set[tuple[int, bool]]:
        """Those that are ready, (waker, False) among them; one that was closed meanwhile is ready, too."""
        waker = self.waker.fileno()
        reading = [descriptor for descriptor, writing in watched if not writing]
        writing = [descriptor for descriptor, writing in watched if writing]
        try:  # Windows reports a connect that failed as exceptional
            readable, writable, failed = select.select([waker, *reading], writing, writing, seconds)
        except (OSError, ValueError):
            return {each for each in watched if _is_ready(*each)}
        if waker in readable:
            self.waker.is_for_another()
        return {*((each, False) for each in readable), *((each, True) for each in (*writable, *failed))}

    def _is_over(self) -> bool:
        with _lock:
            if self.waits:
                return False
            _threads.remove(self)
        self.waker.close()
        return True


_threads: list[SelectorThread] = []
_lock = threading.Lock()


async def wait_readable(sock: socket.socket) -> None:
    """Wait until the socket seems readable, or is about to be closed."""
    await _wait(sock.fileno(), writing=False)


async def wait_writable(sock: socket.socket) -> None:
    """Wait until the socket seems writable, or is about to be closed."""
    await _wait(sock.fileno(), writing=True)


def notify_closing(sock: socket.socket) -> None:
    """End the waits for a socket that is about to be closed."""
    descriptor = sock.fileno()
    with _lock:
        ended = [future for thread in _threads for future, watched in thread.waits.items() if watched[0] == descriptor]
    for future in ended:
        end(future)


def end(future: asyncio.Future[None]) -> None:
    """End a wait from any thread."""
    with suppress(RuntimeError):  # the loop was closed
        future.get_loop().call_soon_threadsafe(_end_unless_ended, future)


async def _wait(descriptor: int, *, writing: bool) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with _lock:
        thread = next((each for each in _threads if len(each.waits) < MOST), None)
        if thread is None:
            thread = SelectorThread()
            _threads.append(thread)
        thread.waits[future] = (descriptor, writing)
    thread.waker.wake()
    try:
        await future
    finally:
        with _lock:
            del thread.waits[future]
        thread.waker.wake()  # so that select() lets the descriptor go: while it holds it, a close() is not seen by the peer


def _end_unless_ended(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _is_ready(descriptor: int, writing: bool) -> bool:
    watched = [descriptor]
    try:
        return any(select.select([] if writing else watched, watched if writing else [], watched if writing else [], 0))
    except (OSError, ValueError):
        return True

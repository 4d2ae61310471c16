"""Waiting until a socket is ready, for a task: one Readiness per socket and direction.

Calls that wait come first, watchers (the notifications) only when no call waits: what a call waits for is its own. An
asyncio loop gets a registration that stays, so that a conversation of questions and answers costs no system call but its
own; every other loop is asked through anyio, wait by wait.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio import _get_running_loop as running_loop
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Awaitable
from typing import Protocol

from lifecycle.aio.anyio_readiness import AnyioReadiness
from lifecycle.aio.loop_readiness import LoopReadiness, SelectorReadiness


class Readiness(Protocol):
    """One direction of a socket: readable (a connection to accept, data, an end, an error) or writable."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The asyncio loop that it belongs to."""
        ...

    @property
    def is_kept(self) -> bool:
        """Whether the loop watches the descriptor all the time, so that waiting costs less than trying in vain."""
        ...

    def wait(self) -> Awaitable[bool]:
        """Until it seems ready: the caller tries, and may have waited for nothing. True: cancel() has ended the wait."""
        ...

    def watch(self) -> Awaitable[object]:
        """As wait(), but only what comes while nobody is in wait() counts."""
        ...

    @property
    def is_awaited(self) -> bool:
        """Whether somebody is in wait()."""
        ...

    def wake(self) -> None:
        """End all waits, as if it were ready."""
        ...

    def cancel(self) -> None:
        """End the waits of wait(), which give True."""
        ...

    def stop(self) -> None:
        """Forget the descriptor, which is about to be closed or handed out; ends all waits."""
        ...


def readiness_of(sock: socket.socket, *, writing: bool) -> Readiness:
    """The Readiness of `sock` in the event loop that runs now."""
    loop = running_loop()
    if loop is None or asyncio.current_task(loop) is None or not _watches_descriptors(loop):
        return AnyioReadiness(sock, loop, writing=writing)
    if isinstance(loop, BaseSelectorEventLoop):
        return SelectorReadiness(sock, loop, writing=writing)
    return LoopReadiness(sock, loop, writing=writing)


def _watches_descriptors(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop has add_reader(): that of Windows which waits for completions has not."""
    return type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader

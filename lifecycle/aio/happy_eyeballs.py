"""Connecting to a name that has several addresses, in the manner of RFC 8305: no attempt waits until another has failed."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, zip_longest

import anyio

from lifecycle.aio.resolving import Found

CONNECTION_ATTEMPT_DELAY = 0.25
"""Seconds after which the next attempt begins beside those that go on (RFC 8305, section 8)."""


def interleaved(candidates: Sequence[Found]) -> list[Found]:
    """The addresses with their families taking turns, each in its own order (RFC 8305, section 4)."""
    first = [found for found in candidates if found[0] == candidates[0][0]]
    others = [found for found in candidates if found[0] != candidates[0][0]]
    return [found for found in chain.from_iterable(zip_longest(first, others)) if found is not None]


class Race:
    """Attempts to connect to several addresses, of which the first that succeeds ends the others.

    attempt: connects to one address and returns the connected socket; raises OSError; whatever else ends it, it leaves nothing
    open. keeps: the socket that is never closed here.
    """

    def __init__(self, attempt: Callable[[Found], Awaitable[socket.socket]], *, keeps: socket.socket) -> None:
        self._attempt = attempt
        self._keeps = keeps
        self._scope = anyio.CancelScope()
        self._connected: list[socket.socket] = []
        self.errors: list[OSError] = []
        self.is_cancelled = False

    def cancel(self) -> None:
        """End all attempts: run() gives None then, or one that was faster."""
        self.is_cancelled = True
        self._scope.cancel()

    async def run(self, candidates: Sequence[Found]) -> socket.socket | None:
        """The first connected socket, or None when every attempt has failed, for the reasons in `errors`."""
        try:
            with self._scope:
                async with anyio.create_task_group() as attempts:
                    for found in candidates:
                        ended = anyio.Event()
                        attempts.start_soon(self._run, found, ended)
                        with anyio.move_on_after(CONNECTION_ATTEMPT_DELAY):
                            await ended.wait()
        except BaseException:
            self._close(self._connected)
            raise
        self._close(self._connected[1:])  # connected at the same moment
        return self._connected[0] if self._connected else None

    async def _run(self, found: Found, ended: anyio.Event) -> None:
        try:
            self._connected.append(await self._attempt(found))
        except OSError as error:
            self.errors.append(error)
        else:
            self._scope.cancel()
        ended.set()

    def _close(self, connected: list[socket.socket]) -> None:
        for sock in connected:
            if sock is not self._keeps:
                sock.close()

"""The order of a stream's sends: the data of one task never goes out in the middle of another task's."""

from __future__ import annotations

import asyncio
from asyncio import _get_running_loop as running_loop
from collections import deque

import anyio


class SendQueue:
    """A send that waits and those that follow it, in their order; release() says when none is left.

    cancels: how often all of them were cancelled. loop: the event loop of asyncio in which they wait.
    """

    __slots__ = ("_followers", "cancels", "loop")

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = running_loop()
        self.cancels = 0
        self._followers: deque[anyio.Event] = deque()

    @property
    def is_of_another_loop(self) -> bool:
        """Whether its sends were left behind, by an event loop that has ended without them."""
        return self.loop is not running_loop()

    def enter(self) -> anyio.Event:
        """Join the queue; the event that is set when the turns of the sends before are over."""
        turn = anyio.Event()
        self._followers.append(turn)
        return turn

    def release(self, turn: anyio.Event | None = None) -> bool:
        """Give up a turn, or the wait for it; whether the queue is empty."""
        if turn is not None and not turn.is_set():
            self._followers.remove(turn)
            return False
        if self._followers:
            self._followers.popleft().set()
            return False
        return True

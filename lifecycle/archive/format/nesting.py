"""Values within values, without Python's stack: a wire stores or loads at once, or returns a generator that is run here.

A wire's load() returns the value, or a generator of it; so does whatever takes a decoder and is called here a load. Such a
generator yields what has to be loaded before it goes on, as a generator or as a load, and is sent the value. A load that raises
BlockingIOError has loaded nothing, or remembers what it has, and is called again when more bytes have arrived: nothing is
decoded twice. A wire's store() returns None, or a generator that yields those of the values within.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any, cast

from lifecycle.archive.format.decoder import Decoder

Storing = Generator["Storing", None, None]
Loading = Generator[Any, Any, Any]
Load = Callable[[Decoder], Any]


def store_nested(storing: Storing) -> None:
    """Run the generator of a value, and of all values within it."""
    running = [storing]
    while running:
        try:
            running.append(next(running[-1]))
        except StopIteration:
            running.pop()


class Continuation:
    """A value that is being loaded: resume() goes on where it stopped when bytes were missing."""

    __slots__ = ("_decoder", "_next", "_running")

    def __init__(self, decoder: Decoder, first: Load | Loading) -> None:
        self._decoder = decoder
        self._next = first
        self._running: list[Loading] = []

    def resume(self) -> Any:
        """The value; BlockingIOError when bytes are missing, after which this may be called again when more have arrived."""
        running, decoder = self._running, self._decoder
        step = self._next
        while True:
            if step.__class__ is GeneratorType:
                value = None
                running.append(cast(Loading, step))
            else:
                self._next = step
                if decoder.is_waiting:
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                value = step(decoder)  # type: ignore[operator]
                if value.__class__ is GeneratorType:
                    step = value
                    continue
            while running:
                try:
                    step = running[-1].send(value)
                    break
                except StopIteration as stop:
                    running.pop()
                    value = stop.value
            else:
                return value


def loaded(decoder: Decoder, value: Any) -> Any:
    """The value that a load returned, when it returned the generator of one."""
    return Continuation(decoder, value).resume() if value.__class__ is GeneratorType else value

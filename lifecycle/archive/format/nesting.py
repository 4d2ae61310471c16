"""Nested values without Python's stack: a wire stores or loads at once, or returns a generator that is run here.

A wire's load() returns the value, or a generator of it; so does every function of a decoder that is called a load here. Such a
generator yields what has to be loaded next, as a generator or as a load, and is sent the value. A load that raises
BlockingIOError has loaded nothing, or remembers its state, and is called again when more bytes have arrived: nothing is
decoded twice. A wire's store() returns None, or a generator that yields those of the nested values.
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
    """Run the generator of a value, and of all values nested in it."""
    running = [storing]
    while running:
        try:
            running.append(next(running[-1]))
        except StopIteration:
            running.pop()


class Continuation:
    """A value being loaded: resume() continues where it stopped when bytes were missing."""

    __slots__ = ("_decoder", "_next", "_running")

    def __init__(self, decoder: Decoder, first: Load | Loading) -> None:
        self._decoder = decoder
        self._next = first
        self._running: list[Loading] = []

    def resume(self) -> Any:
        """Return the value; BlockingIOError if bytes are missing: call again when more have arrived."""
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
    """The value of a load that returned a value or a generator."""
    return Continuation(decoder, value).resume() if value.__class__ is GeneratorType else value

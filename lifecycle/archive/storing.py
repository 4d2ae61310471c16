"""The buffer of a storing archive: what was stored and not yet sent.

Nothing leaves before the buffer is full or flushed. A value never straddles: when it does not fit behind what is there, that
is sent first; of a value longer than the buffer, whole buffers are sent and the rest is kept.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lifecycle.archive.errors import BadIndex
from lifecycle.archive.formats import Format

MOST_NUMBERS = 0x3FFFFFFE


class Sink:
    """out: the buffer. sent: how many bytes left it.

    is_cut_off: whether a send was broken off, so that it is not known how much of it the file took.
    numbers: id of an object or class -> its number (PID). numbered: those objects and classes in order, which keeps them alive:
    an id is only theirs while they live.
    """

    __slots__ = ("format", "give", "is_cut_off", "numbered", "numbers", "out", "raw", "renumbered", "sent")

    def __init__(self, file: Any, format: Format) -> None:
        self.out = bytearray()
        self.sent = 0
        self.format = format
        self.is_cut_off = False
        self.renumbered = False
        self.numbers: dict[int, int] = {}
        self.numbered: list[Any] = []
        self.raw = isinstance(file, io.RawIOBase)
        self.give: Callable[[bytes], int | None] = file.write

    @property
    def offset(self) -> int:
        """How many bytes were stored since the archive began."""
        return self.sent + len(self.out)

    def number(self, thing: object) -> None:
        """Give the next number to an object or a class; BadIndex when there is none left."""
        self.renumbered = self.renumbered or id(thing) in self.numbers
        self.numbered.append(thing)
        if len(self.numbered) >= MOST_NUMBERS:
            raise BadIndex(self.offset, f"fewer than {MOST_NUMBERS} objects and classes", "one more")
        self.numbers[id(thing)] = len(self.numbered)

    def go_back(self, length: int, numbered: int) -> None:
        """Take back all that was stored since the buffer had `length` bytes and so many things had numbers."""
        del self.out[length:]
        for thing in self.numbered[numbered:]:
            self.numbers.pop(id(thing), None)
        del self.numbered[numbered:]
        if self.renumbered:
            self.numbers = {id(thing): number for number, thing in enumerate(self.numbered, 1)}

    def send_whole_buffers(self) -> None:
        """Send as many whole buffers as there are; what hinders it is told by the next call that has to send."""
        with suppress(OSError):
            self.send(len(self.out) - len(self.out) % self.format.size)

    def send(self, count: int) -> None:
        """Send the first `count` bytes, or raise; what was not sent stays."""
        while count:
            chunk = bytes(self.out) if count == len(self.out) else bytes(self.out[:count])
            try:
                given = self.give(chunk)
            except OSError as error:
                self._sent(getattr(error, "characters_written", 0))
                raise
            except BaseException:
                self.is_cut_off = True
                raise
            if given is None and not self.raw:
                given = count  # a file that counts nothing has taken everything
            if given is None or given <= 0:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            given = min(given, count)
            self._sent(given)
            count -= given

    def _sent(self, count: int) -> None:
        del self.out[:count]
        self.sent += count

"""The files in memory between an archive, which does not wait, and an awaited socket."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import RunVar

from lifecycle.aio.socket_file import SocketFile
from lifecycle.net.errors import BlockingCallCancelled, SendWouldBlock

Decoded = TypeVar("Decoded")

LARGEST_RECEIVE = 1 << 16

SLICE = 1 << 13
"""Bytes that are decoded before other tasks run, unless one value needs more"""

LONG_TURN = 0.005
"""Seconds of decoding, by all archives of an event loop, after which other tasks run"""


class Turns:
    """The turns of the archives of an event loop: together they decode for a few milliseconds, then other tasks run."""

    def __init__(self) -> None:
        self._lock = anyio.Lock(fast_acquire=True)
        self._busy = 0.0

    async def decode(self, step: Callable[[], Decoded]) -> Decoded:
        """Make one step of decoding when its turn comes; return the result of the step, or its error."""
        if self._busy < LONG_TURN and not self._lock.locked():
            return self._made(step)
        async with self._lock:
            await anyio.lowlevel.checkpoint()
            self._busy = 0.0
            return self._made(step)

    def _made(self, step: Callable[[], Decoded]) -> Decoded:
        began = perf_counter()
        try:
            return step()
        finally:
            self._busy += perf_counter() - began


_TURNS = RunVar[Turns]("turns of archives")


def turns() -> Turns:
    """The turns of this event loop."""
    found = _TURNS.get(None)
    if found is None:
        _TURNS.set(found := Turns())
    return found


class _Buffer:
    """The file calls that both directions share: what a file over a socket refuses is refused in the same way."""

    def __init__(self, file: SocketFile) -> None:
        self._file = file
        self.error: OSError | None = None

    def seekable(self) -> bool:
        """False: no state of a socket file takes seek()."""
        return False

    def get_length(self) -> Any:
        """Raise the refusal with the table's reason."""
        return getattr(self._file, "get_length")()  # noqa: B009 - type checkers do not know the calls that are never legal

    def _raise_error(self) -> None:
        if self.error is not None:
            raise self.error


class ReadBuffer(_Buffer):
    """Gives an archive the bytes that have arrived, and None, like a file that would block, when it needs more."""

    def __init__(self, file: SocketFile) -> None:
        super().__init__(file)
        self._arrived = bytearray()
        self._wanted = LARGEST_RECEIVE
        self._has_ended = False
        self._granted = SLICE

    def read1(self, size: int) -> bytes | None:
        """Bytes that have arrived, perhaps more than `size`; None if there are none, or not in this turn; b"" at the end."""
        if not self._granted:
            self._wanted = size
            return None
        if not self._arrived:
            self._raise_error()
            if not self._has_ended:
                self._wanted = size
                return None
        taken = bytes(self._arrived[: self._granted])
        del self._arrived[: len(taken)]
        self._granted -= len(taken)
        return taken

    read = read1

    def take_back(self, unread: bytes) -> None:
        """Give bytes that the archive read ahead back to the file, for the file's next reader."""
        self._file.hold(unread + self._arrived)
        self._arrived.clear()

    async def receive(self, needed: int) -> None:
        """Wait for `needed` bytes, the end, or a network error, which the next read1() raises; the turn ends."""
        self._granted = max(SLICE, needed)
        while len(self._arrived) < needed and not self._has_ended and self.error is None:
            try:
                received = await self._file.read(self._wanted, exact=False)
            except (BlockingIOError, InterruptedError):  # nothing has happened to the connection
                raise
            except OSError as error:
                self.error = error
            else:
                self._arrived += received
                self._has_ended = not received


class WriteBuffer(_Buffer):
    """Takes everything that an archive stores, and sends it on request."""

    def __init__(self, file: SocketFile) -> None:
        super().__init__(file)
        self._stored = bytearray()

    def write(self, data: bytes) -> int:
        """Keep `data`."""
        self._raise_error()
        self._stored += data
        return len(data)

    def flush(self) -> None:
        """Raise the error of the last send, if any: the archive's flush() has to report it."""
        self._raise_error()

    @property
    def is_empty(self) -> bool:
        """Whether everything was sent."""
        return not self._stored

    async def send(self) -> None:
        """Send the kept bytes, but not again those that an interrupted send has sent. The next flush() raises an error."""
        if not self._stored:
            return
        message = bytes(self._stored)
        socket = self._file.socket
        try:
            sent = await self._file.write(message)
        except (SendWouldBlock, BlockingCallCancelled) as error:
            del self._stored[: error.sent]
            raise
        except OSError as error:
            self.error = error
        except Exception:
            raise
        except BaseException:  # a cancellation
            if socket is not None:
                del self._stored[: socket.sent]
            raise
        else:
            del self._stored[:sent]

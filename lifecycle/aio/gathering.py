"""The files in memory between an archive, which never waits, and a socket, which does: whole messages are gathered in them."""

from __future__ import annotations

from typing import Any

import anyio

from lifecycle.aio.socket_file import SocketFile
from lifecycle.net.errors import BlockingCallCancelled, SendWouldBlock

RECEIVE_SIZE = 1 << 16


class Gathered:
    """What both directions have of a file: the calls that no file over a socket takes are refused as the file refuses them."""

    def __init__(self, file: SocketFile) -> None:
        self._file = file
        self.error: OSError | None = None

    @property
    def __governed__(self) -> SocketFile:
        """The file that an archive over this one lies over in truth."""
        return self._file

    def seekable(self) -> bool:
        """False: no state of a socket file takes seek()."""
        return False

    def tell(self) -> Any:
        """Refused, with the table's reason: it is asked for when somebody wants to know how long the file is."""
        return getattr(self._file, "get_length")()  # noqa: B009 - type checkers do not know the calls that are never legal

    def _raise_error(self) -> None:
        if self.error is not None:
            raise self.error


class Incoming(Gathered):
    """Gives an archive what has come, and None, as a file that would block does, where more has to come first."""

    def __init__(self, file: SocketFile) -> None:
        super().__init__(file)
        self._come = bytearray()
        self._wanted = RECEIVE_SIZE
        self._has_ended = False

    def read1(self, size: int) -> bytes | None:
        """All that has come, which may be more than `size` bytes; None when nothing has; b"" at the end."""
        if not self._come:
            self._raise_error()
            if not self._has_ended:
                self._wanted = size
                return None
        taken = bytes(self._come)
        self._come.clear()
        return taken

    read = read1

    async def more(self) -> None:
        """Wait for more to come, no more than was asked for."""
        await self._receive(self._wanted)

    async def much_more(self, seconds: float, held: int) -> None:
        """Wait for as much as is held already to come, the end, or so many seconds, whichever is first."""
        with anyio.move_on_after(seconds):
            while len(self._come) < held and not self._has_ended and self.error is None:
                await self._receive(RECEIVE_SIZE)

    async def _receive(self, size: int) -> None:
        """Receive once; an error of the network is for the next read1() to raise."""
        try:
            received = await self._file.read(size, exact=False)
        except (BlockingIOError, InterruptedError):  # nothing has happened to the connection
            raise
        except OSError as error:
            self.error = error
            return
        self._come += received
        self._has_ended = not received


class Outgoing(Gathered):
    """Takes all that an archive stores, and sends it when it is told to."""

    def __init__(self, file: SocketFile) -> None:
        super().__init__(file)
        self._stored = bytearray()

    def write(self, data: bytes) -> int:
        """Keep `data`."""
        self._raise_error()
        self._stored += data
        return len(data)

    def flush(self) -> None:
        """Raise the error that sending has met, if any: the archive's flush() has to tell it."""
        self._raise_error()

    @property
    def is_empty(self) -> bool:
        """Whether everything was sent."""
        return not self._stored

    async def send(self) -> None:
        """Send what is kept; what an interrupted send has sent is not sent again. An error is for the next flush() to raise."""
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

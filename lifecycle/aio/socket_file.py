"""SocketFile: a connected stream socket as a binary file, awaited (MFC's CSocketFile)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle.archive.file import FileOverSocket
from lifecycle.engine import settled
from lifecycle.net.aio.driver import AsyncSocket
from lifecycle.net.aio.sockets import Accepted, Client
from lifecycle.net.operations.transfer import reading
from lifecycle.roles import SOCKET_FILE

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class SocketFile(FileOverSocket, role=SOCKET_FILE):
    """A connected stream socket as an awaited binary file, for Archive and for reading and writing directly.

    socket: a connected Client or Accepted of lifecycle.aio; the file does not own it, and closing the file leaves it open.
    archive_compatible: when true, a read returns the data of one receive, at least one byte; when false, it waits for all
    requested bytes, or the end. engine: see Lifecycle.

    Raises IllegalCall, whose `remedy` says what to do first, over a socket that is not connected and over one that never
    carries a stream. seek(), tell(), truncate() and MFC's names for them raise io.UnsupportedOperation, which is also an
    IllegalCall here and says why. A cancelled read or write loses nothing: the read may be repeated, and `socket.sent` is the
    number of bytes sent.
    """

    __slots__ = ("_archive_compatible", "_held", "_socket")

    _socket: Client | Accepted

    def __init__(self, socket: Client | Accepted, archive_compatible: bool = True, *, engine: str | None = None) -> None:
        super().__init__(engine=engine)
        self._archive_compatible = archive_compatible
        self._held = bytearray()
        try:
            self.attach(socket)
        except BaseException:
            self.close()
            raise

    @property
    def socket(self) -> Client | Accepted | None:
        """The socket; None when the file is closed."""
        return None if self.closed else self._socket

    @property
    def archive_compatible(self) -> bool:
        """Whether a read returns the data of one receive."""
        return self._archive_compatible

    @property
    def unread(self) -> int:
        """The number of received but unread bytes."""
        return len(self._held)

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self.state in self.role.final

    def attach(self, socket: Client | Accepted) -> None:
        """Open the file over `socket`, whose own table says whether its state allows this."""
        if not isinstance(socket, AsyncSocket):
            kind = f"{type(socket).__module__}.{type(socket).__qualname__}"
            raise TypeError(f"a SocketFile of lifecycle.aio needs its Client or Accepted, not {kind}")
        self._socket = socket
        socket._add_reader(self)

    async def read(self, size: int = -1, *, exact: bool | None = None) -> bytes:
        """Read the data of one receive, or exactly `size` bytes; up to the end if size is negative.

        exact: whether to wait for exactly `size` bytes; by default as `archive_compatible` says. b"" at the end of
        the stream. Raises ConnectionError and IllegalCall as the socket's receive() does.
        """
        if exact is None:
            exact = not self._archive_compatible
        steps = reading(self._held, None if size < 0 else size, exact)
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(await self._socket.receive(wanted))
        except StopIteration as ended:
            taken: bytes = ended.value
        return taken if taken or not size else settled("eof", taken)

    def hold(self, unread: bytes) -> None:
        """Keep received but unused bytes for the next read; a closed file drops them."""
        if not self.closed:
            self._held[:0] = unread

    async def write(self, data: ReadableBuffer) -> int:
        """Send all of `data` and return the number of bytes. Raises what the socket's send() raises."""
        return await self._socket.send(data)

    def flush(self) -> None:
        """Do nothing: the file has no buffer. Raises ClosedFile, a ValueError, if it is closed."""

    def close(self) -> None:
        """Release the socket, which stays as it is, and drop unread bytes; closing again does nothing."""
        self._held.clear()

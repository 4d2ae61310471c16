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
    """A connected stream socket as a binary file that is awaited, for Archive and for reading and writing by hand.

    socket: a connected Client or Accepted of lifecycle.aio; the file does not own it, and closing the file leaves it open.
    archive_compatible: when true, a read gives what one receive gives, at least one byte; when false, it waits for all the
    bytes asked for, or the end. engine: see Lifecycle.

    Raises IllegalCall, whose `remedy` says what to do first, over a socket that is not connected and over one that never
    carries a stream. seek(), tell(), truncate() and MFC's names for them raise io.UnsupportedOperation, which is an IllegalCall
    here and says why. A cancelled read or write loses nothing: the read may be made again, and `socket.sent` says how much was
    sent.
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
        """The socket it lies over; None when the file is closed."""
        return None if self.closed else self._socket

    @property
    def archive_compatible(self) -> bool:
        """Whether a read gives what one receive gives."""
        return self._archive_compatible

    @property
    def unread(self) -> int:
        """How many bytes were received and not read."""
        return len(self._held)

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self.state in self.role.final

    def attach(self, socket: Client | Accepted) -> None:
        """Lie over `socket`; its own table says whether it is in a state to be lain over."""
        if not isinstance(socket, AsyncSocket):
            kind = f"{type(socket).__module__}.{type(socket).__qualname__}"
            raise TypeError(f"a SocketFile of lifecycle.aio lies over its Client or Accepted, not over {kind}")
        self._socket = socket
        socket._add_reader(self)

    async def read(self, size: int = -1, *, exact: bool | None = None) -> bytes:
        """Read: what one receive gives, or just `size` bytes; to the end where size is negative.

        exact: whether to wait for just `size` bytes; as `archive_compatible` says where it is not given. b"" at the end of
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
        """Keep bytes that were received and not used, for the next read; a closed file drops them."""
        if not self.closed:
            self._held[:0] = unread

    async def write(self, data: ReadableBuffer) -> int:
        """Send all of `data` through the socket; how many bytes. Raises as the socket's send() does."""
        return await self._socket.send(data)

    def flush(self) -> None:
        """Nothing: the file holds nothing back. ClosedFile, a ValueError, when it is closed."""

    def close(self) -> None:
        """Let go of the socket, which stays as it is, and of what was received and not read; closing again does nothing."""
        self._held.clear()

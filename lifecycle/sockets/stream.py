"""Stream: the handlers of the data phase, which a client and an accepted connection share."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from lifecycle.engine import inlined, settled
from lifecycle.sockets.os_socket import OsSocket, checked_size
from lifecycle.sockets.shutting import HalfClosing
from lifecycle.system.outcomes import system_error
from lifecycle.system.polling import deadline_after

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def _send_rest(self: Stream, sent: int | None, data: ReadableBuffer, flags: int = 0) -> int:
    """Send what is left of `data` after its first `sent` bytes."""
    view = memoryview(data).cast("B")
    done = sent or 0
    deadline = deadline_after(self._timeout)
    while done < len(view):
        try:
            done += self._socket.send(view[done:], flags)
        except BlockingIOError:
            self._wait(writing=True, deadline=deadline, sent=done)
    return done


def _receive_rest(self: Stream, received: bytes | None, size: int, flags: int = 0) -> bytes:
    """Receive into what a first try left open: nothing had come (None), or nothing more will (b"")."""
    checked_size(size)
    deadline = deadline_after(self._timeout)
    while received is None:
        try:
            received = self._socket.recv(size, flags)
        except BlockingIOError:
            self._wait(writing=False, deadline=deadline)
    if received or not size:
        return received
    if was_reset(self):
        # Linux tells of a reset once, perhaps to another thread's send, and then shows an end of the stream that never came;
        # Winsock keeps telling.
        raise system_error(errno.ECONNRESET)
    return settled("eof", received)


def was_reset(self: OsSocket) -> bool:
    """Whether the end of a stream that was never ended here is a reset; Linux tells EPIPE of one that came after the end."""
    row = self._row
    after_end = row._after("receive", "eof")
    has_both_directions = row._allows("send") and after_end not in (None, row)
    if not has_both_directions or self.peer_address is not None:
        return after_end is None
    return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != errno.EPIPE


class Stream(HalfClosing):
    """A stream socket with a data phase."""

    __slots__ = ()

    _kind = socket.SOCK_STREAM

    @inlined
    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send all of `data`, or raise; the number of bytes sent (CSocket's Send).

        data: any bytes-like object; an empty one sends nothing. flags: as in socket.MSG_OOB. Raises IllegalCall before the
        connection is made and after sends were ended (Winsock: WSAENOTCONN, WSAESHUTDOWN); SendTimedOut and SendWouldBlock,
        whose `sent` tells how much went out; ConnectionError when the connection is gone.
        """
        try:
            sent = self._socket.send(data, flags)
            if isinstance(data, bytes) and sent == len(data):
                return sent
        except BlockingIOError:
            return _send_rest(self, 0, data, flags)
        return _send_rest(self, sent, data, flags)

    @inlined
    def receive(self, size: int = 65536, flags: int = 0) -> bytes:
        """Receive what has come, at least one byte, or wait for it; b"" when the peer has ended its stream.

        size: the most bytes to receive; 0 gives b"" without meaning an end. flags: as in socket.MSG_PEEK. Raises IllegalCall
        before the connection is made and after receives were ended (Winsock: WSAENOTCONN, WSAESHUTDOWN); TimeoutError,
        BlockingIOError; ConnectionResetError when the connection was reset, again and again.
        """
        try:
            received = self._socket.recv(size, flags)
            if received:
                return received
        except (BlockingIOError, OverflowError):
            return _receive_rest(self, None, size, flags)
        return _receive_rest(self, received, size, flags)

    def send_to(self, data: ReadableBuffer, address: str | None = None, port: int = 0, flags: int = 0) -> int:
        """Send all of `data` on the connection; the address is ignored, as on any stream. Else as send()."""
        return _send_rest(self, 0, data, flags)

    def receive_from(self, size: int = 65536, flags: int = 0) -> tuple[bytes, None]:
        """(what receive() gives, None): a stream has no sender's address to tell. Else as receive()."""
        received = _receive_rest(self, None, size, flags)
        if received.__class__ is bytes:
            return received, None
        return settled("eof", (b"", None))

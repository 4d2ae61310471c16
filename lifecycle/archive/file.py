"""SocketFile: a connected stream socket as a binary file (MFC's CSocketFile).

Its rules are the table of the role `socket_file`. io.RawIOBase and the base class of governed objects cannot share one object,
so that a file has an inner object, which is governed, and passes its calls to it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ClassVar

from lifecycle.engine import IllegalCall, Lifecycle, Role, settled
from lifecycle.net.errors import SendTimedOut, SendWouldBlock
from lifecycle.net.operations.transfer import READ_SIZE, reading, reading_line
from lifecycle.roles import SOCKET_FILE
from lifecycle.roles.words import RECEIVE
from lifecycle.sockets import Accepted, Client
from lifecycle.system.outcomes import outcome_of_error

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class UnsupportedCall(IllegalCall, io.UnsupportedOperation):
    """A call that no socket file supports: an io.UnsupportedOperation, as with other files (MFC: CNotSupportedException)."""

    errno = strerror = filename = None


class ClosedFile(IllegalCall, ValueError):
    """A call of a closed socket file: a ValueError, as with other files."""


class FileOverSocket(Lifecycle):
    """The errors and outcomes of a socket file's calls, blocking and awaited."""

    __slots__ = ()

    def refusal_kind(self, state: str, call: str) -> type[IllegalCall]:
        """UnsupportedOperation and ValueError, like the errors of Python's files."""
        if self.role.never_legal(call):
            return UnsupportedCall
        return ClosedFile if state in self.role.final else IllegalCall

    @staticmethod
    def platform_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """The answers of MFC's CSocketFile, as measured."""
        return {"mfc": "CNotSupportedException" if SOCKET_FILE.never_legal(call) else "CInvalidArgException"}

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """The outcome, as classified by the socket."""
        return outcome_of_error(self.role.call(call).errors, error) or "failed"


class _Governed(FileOverSocket, role=SOCKET_FILE):
    """The handlers of a socket file's calls."""

    __slots__ = ("_exact", "_socket")

    _socket: Client | Accepted

    def __init__(self, exact: bool, engine: str | None) -> None:
        super().__init__(engine=engine)
        self._exact = exact

    def attach(self, socket: Client | Accepted) -> None:
        """Open the file over `socket`, whose own table says whether its state allows this."""
        if not isinstance(socket, Lifecycle):
            raise TypeError(f"a SocketFile needs a Client or an Accepted, not {type(socket).__name__}")
        if iscoroutinefunction(getattr(socket, RECEIVE.name, None)):
            raise TypeError("over an awaited socket, use a SocketFile of lifecycle.aio")
        self._socket = socket

    def read(self, size: int | None, exact: bool, *, line: bool = False) -> bytes:
        """Receive once, or until there are `size` bytes, a line, or the end of the stream.

        The socket keeps the data of an interrupted call, and data after a line, for the next receive.

        size: None for everything up to the end.
        """
        socket = self._socket
        if size is not None and not exact:
            received = socket.receive(min(size, READ_SIZE))
            return received if received or not size else settled("eof", received)
        if socket._held:
            socket.receive(0)  # refused where nothing may be received
        held, socket._held = socket._held or bytearray(), None
        steps = reading_line(held, -1 if size is None else size) if line else reading(held, size, exact)
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(socket.receive(wanted))
        except StopIteration as ended:
            taken: bytes = ended.value
        finally:
            socket._held = held or None
        return taken if taken or size == 0 else settled("eof", taken)

    def write(self, data: ReadableBuffer) -> int:
        """Send all of `data`, or as much as can be sent now."""
        try:
            return self._socket.send(data)
        except (SendWouldBlock, SendTimedOut) as error:
            if error.sent:
                return error.sent
            raise

    def flush(self) -> None:
        """Do nothing: the file has no buffer."""

    def close(self) -> None:
        """Let go of the socket, which stays as it is."""


class SocketFile(io.RawIOBase):
    """A connected stream socket as an unbuffered binary file: for Archive, and for everything else that takes a file.

    socket: a connected Client or Accepted; the file does not own it, and closing the file leaves it open. archive_compatible:
    when true, a read returns the data of one receive, at least one byte; when false, it waits for all requested bytes, or the
    end. engine: see Lifecycle.

    Raises IllegalCall, whose `remedy` says what to do first, over a socket that is not connected and over one that never
    carries a stream (a Server, a Datagram). seek(), tell(), truncate() and MFC's seek_to_begin(), seek_to_end(),
    get_position(), set_length(), get_length(), lock_range(), unlock_range(), duplicate(), open() and abort() raise
    io.UnsupportedOperation, which here is also an IllegalCall and says why. A timeout or a would-block loses nothing: the call
    may be made again. Data that readline() has received after the line stays in the socket for the next receive.

    io.BufferedReader and similar classes, which call readinto(), lose their buffer at a timeout: the file refuses
    their next readinto() then, as that of socket.makefile() does. Its own read() and readline() still work.
    """

    role: ClassVar[Role] = SOCKET_FILE
    is_connection: ClassVar[bool] = True

    def __init__(self, socket: Client | Accepted, archive_compatible: bool = True, *, engine: str | None = None) -> None:
        self._governed = _Governed(not archive_compatible, engine)
        self._has_timed_out = False
        try:
            self._governed.attach(socket)
        except BaseException:
            self._governed.close()
            raise

    @property
    def state(self) -> str:
        """The name of the current state: attached or closed."""
        return self._governed.state

    @property
    def legal(self) -> tuple[str, ...]:
        """The calls that are legal in the current state, in the table's order."""
        return self._governed.legal

    @property
    def socket(self) -> Client | Accepted | None:
        """The socket; None when the file is closed."""
        return None if self.closed else self._governed._socket

    @property
    def __governed__(self) -> Lifecycle:
        """The inner object, whose role is socket_file."""
        return self._governed

    @property
    def archive_compatible(self) -> bool:
        """Whether a read returns the data of one receive."""
        return not self._governed._exact

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self._governed.state in SOCKET_FILE.final

    def readable(self) -> bool:
        """True: the table has a state that takes read()."""
        return not SOCKET_FILE.never_legal("read")

    def writable(self) -> bool:
        """True: the table has a state that takes write()."""
        return not SOCKET_FILE.never_legal("write")

    def seekable(self) -> bool:
        """False: no state takes seek()."""
        return not SOCKET_FILE.never_legal("seek")

    def fileno(self) -> int:
        """The socket's descriptor; ClosedFile, a ValueError, when the file is closed."""
        if self.closed:
            self._governed.read(0, exact=False)  # refused, with the table's reason
        return self._governed._socket.fileno()

    def read(self, size: int | None = -1, /) -> bytes | None:
        """Read the data of one receive, or exactly `size` bytes (see `archive_compatible`); a negative size reads to the end.

        b"" at the end of the stream; None when the socket does not wait and nothing has arrived. Raises TimeoutError,
        ConnectionError and IllegalCall as the socket's receive() does.
        """
        if size is None or size < 0:
            return self.readall()
        return self._read(size, self._governed._exact)

    def readall(self) -> bytes | None:  # type: ignore[override]  # as io.RawIOBase does it, whose stub leaves the None out
        """Read to the end of the stream; None if the socket does not wait and the end has not arrived (nothing is lost)."""
        return self._read(None, True)

    def read1(self, size: int = READ_SIZE, /) -> bytes | None:
        """Read the data of one receive, at most `size` bytes, whatever `archive_compatible` says. Otherwise like read()."""
        return self._read(READ_SIZE if size < 0 else size, False)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line with its end, or `size` bytes of it; the last line may have no end, and b"" is the end of the stream.

        One receive takes as many lines as have arrived. Raises BlockingIOError if the socket does not wait and no line has
        arrived; otherwise like read(). Nothing is lost: the next call returns the whole line.
        """
        return self._governed.read(None if size is None or size < 0 else size, True, line=True)

    def _read(self, size: int | None, exact: bool) -> bytes | None:
        try:
            return self._governed.read(size, exact)
        except BlockingIOError:
            return None

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read into `buffer` and return the number of bytes, 0 at the end of the stream. Otherwise like read()."""
        with memoryview(buffer) as view, view.cast("B") as octets:
            if octets.readonly:
                raise TypeError("readinto() needs a buffer that can be written to")
            if self._has_timed_out:
                raise OSError("cannot read from timed out object: a buffer over the file has lost what it had; use its read()")
            try:
                data = self.read(len(octets))
            except TimeoutError:
                self._has_timed_out = True
                raise
            if data is None:
                return None
            octets[: len(data)] = data
        return len(data)

    def write(self, data: ReadableBuffer, /) -> int | None:
        """Send `data` and return the number of bytes sent, or None if the socket does not wait and none could be sent.

        Everything is sent, unless the socket's timeout expires or it does not wait. Raises TimeoutError if nothing was sent in
        time, ConnectionError and IllegalCall as the socket's send() does.
        """
        try:
            return self._governed.write(data)
        except BlockingIOError:
            return None

    def flush(self) -> None:
        """Do nothing: the file has no buffer. Raises ClosedFile, a ValueError, if it is closed."""
        self._governed.flush()

    def close(self) -> None:
        """Release the socket, which stays as it is; closing again does nothing."""
        super().close()
        self._governed.close()

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} {self.state} over {self.socket!r}>"


_Governed.__name__ = _Governed.__qualname__ = "SocketFile"  # error texts name the class that users know


def _refused(name: str) -> Any:
    """Make a method of SocketFile for a call that is never legal, which raises the error with its reason."""

    def refused(self: SocketFile, *arguments: object, **keywords: object) -> Any:
        return getattr(self._governed, name)(*arguments, **keywords)

    refused.__name__ = name
    refused.__qualname__ = f"SocketFile.{name}"
    refused.__doc__ = f"Never legal: {SOCKET_FILE.call(name).reason}."
    return refused


for _call in SOCKET_FILE.calls:
    if SOCKET_FILE.never_legal(_call.name):
        setattr(SocketFile, _call.name, _refused(_call.name))

"""A connection with the names of socket.socket, for code that was written for that."""

from __future__ import annotations

import io
import socket
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Self, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from lifecycle.net.blocking.messages import Messages


class SocketView:
    """The result of as_socket(): a connection as a stream socket, for http.client, smtplib, ftplib and similar libraries.

    Each call is that of the connection, so that it is refused where the table refuses it, with an IllegalCall. close() closes
    the connection as soon as the files that makefile() gave are closed, as with socket.socket. It has no descriptor of its own:
    ssl refuses it with a TypeError; use start_tls() of the connection before.
    """

    def __init__(self, connection: Messages) -> None:
        self._connection = connection
        self._files = 0
        self._is_closed = False

    # -- data -----------------------------------------------------------------------------------------------------------

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """receive()."""
        return self._connection.receive(bufsize, flags)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """receive_into(), of the first `nbytes` of the buffer where they are given."""
        with memoryview(buffer) as view, view.cast("B") as octets, octets[: nbytes or len(octets)] as part:
            return self._connection.receive_into(part, flags)

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, None]:
        """receive_from()."""
        return self._connection.receive_from(bufsize, flags)

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        """send(), which sends all of the data."""
        return self._connection.send(data, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        """send()."""
        self._connection.send(data, flags)

    def sendfile(self, file: BinaryIO, offset: int = 0, count: int | None = None) -> int:
        """send_file(), from `offset`."""
        if offset:
            file.seek(offset)
        return self._connection.send_file(file, count)

    def makefile(
        self,
        mode: str = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """A file over the connection, as socket.socket.makefile() gives it."""
        if not set(mode) <= set("rwb"):
            raise ValueError(f"invalid mode {mode!r}: only r, w and b are allowed")
        writing = "w" in mode
        reading = "r" in mode or not writing
        raw = socket.SocketIO(cast(socket.socket, self), "rw" if reading and writing else "w" if writing else "r")
        self._files += 1
        size = io.DEFAULT_BUFFER_SIZE if buffering is None or buffering < 0 else buffering
        if not size:
            if "b" in mode:
                return cast(IO[Any], raw)
            raise ValueError("a file of text is buffered")
        file: io.BufferedRWPair | io.BufferedReader | io.BufferedWriter
        if reading and writing:
            file = io.BufferedRWPair(raw, raw, size)
        else:
            file = io.BufferedReader(raw, size) if reading else io.BufferedWriter(raw, size)
        if "b" in mode:
            return cast(IO[Any], file)
        text: Any = io.TextIOWrapper(cast(IO[bytes], file), encoding, errors, newline)
        text.mode = mode  # as socket.socket.makefile() does
        return cast(IO[Any], text)

    # -- the time-out ---------------------------------------------------------------------------------------------------

    def settimeout(self, value: float | None, /) -> None:
        """Set the connection's timeout."""
        self._connection.timeout = value

    def gettimeout(self) -> float | None:
        """The connection's timeout."""
        return self._connection.timeout

    timeout = property(gettimeout)

    def setblocking(self, flag: bool, /) -> None:
        """Set the connection's timeout to None or 0."""
        self._connection.timeout = None if flag else 0

    def getblocking(self) -> bool:
        """Whether a call may wait."""
        return self._connection.timeout != 0

    # -- the rest -------------------------------------------------------------------------------------------------------

    @property
    def family(self) -> socket.AddressFamily:
        """The family of the addresses."""
        return socket.AddressFamily(self._connection._socket.family)

    type = socket.SOCK_STREAM
    proto = 0

    def getsockname(self) -> tuple[Any, ...]:
        """get_sock_name()."""
        return self._connection.get_sock_name()

    def getpeername(self) -> tuple[Any, ...]:
        """get_peer_name()."""
        return self._connection.get_peer_name()

    def setsockopt(self, level: int, option: int, value: int | bytes, /) -> None:
        """set_option()."""
        self._connection.set_option(level, option, value)

    def getsockopt(self, level: int, option: int, buflen: int = 0, /) -> int | bytes:
        """get_option(); TypeError for the type of the socket, which is `type`."""
        if (level, option) == (socket.SOL_SOCKET, socket.SO_TYPE):
            # The first thing that SSLContext.wrap_socket() asks: then it takes the descriptor, and closes it if detach() fails.
            raise TypeError("ssl would take the descriptor from the connection: call its start_tls(), and then as_socket()")
        return self._connection.get_option(option, level=level, size=buflen)

    def fileno(self) -> int:
        """The descriptor, or -1 when there is none."""
        return self._connection.fileno()

    def shutdown(self, how: int, /) -> None:
        """shut_down(), whose numbers are those of SHUT_RD, SHUT_WR and SHUT_RDWR."""
        self._connection.shut_down(cast(Any, int(how)))

    def detach(self) -> int:
        """detach()."""
        self._is_closed = True
        return self._connection.detach()

    def close(self) -> None:
        """Close the connection, now or when the last file of makefile() is closed."""
        self._is_closed = True
        self._close_if_unused()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._connection._abandon_if(error)
        self.close()

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} over {self._connection!r}>"

    def _decref_socketios(self) -> None:
        """A file was closed: socket.SocketIO calls it."""
        self._files -= 1
        if self._is_closed:
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._files <= 0:
            self._connection.close()

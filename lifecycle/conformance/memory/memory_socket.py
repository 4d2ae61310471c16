"""What both kinds of memory sockets have: a port, options, a time-out, an end."""

from __future__ import annotations

import errno
import socket
from typing import Any, ClassVar, TypeVar

from lifecycle.conformance.memory.network import HOST, Address, Network, refusal

Self = TypeVar("Self", bound="MemorySocket")

OPTIONS = frozenset(
    {socket.SO_REUSEADDR, socket.SO_RCVBUF, socket.SO_SNDBUF, socket.SO_LINGER, socket.SO_ERROR, socket.SO_TYPE}
)


class MemorySocket:
    """One socket of a Network."""

    kind: ClassVar[int]

    def __init__(self, network: Network) -> None:
        self.network = network
        self.port = 0
        self.listens = False
        self.peer_address: Address | None = None
        self.pending_error = 0
        self._number = network.number()
        self._timeout: float | None = None
        self._options: dict[int, Any] = {socket.SO_TYPE: self.kind, socket.SO_RCVBUF: 0}

    @property
    def shares(self) -> bool:
        """Whether others may have its port, too, as long as nobody listens."""
        return bool(self._options.get(socket.SO_REUSEADDR))

    def fileno(self) -> int:
        """A number, or -1 when it is closed. It is no descriptor of the system."""
        return self._number

    def settimeout(self, seconds: float | None) -> None:
        """How long a call may wait."""
        self.must_be_open()
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """The same, read."""
        return self._timeout

    def setblocking(self, wait: bool) -> None:
        """Wait for ever, or not at all."""
        self.settimeout(None if wait else 0)

    def setsockopt(self, level: int, option: int, value: object) -> None:
        """Set an option of level SOL_SOCKET; ENOPROTOOPT for an unknown one."""
        self.must_be_open()
        self._must_know(level, option)
        self._options[option] = value

    def getsockopt(self, level: int, option: int) -> Any:
        """Read an option; SO_ERROR forgets the error."""
        self.must_be_open()
        self._must_know(level, option)
        if option == socket.SO_ERROR:
            error, self.pending_error = self.pending_error, 0
            return error
        return self._options.get(option, 0)

    def bind(self, address: Address) -> None:
        """Take a port."""
        self.must_be_open()
        if self.port or self.peer_address:
            raise refusal(errno.EINVAL)
        self.port = self.network.take(self, address[1])

    def getsockname(self) -> Address:
        """The host and port."""
        self.must_be_open()
        if not self.port:
            raise refusal(errno.EINVAL)
        return HOST, self.port

    def getpeername(self) -> Address:
        """The peer's host and port."""
        self.must_be_open()
        if self.peer_address is None:
            raise refusal(errno.ENOTCONN)
        return self.peer_address

    def connect_ex(self, address: Address) -> int:
        """As connect(), but the error's number is returned."""
        try:
            self.connect(address)
        except BlockingIOError:
            return errno.EINPROGRESS
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def connect(self, address: Address) -> None:
        """Seek a connection, or set the peer."""
        raise NotImplementedError

    def close(self) -> None:
        """Give everything back; closing again does nothing."""
        if self._number != -1:
            self._leave()
            self.network.give_back(self, self.port)
            self._number = -1

    def is_ready(self, writing: bool) -> bool:
        """Whether a call would not have to wait: there is no descriptor that select() could be asked about."""
        raise NotImplementedError

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _leave(self) -> None:
        """Tell others that this end is going away."""

    def must_be_open(self) -> None:
        """EBADF where it is closed."""
        if self._number == -1:
            raise refusal(errno.EBADF)

    def would_wait(self, number: int = errno.EAGAIN) -> OSError:
        """What a call raises that would have to wait."""
        return refusal(number) if self._timeout == 0 else TimeoutError("timed out")

    def raise_pending(self) -> None:
        """Raise the error that came earlier, once."""
        number, self.pending_error = self.pending_error, 0
        if number:
            raise refusal(number)

    def _must_know(self, level: int, option: int) -> None:
        if level != socket.SOL_SOCKET or option not in OPTIONS:
            raise refusal(errno.ENOPROTOOPT)

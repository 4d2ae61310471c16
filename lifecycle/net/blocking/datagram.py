"""Datagram, blocking: its waiting calls, each handed to the operation that does it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from lifecycle.net.blocking.created import Created
from lifecycle.net.operations import Timeout
from lifecycle.net.operations.passing import HANDLES, Found, receiving_handles
from lifecycle.net.twins import DatagramCalls
from lifecycle.roles import words
from lifecycle.roles.datagram import DATAGRAM
from lifecycle.system.addresses import Address, from_system
from lifecycle.system.local_sockets import Path

if TYPE_CHECKING:
    from _typeshed import HasFileno, ReadableBuffer


class Datagram(DatagramCalls, Created, role=DATAGRAM):
    """A datagram socket: one call is one message; no connection is needed.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine, journal: see Lifecycle.
    """

    __slots__ = ()

    def connect(
        self,
        address: str | None = None,
        port: int | None = None,
        *,
        path: Path | None = None,
        timeout: Timeout = ...,
    ) -> None:
        """Set or change the peer: send() sends to it, and messages from others are not received.

        address: a numeric address, or a name, whose first address of this socket's family is taken. port: 1..65535. path: of a
        Unix-domain socket, in place of both. timeout: as of every call; the system's look-up of a name does not end by it.
        Legal in `open` (binds implicitly), `bound` and `connected`. Raises OSError (EADDRNOTAVAIL) for the unspecified address
        or port 0, ENETUNREACH.
        """
        self._run(words.CONNECT, self._connecting(address, port, path), timeout=timeout)

    def send(self, data: ReadableBuffer, flags: int = 0, *, timeout: Timeout = ...) -> int:
        """Send one message to the peer; its length.

        timeout: seconds that this call may wait, None for ever; the object's own where it is not given.
        Legal in `connected` and `receive_shut` (without a peer: WSAENOTCONN, EDESTADDRREQ). Raises OSError (EMSGSIZE) for one
        that is too long, nothing is sent then; ConnectionRefusedError when the peer refused an earlier one.
        """
        return self._run(words.SEND, self._sending(data, flags), timeout=timeout)

    def send_to(
        self,
        data: ReadableBuffer,
        address: str | None = None,
        port: int | None = None,
        flags: int = 0,
        *,
        path: Path | None = None,
        timeout: Timeout = ...,
    ) -> int:
        """Send one message to an address; its length.

        address and port, or path: as for connect(); timeout: as for send(). Legal in `open`, which it binds implicitly, and
        `bound`. Raises OSError (EMSGSIZE) for a message that is too long (65,507 bytes are not, over IPv4), EACCES for a
        broadcast without SO_BROADCAST; nothing is sent then.
        """
        return self._run(words.SEND_TO, self._sending_to(data, address, port, flags, path), timeout=timeout)

    def send_handles(self, data: ReadableBuffer, handles: Iterable[int | HasFileno], *, timeout: Timeout = ...) -> int:
        """Send one message with descriptors to the peer, which gets duplicates; the message's length.

        handles: descriptors, or objects with a fileno(). Raises OSError (EOPNOTSUPP) over other families than AF_UNIX, EBADF;
        else as send().
        """
        return self._run(words.SEND_HANDLES, self._sending_handles(data, handles), timeout=timeout)

    def receive_handles(self, size: int = 65536, *, limit: int = HANDLES, timeout: Timeout = ...) -> tuple[bytes, list[int]]:
        """Receive one message, and the descriptors that came with it.

        size: the most bytes the message may have. limit: the most descriptors, 0 to 253. The caller closes them; no child
        process inherits them. Raises TooManyHandles for more than `limit`; OSError (EOPNOTSUPP) over other families than
        AF_UNIX, EMFILE; else as receive(): those of a message that is too long are closed.
        """
        operation = receiving_handles(self._socket, size, limit)
        return cast(Found, self._run(words.RECEIVE_HANDLES, operation, timeout=timeout))

    def receive(self, size: int = 65536, flags: int = 0, *, timeout: Timeout = ...) -> bytes:
        """Receive one message, or wait for it. b"" is an empty message, and not the end of anything.

        size: the most bytes the message may have. timeout: as for send(). Legal in `bound`, `connected` and `send_shut`.
        Raises MessageTruncated, with the head, for a longer one; TimeoutError, BlockingIOError; ConnectionRefusedError when
        the peer refused a message.
        """
        return self._run(words.RECEIVE, self._receiving(words.RECEIVE, size, flags), timeout=timeout)[0]

    def receive_from(self, size: int = 65536, flags: int = 0, *, timeout: Timeout = ...) -> tuple[bytes, Address]:
        """Receive one message and the address it came from, or wait for it. Else as receive()."""
        data, sender = self._run(words.RECEIVE_FROM, self._receiving(words.RECEIVE_FROM, size, flags), timeout=timeout)
        return data, from_system(sender)

"""Datagram: messages, each with its own address or all with one peer."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any

from lifecycle.roles import DATAGRAM
from lifecycle.sockets.bindable import Bindable
from lifecycle.sockets.errors import MessageTruncated
from lifecycle.sockets.messages import Messages
from lifecycle.sockets.os_socket import checked_size
from lifecycle.system.addresses import Address, checked_peer, from_system, resolve
from lifecycle.system.outcomes import closed_meanwhile, system_error
from lifecycle.system.polling import deadline_after
from lifecycle.system.portable_calls import receive_message, set_peer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Datagram(Messages, Bindable, role=DATAGRAM):
    """A datagram socket: one call is one message; no connection is needed.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine: see Lifecycle.
    """

    __slots__ = ()

    def connect(self, address: str, port: int) -> None:
        """Set the peer, or another one: send() goes to it, and messages of others are not seen.

        address: a numeric address, or a name, whose first address of this socket's family is taken. port: 1..65535. Legal
        in `open` (binds implicitly), `bound` and `connected`. Raises OSError (EADDRNOTAVAIL) for the address of no machine or
        port 0, ENETUNREACH.
        """
        peer = self._peer(address, port)
        if not self._is_bound():
            self._bind_implicitly()
        set_peer(self._socket, peer)

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send one message to the peer; its length.

        Legal in `connected` and `receive_shut` (without a peer: WSAENOTCONN, EDESTADDRREQ). Raises OSError (EMSGSIZE) for one
        that is too long, nothing is sent then; ConnectionRefusedError when nobody took an earlier one.
        """
        refuse_out_of_band(flags)
        return self._sending(lambda: self._socket.send(data, flags))

    def send_to(self, data: ReadableBuffer, address: str, port: int, flags: int = 0) -> int:
        """Send one message to an address; its length.

        address and port: as for connect(). Legal in `open`, which it binds implicitly, and `bound`. Raises OSError
        (EMSGSIZE) for a message that is too long (65,507 bytes are not, over IPv4), EACCES for a broadcast without
        SO_BROADCAST; nothing is sent then.
        """
        memoryview(data)  # TypeError, before anything is bound
        refuse_out_of_band(flags)
        peer = self._peer(address, port)
        if not self._is_bound():
            self._bind_implicitly()
        return self._sending(lambda: self._socket.sendto(data, flags, peer))

    def receive(self, size: int = 65536, flags: int = 0) -> bytes:
        """Receive one message, or wait for it. b"" is an empty message, and no end of anything.

        size: the most bytes the message may have. Legal in `bound`, `connected` and `send_shut`. Raises MessageTruncated,
        with the head, for a longer one; TimeoutError, BlockingIOError; ConnectionRefusedError when nobody took what was sent.
        """
        return self._message(size, flags)[0]

    def receive_from(self, size: int = 65536, flags: int = 0) -> tuple[bytes, Address]:
        """Receive one message and the address it came from, or wait for it. Else as receive()."""
        data, sender = self._message(size, flags)
        return data, from_system(sender)

    def _peer(self, address: str, port: int) -> tuple[Any, ...]:
        return checked_peer(resolve(address, port, self._socket.family, self._kind)[1])

    def _sending(self, send: Any) -> int:
        deadline = deadline_after(self._timeout)
        while True:
            try:
                return int(send())
            except BlockingIOError:
                self._wait(writing=True, deadline=deadline)

    def _message(self, size: int, flags: int) -> tuple[bytes, Any]:
        checked_size(size)
        refuse_out_of_band(flags)
        deadline = deadline_after(self._timeout)
        while True:
            try:
                data, truncated, sender = receive_message(self._socket, size, flags)
            except BlockingIOError:
                if not self._row._allows("receive"):  # shut_down() in another thread: Linux goes on calling it readable
                    raise closed_meanwhile() from None
                self._wait(writing=False, deadline=deadline)
                continue
            if truncated:
                raise MessageTruncated(data, from_system(sender) if sender else None)
            return data, sender


def refuse_out_of_band(flags: int) -> None:
    """Datagrams have no out-of-band data: Winsock and Linux over IPv4 say so, Linux over IPv6 sends it as ordinary data."""
    if flags & socket.MSG_OOB:
        raise system_error(errno.EOPNOTSUPP)

"""Datagram: messages, each with its own address or all with one peer, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from lifecycle.aio.bindable import AsyncBindable
from lifecycle.aio.resolving import resolve
from lifecycle.engine import IllegalCall
from lifecycle.roles import DATAGRAM
from lifecycle.sockets import datagram as blocking
from lifecycle.sockets.errors import MessageTruncated
from lifecycle.sockets.messages import Messages
from lifecycle.sockets.os_socket import checked_size
from lifecycle.system.addresses import Address, checked_peer, from_system
from lifecycle.system.outcomes import closed_meanwhile
from lifecycle.system.portable_calls import receive_message, set_peer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Datagram(AsyncBindable, Messages, role=DATAGRAM):
    """A datagram socket: one call is one message; no connection is needed.

    `async for data, sender in datagram` receives until it is closed. engine: see Lifecycle.
    """

    __slots__ = ()

    async def connect(self, address: str, port: int) -> None:
        """Set the peer, or another one: send() goes to it, and messages of others are not seen.

        address: a numeric address, or a name, whose first address of this socket's family is taken. port: 1..65535. Legal
        in `open` (binds implicitly), `bound` and `connected`. Raises OSError (EADDRNOTAVAIL) for the address of no machine or
        port 0, ENETUNREACH.
        """
        peer = await self._peer(address, port)
        if not self._is_bound():
            self._bind_implicitly()
        set_peer(self._socket, peer)

    async def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send one message to the peer; its length.

        Legal in `connected` and `receive_shut` (without a peer: WSAENOTCONN, EDESTADDRREQ). Raises OSError (EMSGSIZE) for one
        that is too long, nothing is sent then; ConnectionRefusedError when nobody took an earlier one.
        """
        blocking.refuse_out_of_band(flags)
        return await self._sending(lambda: self._socket.send(data, flags))

    async def send_to(self, data: ReadableBuffer, address: str, port: int, flags: int = 0) -> int:
        """Send one message to an address; its length.

        address and port: as for connect(). Legal in `open`, which it binds implicitly, and `bound`. Raises OSError
        (EMSGSIZE) for a message that is too long (65,507 bytes are not, over IPv4), EACCES for a broadcast without
        SO_BROADCAST; nothing is sent then.
        """
        memoryview(data)  # TypeError, before anything is bound
        blocking.refuse_out_of_band(flags)
        peer = await self._peer(address, port)
        if not self._is_bound():
            self._bind_implicitly()
        return await self._sending(lambda: self._socket.sendto(data, flags, peer))

    async def receive(self, size: int = 65536, flags: int = 0) -> bytes:
        """Receive one message, or wait for it. b"" is an empty message, and no end of anything.

        size: the most bytes the message may have. Legal in `bound`, `connected` and `send_shut`. Raises MessageTruncated,
        with the head, for a longer one; ConnectionRefusedError when nobody took what was sent. A cancelled one has taken
        nothing.
        """
        return (await self._message(size, flags))[0]

    async def receive_from(self, size: int = 65536, flags: int = 0) -> tuple[bytes, Address]:
        """Receive one message and the address it came from, or wait for it. Else as receive()."""
        data, sender = await self._message(size, flags)
        return data, from_system(sender)

    def __aiter__(self) -> AsyncIterator[tuple[bytes, Address]]:
        return self

    async def __anext__(self) -> tuple[bytes, Address]:
        try:
            return await self.receive_from()
        except IllegalCall:
            if self.state in self.role.final:
                raise StopAsyncIteration from None
            raise

    async def _peer(self, address: str, port: int) -> tuple[Any, ...]:
        return checked_peer((await resolve(address, port, self._socket.family, self._kind))[1])

    async def _sending(self, send: Callable[[], int]) -> int:
        if not next(self._turns, False):
            await self._give_way()
        while True:
            try:
                return send()
            except BlockingIOError:
                await self._until_writable()

    async def _message(self, size: int, flags: int) -> tuple[bytes, Any]:
        checked_size(size)
        blocking.refuse_out_of_band(flags)
        if not next(self._turns, False):
            await self._give_way()
        while True:
            try:
                data, truncated, sender = receive_message(self._socket, size, flags)
            except BlockingIOError:
                if not self._row._allows("receive"):  # shut_down() in another task: Linux goes on calling it readable
                    raise closed_meanwhile() from None
                await self._until_readable()
                continue
            if truncated:
                raise MessageTruncated(data, from_system(sender) if sender else None)
            return data, sender

"""A connection as an anyio.abc.ByteStream, for everything that is written against anyio's streams."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute

from lifecycle.engine import IllegalCall
from lifecycle.net.errors import BlockingCallCancelled
from lifecycle.system.addresses import from_system

if TYPE_CHECKING:
    from types import TracebackType

    from lifecycle.net.aio.messages import AsyncMessages


class ConnectionStream(ByteStream):
    """The result of as_stream(): the calls of anyio's streams, and their errors, over a connection whose calls stay checked.

    The end of the stream is EndOfStream, a connection that is gone BrokenResourceError, one that was closed here
    ClosedResourceError, a second receive or send at the same time BusyResourceError. Any other call that the tables refuse
    raises IllegalCall, such as a send() after send_eof(). aclose() closes the connection itself.
    """

    def __init__(self, connection: AsyncMessages) -> None:
        self._connection = connection
        self._receiving = anyio.ResourceGuard("reading from")
        self._sending = anyio.ResourceGuard("writing to")

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Receive what has arrived, at most `max_bytes`, or wait for it; EndOfStream when the peer has ended its stream."""
        if max_bytes < 1:
            raise ValueError(f"max_bytes must be a positive integer, not {max_bytes!r}")
        await anyio.lowlevel.checkpoint_if_cancelled()
        with self._receiving, self._errors_of_anyio():
            data = await self._connection.receive(max_bytes)
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        """Send all of `item`."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        with self._sending, self._errors_of_anyio():
            await self._connection.send(item)

    async def send_eof(self) -> None:
        """End the sends, as shut_down() does; the peer sees the end of the stream. Doing so again does nothing."""
        with self._sending, self._errors_of_anyio():
            if self._connection.facts.sends or self._connection.is_over:
                self._connection.shut_down()
        await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Close the connection; closing again does nothing."""
        self._connection.close()
        await anyio.lowlevel.checkpoint()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection._abandon_if(error)
        await super().__aexit__(kind, error, traceback)

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """The addresses, the family and the socket of the system, as anyio's own streams give them; over TLS its results."""
        sock: Any = self._connection._socket
        attributes: dict[Any, Callable[[], Any]] = {
            SocketAttribute.family: lambda: sock.family,
            SocketAttribute.local_address: lambda: _as_anyio_has_it(sock.getsockname()),
            SocketAttribute.remote_address: lambda: _as_anyio_has_it(sock.getpeername()),
            SocketAttribute.raw_socket: lambda: sock,
        }
        if self._connection.facts.is_secured:
            details = self._connection.get_tls()
            of_tls: Any = TLSAttribute
            attributes |= {
                SocketAttribute.raw_socket: lambda: sock.below,
                of_tls.alpn_protocol: lambda: details.alpn_protocol,
                of_tls.peer_certificate: lambda: details.peer_certificate,
                of_tls.peer_certificate_binary: lambda: details.certificate_bytes,
                of_tls.tls_version: lambda: details.version,
            }
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            attributes[SocketAttribute.local_port] = lambda: sock.getsockname()[1]
            attributes[SocketAttribute.remote_port] = lambda: sock.getpeername()[1]
        return attributes

    @contextmanager
    def _errors_of_anyio(self) -> Iterator[None]:
        try:
            yield
        except IllegalCall as refusal:
            if self._connection.is_over:
                raise anyio.ClosedResourceError from refusal
            raise
        except BlockingCallCancelled:
            raise
        except OSError as error:
            raise anyio.BrokenResourceError from error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} over {self._connection!r}>"


def _as_anyio_has_it(name: Any) -> Any:
    """(host, port) of either family, the host with its scope; a path as it is."""
    return tuple(from_system(name)) if isinstance(name, tuple) else name

"""Adapters of the TLS streams of anyio and trio: each call runs to its end, or until its time is over.

A stream has fewer calls than a socket: it is connected when it is made, and it does not refuse. So legal calls only are tried.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from lifecycle.conformance.adapters.known import Knowing, table_of
from lifecycle.conformance.adapters.loopback import Loopback
from lifecycle.conformance.adapters.outcomes import ANY_ERROR
from lifecycle.conformance.adapters.peers import StreamPeer
from lifecycle.conformance.adapters.protocol import Answer, Verdict, compared
from lifecycle.conformance.adapters.tls_sockets import SECURED, OverTls
from lifecycle.conformance.adapters.trio_sockets import TrioThread
from lifecycle.conformance.model.environment import Environment, Provocation, Under
from lifecycle.conformance.model.environments import ENVIRONMENTS
from lifecycle.conformance.model.graph import Edge
from lifecycle.conformance.model.tls_environment import CONTEXT_UNDER_FILE
from lifecycle.engine import Role
from lifecycle.roles import words

SECONDS: Mapping[Under, float] = {Under.AT_ONCE: 0.05, Under.BRIEFLY: 0.05, Under.PATIENTLY: 2.0}
"""how long a call may take; a stream has no non-blocking calls"""

OFFERED = {
    (words.OPEN_.name, Under.AT_ONCE),
    (words.ACCEPTED.name, Under.AT_ONCE),
    (words.CONNECT.name, Under.PATIENTLY),
    (words.SEND.name, Under.AT_ONCE),
    (words.RECEIVE.name, Under.BRIEFLY),
    (words.RECEIVE.name, Under.PATIENTLY),
    (words.SHUT_DOWN.name, Under.AT_ONCE),
    (words.START_TLS.name, Under.BRIEFLY),
    (words.START_TLS.name, Under.PATIENTLY),
    (words.STOP_TLS.name, Under.PATIENTLY),
    (words.CLOSE.name, Under.AT_ONCE),
}
WAYS = ("", "sends")
"""how these calls are made"""


class Anyio:
    """anyio's streams, over asyncio."""

    def __init__(self) -> None:
        import anyio

        self._runner = asyncio.Runner()
        self.broken = (anyio.BrokenResourceError,)

    def run(self, seconds: float, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Await it. Raises TimeoutError."""
        import anyio

        async def in_time() -> Any:
            with anyio.fail_after(seconds):
                return await call(*arguments)

        return self._runner.run(in_time())

    async def connect(self, host: str, port: int) -> Any:
        """A stream to that place."""
        import anyio

        return await anyio.connect_tcp(host, port)

    async def of_socket(self, sock: socket.socket) -> Any:
        """A stream over a socket that is connected."""
        import anyio.abc

        return await anyio.abc.SocketStream.from_socket(sock)

    async def secure(self, stream: Any, context: ssl.SSLContext, server_side: bool) -> Any:
        """A TLS stream over it, after the handshake."""
        from anyio.streams.tls import TLSStream

        return await TLSStream.wrap(stream, server_side=server_side, ssl_context=context)

    async def send(self, stream: Any, data: bytes) -> None:
        """Send all."""
        await stream.send(data)

    async def receive(self, stream: Any, size: int) -> bytes:
        """Receive some; b"" at the end."""
        import anyio

        try:
            data: bytes = await stream.receive(size)
        except anyio.EndOfStream:
            return b""
        return data

    async def leave(self, stream: Any) -> Any:
        """The stream below, after both sides' close_notify."""
        return (await stream.unwrap())[0]

    async def abandon(self, stream: Any) -> None:
        """Close at once."""
        import anyio

        await anyio.aclose_forcefully(stream)

    def socket_of(self, stream: Any) -> Any:
        """The socket below."""
        import anyio.abc

        return stream.extra(anyio.abc.SocketAttribute.raw_socket)

    def close(self) -> None:
        """End the library's loop."""
        self._runner.close()


class Trio:
    """trio's streams."""

    def __init__(self) -> None:
        import trio

        self._thread = TrioThread()
        self.broken = (trio.BrokenResourceError,)

    def run(self, seconds: float, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Await it. Raises TimeoutError."""
        import trio

        async def in_time() -> Any:
            with trio.move_on_after(seconds):
                return await call(*arguments)
            raise TimeoutError

        return self._thread.call(in_time)

    async def connect(self, host: str, port: int) -> Any:
        """A stream to that place."""
        import trio

        return await trio.open_tcp_stream(host, port)

    async def of_socket(self, sock: socket.socket) -> Any:
        """A stream over a socket that is connected."""
        import trio

        return trio.SocketStream(trio.socket.from_stdlib_socket(sock))

    async def secure(self, stream: Any, context: ssl.SSLContext, server_side: bool) -> Any:
        """A TLS stream over it, after the handshake."""
        import trio

        secured = trio.SSLStream(stream, context, server_side=server_side)
        await secured.do_handshake()
        return secured

    async def send(self, stream: Any, data: bytes) -> None:
        """Send all."""
        await stream.send_all(data)

    async def receive(self, stream: Any, size: int) -> bytes:
        """Receive some; b"" at the end."""
        return bytes(await stream.receive_some(size))

    async def leave(self, stream: Any) -> Any:
        """The stream below, after both sides' close_notify."""
        return (await stream.unwrap())[0]

    async def abandon(self, stream: Any) -> None:
        """Close at once."""
        import trio

        await trio.aclose_forcefully(stream)

    def socket_of(self, stream: Any) -> Any:
        """The socket below."""
        return getattr(stream, "transport_stream", stream).socket

    def close(self) -> None:
        """End the library's loop."""
        self._thread.close()


Library = Anyio | Trio


class StreamStage(OverTls):
    """One stream among its peers."""

    def __init__(self, role: str, library: Library, loopback: Loopback) -> None:
        super().__init__(role, loopback)
        self._library = library
        self._stream: Any = None
        self._seconds = SECONDS[Under.AT_ONCE]

    def address(self) -> tuple[str, int]:
        host, port = self._library.socket_of(self._stream).getsockname()[:2]
        return host, port

    def descriptor(self) -> int:
        """The descriptor of the stream; -1 before there is one."""
        return -1 if self._stream is None else int(self._library.socket_of(self._stream).fileno())

    def set_circumstances(self, under: Under) -> None:
        """Set how long the next call may take."""
        self._seconds = SECONDS[under]

    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call in the library's words."""
        library, stream = self._library, self._stream
        match call:
            case words.CONNECT.name:
                host, port = arguments
                self._stream = self._run(library.connect, host, port)
            case words.ACCEPTED.name:
                self._be_accepted()
            case words.SEND.name:
                self._run(library.send, stream, arguments[0])
                return len(arguments[0])
            case words.RECEIVE.name:
                return self._run(library.receive, stream, arguments[0])
            case words.SHUT_DOWN.name:
                self._run(stream.send_eof)
            case words.START_TLS.name:
                self._stream = self._run(library.secure, stream, arguments[0], self.is_tls_server)
            case words.STOP_TLS.name:
                self._stream = self._run(library.leave, stream)
            case words.CLOSE.name if stream is not None:
                self._run(stream.aclose)
        return None

    def _run(self, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        try:
            return self._library.run(self._seconds, call, *arguments)
        except self._library.broken as error:
            raise (error.__cause__ if isinstance(error.__cause__, OSError) else error) from None

    def _be_accepted(self) -> None:
        client = self.loopback.new(socket.SOCK_STREAM)
        client.setblocking(True)
        with socket.create_server((self.loopback.host, 0)) as listener:
            client.connect(listener.getsockname())
            sock, _ = listener.accept()
        client.setblocking(False)
        sock.setblocking(False)
        self._stream = self._run(self._library.of_socket, sock)
        assert isinstance(self.peer, StreamPeer)
        self.peer.replace(client)

    def end(self) -> None:
        """Close without waiting for TLS."""
        if self._stream is not None:
            with suppress(*ANY_ERROR):
                self._library.run(1, self._library.abandon, self._stream)


LIBRARIES: Mapping[str, type[Library]] = {"anyio.tls": Anyio, "trio.ssl": Trio}
"""target -> its library"""


class StreamAdapter(Knowing):
    """The TLS streams of one of LIBRARIES under test."""

    governed = False

    def __init__(self, name: str) -> None:
        super().__init__(table_of(name))
        self.name = name
        self._library, self._loopback = LIBRARIES[name](), Loopback()

    def environment(self, role: Role) -> Environment:
        """With TLS; only streams have it."""
        if role not in SECURED:
            raise KeyError(role.name)
        return ENVIRONMENTS[role.name]

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """The calls of a stream that do not take long."""
        is_offered = (provocation.call, provocation.under) in OFFERED and provocation.how in WAYS
        return legal and is_offered and not provocation.costly and CONTEXT_UNDER_FILE not in provocation.arguments

    def stage(self, role: Role) -> StreamStage:
        """A new object that has no stream yet."""
        return StreamStage(role.name, self._library, self._loopback)

    def verdict(self, edge: Edge, answer: Answer) -> Verdict:
        """The usual one."""
        return compared(edge, answer)

    def close(self) -> None:
        """End the library's loop, too."""
        self._loopback.close()
        self._library.close()

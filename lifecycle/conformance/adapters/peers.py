"""The peers of one object under test: their methods are the peer actions of the environments, by name."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lifecycle.conformance.adapters.certificates import context_of
from lifecycle.conformance.adapters.loopback import Loopback, close_once
from lifecycle.conformance.adapters.outcomes import ANY_ERROR, text_of
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.adapters.setup_states import address_of, begin_connect, reset
from lifecycle.conformance.adapters.tls_end import TlsEnd
from lifecycle.conformance.model.environments import MESSAGE
from lifecycle.system.portable_calls import dissolve

LocalAddress = Callable[[], tuple[str, int]]
"""Returns the local address of the object under test"""


class StreamPeer:
    """The other end of a connection."""

    def __init__(self, loopback: Loopback, subject_address: LocalAddress) -> None:
        self._loopback = loopback
        self._subject_address = subject_address
        self._sock: Any = None
        self._tls: TlsEnd | None = None
        self.tls_side: tuple[bool, ssl.TLSVersion | None, bool] = (True, None, False)
        """whether it is the server of TLS, the version, and whether drive() is called where the object is about to wait"""
        self._awaited: tuple[str, int] | None = None
        self._parts: list[bytes] = []
        """the data that the object has sent and that was not read here"""

    def expect(self, data: bytes) -> None:
        """Note that the object has sent this data."""
        self._parts.append(data)

    def expect_connection(self) -> None:
        """The object may have connected to the listener: the first action of the peer accepts it."""
        if self._sock is None:
            with suppress(*ANY_ERROR):  # the connect has failed, and there is no address
                self._awaited = self._subject_address()

    @property
    def is_there(self) -> bool:
        """Whether this end has been accepted."""
        return self._sock is not None

    @property
    def sock(self) -> Any:
        """This end of the connection."""
        if self._sock is None:
            self._sock = self._loopback.accept(self._subject_address())
        return self._sock

    def replace(self, sock: Any) -> None:
        """Own `sock` from now on."""
        self.close()
        self._sock = sock
        self._parts = []

    def send_all(self, data: bytes) -> None:
        """Send this, all at once."""
        sent = self.sock.send(data)
        if sent != len(data):
            raise Mismatch(f"the peer sends {len(data)} bytes", sent)

    def receive(self, size: int) -> bytes:
        """So many bytes, waiting for them; fewer where the stream ends before."""
        got = b""
        while len(got) < size:
            part = self._loopback.patiently(self.sock, self.sock.recv, min(size - len(got), 65536))
            if not part:
                break
            got += part
        return got

    def receive_to_the_end(self) -> bytes:
        """Everything up to the end of the stream; Mismatch if it does not end."""
        got = b""
        try:
            while part := self._loopback.patiently(self.sock, self.sock.recv, 65536):
                got += part
        except (OSError, Mismatch) as error:
            what = text_of(error) if isinstance(error, OSError) else error.got
            raise Mismatch("the peer sees the end of the stream", what) from error
        return got

    def peer_sends(self) -> None:
        """Send the message; over a path, with a descriptor, which most receives drop."""
        if sys.platform != "win32" and self._loopback.is_local:
            socket.send_fds(self.sock, [MESSAGE], [0])
        else:
            (self._tls or self.sock).send(MESSAGE)

    def peer_begins_tls(self) -> None:
        """Begin the handshake."""
        self._begin_tls("trusted")

    def peer_refuses_tls(self) -> None:
        """Begin a handshake that one of the sides will refuse."""
        self._begin_tls("stranger")

    def peer_notifies(self) -> None:
        """Send close_notify."""
        assert self._tls is not None
        self._tls.end()

    def peer_cuts(self) -> None:
        """End the connection without close_notify."""
        assert self._tls is not None
        self._tls.finish()
        self.sock.shutdown(socket.SHUT_WR)

    def leave_tls(self) -> None:
        """Read up to the object's close_notify; plain text follows. An object with a broken table may leave TLS earlier."""
        while self._tls is not None and self.sock.fileno() != -1 and self._tls.receive():
            pass
        self._tls, self._parts = None, []

    def _begin_tls(self, authority: str) -> None:
        is_server, version, is_driven = self.tls_side
        if self._tls is not None:
            self._tls.finish()
        context = context_of(is_server, version, authority=authority)
        self._tls = TlsEnd(self.sock, context, server_side=is_server, is_driven=is_driven)
        self._tls.begin()

    def drive(self) -> None:
        """Continue a TLS handshake: the object is about to wait."""
        if self._tls is not None:
            self._tls.drive()

    def _receive(self) -> bytes:
        if self._tls is not None:
            return self._tls.receive()
        data: bytes = self._loopback.patiently(self.sock, self.sock.recv, 65536)
        return data

    def peer_ends(self) -> None:
        """End this side's stream."""
        self.sock.shutdown(socket.SHUT_WR)

    def peer_resets(self) -> None:
        """Reset the connection."""
        if self._tls is not None:
            self._tls.finish()
        reset(self.sock)

    def peer_reads(self) -> None:
        """Read what the object has sent, which must be there."""
        expected, self._parts = b"".join(self._parts), []
        got = b""
        while len(got) < len(expected):
            part = self._receive()
            if not part:
                break
            got += part
        if got != expected:
            raise Mismatch(f"the peer receives {len(expected)} bytes as they were sent", f"{len(got)} bytes, {got[:40]!r}")

    def peer_reads_the_end(self) -> None:
        """Read what the object has sent, and then the end of its stream."""
        self.peer_reads()
        try:
            got = self._receive()
        except OSError as error:
            raise Mismatch("the peer sees the end of the stream", text_of(error)) from error
        if got:
            raise Mismatch("the peer sees the end of the stream", got[:40])

    def close(self) -> None:
        """Release the connection."""
        if self._tls is not None:
            self._tls.stop()
            self._tls = None
        if self._sock is not None:
            reset(self._sock)
        elif self._awaited is not None:
            self._loopback.drop(self._awaited)


class ServerPeer:
    """The clients of a server, and a rival for its port."""

    def __init__(self, loopback: Loopback, subject_address: LocalAddress) -> None:
        self._loopback = loopback
        self._subject_address = subject_address
        self._clients: list[Any] = []
        self._rival: Any = None

    def peer_connects(self) -> None:
        """A client connects."""
        sock = self._loopback.new(socket.SOCK_STREAM)
        self._clients.append(sock)
        begin_connect(sock, self._subject_address())

    def rival_listens(self) -> None:
        """Another socket listens on the port."""
        self._rival = self._loopback.unbound(socket.SOCK_STREAM)
        self._rival.bind(self._subject_address())
        self._rival.listen(1)

    def rival_leaves(self) -> None:
        """The rival releases the port."""
        close_once(self._rival)

    def close(self) -> None:
        """Release all connections."""
        for sock in self._clients:
            reset(sock)
        close_once(self._rival)


class DatagramPeer:
    """The peer of a socket that exchanges messages."""

    def __init__(self, loopback: Loopback, subject_address: LocalAddress) -> None:
        self._loopback = loopback
        self._subject_address = subject_address
        self._sock: Any = None
        self._address: tuple[str, int] | None = None
        self._expected: list[bytes] = []
        """the messages that the object has sent and that were not read here"""

    def expect(self, data: bytes) -> None:
        """Note that the object has sent this message."""
        self._expected.append(data)

    @property
    def address(self) -> tuple[str, int]:
        """The present or last address of the peer."""
        self._appear()
        assert self._address is not None
        return self._address

    def replace(self, sock: Any) -> None:
        """Own `sock` from now on."""
        self.close()
        self._sock, self._address = sock, address_of(sock)

    def peer_sends(self) -> None:
        """Send the message."""
        self.send_message(MESSAGE)

    def send_message(self, data: bytes) -> None:
        """Send this to the object."""
        self._appear()
        self._sock.sendto(data, self._to_subject())

    def _to_subject(self) -> Any:
        address = self._subject_address()
        return address if self._loopback.is_local else (self._loopback.host, address[1])

    def peer_fills(self) -> None:
        """Fill the queue with messages of another socket."""
        with self._loopback.new(socket.SOCK_DGRAM) as other, suppress(BlockingIOError):
            while True:
                other.sendto(MESSAGE, self.address)

    def peer_turns_away(self) -> None:
        """Become the object's peer and close with its messages unread: Linux then reports ECONNRESET to it."""
        self._sock.connect(self._to_subject())
        dissolve(self._sock)
        self._expected.clear()

    def receive(self) -> bytes:
        """The next message, waiting for it."""
        return bytes(self.receive_from()[0])

    def receive_from(self) -> tuple[bytes, Any]:
        """The next message, and its sender's address."""
        self._appear()
        found: tuple[bytes, Any] = self._loopback.patiently(self._sock, self._sock.recvfrom, 65536)
        return found

    def peer_reads(self) -> None:
        """Read the messages that the object has sent, which must be there."""
        while self._expected:
            wanted = self._expected.pop(0)
            got = self._loopback.patiently(self._sock, self._sock.recv, 65536)
            if got != wanted:
                raise Mismatch(f"the peer receives {wanted[:40]!r}", got[:40])

    def peer_leaves(self) -> None:
        """Close the socket: messages to it are refused."""
        self._appear()
        self._sock.close()
        self._expected.clear()

    def peer_returns(self) -> None:
        """Bind to the same address again."""
        self._open(self.address)
        self._expected.clear()

    def close(self) -> None:
        """Release the socket."""
        close_once(self._sock)

    def _appear(self) -> None:
        if self._address is None:
            self._open(self._loopback.fresh_address())

    def _open(self, address: tuple[str, int]) -> None:
        self._sock = self._loopback.new(socket.SOCK_DGRAM)
        self._sock.bind(address)
        self._address = address_of(self._sock)


Peer = StreamPeer | ServerPeer | DatagramPeer

PEERS: dict[str, type[StreamPeer] | type[ServerPeer] | type[DatagramPeer]] = {
    "server": ServerPeer,
    "client": StreamPeer,
    "accepted": StreamPeer,
    "datagram": DatagramPeer,
}
"""role -> the class of its peers"""

KINDS = {
    "server": socket.SOCK_STREAM,
    "client": socket.SOCK_STREAM,
    "accepted": socket.SOCK_STREAM,
    "datagram": socket.SOCK_DGRAM,
}
"""role -> the kind of its socket"""

"""The other end of a connection of a client that is tested by hand: it goes on with its handshake while the client waits."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from lifecycle.conformance.adapters.certificates import server_context


class Peer:
    """The other end of a connection: a socket that does not wait, and TLS over it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.setblocking(False)
        self.tls: ssl.SSLObject | None = None
        self.is_secured = False

    def begin_tls(self) -> None:
        """Make as much of the handshake as can be made now."""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = server_context().wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.go_on()

    def go_on(self) -> None:
        """Go on with the handshake, if there is one; what is not TLS resets the connection."""
        if self.tls is not None and not self.is_secured:
            self.take()
            try:
                self.tls.do_handshake()
                self.is_secured = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:  # what came is not TLS
                self.reset()
                return
            self.flush()

    def take(self) -> None:
        """Give TLS what has come."""
        with suppress(OSError):
            self.incoming.write(self.sock.recv(65536))

    def flush(self) -> None:
        """Send what TLS has to send."""
        with suppress(OSError):
            self.sock.sendall(self.outgoing.read())

    def can_send(self) -> bool:
        """Whether data can be sent, in plain text or over TLS."""
        self.go_on()
        return self.sock.fileno() != -1 and (self.tls is None or self.is_secured)

    def send(self, data: bytes) -> None:
        """Send it, in plain text or over TLS."""
        if self.tls is None:
            self.sock.sendall(data)
        else:
            self.tls.write(data)
            self.flush()

    def receive(self) -> None:
        """Take what the client has sent."""
        with suppress(OSError):
            if self.tls is None:
                self.sock.recv(65536)
            else:
                self.go_on()
                self.take()
                self.tls.read(65536)

    def notify(self) -> None:
        """Send close_notify."""
        assert self.tls is not None
        self.go_on()
        with suppress(ssl.SSLError):
            self.tls.unwrap()
        self.flush()

    def end(self) -> None:
        """Send the end of the stream."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection by a reset."""
        with suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

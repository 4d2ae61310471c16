"""The other end of a TLS connection: an ssl.SSLObject over a non-blocking socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lifecycle.conformance.adapters.setup_states import shows

PATIENCE = 5.0
"""Seconds that it waits for the object under test"""


class TlsEnd:
    """The TLS of a peer. Its handshake runs in a thread, so that the object under test can make its own meanwhile.

    patience: seconds that each step waits for the object. With 0, go_on() makes the handshake step by step without a thread.
    is_driven: whether drive() is called whenever the object is about to wait: that takes a thread only where nothing has come.
    """

    def __init__(
        self, sock: Any, context: ssl.SSLContext, *, server_side: bool, patience: float = PATIENCE, is_driven: bool = False
    ) -> None:
        self.sock = sock
        self.patience = patience
        self._is_driven = is_driven
        self._is_over = False
        self._arrivals = 0
        self.has_ended = False
        """whether close_notify was sent"""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.failure: Exception | None = None
        """the error of a failed handshake"""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._secured = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side)
        self._early: list[bytes] = []
        """the data that had arrived when close_notify was sent"""
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Send the first flight of the handshake at once, if this side begins; a thread does the rest."""
        with suppress(OSError):  # it wants an answer; or it fails, and does so again in the thread, which keeps the error
            self._secured.do_handshake()
        with suppress(OSError):
            self._flush()
        if not self._is_driven:
            self._go_on_in_a_thread()

    def drive(self) -> None:
        """Make as much of the handshake as possible now; if nothing has arrived, a thread continues it."""
        if self._is_over or self._thread is not None:
            return
        patience, self.patience, before = self.patience, 0, self._arrivals
        try:
            self._is_over = self.go_on()
        except (OSError, ValueError) as error:
            self._fails(error)
        finally:
            self.patience = patience
        if not self._is_over and self._arrivals == before:
            self._go_on_in_a_thread()

    def go_on(self) -> bool:
        """Make the handshake in this thread, for `patience` seconds at most; whether it is over. ssl.SSLError if refused."""
        try:
            self._do(self._secured.do_handshake)
        except TimeoutError:
            return False
        return True

    def finish(self) -> None:
        """Wait until the handshake has ended, by success or failure."""
        if self._thread is not None:
            self._thread.join()
        elif self._is_driven and not self._is_over:
            self._shake_hands()

    def send(self, data: bytes) -> None:
        """Send over TLS."""
        self.finish()
        self._do(self._secured.write, data)

    def receive(self, size: int = 65536) -> bytes:
        """What has arrived over TLS; b"" after the object's close_notify. Raises TimeoutError if nothing arrives."""
        self.finish()
        if self._early:
            return self._early.pop(0)
        with suppress(ssl.SSLZeroReturnError):
            data: bytes = self._do(self._secured.read, size)
            return data
        return b""

    def end(self) -> None:
        """Send close_notify."""
        self.finish()
        self.has_ended = True
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while data := self._secured.read(65536):  # else it is an error of unwrap()
                self._early.append(data)
        with suppress(ssl.SSLWantReadError):
            self._secured.unwrap()
        self._flush()

    def leave(self) -> bytes:
        """Plain text that arrived together with the last TLS record."""
        return self._incoming.read()

    def stop(self) -> None:
        """End the connection, and with it a handshake that has not ended."""
        if self._thread is not None and self._thread.is_alive():
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
            self._thread.join()

    def _go_on_in_a_thread(self) -> None:
        self._thread = threading.Thread(target=self._shake_hands, name="handshake of a peer", daemon=True)
        self._thread.start()

    def _shake_hands(self) -> None:
        try:
            self._do(self._secured.do_handshake)
            self._is_over = True
        except (OSError, ValueError) as error:  # ValueError: its socket was closed meanwhile
            self._fails(error)

    def _fails(self, error: Exception) -> None:
        self._is_over = True
        self.failure = error.with_traceback(None)  # which would hold this object

    def _do(self, function: Callable[..., Any], *arguments: Any) -> Any:
        while True:
            try:
                result = function(*arguments)
            except ssl.SSLWantReadError:
                self._flush()
                self._take()
            except ssl.SSLEOFError:  # the alert is not sent: an object that has ended both directions would answer by a reset
                raise
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()
                raise
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        unsent = self._outgoing.read()
        while unsent:
            try:
                unsent = unsent[self.sock.send(unsent) :]
            except BlockingIOError:
                self._wait(writing=True)

    def _take(self) -> None:
        self._wait(writing=False)
        with suppress(BlockingIOError):
            data = self.sock.recv(65536)
            self._arrivals += 1
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _wait(self, *, writing: bool) -> None:
        if not shows(self.sock, writing=writing, within=self.patience):
            raise TimeoutError("nothing arrives at the peer")

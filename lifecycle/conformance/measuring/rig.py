"""What a measurement is made with: sockets of one family and kind, their addresses, their peers; close() closes them all."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import sys
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
COMES_WITHIN = 0.2  # seconds in which what a peer does must show
SILENT_FOR = 0.02  # seconds after which somebody who has not answered is silent
RESETTING = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
SMALL = 4096  # bytes of buffer, where one is to be filled
MAX_FILLERS = 64

Address = Any


class Rig:
    """Makes sockets of one family and kind; close() closes all of them but those that are shared.

    collects: whether the result of a connect() is collected by a second one, as soon as the connection is made.
    """

    def __init__(self, family: int, kind: int, folder: Path, *, collects: bool = False) -> None:
        self.family = family
        self.kind = kind
        self._collects = collects
        self._folder = folder
        self._made: list[socket.socket] = []
        self._shared: list[socket.socket] = []
        self._names = 0
        self._alive: socket.socket | None = None

    @property
    def is_local(self) -> bool:
        """Whether addresses are paths."""
        return self.family == getattr(socket, "AF_UNIX", None)

    def new(self) -> socket.socket:
        """A new socket that does not wait."""
        sock = socket.socket(self.family, self.kind)
        sock.setblocking(False)
        self._made.append(sock)
        return sock

    def fresh_address(self) -> Address:
        """An address to bind to: any port, or a path that does not exist."""
        if self.is_local:
            self._names += 1
            return str(self._folder / f"{self.kind}.{self._names}")
        return ("::1" if self.family == socket.AF_INET6 else "127.0.0.1", 0)

    def bound(self) -> socket.socket:
        """A socket with an address."""
        sock = self.new()
        sock.bind(self.fresh_address())
        return sock

    def listening(self, backlog: int = 8) -> socket.socket:
        """A socket that listens."""
        sock = self.bound()
        sock.listen(backlog)
        return sock

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """A connection: (who sought it, who was accepted)."""
        listener, seeker = self.listening(), self.new()
        address = listener.getsockname()
        begin_connect(seeker, address)
        comes(listener)
        accepted, _ = listener.accept()
        accepted.setblocking(False)
        self._made.append(accepted)
        comes(seeker, writing=True)
        if self._collects:
            seeker.connect_ex(address)
        listener.close()
        return seeker, accepted

    @cached_property
    def alive(self) -> Address:
        """The address of somebody who can be connected or sent to."""
        self._alive = self._share(self.bound() if self.kind == socket.SOCK_DGRAM else self.listening(128))
        return self._alive.getsockname()

    @cached_property
    def dead(self) -> Address:
        """An address where nobody is any more."""
        sock = self.bound()
        address = sock.getsockname()
        sock.close()
        return address

    @cached_property
    def silent(self) -> Address:
        """The address of somebody who neither accepts nor refuses: a listener whose queue is full."""
        listener = self._share(self.listening(0))
        address = listener.getsockname()
        for _ in range(MAX_FILLERS):
            filler = self._share(self.new())
            number = filler.connect_ex(address)
            if number == errno.EAGAIN or (number in UNDER_WAY and not comes(filler, writing=True, within=SILENT_FOR)):
                return address
        raise OSError("the queue of a listener never fills on this system")

    def drain(self) -> None:
        """Forget who and what has come to the one who is alive."""
        if self._alive is not None:
            with suppress(OSError):
                while True:
                    if self.kind == socket.SOCK_DGRAM:
                        self._alive.recv(16)
                    else:
                        self._alive.accept()[0].close()

    def close(self) -> None:
        """Close what was made since the last time."""
        for sock in self._made:
            if sock.fileno() != -1 and sock not in self._shared:
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
                sock.close()
        self._made.clear()
        self.drain()

    def close_all(self) -> None:
        """Close everything."""
        self.close()
        for sock in self._shared:
            sock.close()

    def _share(self, sock: socket.socket) -> socket.socket:
        self._shared.append(sock)
        return sock


def begin_connect(sock: socket.socket, address: Address) -> None:
    """Seek a connection without waiting for it; OSError where that cannot even begin."""
    number = sock.connect_ex(address)
    if number not in UNDER_WAY:
        raise OSError(number, os.strerror(number))


def comes(sock: socket.socket, *, writing: bool = False, within: float = COMES_WITHIN) -> bool:
    """Whether something shows at the socket within so many seconds: data, an end, an error, room to write."""
    reading, sending = ([], [sock]) if writing else ([sock], [])
    return any(select.select(reading, sending, [sock], within))


def folder_for_paths() -> tempfile.TemporaryDirectory[str]:
    """A folder for the paths of local sockets, whose names must be short."""
    return tempfile.TemporaryDirectory(prefix="m", ignore_cleanup_errors=True)

"""Brings real sockets into states: the one way for the suite, the measured matrix, the tests and the benchmarks.

`arrange(sockets, facts)` makes a socket of which the facts of a role's state are true. STREAM_STATES and DATAGRAM_STATES make
the states of the shipped platform tables, which look closer than the roles do: whether data is queued, whether a refusal was
fetched.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from lifecycle.conformance.adapters.effects import await_effects
from lifecycle.roles.facts import Facts, Link, Receives
from lifecycle.system.outcomes import UNDER_WAY, system_error
from lifecycle.system.polling import is_ready

SHOWS_WITHIN = 0.2  # seconds in which what a peer does must show
SILENT_FOR = 0.03  # seconds after which a listener that has not answered is silent
RESETTING = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
SMALL = 4096  # bytes of buffer, where one is to be filled
MAX_FILLERS = 64

Factory = Callable[[int, int], Any]
"""(family, kind) -> a new socket with the methods of socket.socket"""


class Sockets:
    """Makes sockets of one family that do not wait; close() closes those that are kept.

    new: the factory. folder: for the paths of local sockets.
    """

    def __init__(self, new: Factory = socket.socket, family: int = socket.AF_INET, folder: Path | None = None) -> None:
        self.family = family
        self._new = new
        self._folder = folder
        self._kept: list[Any] = []
        self._names = 0
        self.silence = cache(self._make_silence)
        """kind -> the address of a listener whose queue is full, so that a connect neither succeeds nor fails"""
        self.nobody = cache(self._make_nobody)
        """kind -> an address at which no socket listens or receives"""

    @property
    def is_local(self) -> bool:
        """Whether addresses are paths."""
        return self.family == getattr(socket, "AF_UNIX", None)

    def new(self, kind: int) -> Any:
        """A new socket."""
        sock = self._new(self.family, kind)
        sock.setblocking(False)
        return sock

    def unbound(self, kind: int) -> Any:
        """A new socket that can be bound."""
        return self.new(kind)

    def fresh_address(self) -> Any:
        """An address to bind to: any port, or a path that does not exist."""
        if self.is_local:
            assert self._folder is not None
            self._names += 1
            return str(self._folder / f"{id(self)}.{self._names}")
        return "::1" if self.family == socket.AF_INET6 else "127.0.0.1", 0

    def bound(self, kind: int) -> Any:
        """A socket with an address."""
        sock = self.unbound(kind)
        sock.bind(self.fresh_address())
        return sock

    def listening(self, backlog: int = 8, kind: int = socket.SOCK_STREAM) -> Any:
        """A socket that listens."""
        sock = self.bound(kind)
        sock.listen(backlog)
        return sock

    def pair(self, kind: int = socket.SOCK_STREAM) -> tuple[Any, Any]:
        """A connection: (its seeker, the accepted end); for messages, two sockets, the first connected to the second."""
        if kind == socket.SOCK_DGRAM:
            seeker, peer = self.bound(kind) if self.is_local else self.new(kind), self.bound(kind)
            seeker.connect(peer.getsockname())
            return seeker, peer
        listener, seeker = self.listening(kind=kind), self.new(kind)
        try:
            begin_connect(seeker, listener.getsockname())
            shows(listener)
            accepted, _ = listener.accept()
        finally:
            listener.close()
        accepted.setblocking(False)
        shows(seeker, writing=True)
        return seeker, accepted

    def keep(self, sock: Any) -> Any:
        """Close `sock` at the end."""
        self._kept.append(sock)
        return sock

    def close(self) -> None:
        """Close everything that is kept; what an odd implementation raises then is of no interest."""
        while self._kept:
            with suppress(Exception, SystemExit):
                self._kept.pop().close()

    def _make_nobody(self, kind: int) -> Any:
        sock = self.keep(self.bound(kind))
        address = address_of(sock)
        if kind == socket.SOCK_DGRAM:
            sock.close()
        return address

    def _make_silence(self, kind: int = socket.SOCK_STREAM) -> Any:
        address = address_of(self.keep(self.listening(0, kind)))
        for _ in range(MAX_FILLERS):
            filler = self.keep(self.new(kind))
            number = filler.connect_ex(address)
            if number == errno.EAGAIN or not shows(filler, writing=True, within=SILENT_FOR):
                return address
        raise OSError("the queue of a listener never fills here, so that no address is silent")


def address_of(sock: Any) -> Any:
    """The address of a socket: (host, port), or its path."""
    name = sock.getsockname()
    return name if isinstance(name, str) else name[:2]


def begin_connect(sock: Any, address: Any) -> None:
    """Seek a connection without waiting for it; OSError where that cannot even begin."""
    number = sock.connect_ex(address)
    if number and number not in UNDER_WAY:
        raise system_error(number)


def shows(sock: Any, *, writing: bool = False, within: float = SHOWS_WITHIN) -> bool:
    """Whether the socket becomes ready within so many seconds. Sockets in memory answer at once."""
    if hasattr(sock, "is_ready"):
        return bool(sock.is_ready(writing))
    if is_ready(sock.fileno(), writing=writing):
        return True
    reading, sending = ([], [sock]) if writing else ([sock], [])
    return any(select.select(reading, sending, [sock], within))


def reset(sock: Any) -> None:
    """Close a connection so that its other end is reset and no port is left waiting."""
    if sock.fileno() != -1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
        sock.close()


# -- states of roles ---------------------------------------------------------------------------------------------------------


def arrange(sockets: Sockets, kind: int, at: Facts) -> tuple[Any, Any]:
    """A new socket of which these facts are true, and its peer, which is None where it has none."""
    if at.link is Link.LISTENING:
        return sockets.listening(kind=kind), None
    if at.link is Link.NO:
        return sockets.bound(kind) if at.address else sockets.unbound(kind), None
    if at.link is Link.SEEKING:
        sock = sockets.new(kind)
        begin_connect(sock, sockets.silence(kind))
        return sock, None
    sock, peer = sockets.pair(kind)
    bring(sock, peer, at)
    return sock, peer


def bring(sock: Any, peer: Any, at: Facts) -> None:
    """Bring a connected socket to these facts, by calls on it and on its peer."""
    if at.link is Link.RESET:
        reset(peer)
        await_effects(sock.fileno(), {"reset"}, seconds=SHOWS_WITHIN)
        return
    if not at.sends:
        sock.shutdown(socket.SHUT_WR)
    if at.receives is Receives.OFF:
        sock.shutdown(socket.SHUT_RD)
    if at.receives is Receives.EOF:
        peer.shutdown(socket.SHUT_WR)
        await_effects(sock.fileno(), {"end"} if at.sends else {"end", "both_ended"}, seconds=SHOWS_WITHIN)

"""Brings real sockets into states, for the suite, the measured matrix, the tests and the benchmarks.

`arrange(sockets, facts)` makes a socket with the facts of a role's state. The states of the shipped platform tables, which
distinguish more than the roles (whether data is queued, whether a refusal was fetched), are in table_states.py.
"""

from __future__ import annotations

import _socket
import errno
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from lifecycle.conformance.adapters.effects import READABLE, WRITABLE, await_effects, await_one
from lifecycle.conformance.adapters.outcomes import ANY_ERROR
from lifecycle.roles.facts import Facts, Link, Receives
from lifecycle.system.handles import accept_plainly, borrowed
from lifecycle.system.outcomes import UNDER_WAY, system_error

SHOWS_WITHIN = 0.2  # seconds in which the effect of a peer's action must show
SILENT_FOR = 0.03  # seconds after which a listener without an answer counts as silent
RESETTING = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
SMALL = 4096  # the size in bytes of a buffer that is to be filled
MAX_FILLERS = 64

Factory = Callable[[int, int], Any]
"""(family, kind) -> a new socket with the methods of socket.socket"""


class Sockets:
    """Makes non-blocking sockets of one family; close() closes those that are kept.

    new: the factory. folder: for the paths of local sockets.
    """

    def __init__(self, new: Factory = socket.socket, family: int = socket.AF_INET, folder: Path | None = None) -> None:
        self.family = family
        self.is_local = family == getattr(socket, "AF_UNIX", None)
        """whether addresses are paths"""
        self.host = "127.0.0.1"
        """the address to which sockets of IPv4 are bound"""
        self._new = new
        self._folder = folder
        self._kept: list[Any] = []
        self._names = 0
        self.silence = cache(self._make_silence)
        """kind -> the address of a listener whose queue is full, so that a connect neither succeeds nor fails"""
        self.nobody = cache(self._make_nobody)
        """kind -> an address at which no socket listens or receives"""

    def new(self, kind: int) -> Any:
        """A new socket."""
        sock = self._new(self.family, kind)
        set_timeout(sock, 0)
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
        return "::1" if self.family == socket.AF_INET6 else self.host, 0

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
        set_timeout(accepted, 0)
        shows(seeker, writing=True)
        return seeker, accepted

    def keep(self, sock: Any) -> Any:
        """Close `sock` at the end."""
        self._kept.append(sock)
        return sock

    def close(self) -> None:
        """Close everything that is kept, ignoring the errors of faulty implementations."""
        while self._kept:
            with suppress(*ANY_ERROR):
                self._kept.pop().close()

    def _make_nobody(self, kind: int) -> Any:
        sock = self.keep(self.bound(kind))
        address = address_of(sock)
        if kind == socket.SOCK_DGRAM:
            if self.is_local:
                sock.close()
            else:  # connected to itself, it refuses all others and keeps the port from other sockets
                begin_connect(sock, address)
        return address

    def _make_silence(self, kind: int = socket.SOCK_STREAM) -> Any:
        address = address_of(self.keep(self.listening(0, kind)))
        for _ in range(MAX_FILLERS):
            filler = self.keep(self.new(kind))
            number = begin_connect(filler, address)
            if number == errno.EAGAIN or not shows(filler, writing=True, within=SILENT_FOR):
                return address
        raise OSError("the queue of a listener never fills here, so that no address is silent")


def address_of(sock: Any) -> Any:
    """The address of a socket: (host, port), or its path."""
    name = sock.getsockname()
    return name if isinstance(name, str) else tuple(name[:2])


def accept_from(listener: Any) -> tuple[Any, Any]:
    """accept(); of a plain socket without the two enums that Python makes of its family and its type each time."""
    if type(listener) is socket.socket and issubclass(socket.socket, _socket.socket):
        return accept_plainly(listener)
    found: tuple[Any, Any] = listener.accept()
    return found


def begin_connect(sock: Any, address: Any) -> int:
    """Begin a connect without waiting for it: 0, or an error number of UNDER_WAY; OSError if it cannot begin."""
    if hasattr(sock, "connect_ex"):
        number: int = sock.connect_ex(address)
        if number and number not in UNDER_WAY:
            raise system_error(number)
        return number
    try:
        sock.connect(address)
    except (BlockingIOError, TimeoutError) as error:
        return error.errno or errno.EINPROGRESS
    return 0


def set_timeout(sock: Any, seconds: float | None) -> None:
    """Set how long calls wait, by settimeout() or setblocking(), whichever the socket has."""
    if hasattr(sock, "settimeout"):
        sock.settimeout(seconds)
    elif hasattr(sock, "setblocking"):
        sock.setblocking(seconds != 0)


def descriptor_of(sock: Any) -> int:
    """The socket's descriptor, or -1 if fileno() returns nothing that may be polled.

    A number counts if it is a socket of the system with the address that the object itself reports: any other may belong to
    another open file of the process.
    """
    if getattr(type(sock), "fileno", None) is socket.socket.fileno:
        return int(sock.fileno())
    try:
        number, name = sock.fileno(), sock.getsockname()
        if not isinstance(number, int) or number < 0:
            return -1
        with borrowed(number) as twin:
            return number if twin.getsockname() == name else -1
    except ANY_ERROR:  # any error of the implementation
        return -1


def becomes(sock: Any, what: str, seconds: float) -> bool:
    """Whether the socket becomes `what` within so many seconds; True if nothing can tell, since the next call shows it.

    Asks the socket's own becomes(what, seconds) if it has one, otherwise its descriptor.
    """
    own = getattr(sock, "becomes", None)
    if own is not None:
        return bool(own(what, seconds))
    number = descriptor_of(sock)
    return number == -1 or await_one(number, what, seconds=seconds)


def shows(sock: Any, *, writing: bool = False, within: float = SHOWS_WITHIN) -> bool:
    """Whether the socket becomes ready within so many seconds."""
    return becomes(sock, WRITABLE if writing else READABLE, within)


def reset(sock: Any) -> None:
    """Close a connection with a reset, if the socket can, so that no port stays in TIME_WAIT."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
    except (OSError, AttributeError):  # it is closed, or has no such option
        sock.close()
    else:
        sock.close()


# -- states of roles ---------------------------------------------------------------------------------------------------------


def arrange(sockets: Sockets, kind: int, at: Facts) -> tuple[Any, Any]:
    """A new socket with these facts, and its peer, or None if it has none."""
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

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
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from lifecycle.conformance.adapters.effects import await_effects
from lifecycle.roles.facts import Facts, Link, Receives
from lifecycle.system.outcomes import UNDER_WAY, system_error
from lifecycle.system.polling import is_ready
from lifecycle.system.portable_calls import dissolve

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


# -- states of the platform tables -------------------------------------------------------------------------------------------


class Rig(Sockets):
    """Sockets of one family and kind for one cell after another; new_cell() closes those of the last one.

    collects: whether the result of a connect() is collected by a second one, as soon as the connection is made.
    """

    def __init__(self, family: int, kind: int, folder: Path, *, collects: bool = False) -> None:
        super().__init__(socket.socket, family, folder)
        self.kind = kind
        self._collects = collects
        self._made: list[socket.socket] = []
        self._is_shared = False
        self.alive = cache(self._make_alive)
        """() -> the address of a socket that can be connected to or sent to"""

    def new(self, kind: int = 0) -> socket.socket:
        """A new socket."""
        sock: socket.socket = super().new(self.kind)
        self._made.append(sock)
        return sock

    def pair(self, kind: int = 0) -> tuple[socket.socket, socket.socket]:
        """A connection: (its seeker, the accepted end)."""
        seeker, accepted = super().pair(self.kind)
        self._made.append(accepted)
        if self._collects:
            seeker.connect_ex(seeker.getpeername())
        return seeker, accepted

    def new_cell(self) -> None:
        """Close what was made since the last time; drop what has arrived at the address that is alive."""
        for sock in self._made:
            if sock.fileno() != -1 and sock not in self._kept:
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
                sock.close()
        self._made.clear()
        if self.alive.cache_info().currsize:
            with suppress(OSError):
                while True:
                    if self.kind == socket.SOCK_DGRAM:
                        self._alive.recv(16)
                    else:
                        self._alive.accept()[0].close()

    def close(self) -> None:
        """Close everything."""
        self.new_cell()
        super().close()

    def _make_alive(self) -> Any:
        self._alive = self.keep(self.bound(self.kind) if self.kind == socket.SOCK_DGRAM else self.listening(128, self.kind))
        return self._alive.getsockname()


Arrange = Callable[[Rig], socket.socket]
"""Gives the socket on which the call is made. Raises OSError where this family has no such state."""

Step = Callable[[socket.socket, socket.socket], object]
"""(a socket, its peer) -> does something with one of them"""


def _with_peer(*steps: Step) -> Arrange:
    """A connected socket after these steps: of a stream, the one that sought the connection."""

    def arrange(rig: Rig) -> socket.socket:
        sock, peer = rig.pair()
        for step in steps:
            step(sock, peer)
        return sock

    return arrange


def _peer_sends(data: bytes) -> Step:
    def send(sock: socket.socket, peer: socket.socket) -> None:
        if sock.type == socket.SOCK_DGRAM:
            peer.sendto(data, sock.getsockname())
        else:
            peer.send(data)
        shows(sock)

    return send


def _shuts(how: int) -> Step:
    return lambda sock, peer: sock.shutdown(how)


def _peer_shuts(how: int) -> Step:
    def shut(sock: socket.socket, peer: socket.socket) -> None:
        peer.shutdown(how)
        if how != socket.SHUT_RD:
            shows(sock)

    return shut


def _peer_closes(sock: socket.socket, peer: socket.socket) -> None:
    peer.close()
    shows(sock)


def _peer_resets(sock: socket.socket, peer: socket.socket) -> None:
    reset(peer)
    shows(sock)


def _sends(sock: socket.socket, peer: socket.socket) -> None:
    with suppress(BrokenPipeError):  # of a local socket: its peer is seen to be gone at once
        sock.send(b"x")
    shows(sock, within=0.002)


def _receives(sock: socket.socket, peer: socket.socket) -> None:
    with suppress(ConnectionResetError):
        sock.recv(16)


def _peer_reads(sock: socket.socket, peer: socket.socket) -> None:
    shows(peer)
    peer.recv(16)


def _fills(sock: socket.socket, peer: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    for size in (1 << 16, 1 << 10, 1):
        with suppress(OSError):  # BlockingIOError; EMSGSIZE: a message that no buffer would take
            while True:
                sock.send(bytes(size))
    shows(sock, writing=True, within=0.002)
    with suppress(BlockingIOError):
        while True:
            sock.send(b"x")


def _forgets_peer(sock: socket.socket, peer: socket.socket) -> None:
    with suppress(OSError):  # EINVAL: a local stream stays connected
        dissolve(sock)


def _closed(rig: Rig) -> socket.socket:
    sock = rig.new()
    sock.close()
    return sock


def _listening_pending(rig: Rig) -> socket.socket:
    listener: socket.socket = rig.listening()
    begin_connect(rig.new(), listener.getsockname())
    shows(listener)
    return listener


def _listening_shut(rig: Rig) -> socket.socket:
    listener: socket.socket = rig.listening()
    listener.shutdown(socket.SHUT_RD)
    return listener


def _seeking(rig: Rig) -> socket.socket:
    sock = rig.new()
    sock.connect_ex(rig.silence(rig.kind))
    return sock


def _refused(rig: Rig) -> socket.socket:
    sock = rig.new()
    sock.connect_ex(rig.nobody(rig.kind))
    if not rig.is_local:
        shows(sock, writing=True)
    return sock


def _refused_fetched(rig: Rig) -> socket.socket:
    sock = _refused(rig)
    sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return sock


def _sent_autobound(rig: Rig) -> socket.socket:
    sock = rig.new()
    sock.sendto(b"x", rig.alive())
    return sock


def _bound_data(rig: Rig) -> socket.socket:
    sock: socket.socket = rig.bound(rig.kind)
    _peer_sends(b"x")(sock, rig.bound(rig.kind))
    return sock


def _refused_message(rig: Rig) -> socket.socket:
    sock = rig.new()
    with suppress(ConnectionRefusedError):  # of a local socket, which then has no peer
        sock.connect(rig.nobody(rig.kind))
        sock.send(b"x")
        shows(sock)
    return sock


def _bound_shut(how: int) -> Arrange:
    def arrange(rig: Rig) -> socket.socket:
        sock: socket.socket = rig.bound(rig.kind)
        with suppress(OSError):  # ENOTCONN, and it is shut down nevertheless
            sock.shutdown(how)
        return sock

    return arrange


def _connected_again(rig: Rig) -> socket.socket:
    sock, _ = rig.pair()
    sock.connect(rig.alive())
    return sock


EVERY_KIND: Mapping[str, Arrange] = {
    "nofd": _closed,
    "created": lambda rig: rig.new(),
    "bound": lambda rig: rig.bound(rig.kind),
    "connected": _with_peer(),
    "connected_data": _with_peer(_peer_sends(b"hello")),
    "send_shut": _with_peer(_shuts(socket.SHUT_WR)),
    "recv_shut": _with_peer(_shuts(socket.SHUT_RD)),
    "both_shut": _with_peer(_shuts(socket.SHUT_RDWR)),
    "peer_closed": _with_peer(_peer_closes),
    "disconnected": _with_peer(_forgets_peer),
    "closed": _closed,
}

STREAM_STATES: Mapping[str, Arrange] = {
    **EVERY_KIND,
    "listening": lambda rig: rig.listening(),
    "listening_pending": _listening_pending,
    "listening_shut_rd": _listening_shut,
    "connecting": _seeking,
    "connect_refused_pending": _refused,
    "connect_refused_fetched": _refused_fetched,
    "accepted": lambda rig: rig.pair()[1],
    "connected_sendfull": _with_peer(_fills),
    "recv_shut_peer_sent": _with_peer(_shuts(socket.SHUT_RD), _peer_sends(b"late")),
    "peer_send_shut": _with_peer(_peer_shuts(socket.SHUT_WR)),
    "peer_closed_data": _with_peer(_peer_sends(b"bye"), _peer_closes),
    "peer_closed_eof_read": _with_peer(_peer_closes, _receives),
    "peer_closed_then_sent": _with_peer(_peer_closes, _sends),
    "peer_shut_rd_then_sent": _with_peer(_peer_shuts(socket.SHUT_RD), _sends),
    "reset": _with_peer(_peer_resets),
    "reset_fetched": _with_peer(_peer_resets, _receives),
    "finished_active": _with_peer(_shuts(socket.SHUT_WR), _peer_reads, _peer_closes, _receives),
    "finished_passive": _with_peer(_peer_closes, _receives, _shuts(socket.SHUT_WR)),
}
"""state -> how a socket of a stream is brought into it"""

DATAGRAM_STATES: Mapping[str, Arrange] = {
    **EVERY_KIND,
    "sent_autobound": _sent_autobound,
    "bound_data": _bound_data,
    "connected_data": _with_peer(_peer_sends(b"x")),
    "peer_closed": _with_peer(lambda sock, peer: peer.close()),  # which does not show
    "connected_twice": _connected_again,
    "refused_pending": _refused_message,
    "bound_shut_rd": _bound_shut(socket.SHUT_RD),
    "bound_shut_wr": _bound_shut(socket.SHUT_WR),
    "bound_shut_rdwr": _bound_shut(socket.SHUT_RDWR),
}
"""state -> how a socket of messages is brought into it"""


def states_of(kind: int) -> Mapping[str, Arrange]:
    """The states of that kind of socket in the platform tables."""
    return DATAGRAM_STATES if kind == socket.SOCK_DGRAM else STREAM_STATES

"""Brings sockets of the system into the states that the measured platform tables name."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from lifecycle.conformance.adapters.setup_states import (
    SMALL,
    Factory,
    Sockets,
    begin_connect,
    reset,
    shows,
)
from lifecycle.system.portable_calls import dissolve


class Rig(Sockets):
    """Makes sockets of one family and kind for one cell after the other; new_cell() closes those of the previous cell.

    collects: whether the result of a connect() is collected by a second one, as soon as the connection is made. new: makes
    sockets.
    """

    def __init__(self, family: int, kind: int, folder: Path, *, collects: bool = False, new: Factory = socket.socket) -> None:
        super().__init__(new, family, folder)
        self.kind = kind
        self._collects = collects
        self._made: list[socket.socket] = []
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
        """Close the sockets made since the last time; drop data that arrived at the address that is in use."""
        for sock in self._made:
            if sock not in self._kept:
                with suppress(OSError):  # it is closed
                    reset(sock)
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
"""Returns the socket on which the call is made. Raises OSError if this family has no such state."""

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
    with suppress(BrokenPipeError):  # of a local socket, which sees at once that its peer is gone
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
    begin_connect(sock, rig.silence(rig.kind))
    return sock


def _refused(rig: Rig) -> socket.socket:
    sock = rig.new()
    with suppress(OSError):
        begin_connect(sock, rig.nobody(rig.kind))
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
"""state -> how a stream socket is brought into it"""

DATAGRAM_STATES: Mapping[str, Arrange] = {
    **EVERY_KIND,
    "sent_autobound": _sent_autobound,
    "bound_data": _bound_data,
    "connected_data": _with_peer(_peer_sends(b"x")),
    "peer_closed": _with_peer(lambda sock, peer: peer.close()),  # no descriptor shows this
    "connected_twice": _connected_again,
    "refused_pending": _refused_message,
    "bound_shut_rd": _bound_shut(socket.SHUT_RD),
    "bound_shut_wr": _bound_shut(socket.SHUT_WR),
    "bound_shut_rdwr": _bound_shut(socket.SHUT_RDWR),
}
"""state -> how a datagram socket is brought into it"""


def states_of(kind: int) -> Mapping[str, Arrange]:
    """The states of that kind of socket in the platform tables."""
    return DATAGRAM_STATES if kind == socket.SOCK_DGRAM else STREAM_STATES

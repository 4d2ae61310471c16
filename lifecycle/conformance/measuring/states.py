"""Puts a fresh socket into each state of the shipped tables, by its own calls and by what its peer does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress

from lifecycle.conformance.measuring.libc import forget_peer
from lifecycle.conformance.measuring.rig import RESETTING, SMALL, Rig, begin_connect, comes

Arrange = Callable[[Rig], socket.socket]
"""Gives the socket on which the call is made. Raises OSError where this family has no such state."""


def _closed(rig: Rig) -> socket.socket:
    sock = rig.new()
    sock.close()
    return sock


def _seeker(*steps: Callable[[Rig, socket.socket, socket.socket], object]) -> Arrange:
    """The one who sought the connection, after these steps."""

    def arrange(rig: Rig) -> socket.socket:
        seeker, peer = rig.pair()
        for step in steps:
            step(rig, seeker, peer)
        return seeker

    return arrange


def _peer_sends(data: bytes) -> Callable[[Rig, socket.socket, socket.socket], None]:
    def send(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
        peer.send(data)
        comes(sock)

    return send


def _shuts(how: int) -> Callable[[Rig, socket.socket, socket.socket], None]:
    def shut(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
        sock.shutdown(how)

    return shut


def _peer_shuts(how: int) -> Callable[[Rig, socket.socket, socket.socket], None]:
    def shut(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
        peer.shutdown(how)
        if how != socket.SHUT_RD:
            comes(sock)

    return shut


def _peer_closes(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
    peer.close()
    comes(sock)


def _peer_resets(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
    peer.close()
    comes(sock)


def _sends(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
    with suppress(BrokenPipeError):  # of a local socket: its peer is seen to be gone at once
        sock.send(b"x")
    comes(sock, within=0.002)


def _receives(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
    with suppress(ConnectionResetError):
        sock.recv(16)


def _peer_reads(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
    comes(peer)
    peer.recv(16)


def _fills(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    for size in (1 << 16, 1 << 10, 1):
        with suppress(BlockingIOError, OSError):  # EMSGSIZE: a message that no buffer would take
            while True:
                sock.send(bytes(size))
    comes(sock, writing=True, within=0.002)
    with suppress(BlockingIOError):
        while True:
            sock.send(b"x")


def _forgets_peer(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
    with suppress(OSError):  # EINVAL: a local stream stays connected
        forget_peer(sock)


def _listening_pending(rig: Rig) -> socket.socket:
    listener, seeker = rig.listening(), rig.new()
    begin_connect(seeker, listener.getsockname())
    comes(listener)
    return listener


def _listening_shut(rig: Rig) -> socket.socket:
    listener = rig.listening()
    listener.shutdown(socket.SHUT_RD)
    return listener


def _connecting(rig: Rig) -> socket.socket:
    sock = rig.new()
    sock.connect_ex(rig.silent)
    return sock


def _refused(rig: Rig) -> socket.socket:
    sock = rig.new()
    sock.connect_ex(rig.dead)
    if not rig.is_local:
        comes(sock, writing=True)
    return sock


def _refused_fetched(rig: Rig) -> socket.socket:
    sock = _refused(rig)
    sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return sock


STREAM_STATES: Mapping[str, Arrange] = {
    "nofd": _closed,
    "created": Rig.new,
    "bound": Rig.bound,
    "listening": Rig.listening,
    "listening_pending": _listening_pending,
    "listening_shut_rd": _listening_shut,
    "connecting": _connecting,
    "connect_refused_pending": _refused,
    "connect_refused_fetched": _refused_fetched,
    "connected": _seeker(),
    "accepted": lambda rig: rig.pair()[1],
    "connected_data": _seeker(_peer_sends(b"hello")),
    "connected_sendfull": _seeker(_fills),
    "send_shut": _seeker(_shuts(socket.SHUT_WR)),
    "recv_shut": _seeker(_shuts(socket.SHUT_RD)),
    "recv_shut_peer_sent": _seeker(_shuts(socket.SHUT_RD), _peer_sends(b"late")),
    "both_shut": _seeker(_shuts(socket.SHUT_RDWR)),
    "peer_closed": _seeker(_peer_closes),
    "peer_send_shut": _seeker(_peer_shuts(socket.SHUT_WR)),
    "peer_closed_data": _seeker(_peer_sends(b"bye"), _peer_closes),
    "peer_closed_eof_read": _seeker(_peer_closes, _receives),
    "peer_closed_then_sent": _seeker(_peer_closes, _sends),
    "peer_shut_rd_then_sent": _seeker(_peer_shuts(socket.SHUT_RD), _sends),
    "reset": _seeker(_peer_resets),
    "reset_fetched": _seeker(_peer_resets, _receives),
    "finished_active": _seeker(_shuts(socket.SHUT_WR), _peer_reads, _peer_closes, _receives),
    "finished_passive": _seeker(_peer_closes, _receives, _shuts(socket.SHUT_WR)),
    "disconnected": _seeker(_forgets_peer),
    "closed": _closed,
}
"""state -> how a socket of a stream comes to it"""


def _mailbox(rig: Rig) -> socket.socket:
    """A message socket that can be connected; a local one needs a name, for the peer to answer to."""
    return rig.bound() if rig.is_local else rig.new()


def _with_peer(*steps: Callable[[Rig, socket.socket, socket.socket], object]) -> Arrange:
    """Connected to a peer, after these steps."""

    def arrange(rig: Rig) -> socket.socket:
        sock, peer = _mailbox(rig), rig.bound()
        sock.connect(peer.getsockname())
        for step in steps:
            step(rig, sock, peer)
        return sock

    return arrange


def _gets(data: bytes) -> Callable[[Rig, socket.socket, socket.socket], None]:
    def send(rig: Rig, sock: socket.socket, peer: socket.socket) -> None:
        peer.sendto(data, sock.getsockname())
        comes(sock)

    return send


def _sent_autobound(rig: Rig) -> socket.socket:
    sock = rig.new()
    sock.sendto(b"x", rig.alive)
    return sock


def _bound_data(rig: Rig) -> socket.socket:
    sock = rig.bound()
    _gets(b"x")(rig, sock, rig.bound())
    return sock


def _refused_message(rig: Rig) -> socket.socket:
    sock = rig.new()
    with suppress(ConnectionRefusedError):  # of a local socket, which then has no peer
        sock.connect(rig.dead)
        sock.send(b"x")
        comes(sock)
    return sock


def _bound_shut(how: int) -> Arrange:
    def arrange(rig: Rig) -> socket.socket:
        sock = rig.bound()
        with suppress(OSError):  # ENOTCONN, and it is shut down all the same
            sock.shutdown(how)
        return sock

    return arrange


DATAGRAM_STATES: Mapping[str, Arrange] = {
    "nofd": _closed,
    "created": Rig.new,
    "sent_autobound": _sent_autobound,
    "bound": Rig.bound,
    "bound_data": _bound_data,
    "connected": _with_peer(),
    "connected_data": _with_peer(_gets(b"x")),
    "connected_twice": _with_peer(lambda rig, sock, peer: sock.connect(rig.alive)),
    "disconnected": _with_peer(_forgets_peer),
    "refused_pending": _refused_message,
    "peer_closed": _with_peer(lambda rig, sock, peer: peer.close()),
    "bound_shut_rd": _bound_shut(socket.SHUT_RD),
    "bound_shut_wr": _bound_shut(socket.SHUT_WR),
    "bound_shut_rdwr": _bound_shut(socket.SHUT_RDWR),
    "send_shut": _with_peer(_shuts(socket.SHUT_WR)),
    "recv_shut": _with_peer(_shuts(socket.SHUT_RD)),
    "both_shut": _with_peer(_shuts(socket.SHUT_RDWR)),
    "closed": _closed,
}
"""state -> how a socket of messages comes to it"""


def states_of(kind: int) -> Mapping[str, Arrange]:
    """The states of that kind of socket."""
    return DATAGRAM_STATES if kind == socket.SOCK_DGRAM else STREAM_STATES

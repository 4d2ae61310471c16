"""Plain sockets in every state of the tables, to be attached; their other end becomes the world's peer."""

from __future__ import annotations

import socket
from collections.abc import Callable

from kernel import END, ERROR
from loopback import HOST, raw_listener, reset, unanswering_listener, until_acknowledged, until_shows
from states import World


def _unbound(w: World) -> socket.socket:
    return socket.socket(socket.AF_INET, w.kind._kind)


def _bound(w: World) -> socket.socket:
    sock = _unbound(w)
    sock.bind((HOST, 0))
    return sock


def _listening(w: World) -> socket.socket:
    sock = _bound(w)
    sock.listen()
    return sock


def _connecting(w: World) -> socket.socket:
    sock = _unbound(w)
    sock.setblocking(False)
    sock.connect_ex(w.open(unanswering_listener()))
    return sock


def _connected(w: World) -> socket.socket:
    w.peer.close()
    if w.kind._kind == socket.SOCK_DGRAM:
        w.peer = _bound(w)
        sock = _unbound(w)
        sock.connect(w.peer.getsockname())
        return sock
    with raw_listener() as listener:
        sock = socket.create_connection(listener.getsockname())
        w.peer, _ = listener.accept()
    return sock


def _after(*steps: Callable[[socket.socket, socket.socket], object]) -> Callable[[World], socket.socket]:
    def make(w: World) -> socket.socket:
        sock = _connected(w)
        for step in steps:
            step(sock, w.peer)
        return sock

    return make


def _ends_sends(sock: socket.socket, peer: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)
    until_acknowledged(sock)


def _ends_receives(sock: socket.socket, peer: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RD)


def _peer_ends_sends(sock: socket.socket, peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_WR)
    until_shows(sock, END)


def _peer_resets(sock: socket.socket, peer: socket.socket) -> None:
    reset(peer)
    until_shows(sock, ERROR)


RAW_HANDLES: dict[str, Callable[[World], socket.socket]] = {
    "open": _unbound,
    "bound": _bound,
    "listening": _listening,
    "connecting": _connecting,
    "connected": _connected,
    "send_shut": _after(_ends_sends),
    "receive_shut": _after(_ends_receives),
    "peer_closed": _after(_peer_ends_sends),
    "ended": _after(_ends_sends, _peer_ends_sends),
    "shut": _after(_ends_sends, _ends_receives),
    "broken": _after(_peer_resets),
}

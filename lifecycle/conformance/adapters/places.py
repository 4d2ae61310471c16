"""What stands for a place in a provocation's arguments: the addresses and handles that a stage fills in."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from lifecycle.conformance.adapters.loopback import HOST, Loopback, address_of
from lifecycle.conformance.adapters.peers import DatagramPeer, Peer, StreamPeer
from lifecycle.conformance.model.environment import Facts


class Flood(bytes):
    """Many bytes; whoever describes them in a journal need not write them all."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


FLOOD = Flood(16 << 20)  # more than two connected sockets buffer
NO_HANDLE = 2**20 - 1  # beyond what a process may open by default

UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


def fill_in(name: str, loopback: Loopback, peer: Peer, kind: int) -> tuple[Any, ...]:
    """The arguments that a Place of that name stands for; ValueError for an unknown one."""
    match name:
        case "any port":
            return 0, HOST
        case "the taken port":
            return loopback.taken(kind), HOST
        case "the listener":
            return address_of(loopback.listener)
        case "nobody":
            return loopback.nobody
        case "silence":
            return loopback.silence
        case "another family":
            return "::1", 9
        case "everybody":
            return "255.255.255.255", 9  # a broadcast, which is not allowed
        case "the peer":
            assert isinstance(peer, DatagramPeer)
            return peer.address
        case "a flood":
            return (FLOOD,)
    raise ValueError(f"no place is named {name!r}")


def handle_in(state: str, loopback: Loopback, peer: Peer, kind: int) -> Any:
    """A socket of the system in that state, with `peer` at its other end."""
    if state == "none":
        return NO_HANDLE
    if state == "open":
        return loopback.sharing(kind)
    if state in ("bound", "listening"):
        sock = loopback.bound(kind)
        if state == "listening":
            sock.listen(8)
        return sock
    sock = loopback.new(kind)
    if state == "connecting":
        assert sock.connect_ex(loopback.silence) in UNDER_WAY
        return sock
    if isinstance(peer, DatagramPeer):
        sock.connect(peer.address)
        return sock
    assert isinstance(peer, StreamPeer)
    assert sock.connect_ex(address_of(loopback.listener)) in UNDER_WAY
    peer.replace(loopback.accept(address_of(sock)))
    for step in HANDLE_STEPS[state]:
        step(sock, peer)
    loopback.settle(sock.fileno(), HANDLE_SHOWS.get(state, frozenset()))
    return sock


def _ends_sends(sock: Any, peer: StreamPeer) -> None:
    sock.shutdown(socket.SHUT_WR)


def _ends_receives(sock: Any, peer: StreamPeer) -> None:
    sock.shutdown(socket.SHUT_RD)


def _peer_ends(sock: Any, peer: StreamPeer) -> None:
    peer.peer_ends()


def _peer_resets(sock: Any, peer: StreamPeer) -> None:
    peer.peer_resets()


HANDLE_STEPS: dict[str, tuple[Callable[[Any, StreamPeer], None], ...]] = {
    "connected": (),
    "send_shut": (_ends_sends,),
    "receive_shut": (_ends_receives,),
    "peer_closed": (_peer_ends,),
    "ended": (_ends_sends, _peer_ends),
    "shut": (_ends_sends, _ends_receives),
    "broken": (_peer_resets,),
}
"""state of a connection -> what brings a connected socket there"""

HANDLE_SHOWS: dict[str, Facts] = {
    "peer_closed": frozenset({"end"}),
    "ended": frozenset({"end", "over"}),
    "broken": frozenset({"reset"}),
}
"""state of a connection -> what its peer has done, which comes to the socket a little later"""

"""The state that a socket of the program is really in, read from the system without changing the socket.

Several objects may share one socket of the system (dup, fork, a descriptor passed to C code), and each sees only its own
calls. So the system is asked before anything is reported. SO_ERROR and MSG_PEEK are not used: they would take an error from
the program.
"""

from __future__ import annotations

import _socket
import socket
from collections.abc import Callable
from typing import Any

from lifecycle.checking.observed import DATAGRAM, OTHER, STREAM, ObservedState, ObservedStates
from lifecycle.checking.track import SocketTrack
from lifecycle.roles.facts import Link
from lifecycle.system.handles import INTERNET_FAMILIES, facts_of, is_bound

INTERNET = frozenset(map(int, INTERNET_FAMILIES))
LOCAL = getattr(socket, "AF_UNIX", socket.AF_INET)

_STREAM_PROTOCOLS = frozenset({0, socket.IPPROTO_TCP, getattr(socket, "IPPROTO_MPTCP", 262)})
_DATAGRAM_PROTOCOLS = frozenset({0, socket.IPPROTO_UDP})

_raw = _socket.socket
_family, _type, _proto = (each.__get__ for each in (_raw.family, _raw.type, _raw.proto))


def family_of(sock: socket.socket) -> int:
    """The family as a number; the socket's own property makes an enum of it first."""
    number: int = _family(sock)
    return number


def _states_of(sock: socket.socket) -> ObservedStates:
    """The states of a socket of this kind."""
    if _family(sock) in INTERNET or _family(sock) == LOCAL:
        if _type(sock) == socket.SOCK_STREAM and _proto(sock) in _STREAM_PROTOCOLS:
            return STREAM
        if _type(sock) == socket.SOCK_DGRAM and _proto(sock) in _DATAGRAM_PROTOCOLS:
            return DATAGRAM
    return OTHER


def first_state(sock: socket.socket) -> ObservedState:
    """The state of a socket that the system has just made."""
    return _states_of(sock).initial


def found_state(sock: socket.socket) -> ObservedState:
    """The state of a socket whose earlier calls are not known."""
    return _states_of(sock).at(facts_of(sock, peek=False))


def corrected(track: SocketTrack, sock: socket.socket) -> ObservedState:
    """The track's state, corrected where the system shows that another object has changed it.

    A socket that had a connection is not corrected: the system does not show, without a peek, what was received or ended.
    """
    at, states = track.state.facts, _states_of(sock)
    if at.handle and at.link in (Link.NO, Link.LISTENING) and states is not OTHER:
        real = facts_of(sock, peek=False)
        is_unchanged = real == at.socket or (at.link is real.link and at.address)  # Linux releases a port that it chose itself
        if real.handle and not is_unchanged:
            track.enter(states.at(real))
    return track.state


def has_peer(sock: socket.socket) -> bool:
    """Whether the socket has a peer."""
    return bool(_address(_raw.getpeername, sock))


def ends_of(sock: socket.socket) -> tuple[str, str]:
    """The local and the peer's address as text, "" for one that it does not have."""
    local, peer = _address(_raw.getsockname, sock), _address(_raw.getpeername, sock)
    return local if is_bound(sock) else "", peer


def _address(ask: Callable[[socket.socket], Any], sock: socket.socket) -> str:
    try:
        name = ask(sock)
    except OSError:
        return ""
    return f"{name[0]}:{name[1]}" if _family(sock) in INTERNET else str(name or "")

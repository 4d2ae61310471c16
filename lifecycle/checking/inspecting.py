"""The state that a socket of the program is really in, read from the system without changing the socket.

Several objects may share one socket of the system (dup, fork, a descriptor passed to C code), and each sees only its own
calls. So the system is asked before anything is reported. SO_ERROR and MSG_PEEK are not used: they would take an error from
the program.
"""

from __future__ import annotations

import _socket
import socket
import sys
from collections.abc import Callable
from typing import Any

from lifecycle.checking.observed import DATAGRAM, OTHER, STREAM, ObservedState
from lifecycle.checking.track import SocketTrack

INTERNET = frozenset({int(socket.AF_INET), int(socket.AF_INET6)})
FAMILIES = INTERNET | {int(getattr(socket, "AF_UNIX", socket.AF_INET))}

_STREAM_PROTOCOLS = frozenset({0, socket.IPPROTO_TCP, getattr(socket, "IPPROTO_MPTCP", 262)})
_DATAGRAM_PROTOCOLS = frozenset({0, socket.IPPROTO_UDP})
_SYN_SENT = 2

_family = _socket.socket.family.__get__
_type = _socket.socket.type.__get__
_proto = _socket.socket.proto.__get__
_fileno = _socket.socket.fileno
_getsockopt = _socket.socket.getsockopt
_getsockname = _socket.socket.getsockname
_getpeername = _socket.socket.getpeername


def family_of(sock: socket.socket) -> int:
    """The family as a number; the socket's own property makes an enum of it first."""
    number: int = _family(sock)
    return number


def first_state(sock: socket.socket) -> ObservedState:
    """The state of a socket that was just made by the system."""
    if _family(sock) in FAMILIES:
        if _type(sock) == socket.SOCK_STREAM and _proto(sock) in _STREAM_PROTOCOLS:
            return STREAM["open"]
        if _type(sock) == socket.SOCK_DGRAM and _proto(sock) in _DATAGRAM_PROTOCOLS:
            return DATAGRAM["open"]
    return OTHER["open"]


def found_state(sock: socket.socket) -> ObservedState:
    """The state of a socket whose earlier calls are not known."""
    state = first_state(sock)
    table = {"stream": STREAM, "datagram": DATAGRAM}.get(state.role.name)
    if _fileno(sock) == -1:
        return (table or OTHER)["closed"]
    return state if table is None else table[_real_state(sock, is_stream=table is STREAM)]


def corrected(track: SocketTrack, sock: socket.socket) -> ObservedState:
    """The track's state, corrected where the system shows that another object has changed it."""
    state = track.state
    if state.final or state.role.name == "socket":
        return state
    table = STREAM if state.role.name == "stream" else DATAGRAM
    real = _real_state(sock, is_stream=table is STREAM)
    if real in _LATER.get(state.stands_for, ()):
        track.enter(table[real])
    return track.state


_LATER = {
    "open": ("bound", "connecting", "listening", "connected"),
    "bound": ("connecting", "listening", "connected"),
    "listening": ("open", "bound"),
}
"""state -> states to which another object over the socket may have led it; a socket that was connected is not corrected"""


def has_peer(sock: socket.socket) -> bool:
    """Whether the socket has a peer."""
    return bool(_name(_getpeername, sock))


def ends_of(sock: socket.socket) -> tuple[str, str]:
    """The local and the peer's address as text, "" for one that it does not have."""
    local, peer = _name(_getsockname, sock), _name(_getpeername, sock)
    return local if _is_bound(sock) else "", peer


def _name(ask: Callable[[socket.socket], Any], sock: socket.socket) -> str:
    try:
        name = ask(sock)
    except OSError:
        return ""
    return f"{name[0]}:{name[1]}" if _family(sock) in INTERNET else str(name or "")


def _real_state(sock: socket.socket, *, is_stream: bool) -> str:
    if is_stream and _listens(sock):
        return "listening"
    if is_stream and _tcp_state(sock) == _SYN_SENT:
        return "connecting"
    try:
        _getpeername(sock)
    except OSError:
        return "bound" if _is_bound(sock) else "open"
    return "connected"


def _listens(sock: socket.socket) -> bool:
    try:
        return bool(_getsockopt(sock, socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _is_bound(sock: socket.socket) -> bool:
    try:
        name = _getsockname(sock)
    except OSError:
        return False
    return bool(name[1] if _family(sock) in INTERNET else name)


def _tcp_state(sock: socket.socket) -> int | None:
    if sys.platform != "linux" or _family(sock) not in INTERNET:
        return None
    try:
        return _getsockopt(sock, socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    except OSError:
        return None

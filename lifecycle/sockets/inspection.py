"""Looks at a handle and names the state that it is really in, without changing it: for attach().

Linux tells the state of TCP's own machine; elsewhere a half-closed connection cannot be told from an open one, and the next
call finds out.
"""

from __future__ import annotations

import errno
import socket
import sys

# The states of TCP as Linux numbers them (include/net/tcp_states.h).
SYN_SENT, SYN_RECEIVED, LAST_ACK, CLOSING, CLOSE_WAIT = 2, 3, 9, 11, 8
FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT = 4, 5, 6

FIN_SENT = frozenset({FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, LAST_ACK, CLOSING})
FIN_RECEIVED = frozenset({CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT})

STREAM_STATES = {
    # (sends ended here, nothing more to receive, the peer ended its stream): state
    (False, False, False): "connected",
    (False, False, True): "connected",
    (False, True, True): "peer_closed",
    (False, True, False): "receive_shut",
    (True, False, False): "send_shut",
    (True, False, True): "send_shut",
    (True, True, True): "ended",
    (True, True, False): "shut",
}


def real_state(sock: socket.socket) -> str:
    """The state's name; `sock` must be non-blocking and of a family of the internet."""
    if sock.type == socket.SOCK_DGRAM:
        return "connected" if _peer(sock) else _unconnected(sock)
    if _listens(sock):
        return "listening"
    tcp = _tcp_state(sock)
    if tcp in (SYN_SENT, SYN_RECEIVED):
        return "connecting"
    head = _peek(sock)
    if isinstance(head, int):
        return _unconnected(sock) if head == errno.ENOTCONN else "broken"
    if not _peer(sock):
        return "broken" if head else "ended"
    at_end = head == b""
    if tcp is None:
        return "peer_closed" if at_end else "connected"
    return STREAM_STATES[tcp in FIN_SENT, at_end, tcp in FIN_RECEIVED]


def _unconnected(sock: socket.socket) -> str:
    try:
        return "bound" if sock.getsockname()[1] else "open"
    except OSError:  # Winsock: WSAEINVAL while unbound
        return "open"


def _listens(sock: socket.socket) -> bool:
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _peer(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def _tcp_state(sock: socket.socket) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    except OSError:  # closed meanwhile
        return None


def _peek(sock: socket.socket) -> bytes | int | None:
    """The first byte to be received, b"" at the end, None when nothing has come, or the error's number."""
    try:
        return sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return None
    except OSError as error:
        return error.errno

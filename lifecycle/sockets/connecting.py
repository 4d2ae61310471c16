"""How a connect that was begun without waiting has come out: asked in the way that each system allows."""

from __future__ import annotations

import errno
import socket
import sys
from typing import Any

from lifecycle.sockets.waiting import is_ready

UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK, errno.EINTR})


def result_by_connecting_again(sock: socket.socket, address: Any) -> int:
    """Linux: a second connect() makes no attempt of its own, and collects the first one's result.

    It also makes the socket ready for another attempt after a refusal, which reading SO_ERROR does not: the next connect()
    would answer ECONNABORTED, once, without trying.
    """
    return sock.connect_ex(address)


def result_by_option(sock: socket.socket, address: Any) -> int:
    """POSIX and Winsock: once the socket is writable, SO_ERROR tells; where somebody has read it, the peer's absence does."""
    if not is_ready(sock.fileno(), writing=True):
        return errno.EINPROGRESS
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if not number:
        try:
            sock.getpeername()
        except OSError:
            return errno.ECONNREFUSED
    return number


connect_result = result_by_connecting_again if sys.platform == "linux" else result_by_option
"""(socket, address) -> 0, the number of the error, or one of UNDER_WAY"""

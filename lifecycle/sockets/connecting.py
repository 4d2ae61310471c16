"""How a connect that was begun has come out, asked in the way that each system allows, and what it leaves behind."""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lifecycle.sockets.addresses import any_address
from lifecycle.sockets.inspection import real_state
from lifecycle.sockets.waiting import is_ready

if TYPE_CHECKING:
    from lifecycle.sockets.os_socket import OsSocket

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


def connect_outcome(subject: OsSocket, call: str, outcome: str | None) -> str | None:
    """The outcome of a client's call that raised, which classifies to `outcome` otherwise.

    A connect that was interrupted, by whatever, leaves the system connecting.
    """
    if call == "finish_connect" and outcome in ("failed", None):
        return "pending"
    if call == "connect" and outcome in ("failed", None):
        goes_on = [row._state for row in (subject._row._after(call, each) for each in ("pending", "ok")) if row is not None]
        if real_state(subject._socket) in goes_on:
            return "pending"
    return outcome


def bind_again(sock: socket.socket) -> None:
    """Keep the local address after a refusal: Linux lets go of a port that it chose itself, and goes on telling it."""
    for name in (sock.getsockname(), (any_address(sock.family), 0)):
        with suppress(OSError):  # EINVAL: it is bound still
            sock.bind(name)
            return

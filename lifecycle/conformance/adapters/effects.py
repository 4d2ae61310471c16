"""Waits until the effect of a peer's action has arrived at a socket.

A busy system delivers data after the sender's call has returned. The descriptor shows each fact that a peer can cause in one of
a few ways.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from lifecycle.system.handles import borrowed

READABLE, WRITABLE, ENDED, HUNG_UP, GONE = "readable", "writable", "at_end", "hung_up", "gone"
"""the possible changes of a socket, as words for becomes()"""

TCP_CLOSE = 7  # as Linux numbers the states of TCP

SHOWS: Mapping[str, str] = {
    "data": READABLE,
    "waiting": READABLE,
    "answered": WRITABLE,
    "refused": HUNG_UP,
    "refusal": HUNG_UP,
    "end": ENDED,
    "notified": READABLE,
    "cut": ENDED,
    "reset": GONE,
    "both_ended": GONE,
}
"""a fact that peers cause -> how the descriptor shows it; `both_ended` shows once the end is acknowledged"""


def await_effects(fileno: int, facts: AbstractSet[str], *, seconds: float) -> bool:
    """Wait until the facts show on the descriptor; False where they do not within so many seconds."""
    wanted = [SHOWS[fact] for fact in facts if fact in SHOWS]
    if not wanted or fileno == -1:
        return True
    deadline = time.monotonic() + seconds
    return all(_await_closing(fileno, deadline) if what is GONE else _await(fileno, what, deadline) for what in wanted)


def await_one(fileno: int, what: str, *, seconds: float) -> bool:
    """Wait until the descriptor has become `what`; False where it does not within so many seconds."""
    return _await(fileno, what, time.monotonic() + seconds)


if sys.platform == "linux":

    def _await_closing(fileno: int, deadline: float) -> bool:
        """Wait until TCP has released the connection: where both directions have ended, a hang-up shows before any reset."""
        try:
            twin = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno)  # which is not asked what it is
        except OSError:
            return _await(fileno, HUNG_UP, deadline)
        try:
            return _is_released(twin) or _is_released_by(twin, deadline)
        except OSError:  # it is not one of TCP's
            return _await(fileno, HUNG_UP, deadline)
        finally:
            twin.detach()

    def _is_released_by(sock: socket.socket, deadline: float) -> bool:
        with select.epoll() as events:
            events.register(sock, select.EPOLLET)  # reports changes only
            while not _is_released(sock):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                events.poll(left)
        return True

    def _is_released(sock: socket.socket) -> bool:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE

else:

    def _await_closing(fileno: int, deadline: float) -> bool:
        return _await(fileno, HUNG_UP, deadline)


if sys.platform != "win32":
    _EVENTS: Mapping[str, int] = {
        READABLE: select.POLLIN,
        WRITABLE: select.POLLOUT,
        ENDED: getattr(select, "POLLRDHUP", select.POLLIN),
        HUNG_UP: 0,  # poll(2) reports POLLERR and POLLHUP unasked
    }

    def _await(fileno: int, what: str, deadline: float) -> bool:
        poller = select.poll()
        poller.register(fileno, _EVENTS[what])
        return bool(poller.poll(max(deadline - time.monotonic(), 0) * 1000))

else:

    def _await(fileno: int, what: str, deadline: float) -> bool:
        left = max(deadline - time.monotonic(), 0)
        writing = [fileno] if what is WRITABLE else []
        reading = [] if what is WRITABLE else [fileno]
        return any(select.select(reading, writing, [fileno], left))


def keep_full(fileno: int) -> None:
    """Keep the buffers of the socket full.

    Data in flight makes room when it is acknowledged, 40 ms later; with the smallest send buffer, the data that waits in it
    still fills it.
    """
    with borrowed(fileno) as twin:
        twin.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)

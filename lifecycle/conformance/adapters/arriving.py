"""Waits until what others have done has come to a socket: the system delivers at once only when it is not busy.

Each fact of the surroundings that somebody else brings about shows on the descriptor; what shows is what is waited for.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections.abc import Mapping

from lifecycle.conformance.model.environment import Facts

READABLE, WRITABLE, ENDED, HUNG_UP, GONE = "readable", "writable", "ended", "hung up", "gone"

TCP_CLOSE = 7  # as Linux numbers the states of TCP

SHOWS: Mapping[str, str] = {
    "data": READABLE,
    "waiting": READABLE,
    "answered": WRITABLE,
    "turned_down": HUNG_UP,
    "refusal": HUNG_UP,
    "end": ENDED,
    "reset": GONE,
    "over": GONE,
}
"""a fact that others bring about -> what shows that it has come; `over` it is once the peer has acknowledged the end"""


def await_arrival(fileno: int, facts: Facts, *, seconds: float) -> bool:
    """Wait until the facts show on the descriptor; whether they have come in so many seconds."""
    wanted = [SHOWS[fact] for fact in facts if fact in SHOWS]
    if not wanted or fileno == -1:
        return True
    deadline = time.monotonic() + seconds
    return all(_await_closing(fileno, deadline) if what is GONE else _await(fileno, what, deadline) for what in wanted)


if sys.platform == "linux":

    def _await_closing(fileno: int, deadline: float) -> bool:
        """Wait until TCP has let go of the connection: where both directions have ended, a hang-up shows before any reset."""
        with socket.socket(fileno=os.dup(fileno)) as twin, select.epoll() as events:
            events.register(twin, select.EPOLLET)  # tells of what is new
            while twin.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != TCP_CLOSE:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                events.poll(left)
        return True

else:

    def _await_closing(fileno: int, deadline: float) -> bool:
        return _await(fileno, HUNG_UP, deadline)


if sys.platform != "win32":
    _EVENTS: Mapping[str, int] = {
        READABLE: select.POLLIN,
        WRITABLE: select.POLLOUT,
        ENDED: getattr(select, "POLLRDHUP", select.POLLIN),
        HUNG_UP: 0,  # what poll(2) tells unasked: POLLERR and POLLHUP
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

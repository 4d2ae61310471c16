"""What the operating system tells of a socket, without changing it: to see that a refusal touched nothing."""

from __future__ import annotations

import os
import select
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


FIN_WAIT_1, FIN_WAIT_2 = 4, 5


@dataclass(frozen=True)
class Snapshot:
    """An object's state and everything that can be read of its socket."""

    state: str
    legal: tuple[str, ...]
    descriptor: int
    inode: int
    blocking: bool
    names: tuple[object, ...]
    listens: object
    tcp: object
    readable: object
    events: int


def snapshot(subject: Any) -> Snapshot:
    """The snapshot of an object of any role; one without a socket has the descriptor -1 and nothing else."""
    number = subject.fileno()
    if number == -1:
        return Snapshot(subject.state, subject.legal, -1, 0, False, (), None, None, None, 0)
    with socket.socket(fileno=os.dup(number)) as twin:
        poller = select.poll()
        poller.register(twin, select.POLLIN | select.POLLOUT | getattr(select, "POLLRDHUP", 0))
        return Snapshot(
            state=subject.state,
            legal=subject.legal,
            descriptor=number,
            inode=os.fstat(number).st_ino,
            blocking=os.get_blocking(number),
            names=(_ask(twin.getsockname), _ask(twin.getpeername)),
            listens=_ask(lambda: twin.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)),
            tcp=_tcp_state(twin),
            readable=_ask(lambda: subject.io_ctl() if "io_ctl" in subject.legal else None),
            events=sum(events for _, events in poller.poll(0)),
        )


def _ask(question: Any) -> object:
    with suppress(OSError):
        answer: object = question()
        return answer
    return None


def _tcp_state(sock: socket.socket) -> object:
    if sys.platform != "linux" or sock.type != socket.SOCK_STREAM:
        return None
    state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return FIN_WAIT_2 if state == FIN_WAIT_1 else state  # the acknowledgement comes in its own time

"""What the operating system reports about a socket, without changing it: to see that a refusal touched nothing."""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lifecycle.net.operations.securing import SecureLayer
from lifecycle.system.handles import borrowed

ESTABLISHED, SYN_SENT, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING = (
    1,
    2,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
)
"""TCP's own states as Linux numbers them; a socket without a connection, or after a reset, is in CLOSE."""

TCP_STATES: dict[str, frozenset[int]] = {
    "open": frozenset({CLOSE}),
    "bound": frozenset({CLOSE}),
    "listening": frozenset({LISTEN}),
    "connecting": frozenset({SYN_SENT, ESTABLISHED, CLOSE_WAIT, CLOSE}),
    "connected": frozenset({ESTABLISHED, CLOSE_WAIT, CLOSE}),
    "send_shut": frozenset({FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSING, LAST_ACK, CLOSE}),
    "receive_shut": frozenset({ESTABLISHED, CLOSE_WAIT, CLOSE}),
    "peer_closed": frozenset({CLOSE_WAIT, CLOSE}),
    "ended": frozenset({LAST_ACK, CLOSING, TIME_WAIT, CLOSE}),
    "shut": frozenset({FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSING, LAST_ACK, CLOSE}),
    "broken": frozenset({CLOSE}),
    **{
        state: frozenset({ESTABLISHED, CLOSE_WAIT, CLOSE})  # close_notify ends TLS, and not TCP's stream
        for state in ("handshaking", "secured", "secured_send_shut", "secured_peer_closed", "secured_ended")
    },
    "truncated": frozenset({CLOSE_WAIT, CLOSE}),
}
"""What TCP may be in while the object is in a state: what the peer did shows in TCP before a call has seen it."""

BROKEN_TLS = frozenset({ESTABLISHED, CLOSE_WAIT, CLOSE})
"""What TCP may be in where TLS has broken: its errors leave the connection below as it is"""

DATA, END, ERROR = "data", "the end of the peer's stream", "an error"
"""What others do to a socket, as it shows there; an error is a reset, or the news that nobody is there."""

SIOCOUTQ, SIOCOUTQNSD = 0x5411, 0x894B  # how much is not acknowledged of what was sent, and how much is not even under way


def shows(sock: Any, what: str) -> bool:
    """Whether what others did has reached a socket: a busy system delivers after the call that sent it has returned."""
    if not hasattr(select, "poll"):
        return any(select.select([sock], [], [sock], 0))
    wanted = {DATA: select.POLLIN, END: getattr(select, "POLLRDHUP", select.POLLIN), ERROR: select.POLLERR}[what]
    poller = select.poll()
    poller.register(sock.fileno(), wanted)
    return any(shown & wanted for _, shown in poller.poll(0))


def acknowledged(sock: Any) -> bool:
    """Whether the peer's system has all that was sent, the end of the stream included; True where the system does not tell."""
    return sys.platform != "linux" or not _queued(sock, SIOCOUTQ)


def on_the_way(sock: Any, patience: float) -> bool:
    """Whether data is on the way that will leave room behind: sent, and not acknowledged, which a peer may put off.

    patience: seconds to wait for the room, where the system does not tell.
    """
    if sys.platform != "linux":
        return bool(select.select([], [sock], [], patience)[1])
    waiting = _queued(sock, SIOCOUTQ)
    return waiting > _queued(sock, SIOCOUTQNSD)


def _queued(sock: Any, kind: int) -> int:
    import fcntl

    count: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), kind, bytes(4)))[0]
    return count


def queue_is_full(listener: Any) -> bool:
    """Whether a listener takes no more connections; only Linux tells."""
    with borrowed(listener.fileno()) as twin:
        waiting, most = struct.unpack("II", twin.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)[24:])
    return bool(waiting > most)


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
    with borrowed(number) as twin:
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


def assert_tcp_agrees(subject: Any) -> None:
    """TCP's own state is one that the object's state allows; asked without fetching a pending error."""
    number = subject.fileno()
    assert (number == -1) == (subject.state in ("empty", "closed")), f"{subject.state} with descriptor {number}"
    if number == -1:
        return
    with borrowed(number) as twin:
        state = _tcp_state(twin)
    broken_by_tls = subject.state == "broken" and isinstance(subject._socket, SecureLayer)
    allowed = BROKEN_TLS if broken_by_tls else TCP_STATES[subject.state]
    assert state is None or state in allowed, f"the object is {subject.state!r}, TCP in state {state}"

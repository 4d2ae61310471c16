"""Makes calls that make connections end in each of their outcomes."""

from __future__ import annotations

import socket
from collections.abc import Callable

from descriptors import no_descriptors_left
from loopback import (
    HOST,
    LONG,
    Background,
    listening,
    unanswering_listener,
    until,
    unused_port,
)
from provocations.attempts import TICK, fails
from states import World, begin_connect

from lifecycle import (
    BlockingCallCancelled,
    SocketFile,
)


def accept(w: World) -> None:
    with socket.create_connection(w.subject.get_sock_name()), w.subject.accept():
        pass


def accept_without_descriptors(w: World) -> None:
    with socket.create_connection(w.subject.get_sock_name()):
        with no_descriptors_left():
            fails(OSError, w.subject.accept)
        w.subject.accept().close()


def impatient(w: World, timeout: float, error: type[OSError]) -> None:
    w.subject.timeout = timeout
    fails(error, w.subject.accept)


def be_accepted(w: World) -> None:
    with listening() as server:
        w.peer.connect(server.get_sock_name())
        server.accept(w.subject)


def lay_a_file_over(w: World) -> None:
    SocketFile(w.subject).close()


def connect(w: World) -> None:
    listener = w.listener()
    w.subject.connect(*listener.getsockname())
    _meet(w, listener)


def _meet(w: World, listener: socket.socket) -> None:
    """Have the accepted end of the subject's connection as its peer."""
    w.peer.close()
    w.peer, _ = listener.accept()


def connect_to_nobody(w: World) -> None:
    fails(ConnectionRefusedError, w.subject.connect, HOST, unused_port())


def connect_without_waiting(w: World) -> None:
    w.subject.timeout = 0
    fails(BlockingIOError, w.subject.connect, *w.listener().getsockname())


def connect_in_vain(w: World) -> None:
    w.subject.timeout = TICK
    fails(TimeoutError, w.subject.connect, *w.open(unanswering_listener()))


def cancelled(w: World, call: Callable[..., object], *arguments: object) -> None:
    """Cancel a call once it waits."""
    w.subject.timeout = LONG
    waiting = Background(lambda: call(*arguments))
    until(lambda: w.subject.is_blocking)
    w.subject.cancel_blocking_call()
    fails(BlockingCallCancelled, waiting.result)


def connect_elsewhere(w: World) -> None:
    fails(OSError, w.subject.connect, "::", 9)


def _anew(w: World, address: tuple[str, int]) -> None:
    """Replace a subject that is `connecting` to nowhere by one that is connecting to `address`."""
    w.subject.close()
    w.subject = w.open(w.kind())
    begin_connect(w, address)


def finish_connect(w: World) -> None:
    listener = w.listener()
    _anew(w, listener.getsockname())
    w.subject.finish_connect()
    _meet(w, listener)


def finish_refused(w: World) -> None:
    _anew(w, (HOST, unused_port()))
    fails(ConnectionRefusedError, w.subject.finish_connect)


def finish_without_waiting(w: World) -> None:
    w.subject.timeout = 0
    fails(BlockingIOError, w.subject.finish_connect)


def finish_in_vain(w: World) -> None:
    w.subject.timeout = TICK
    fails(TimeoutError, w.subject.finish_connect)

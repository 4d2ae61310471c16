"""Makes calls that pass descriptors over Unix-domain sockets end in each of their outcomes."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from tempfile import TemporaryDirectory

from loopback import (
    LONG,
)
from provocations.attempts import MESSAGE, TICK, Provocation, fails
from provocations.stream_data import expect
from states import World, bring

from lifecycle.roles.facts import Link


def locally(w: World, unread: bytes = b"") -> None:
    """Replace the subject by one of the same state over Unix-domain sockets, which has sent `unread` to its new peer."""
    wanted = w.subject.facts
    w.subject.close()
    w.peer.close()
    w.subject = w.open(w.kind(timeout=LONG))
    if not wanted.address:
        w.subject.open(socket.AF_UNIX)
        return
    if wanted.link is Link.NO:
        w.subject.create(path=w.open(TemporaryDirectory()) + "/s")
        w.peer = socket.socket(socket.AF_UNIX, w.kind._kind)
        w.peer.connect(w.subject.local_address.path)
        return
    own, w.peer = socket.socketpair(socket.AF_UNIX, w.kind._kind)
    if unread:
        own.send(unread)
    w.subject.attach(own)
    if wanted.link is Link.RESET:
        socket.send_fds(w.peer, [MESSAGE], [0])
        w.peer.close()
        fails(BrokenPipeError, w.subject.send, MESSAGE)
        return
    bring(w, wanted)


def _send_handle(w: World) -> None:
    locally(w)
    expect(w.subject.send_handles(MESSAGE, [0]), len(MESSAGE))
    _, handles, _, _ = socket.recv_fds(w.peer, 99, 9)
    os.close(handles[0])


def fill_locally(w: World) -> None:
    locally(w)
    with suppress(BlockingIOError):
        while True:
            w.subject._socket.send(MESSAGE)


def _send_handles_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    fill_locally(w)
    w.subject.timeout = timeout
    fails(error, w.subject.send_handles, MESSAGE, [0])


def _send_handles_after_close(w: World) -> None:
    locally(w)
    w.peer.close()
    fails(ConnectionError, w.subject.send_handles, MESSAGE, [0])


def _receive_handles_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    locally(w)
    w.subject.timeout = timeout
    fails(error, take_handles, w)


def take_handles(w: World) -> tuple[bytes, int]:
    """What was received, and how many descriptors, which are closed."""
    data, handles = w.subject.receive_handles()
    for handle in handles:
        os.close(handle)
    return data, len(handles)


def _receive_handle(w: World) -> None:
    locally(w)
    with suppress(OSError):  # it has sent already, or has ended
        socket.send_fds(w.peer, [MESSAGE], [0])
    expect(take_handles(w), (MESSAGE, 1))


def _receive_handles_at_the_end(w: World) -> None:
    locally(w)
    with suppress(OSError):  # it has ended already
        w.peer.shutdown(socket.SHUT_WR)
    expect(take_handles(w), (b"", 0))


def _receive_handles_after_reset(w: World) -> None:
    if w.subject.state == "broken":
        _receive_handle(w)
    else:
        locally(w, unread=MESSAGE)
        w.peer.close()  # over what was not read: the connection is reset
    fails(ConnectionResetError, take_handles, w)


SENDING_HANDLES: dict[str, Provocation] = {
    "ok": _send_handle,
    "pending": lambda w: _send_handles_in_vain(w, 0, BlockingIOError),
    "timed_out": lambda w: _send_handles_in_vain(w, TICK, TimeoutError),
    "failed": lambda w: fails(OSError, w.subject.send_handles, MESSAGE, [0]),
    "broken": _send_handles_after_close,
}
RECEIVING_HANDLES: dict[str, Provocation] = {
    "ok": _receive_handle,
    "pending": lambda w: _receive_handles_in_vain(w, 0, BlockingIOError),
    "timed_out": lambda w: _receive_handles_in_vain(w, TICK, TimeoutError),
    "failed": lambda w: fails(OSError, w.subject.receive_handles),
    "eof": _receive_handles_at_the_end,
    "broken": _receive_handles_after_reset,
}

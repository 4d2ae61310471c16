"""Makes calls that carry data over a stream end in each of their outcomes."""

from __future__ import annotations

import socket
from contextlib import suppress

from kernel import ERROR
from loopback import (
    Background,
    fill,
    reset,
    until,
    until_shows,
)
from provocations.attempts import MESSAGE, TICK, Provocation, fails
from states import World

from lifecycle import (
    BlockingCallCancelled,
    StreamTruncated,
)


def sending(call: str) -> dict[str, Provocation]:
    def send(w: World) -> int:
        sent: int = getattr(w.subject, call)(MESSAGE)
        return sent

    def into_full_buffer(w: World, timeout: float, error: type[OSError]) -> None:
        fill(w.subject)
        w.subject.timeout = timeout
        fails(error, send, w)

    def cancelled(w: World) -> None:
        fill(w.subject)
        blocked = Background(lambda: send(w))
        until(lambda: w.subject.is_blocking)
        w.subject.cancel_blocking_call()
        fails(BlockingCallCancelled, blocked.result)

    def after_reset(w: World) -> None:
        reset(w.peer)
        until_shows(w.subject, ERROR)
        fails(ConnectionError, send, w)

    return {
        "ok": lambda w: expect(send(w), len(MESSAGE)),
        "pending": lambda w: into_full_buffer(w, 0, BlockingIOError),
        "timed_out": lambda w: into_full_buffer(w, TICK, TimeoutError),
        "failed": cancelled,
        "broken": after_reset,
    }


def expect(value: object, wanted: object) -> None:
    assert value == wanted, f"{value!r} is not {wanted!r}"


def receive(w: World, call: str, *arguments: int) -> object:
    got = getattr(w.subject, call)(*arguments)
    return got[0] if call == "receive_from" else got


def without_data(w: World, call: str, timeout: float, error: type[OSError]) -> None:
    w.subject.timeout = timeout
    fails(error, receive, w, call)


def receiving(call: str) -> dict[str, Provocation]:
    def something(w: World) -> None:
        if w.subject.state in ("connected", "send_shut", "secured", "secured_send_shut"):
            (w.peer if w.tls is None else w.tls).send(MESSAGE)
            expect(receive(w, call), MESSAGE)
        else:
            expect(receive(w, call, 0), b"")

    def end(w: World) -> None:
        with suppress(OSError):  # it has ended already
            w.peer.shutdown(socket.SHUT_WR) if w.tls is None else w.tls.end()
        expect(receive(w, call), b"")

    def cut(w: World) -> None:
        with suppress(OSError):  # it has ended already
            w.peer.shutdown(socket.SHUT_WR)
        fails(StreamTruncated, receive, w, call)

    def after_reset(w: World) -> None:
        if w.subject.state != "broken":
            reset(w.peer)
        fails(ConnectionResetError, receive, w, call)

    return {
        "ok": something,
        "pending": lambda w: without_data(w, call, 0, BlockingIOError),
        "timed_out": lambda w: without_data(w, call, TICK, TimeoutError),
        "failed": lambda w: fails(OSError, receive, w, call, 1, socket.MSG_OOB),
        "eof": end,
        "broken": after_reset,
        "truncated": cut,
    }


def shut_down(how: str) -> Provocation:
    return lambda w: expect(w.subject.shut_down(how), None)


def after_reset(call: str) -> Provocation:
    def provoke(w: World) -> None:
        reset(w.peer)
        until_shows(w.subject, ERROR)
        fails(OSError, getattr(w.subject, call))

    return provoke

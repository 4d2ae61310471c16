"""The claim: observe mode costs at most 1.4 times the plain call for one byte, and at most 1.10 times for 64 KiB.

The plain sockets are of a class with the system's own methods, since the watched ones stand in the standard library's class
itself.
"""

from __future__ import annotations

import _socket
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter_ns as clock

from benchmarks.calls import calls_batch
from benchmarks.claim import Claim, Figure, against_raw
from benchmarks.effort import Effort
from benchmarks.interleaved import Batch, interleave
from benchmarks.loopback import raw_listener, raw_pair
from lifecycle.checking import checked_sockets, session
from lifecycle.checking.checkers import Checker
from lifecycle.checking.settings import Mode

SHAPES = {
    "1 byte": ({"size": 1, "count": 64, "repeats": 1}, 1.4),
    "64 KiB": ({"size": 65536, "count": 1, "repeats": 8}, 1.1),
}


class PlainSocket(socket.socket):
    """A socket of the standard library as it is while nothing is checked."""

    __slots__ = ()

    sendall = _socket.socket.sendall
    recv = _socket.socket.recv


@contextmanager
def plain_pair() -> Iterator[tuple[PlainSocket, PlainSocket]]:
    """Two connected sockets that are not checked."""
    with ExitStack() as stack:
        client, accepted = stack.enter_context(raw_pair())
        yield (
            stack.enter_context(PlainSocket(fileno=client.detach())),
            stack.enter_context(PlainSocket(fileno=accepted.detach())),
        )


def measure(effort: Effort) -> list[Figure]:
    """Sends, then receives, of both sizes; watched and plain sockets in turns."""
    return [*(figure for name in SHAPES for figure in _measure_size(effort, name)), _measure_connections(effort)]


def _measure_connections(effort: Effort) -> Figure:
    """Connections that say one byte: each of their calls is the first of its kind, and is noted."""
    with raw_listener() as listener:
        cases = {"raw": _connecting(listener, None), "lifecycle": _connecting(listener, Checker(Mode.OBSERVE))}
        return against_raw("connect, one byte, close", interleave(cases, effort.rounds(200)), {}, limit=2.0)


def _connecting(listener: socket.socket, checker: Checker | None, count: int = 50) -> Batch:
    """The first connections are not counted: in them the interpreter specializes the code of the methods that were set anew."""

    def connect_once() -> None:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        client.sendall(b"x")
        accepted.recv(1)
        client.close()
        accepted.close()

    def batch() -> tuple[float]:
        if checker is not None:
            session.start(checker)
        for _ in range(count):
            connect_once()
        began = clock()
        for _ in range(count):
            connect_once()
        elapsed = clock() - began
        if checker is not None:
            session.stop(checker)
        return (elapsed / count,)

    return batch


def _measure_size(effort: Effort, name: str) -> list[Figure]:
    shape, limit = SHAPES[name]
    with checked_sockets() as findings, ExitStack() as stack:
        cases = {
            "raw": calls_batch("client.sendall", "accepted.recv", *stack.enter_context(plain_pair()), **shape),
            "lifecycle": calls_batch("client.sendall", "accepted.recv", *stack.enter_context(raw_pair()), **shape),
        }
        series = interleave(cases, effort.rounds(2000))
    if findings:
        raise RuntimeError(f"a benchmark is a correct program, yet: {findings[0]}")
    return [
        against_raw(f"send, {name}", series, {}, phase=0, limit=limit, baseline="sendall"),
        against_raw(f"receive, {name}", series, {}, phase=1, limit=limit, baseline="recv"),
    ]


CLAIM = Claim("checked-calls", "a checked program's calls, observe mode", measure)
"""What is measured."""

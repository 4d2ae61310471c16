"""The claim: secured calls keep up with ssl.SSLSocket, and awaited ones are faster than asyncio's streams over TLS.

Blocking: one far side by `ssl`, in a process of its own, which every connection talks to; several connections on each side
take turns, since one of them may be 4 % slower than the next for its whole life. The single byte goes there and back on one
core: on two, the time doubles whenever the scheduler moves one of the two processes. Awaited: as aio-echo. Nothing is
verified: that costs at the handshake alone, which is not measured.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import anyio

from benchmarks.aio_echo import LOOPS, SHAPES, rounds_of
from benchmarks.aio_server import SECURED
from benchmarks.claim import Claim, Figure, against_raw
from benchmarks.effort import Effort
from benchmarks.interleaved import Batch, Loop, batch_of, duration, interleave, timed_loop
from benchmarks.loopback import HOST, set_options
from lifecycle import open_connection
from lifecycle.conformance.adapters.certificates import server_context

TIMEOUT = 60.0
CONNECTIONS = 4
"""on each side, in turns"""
BULK, PIECE = 1 << 20, 65536
AT_ONCE = 4 * PIECE
"""Bytes that the system's buffers hold"""
RECEIVING = "while left:\n    left -= len(receive(65536))"

ECHO, TAKE, GIVE = b"E", b"T", b"G"
"""what a connection's first byte asks of the far side: to send back; to receive BULK and say so; to send BULK when asked"""


class Shape(NamedTuple):
    """A kind of conversation: what is asked of the far side, the timed calls, how often, and their limit against SSLSocket."""

    way: bytes
    statement: str
    times: int
    limit: float
    one_core: bool


SHAPES_OF_CALLS = {
    "1 byte, there and back": Shape(ECHO, "send(b'x')\nlast = receive(1)", 200, 1 / 0.85, one_core=True),
    "64 KiB up": Shape(TAKE, "for _ in range(16):\n    send(data)\nlast = receive(1)", 4, 1 / 0.95, one_core=False),
    "64 KiB down": Shape(GIVE, f"send(b'x')\nleft = {BULK}\n{RECEIVING}", 4, 1.0, one_core=False),
}


def measure(effort: Effort) -> list[Figure]:
    """Blocking calls, awaited echoes."""
    return [*_measure_calls(effort), *_measure_alone(effort), *_measure_echoes(effort)]


# -- blocking calls against SSLSocket --------------------------------------------------------------------------------------


def _measure_calls(effort: Effort) -> Iterator[Figure]:
    for name, shape in SHAPES_OF_CALLS.items():
        with ExitStack() as stack:
            if shape.one_core:
                stack.enter_context(_one_core())
            port = stack.enter_context(_far_side())
            raws: list[Batch] = []
            ours: list[Batch] = []
            for _ in range(CONNECTIONS):
                raw, governed = stack.enter_context(_raw(port)), stack.enter_context(_governed(port))
                raws.append(_batch(shape, raw.sendall, raw.recv))
                ours.append(_batch(shape, governed.send, governed.receive))
            cases = {"raw": _in_turns(raws), "lifecycle": _in_turns(ours)}
            yield against_raw(name, interleave(cases, effort.rounds(150)), {}, limit=shape.limit, baseline="SSLSocket")


@contextmanager
def _one_core() -> Iterator[None]:
    """This process, and those that it starts, on one core, if the system allows setting that."""
    if sys.platform != "linux":
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _measure_alone(effort: Effort) -> Iterator[Figure]:
    """Calls that need not wait, and nothing runs beside them: what a call itself costs, also on a busy machine."""
    with socket.create_server((HOST, 0)) as listener, ThreadPoolExecutor(1) as handshakes, ExitStack() as stack:
        ups: dict[str, Batch] = {}
        downs: dict[str, Batch] = {}
        for name, connect in (("raw", _raw), ("lifecycle", _governed)):
            accepted = handshakes.submit(_accepted, listener)
            near: Any = stack.enter_context(connect(listener.getsockname()[1]))
            far = stack.enter_context(accepted.result())
            send, receive = (near.sendall, near.recv) if name == "raw" else (near.send, near.receive)
            ups[name] = partial(_up, timed_loop("send(data)", send=send, data=bytes(PIECE)), far)
            downs[name] = partial(_down, timed_loop(f"left = {AT_ONCE}\n{RECEIVING}", receive=receive), far)
        for name, cases in (("up", ups), ("down", downs)):
            yield against_raw(
                f"64 KiB {name}, the far side at rest", interleave(cases, effort.rounds(500)), {}, baseline="SSLSocket"
            )


def _accepted(listener: socket.socket) -> ssl.SSLSocket:
    sock = listener.accept()[0]
    set_options(sock)
    return server_context().wrap_socket(sock, server_side=True)


def _up(loop: Loop, far: ssl.SSLSocket) -> tuple[float]:
    count = AT_ONCE // PIECE
    spent, left, buffer = loop(count)[0], AT_ONCE, bytearray(PIECE)
    while left:
        left -= far.recv_into(buffer)
    return (spent / count,)


def _down(loop: Loop, far: ssl.SSLSocket) -> tuple[float]:
    far.sendall(bytes(AT_ONCE))
    return (loop(1)[0] / (AT_ONCE // PIECE),)


def _batch(shape: Shape, send: Callable[[bytes], object], receive: Callable[[int], bytes]) -> Batch:
    send(shape.way)
    return batch_of(timed_loop(shape.statement, send=send, receive=receive, data=bytes(PIECE)), shape.times)


def _in_turns(batches: list[Batch]) -> Batch:
    turns = cycle(batches)

    def batch() -> Sequence[float]:
        return next(turns)()

    return batch


@contextmanager
def _raw(port: int) -> Iterator[ssl.SSLSocket]:
    """An SSLSocket with a time-out."""
    with socket.create_connection((HOST, port), TIMEOUT) as sock:
        set_options(sock)
        with unverified().wrap_socket(sock) as secured:
            yield secured


@contextmanager
def _governed(port: int) -> Iterator[Any]:
    """A client with a timeout."""
    with open_connection(HOST, port, timeout=TIMEOUT) as client:
        set_options(client._socket)
        client.start_tls(unverified())
        yield client


def unverified() -> ssl.SSLContext:
    """A client's context that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def _far_side() -> Iterator[int]:
    """The far side in a process of its own: its port."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _serve(ready: Connection) -> None:
    with socket.create_server((HOST, 0)) as listener:
        ready.send(listener.getsockname()[1])
        while True:
            threading.Thread(target=_serve_one, args=(listener.accept()[0],), daemon=True).start()


def _serve_one(sock: socket.socket) -> None:
    set_options(sock)
    with server_context().wrap_socket(sock, server_side=True) as secured:
        way, piece, buffer = secured.recv(1), bytes(PIECE), bytearray(PIECE)
        while True:
            if way == TAKE:
                left = BULK
                while left:
                    if not (count := secured.recv_into(buffer)):
                        return
                    left -= count
                secured.sendall(b"x")
                continue
            if not (data := secured.recv(1)):
                return
            for part in [data] if way == ECHO else [piece] * (BULK // PIECE):
                secured.sendall(part)


# -- awaited echoes against asyncio's streams ------------------------------------------------------------------------------


def _measure_echoes(effort: Effort) -> Iterator[Figure]:
    ours, theirs = SECURED
    for loop in ("asyncio", "uvloop"):
        if loop != "asyncio" and importlib.util.find_spec(loop) is None:
            continue
        backend, options, _ = LOOPS[loop]
        for connections in SHAPES:
            series = anyio.run(
                partial(rounds_of, effort, (ours, theirs), connections, rounds=50), backend=backend, backend_options=options
            )
            yield Figure(
                f"{loop}, 1 KiB echo, {connections} at a time, against {theirs}",
                series.ratio(ours, theirs),
                "x",
                1.0,
                baseline=f"{theirs} {duration(series.nanoseconds(theirs))}",
                nanoseconds={way: series.nanoseconds(way) for way in (ours, theirs)},
            )


CLAIM = Claim("tls", "calls and echoes over TLS", measure)

"""10,000 connections open at once in one process, each echoing: memory per connection and rate, beside asyncio's streams.

The clients are plain sockets in this process, the server is another one. Each connection has one message under way at a time.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from benchmarks.aio_server import SERVERS, allow_all_descriptors
from benchmarks.child import ROOT
from benchmarks.claim import Claim, Figure, exactly
from benchmarks.effort import Effort
from benchmarks.loopback import HOST

MESSAGE = bytes(1024)
CONNECTIONS, FEW_CONNECTIONS = 10_000, 200
TRIPS = 5
SPARE_DESCRIPTORS = 100


def measure(effort: Effort) -> list[Figure]:
    """Two figures; the ways take turns, each with a fresh process."""
    limit = allow_all_descriptors()
    count = FEW_CONNECTIONS if effort.quick else CONNECTIONS
    if limit:
        count = min(count, limit - SPARE_DESCRIPTORS)
    memory, rate = {}, {}
    ways = list(SERVERS)
    for number in effort.rounds(len(ways), len(ways)):
        with served(ways[number]) as (port, child):
            memory[ways[number]], rate[ways[number]] = _load(port, child, count)
    others = [way for way in ways if way != "lifecycle"]
    return [
        Figure(
            f"{count:,} connections: memory of each",
            exactly(memory["lifecycle"]),
            "B",
            timed=False,
            baseline="the process that serves",
            others={way: memory[way] for way in others},
        ),
        Figure(
            f"{count:,} connections: echoes of 1 KiB a second",
            exactly(rate["lifecycle"]),
            "",
            at_least=True,
            baseline="one under way on each",
            others={way: rate[way] for way in others},
        ),
    ]


@contextmanager
def served(way: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A server of that way in a process of its own: its port, and the process."""
    command = [sys.executable, "-m", "benchmarks.aio_server", way]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield int(cast(IO[str], child.stdout).readline()), child
        finally:
            cast(IO[str], child.stdin).close()
            child.wait(60)


def _load(port: int, child: subprocess.Popen[str], count: int) -> tuple[float, float]:
    """(bytes that the server holds per connection, echoes per second) with so many connections."""
    empty = held_by(child)
    with selectors.DefaultSelector() as selector:
        clients = []
        try:
            for _ in range(count):
                client = socket.create_connection((HOST, port), 60)
                clients.append(client)
                client.setblocking(False)
                selector.register(client, selectors.EVENT_READ)
            _exchange(selector, clients, 1)  # all of them are accepted, and have been used
            full = held_by(child)
            begin = time.perf_counter()
            _exchange(selector, clients, TRIPS)
            elapsed = time.perf_counter() - begin
        finally:
            for client in clients:
                client.close()
    return (full - empty) / count, count * TRIPS / elapsed


def _exchange(selector: selectors.BaseSelector, clients: list[socket.socket], trips: int) -> None:
    """Send a message on every connection and receive it back, so many times."""
    left = dict.fromkeys(clients, trips)
    come = dict.fromkeys(clients, 0)
    for client in clients:
        client.send(MESSAGE)
    while left:
        for key, _ in selector.select(60) or _nothing_came():
            client = cast(socket.socket, key.fileobj)
            come[client] += len(client.recv(len(MESSAGE)))
            if come[client] < len(MESSAGE):
                continue
            come[client] = 0
            left[client] -= 1
            if left[client]:
                client.send(MESSAGE)
            else:
                del left[client]


def _nothing_came() -> list[tuple[selectors.SelectorKey, int]]:
    raise TimeoutError("the server has stopped echoing")


def held_by(child: subprocess.Popen[str]) -> int:
    """What the server says that it holds."""
    cast(IO[str], child.stdin).write("memory\n")
    cast(IO[str], child.stdin).flush()
    return int(cast(IO[str], child.stdout).readline())


CLAIM = Claim("aio-connections", "many connections at once, awaited", measure)

"""Reading lines over a connection: Reader beside socket.makefile, in one run.

    python -m benchmarks.lines [rounds]

Each case reads the same lines, which are in the system's buffers or on their way; the sender is a process of its own.
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lifecycle import Client, Reader

HOST = "127.0.0.1"
LINE = b"x" * 63 + b"\n"
LINES = 100_000


def serve(ready: multiprocessing.connection.Connection, connections: int) -> None:
    """Send all lines to each connection that is made."""
    data = LINE * 1000
    with socket.create_server((HOST, 0)) as listener:
        ready.send(listener.getsockname()[1])
        for _ in range(connections):
            connection, _ = listener.accept()
            with connection:
                for _ in range(LINES // 1000):
                    connection.sendall(data)


@contextmanager
def standard(port: int) -> Iterator[object]:
    """socket.makefile over a connection."""
    with socket.create_connection((HOST, port)) as sock, sock.makefile("rb") as file:
        yield file


@contextmanager
def ours(port: int) -> Iterator[object]:
    """Reader over a connection."""
    with Client() as client:
        client.create()
        client.connect(HOST, port)
        yield Reader(client)


def by_readline(file: object) -> int:
    """How many lines readline() gives."""
    readline: Callable[[], bytes] = file.readline  # type: ignore[attr-defined]
    count = 0
    while readline():
        count += 1
    return count


def by_iteration(file: object) -> int:
    """How many lines a loop over the file gives."""
    count = 0
    for _ in file:  # type: ignore[attr-defined]
        count += 1
    return count


READS = {"readline()": by_readline, "for line in": by_iteration}
FILES = {"socket.makefile": standard, "Reader": ours}


def main(rounds: int) -> None:
    """Print the nanoseconds per line of each case, and how fast Reader is beside socket.makefile."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(there, rounds * len(READS) * len(FILES)))
    process.start()
    port = here.recv()
    for read, reading in READS.items():
        times: dict[str, list[float]] = {name: [] for name in FILES}
        for _ in range(rounds):
            for name, opening in FILES.items():
                with opening(port) as file:
                    begin = time.perf_counter()
                    count = reading(file)
                    times[name].append((time.perf_counter() - begin) / LINES * 1e9)
                assert count == LINES
        ratio = statistics.median(a / b for a, b in zip(times["socket.makefile"], times["Reader"], strict=True))
        shown = ", ".join(f"{name} {statistics.median(each):.0f} ns" for name, each in times.items())
        print(f"{read}: {shown}; Reader is {ratio:.2f} times as fast")
    process.join()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)

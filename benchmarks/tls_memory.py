"""The memory of 10,000 idle connections over TLS in one process, beside asyncio's streams.

The clients are in this process, and make their handshakes one after the other; the server is in another one. Each connection
has echoed a message before it is idle.
"""

from __future__ import annotations

import socket
import struct
from contextlib import ExitStack

from benchmarks.aio_connections import CONNECTIONS, FEW_CONNECTIONS, MESSAGE, SPARE_DESCRIPTORS, held_by, served
from benchmarks.aio_server import SECURED, allow_all_descriptors
from benchmarks.claim import Claim, Figure, exactly
from benchmarks.effort import Effort
from benchmarks.loopback import HOST
from benchmarks.tls import TIMEOUT, unverified


def measure(effort: Effort) -> list[Figure]:
    """One figure; each way has a fresh process."""
    limit = allow_all_descriptors()
    count = FEW_CONNECTIONS if effort.quick else CONNECTIONS
    if limit:
        count = min(count, limit - SPARE_DESCRIPTORS)
    held = {}
    for number in effort.rounds(len(SECURED), len(SECURED)):
        way = list(SECURED)[number]
        with served(way) as (port, child), ExitStack() as stack:
            context, empty = unverified(), held_by(child)
            for _ in range(count):
                plain = socket.create_connection((HOST, port), TIMEOUT)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each waits 40 ms for a delayed ACK
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves no port in TIME_WAIT
                client = stack.enter_context(context.wrap_socket(plain))
                client.sendall(MESSAGE)
                left = len(MESSAGE)
                while left:
                    left -= len(client.recv(left))
            held[way] = (held_by(child) - empty) / count
    ours, theirs = SECURED
    return [
        Figure(
            f"{count:,} idle connections over TLS: memory of each",
            exactly(held[ours]),
            "B",
            timed=False,
            baseline="the process that serves",
            others={"asyncio streams": held[theirs]},
        )
    ]


CLAIM = Claim("tls-memory", "memory of many idle connections over TLS", measure)

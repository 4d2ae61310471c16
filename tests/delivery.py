"""Waits until the loopback interface has delivered: a busy system does so after the call that sent has returned.

For tests that watch many events; who awaits a single one has loopback.until_shows().
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from loopback import HOST, LONG

ROUNDS = 3  # a packet may be answered, and its answer too: of a connect, the second and third of its handshake


@contextmanager
def delivering() -> Iterator[Callable[[], None]]:
    """Stay on one processor, where packets keep their order. Gives a call that waits until what was sent has arrived.

    It sends a message to itself, behind everything that is on its way, and behind the answers.
    """
    stays_on_one = hasattr(os, "sched_setaffinity")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as courier:
        courier.bind((HOST, 0))
        courier.connect(courier.getsockname())
        courier.settimeout(LONG)

        def deliver() -> None:
            for _ in range(ROUNDS):
                courier.send(b"behind")
                courier.recv(6)

        if stays_on_one:
            processors = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {sorted(processors)[os.getpid() % len(processors)]})
        try:
            yield deliver
        finally:
            if stays_on_one:
                os.sched_setaffinity(0, processors)

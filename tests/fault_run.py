"""The fault run: clients that reset, half-close, stall, flood and vanish at random, against Server.serve().

`python tests/fault_run.py --seconds 60 --clients 1000 --loop asyncio [--tls]`

With --tls half of them make the handshake, and the others send what is not TLS.

The misbehaving clients (tests/misbehaving.py) live in processes of their own, which vanish with all their connections.
Meanwhile a few well-behaved clients talk to the same server, and must be answered rightly and in time. The run has two halves,
each of which ends when all the others are gone: what the second one leaves behind (descriptors, connections, tasks, memory)
must be what the first one did, and so must its peak of memory; at no time are there many more descriptors than clients. It
prints what it saw, and exits with 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from loopback import open_descriptors
from misbehaving import HOST, Crowd

from lifecycle import aio
from lifecycle.conformance.adapters.certificates import client_context, server_context

PATIENCE = 30.0  # seconds in which a well-behaved client is answered, and a handshake is made
TLS_PATIENCE = 90.0  # a full queue drops a client's SYN, which its system repeats after 1, 3, 7, 15 and 31 seconds
REST = 90.0  # seconds in which all is quiet after a half: the queue is emptied, what does not make the handshake times out
MOST_GROWTH = 1.25  # of the memory held after the second half, over the first, and of their peaks
DESCRIPTORS_PER_CLIENT = 2  # a killed client's connection is there until its end arrives, beside its successor's


@dataclass
class Report:
    """What was seen."""

    connections: int = 0
    answered: int = 0
    slowest: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    peaks: list[Left] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report for people."""
        ends = ", ".join(f"{name} {count}" for name, count in self.ends.most_common())
        return [
            f"connections served: {self.connections}; ended by an error: {ends or 'none'}",
            f"well-behaved round trips: {self.answered}, the slowest took {self.slowest:.2f} s",
            *(f"peaks of half {number}: {peak}" for number, peak in enumerate(self.peaks, 1)),
            *(f"after half {number}: {left}" for number, left in enumerate(self.left, 1)),
            *(f"WRONG: {what}" for what in self.wrong),
        ]


@dataclass(frozen=True)
class Left:
    """What is there when all clients have gone; or at most, while they are there."""

    descriptors: int
    connections: int
    memory: int

    @classmethod
    def now(cls, at_rest: int) -> Left:
        gc.collect()
        alive = sum(isinstance(each, aio.Accepted) and each.state != "empty" for each in gc.get_objects())
        return cls(len(open_descriptors()) - at_rest, alive, resident_bytes())


def resident_bytes() -> int:
    """The memory that the process holds; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


class FaultRun:
    """One run in the event loop that runs now."""

    def __init__(self, *, clients: int, seconds: float, well_behaved: int = 5, tls: bool = False) -> None:
        self._clients = clients
        self._seconds = seconds
        self._well_behaved = well_behaved
        self._tls = tls
        self._present = 0
        self.report = Report()

    async def run(self) -> Report:
        """Both halves."""
        watching = _watch_for_unseen(self.report.wrong)
        try:
            async with aio.Server() as server, anyio.create_task_group() as tasks:
                await server.create(0, HOST)
                server.listen(4096)
                tasks.start_soon(self._serve, server)
                at_rest = len(open_descriptors())
                for _ in range(2):
                    await self._half(server.get_sock_name().port, at_rest)
                    self.report.left.append(await self._when_all_have_gone(at_rest))
                tasks.cancel_scope.cancel()
        finally:
            watching()
        self._judge()
        return self.report

    async def _serve(self, server: aio.Server) -> None:
        tls = server_context() if self._tls else None
        await server.serve(self._echo, on_error=self._note_error, tls=tls, handshake_timeout=PATIENCE)

    async def _echo(self, accepted: aio.Accepted) -> None:
        self.report.connections += 1
        self._present += 1
        try:
            async for data in accepted:
                await accepted.send(data)
        finally:
            self._present -= 1

    def _note_error(self, accepted: aio.Accepted, error: Exception) -> None:
        self.report.ends[type(error).__name__] += 1
        if not isinstance(error, (ConnectionError, ssl.SSLError, *([TimeoutError] if self._tls else []))):
            self.report.wrong.append(f"a handler was left by {error!r}")

    async def _half(self, port: int, at_rest: int) -> None:
        async with anyio.create_task_group() as well_behaved:
            well_behaved.start_soon(self._keep_peaks, at_rest)
            for number in range(self._well_behaved):
                well_behaved.start_soon(self._behave_well, port, number)
            await Crowd(port, self._clients, tls=self._tls).run(self._seconds / 2)
            well_behaved.cancel_scope.cancel()

    async def _keep_peaks(self, at_rest: int) -> None:
        self.report.peaks.append(Left(0, 0, 0))
        while True:
            peak = self.report.peaks[-1]
            descriptors, present = len(open_descriptors()) - at_rest, self._present
            self.report.peaks[-1] = Left(
                max(peak.descriptors, descriptors), max(peak.connections, present), max(peak.memory, resident_bytes())
            )
            await anyio.sleep(0.1)

    async def _behave_well(self, port: int, number: int) -> None:
        """Connect, ask, compare, close; again and again."""
        dice = random.Random(number)
        context = client_context() if self._tls else None
        while True:
            message = dice.randbytes(dice.randrange(1, 5000))
            begin = time.monotonic()
            try:
                with anyio.fail_after(TLS_PATIENCE if self._tls else PATIENCE):
                    async with aio.Client() as client:
                        client.open()
                        await client.connect(HOST, port)
                        if context is not None:
                            await client.start_tls(context)
                        await client.send(message)
                        client.shut_down()
                        answer = b"".join([data async for data in client])
            except (OSError, TimeoutError) as error:
                self.report.wrong.append(f"a well-behaved client was left alone: {error!r}")
                return
            if answer != message:
                self.report.wrong.append(f"{len(message)} bytes were answered by {len(answer)} others")
            self.report.answered += 1
            self.report.slowest = max(self.report.slowest, time.monotonic() - begin)

    async def _when_all_have_gone(self, at_rest: int) -> Left:
        """What is left when no connection is, or when that takes too long."""
        with anyio.move_on_after(REST):
            while self._present or len(open_descriptors()) > at_rest:
                await anyio.sleep(0.05)
        return Left.now(at_rest)

    def _judge(self) -> None:
        first, second = self.report.left
        for number, left in enumerate(self.report.left, 1):
            if left.descriptors or left.connections or self._present:
                self.report.wrong.append(f"half {number} has left {left}")
        if second.memory > first.memory * MOST_GROWTH:
            self.report.wrong.append(f"memory has grown from {first.memory:,} to {second.memory:,} bytes")
        most = self._clients * DESCRIPTORS_PER_CLIENT + 4 * self._well_behaved + 50
        for peak in self.report.peaks:
            if peak.descriptors > most:
                self.report.wrong.append(f"there were {peak.descriptors} descriptors at a time for {self._clients} clients")
        if self.report.peaks[1].memory > self.report.peaks[0].memory * MOST_GROWTH:
            self.report.wrong.append(f"the peak of memory has grown: {self.report.peaks}")
        if not self.report.answered:
            self.report.wrong.append("no well-behaved client was answered")


def _watch_for_unseen(wrong: list[str]) -> Callable[[], None]:
    """Have everything that would only be printed count as wrong; what undoes it."""
    before = sys.unraisablehook, threading.excepthook
    sys.unraisablehook = lambda unraisable: wrong.append(f"unraisable: {unraisable.exc_value!r}")
    threading.excepthook = lambda failure: wrong.append(f"in a thread: {failure.exc_value!r}")
    try:
        loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:  # of trio, which raises everything
        loop = None
    if loop is not None:
        loop.set_exception_handler(lambda _, context: wrong.append(f"the loop was given {context}"))

    def undo() -> None:
        sys.unraisablehook, threading.excepthook = before
        if loop is not None:
            loop.set_exception_handler(None)

    return undo


LOOPS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


def main() -> int:
    """Run, and print what was seen; the exit code."""
    parser = argparse.ArgumentParser(description="Misbehaving clients against Server.serve().")
    parser.add_argument("--seconds", type=float, default=60, help="how long the clients misbehave, both halves together")
    parser.add_argument("--clients", type=int, default=1000, help="how many of them there are at a time")
    parser.add_argument("--loop", choices=LOOPS, default="asyncio", help="the event loop of the server")
    parser.add_argument("--tls", action="store_true", help="over TLS")
    options = parser.parse_args()
    report = anyio.run(FaultRun(clients=options.clients, seconds=options.seconds, tls=options.tls).run, **LOOPS[options.loop])
    print("\n".join(report.lines()))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The fault run: clients that reset, half-close, stall, flood and vanish at random, against Server.serve().

`python tests/fault_run.py --seconds 60 --clients 1000 --loop asyncio [--tls]`

With --tls half of them make the handshake, and the others send what is none.

The misbehaving clients live in processes of their own, some of which are killed with all their connections. Meanwhile a few
well-behaved clients talk to the same server, and must be answered rightly and in time. The run has two halves, each of which
ends when all the others are gone: what the second one leaves behind (descriptors, connections, tasks, memory) must be what
the first one did, and so must its peak of memory; at no time are there many more descriptors than clients. It prints what it
saw, and exits with 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from lifecycle import aio
from lifecycle.conformance.adapters.certificates import client_context, server_context

HOST = "127.0.0.1"
BEHAVIOURS = ("reset", "half_close", "stall", "flood")
CLIENTS_PER_PROCESS = 500
PATIENCE = 30.0  # seconds in which a well-behaved client is answered, and a handshake is made
TLS_PATIENCE = 90.0  # a full queue drops a client's SYN, which its system repeats after 1, 3, 7, 15 and 31 seconds
REST = 90.0  # seconds in which all is quiet after a half: the queue is emptied, what does not make the handshake times out
LIFE = 2.0, 6.0  # seconds after which a process of clients vanishes, from when they begin
MOST_GROWTH = 1.25  # of the memory held after the second half, over the first, and of their peaks
DESCRIPTORS_PER_CLIENT = 2  # a killed client's connection is there until its end arrives, beside its successor's


async def misbehave(port: int, dice: random.Random, context: ssl.SSLContext | None) -> None:
    """One client for ever: it connects, and behaves badly in one way or another."""
    loop = asyncio.get_running_loop()
    while True:
        sock = socket.socket()
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, (HOST, port))
            said = Said(loop, sock)
            if context is not None and dice.random() < 0.5:
                await said.shake_hands(context)
            await BEHAVE[dice.choice(BEHAVIOURS)](said, dice)
        except OSError:
            await asyncio.sleep(dice.random() / 10)
        finally:
            sock.close()


class Said:
    """A client's connection: what it says goes out as it is, or encrypted."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        self.loop = loop
        self.sock = sock
        self._tls: ssl.SSLObject | None = None
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()

    async def shake_hands(self, context: ssl.SSLContext) -> None:
        """Make the TLS handshake."""
        self._tls = context.wrap_bio(self._came, self._goes)
        while True:
            try:
                self._tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                await self.loop.sock_sendall(self.sock, self._goes.read())
                self._came.write(await self.receive())

    async def send(self, data: bytes) -> None:
        """Send it all."""
        if self._tls is not None and data:
            self._tls.write(data)
            data = self._goes.read()
        await self.loop.sock_sendall(self.sock, data)

    async def receive(self) -> bytes:
        """What has come, as it is. Raises ConnectionError at the end."""
        data = await self.loop.sock_recv(self.sock, 4096)
        if not data:
            raise ConnectionError
        return data


async def reset(said: Said, dice: random.Random) -> None:
    """Send something, and reset the connection without reading the answer."""
    await said.send(dice.randbytes(dice.randrange(1, 20_000)))
    said.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def half_close(said: Said, dice: random.Random) -> None:
    """Send something, end the stream, and read the answer, or only a part of it."""
    await said.send(dice.randbytes(dice.randrange(1, 20_000)))
    said.sock.shutdown(socket.SHUT_WR)
    while dice.random() > 0.05:
        await said.receive()


async def stall(said: Said, dice: random.Random) -> None:
    """Send something or nothing, and then do nothing for a while."""
    await said.send(dice.randbytes(dice.randrange(3)))
    await asyncio.sleep(dice.uniform(0.1, 3))


async def flood(said: Said, dice: random.Random) -> None:
    """Send as fast as it goes without reading, until the server takes no more."""
    data = dice.randbytes(1 << 16)
    for _ in range(dice.randrange(1, 200)):
        try:
            await asyncio.wait_for(said.send(data), 0.2)
        except TimeoutError:
            return


BEHAVE: dict[str, Callable[[Said, random.Random], Any]] = {
    "reset": reset,
    "half_close": half_close,
    "stall": stall,
    "flood": flood,
}


async def be_many(port: int, count: int, seed: int, *, tls: bool) -> None:
    """So many misbehaving clients at once, which vanish together, and close nothing; the server has the processor first."""
    if hasattr(os, "nice"):
        os.nice(10)
    asyncio.get_running_loop().call_later(random.Random(seed).uniform(*LIFE), os._exit, 0)
    context = ssl._create_unverified_context() if tls else None
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(misbehave(port, random.Random(seed * 100_003 + number), context))


class Crowd:
    """Processes full of misbehaving clients, each of which ends after a while, and is replaced by another."""

    def __init__(self, port: int, clients: int, *, tls: bool) -> None:
        self._port = port
        self._sizes = [min(CLIENTS_PER_PROCESS, clients - first) for first in range(0, clients, CLIENTS_PER_PROCESS)]
        self._seeds = 0
        self._words = ["--tls"] if tls else []

    async def run(self, seconds: float) -> None:
        """Be there for so long, then vanish altogether."""
        processes: list[subprocess.Popen[bytes]] = []
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                for number, size in enumerate(self._sizes):
                    if number >= len(processes):
                        processes.append(self._start(size))
                    elif processes[number].poll() is not None:
                        processes[number] = self._start(size)
                await anyio.sleep(0.05)
        finally:
            for process in processes:
                self._kill(process)

    def _start(self, size: int) -> subprocess.Popen[bytes]:
        self._seeds += 1
        command = [sys.executable, __file__, "--be-clients-of", str(self._port), "--clients", str(size), *self._words]
        return subprocess.Popen([*command, "--seed", str(self._seeds)], stderr=subprocess.DEVNULL)

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait(PATIENCE)


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


def open_descriptors() -> set[str]:
    """The descriptors of this process, by their names; empty where the system does not list them."""
    for place in (Path("/proc/self/fd"), Path("/dev/fd")):
        if place.exists():
            return {entry.name for entry in place.iterdir()}
    return set()


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
    parser.add_argument("--be-clients-of", type=int, metavar="PORT", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be_clients_of is not None:
        asyncio.run(be_many(options.be_clients_of, options.clients, options.seed, tls=options.tls))
        return 0
    report = anyio.run(FaultRun(clients=options.clients, seconds=options.seconds, tls=options.tls).run, **LOOPS[options.loop])
    print("\n".join(report.lines()))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Clients that misbehave: they reset, half-close, stall and flood at random, and vanish with the process that they live in.

`python tests/misbehaving.py PORT COUNT SEED [--tls]` is one such process; Crowd keeps several of them running.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import anyio

HOST = "127.0.0.1"
CLIENTS_PER_PROCESS = 500
LIFE = 2.0, 6.0  # seconds after which a process of clients vanishes, from when they begin
PATIENCE = 30.0  # seconds in which a killed process ends


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
            await dice.choice(BEHAVIOURS)(said, dice)
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


BEHAVIOURS: tuple[Callable[[Said, random.Random], Any], ...] = (reset, half_close, stall, flood)


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
        command = [sys.executable, __file__, str(self._port), str(size), str(self._seeds), *self._words]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait(PATIENCE)


def main() -> None:
    """Be many clients until the process ends."""
    parser = argparse.ArgumentParser(description="A process full of misbehaving clients.")
    for name in ("port", "count", "seed"):
        parser.add_argument(name, type=int)
    parser.add_argument("--tls", action="store_true", help="half of them make the handshake")
    options = parser.parse_args()
    asyncio.run(be_many(options.port, options.count, options.seed, tls=options.tls))


if __name__ == "__main__":
    main()

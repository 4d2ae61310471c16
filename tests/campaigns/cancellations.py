"""Calls that are cancelled at any time: no byte is lost or repeated, `sent` is true, no descriptor is left.

`python -m tests.campaigns.cancellations [NUMBER] [--loop asyncio|uvloop|trio]`: exits with 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio

from lifecycle import IllegalCall, aio
from lifecycle.net.operations.transfer import READ_SIZE

HOST = "127.0.0.1"
PIECE = 200_000
LOOPS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


@dataclass
class Findings:
    """cancelled: how many calls. bytes: how many arrived. wrong: what was."""

    cancelled: int = 0
    bytes: int = 0
    wrong: list[str] = field(default_factory=list)


def pattern(begin: int, size: int) -> bytes:
    """The bytes of a stream from that place: each place has its own."""
    return bytes((place * 31 + (place >> 8)) & 0xFF for place in range(begin, begin + size))


PATTERN = pattern(0, 1 << 16)
"""The pattern repeats after as many bytes as its two parts do together"""


def piece(begin: int, size: int) -> bytes:
    """As pattern(), cut from copies."""
    first = begin % len(PATTERN)
    return (PATTERN * (2 + size // len(PATTERN)))[first : first + size]


def _runs_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Campaign:
    """One pair of connected objects at a time, cancelled again and again."""

    def __init__(self, number: int, seed: int = 0) -> None:
        self._number = number
        self._is_asyncio = False
        self._chance = random.Random(seed)
        self.findings = Findings()

    async def run(self) -> Findings:
        """Cancel so many calls."""
        self._is_asyncio = _runs_asyncio()
        async with aio.Server() as server:
            await server.create(0, HOST)
            server.listen()
            await self._pair(server, 3)  # so that the loop has what it keeps
            before = len(os.listdir("/proc/self/fd"))
            while self.findings.cancelled < self._number:
                await self._pair(server, 300)
            await anyio.sleep(0.05)
            left = len(os.listdir("/proc/self/fd")) - before
            if left > 0:
                self.findings.wrong.append(f"{left} descriptors are left")
        return self.findings

    async def _pair(self, server: aio.Server, cancellations: int) -> None:
        """A connection that is made, used and ended, with calls that are cancelled in between."""
        async with aio.Client() as client, aio.Accepted() as accepted, aio.Datagram() as datagram:
            await datagram.create(0, HOST)
            client.open()
            await self._until_done(client.connect, *server.local_address, again=client.finish_connect)
            while accepted.state == "empty":
                await self._briefly(server.accept, accepted)
            enough = self.findings.cancelled + cancellations
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send, client, enough)
                tasks.start_soon(self._receive, accepted)
                tasks.start_soon(self._wait_in_vain, datagram, enough)

    async def _until_done(self, call: Any, *arguments: Any, again: Any) -> None:
        if not await self._briefly(call, *arguments):
            with suppress(IllegalCall):  # it was made, or never begun
                while not await self._briefly(again):
                    pass
            if not again.__self__.peer_address:
                await call(*arguments)

    async def _briefly(self, call: Any, *arguments: Any) -> bool:
        """Make a call that is cancelled at some time, on asyncio perhaps before its first step; whether it ended by itself."""
        seconds = self._chance.choice((0.0, 1e-5, 1e-4, 1e-3)) * self._chance.random()
        if not self._is_asyncio or self._chance.random() < 0.5:
            with anyio.move_on_after(seconds) as scope:
                await call(*arguments)
            self.findings.cancelled += scope.cancelled_caught
            return not scope.cancelled_caught
        task = asyncio.ensure_future(call(*arguments))
        if seconds:
            await asyncio.wait((task,), timeout=seconds)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            self.findings.cancelled += 1
            return False
        return True

    async def _send(self, client: aio.Client, enough: int) -> None:
        sent = 0
        while self.findings.cancelled < enough:
            data = piece(sent, self._chance.randrange(1, PIECE))
            done = await self._briefly(client.send, data)
            sent += len(data) if done else client.sent
            await anyio.sleep(0)
        client.shut_down()

    async def _receive(self, accepted: aio.Accepted) -> None:
        """Receive everything, with receives that are cancelled in between, and compare."""
        received = 0
        while True:
            got: list[bytes] = []

            async def receive(got: list[bytes] = got) -> None:
                got.append(await accepted.receive(READ_SIZE))

            with anyio.move_on_after(self._chance.choice((1e-5, 1e-3, 1.0))) as scope:
                await receive()
            self.findings.cancelled += scope.cancelled_caught
            if scope.cancelled_caught:
                continue
            if not got[0]:
                return
            if got[0] != piece(received, len(got[0])):
                self.findings.wrong.append(f"other bytes than were sent, from {received}")
            received += len(got[0])
            self.findings.bytes += len(got[0])

    async def _wait_in_vain(self, datagram: aio.Datagram, enough: int) -> None:
        while self.findings.cancelled < enough:
            with anyio.move_on_after(self._chance.random() * 1e-3) as scope:
                await datagram.receive()
            self.findings.cancelled += scope.cancelled_caught
            if datagram.is_blocking or datagram._claim is not None:
                self.findings.wrong.append("a cancelled call is left")


def run(number: int, loop: str, seed: int = 0) -> Findings:
    """Cancel so many calls on a loop."""
    return anyio.run(Campaign(number, seed).run, **LOOPS[loop])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", type=int, nargs="?", default=20_000)
    parser.add_argument("--loop", choices=LOOPS, action="append")
    options = parser.parse_args()
    wrong = False
    for loop in options.loop or LOOPS:
        begin = time.monotonic()
        found = run(options.number, loop)
        seconds = time.monotonic() - begin
        text = f"{found.cancelled} cancelled, {found.bytes:,} bytes, {seconds:.0f} s, wrong: {found.wrong or 'nothing'}"
        print(f"{sys.version.split()[0]} {loop}: {text}", flush=True)
        wrong = wrong or bool(found.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

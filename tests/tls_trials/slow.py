"""Many handshakes that never end, against Server.serve(tls=...): `python tests/tls_trials/slow.py PORT COUNT` are the clients.

Half of the clients say nothing, the other half send a ClientHello byte by byte.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio

HOST = "127.0.0.1"
HELLO = bytes.fromhex("160301020001000200") + bytes(503)  # the begin of one that is never whole
DRIP = 0.05


@dataclass
class Report:
    """What a run has seen: seconds until a good client was served, how the others ended, what was left behind."""

    answered_after: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    memory_of_each: float = 0.0
    left: int = 0


def hold(port: int, count: int) -> None:
    """Connect so many times, and drip; then stay until standard input ends, as it does when the trial does."""
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection((HOST, port), 60)) for _ in range(count)]
        for number in range(len(HELLO) - 1):
            for client in clients[::2]:
                with suppress(OSError):  # it was closed, as it should be
                    client.send(HELLO[number : number + 1])
            time.sleep(DRIP)
        sys.stdin.read()


async def run(count: int, *, handshake_timeout: float) -> Report:
    """Serve while so many clients are slow, and one is not."""
    from lifecycle import aio
    from lifecycle.conformance.adapters.certificates import client_context, server_context

    report = Report()

    async def echo(accepted: aio.Accepted) -> None:
        async for data in accepted:
            await accepted.send(data)
        accepted.shut_down("sends")

    def note(_: aio.Accepted, error: Exception) -> None:
        report.ends[type(error).__name__] += 1

    before, memory = _descriptors(), _memory()
    async with aio.Server() as server, anyio.create_task_group() as tasks:
        await server.create(0, HOST)
        server.listen(4096)

        async def serve() -> None:
            await server.serve(echo, tls=server_context(), handshake_timeout=handshake_timeout, on_error=note)

        tasks.start_soon(serve)
        port = server.get_sock_name().port
        with subprocess.Popen([sys.executable, __file__, str(port), str(count)], stdin=subprocess.PIPE) as clients:
            while _descriptors() - before + report.ends.total() < count:
                await anyio.sleep(0.05)
            report.memory_of_each = (_memory() - memory) / count
            begin = time.perf_counter()
            async with await aio.open_connection(HOST, port) as client:
                await client.start_tls(client_context(checks_name=True), server_hostname="localhost")
                await client.send(b"question")
                assert await client.receive() == b"question"
                client.shut_down("sends")
                assert await client.receive() == b""
            report.answered_after = time.perf_counter() - begin
            while report.ends.total() < count:
                await anyio.sleep(0.02)
            clients.kill()
        server.close()
    report.left = _descriptors() - before
    return report


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    hold(int(sys.argv[1]), int(sys.argv[2]))

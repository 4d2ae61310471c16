"""A campaign over workers of which one is killed in the middle: python -m tests.campaign [--dask | --rates] [SECONDS]

A fault that shows in some 7 of 10,000 steps has to be found, shrunk, and shown again by its sequence. --rates: the work of one
worker of this machine, and of two.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lifecycle.conformance import replay
from lifecycle.conformance.campaigns.campaign import STATE, Executing, local_workers, run_campaign, workers_of
from lifecycle.conformance.campaigns.jobs import Chosen

NAME = "tests.campaign:Deep"
SHOWS_WITHIN = 60  # seconds until a scheduler has written where it is


class Loses:
    """Loses the last byte of what it receives, once it has sent three messages and received some."""

    sent = received = 0
    harmless = 1

    def send(self, data: Any, *flags: int) -> Any:
        """Count what is sent."""
        self.sent += len(data) < 100
        return super().send(data, *flags)  # type: ignore[misc]

    def recv(self, size: int, *flags: int) -> Any:
        """Give less, deep in the history."""
        got = super().recv(size, *flags)  # type: ignore[misc]
        self.received += bool(got)
        return got[:-1] if self.sent >= 3 and self.received > self.harmless else got


class Deep(Loses, socket.socket):
    """A socket of the system with that fault."""

    harmless = 2


def run_for(seconds: float, executing: Executing, folder: Path, workers: int, target: str = NAME) -> Any:
    """A campaign of that many seconds."""
    chosen = Chosen(target, like="linux")
    return run_campaign(chosen, ["client"], hours=seconds / 3600, folder=folder, executing=executing, at_once=2 * workers)


def kill_one(folder: Path, after: float) -> None:
    """Kill a worker that has been named in the folder, after some seconds."""

    def kill() -> None:
        time.sleep(after)
        workers: dict[str, int] = {}
        while not workers:
            time.sleep(1)
            with suppress(FileNotFoundError):
                workers = json.loads((folder / STATE).read_text())["workers"]
        os.kill(int(next(iter(workers)).rpartition(":")[2]), signal.SIGKILL)
        print("killed one", flush=True)

    threading.Thread(target=kill, daemon=True).start()


def rate(folder: Path) -> float:
    """The steps a second that a campaign has made."""
    data = json.loads((folder / STATE).read_text())
    return float(sum(role["steps"] for role in data["roles"].values()) / data["seconds"])


@contextmanager
def cluster(folder: Path) -> Iterator[Executing]:
    """A scheduler of Dask's with two workers, each a process of its own."""
    where = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    here = ["--scheduler-file", str(where), "--no-dashboard"]
    processes = [subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *here])]
    try:
        ends = time.monotonic() + SHOWS_WITHIN
        while not where.exists() and time.monotonic() < ends:
            time.sleep(0.2)
        processes += [subprocess.Popen([*dask, "worker", "--nthreads", "1", *here]) for _ in range(2)]
        yield workers_of(json.loads(where.read_text())["address"])
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def finds(seconds: float, folder: Path, executing: Executing) -> bool:
    """Whether the fault was found by workers of which one is killed, and shows again."""
    kill_one(folder, seconds / 2)
    report = run_for(seconds, executing, folder, 2)
    found = [each for each in report.unexplained if each.call == "receive"]
    for each in found[:1]:
        print(f"{each}: {len(each.steps)} steps: {' > '.join(each.steps)}")
    again = replay(NAME, "client", *found[0].steps) if found else None
    print(f"{rate(folder):,.0f} steps a second of two workers; {len(found)} sequences; shown again: {again is not None}")
    return again is not None


def rates(seconds: float, folder: Path) -> bool:
    """Whether two workers do 1.7 times the work of one; each has so many seconds."""
    found = []
    for count in (1, 2):
        run_for(seconds, local_workers(count), folder / str(count), count, "socket")
        found.append(rate(folder / str(count)))
    print(f"one worker {found[0]:,.0f} steps a second, two {found[1]:,.0f}: {found[1] / found[0]:.2f} times")
    return found[1] >= 1.7 * found[0]


def main(words: list[str]) -> bool:
    """Run what the words say."""
    seconds = next((float(word) for word in words if not word.startswith("-")), 600.0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "--rates" in words:
            return rates(seconds, folder)
        if "--dask" in words:
            with cluster(folder) as executing:
                return finds(seconds, folder, executing)
        return finds(seconds, folder, local_workers(2))


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))

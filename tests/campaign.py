"""A campaign over workers of which one is killed in the middle: python -m tests.campaign [--dask] [SECONDS]

A fault that shows in few of its steps has to be found, shrunk, and shown again by its sequence. Prints the rates of one worker
and of two.
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
from contextlib import suppress
from pathlib import Path
from typing import Any

from lifecycle.conformance import replay
from lifecycle.conformance.campaigns.campaign import STATE, Executing, local_workers, run_campaign, workers_of
from lifecycle.conformance.campaigns.jobs import Chosen

NAME = "tests.campaign:Deep"


class Deep(socket.socket):
    """Loses the last byte of what it receives once it has sent three messages and received two."""

    sent = received = 0

    def send(self, data: Any, flags: int = 0) -> int:
        """Count what is sent."""
        self.sent += len(data) < 100
        return super().send(data, flags)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Give less, deep in the history."""
        got = super().recv(size, flags)
        self.received += bool(got)
        return got[:-1] if self.sent >= 3 and self.received >= 3 else got


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


def main(seconds: float, *, dask: bool) -> bool:
    """Whether the fault was found, and shows again."""
    with tempfile.TemporaryDirectory() as name:
        processes = []
        executing = local_workers(2)
        if dask:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                address = f"127.0.0.1:{free.getsockname()[1]}"
            port = address.rpartition(":")[2]
            dask_ = [sys.executable, "-m", "dask"]
            processes = [subprocess.Popen([*dask_, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"])]
            time.sleep(3)
            worker = [*dask_, "worker", f"tcp://{address}", "--nthreads", "1", "--no-dashboard"]
            processes += [subprocess.Popen(worker) for _ in range(2)]
            executing = workers_of(f"tcp://{address}")
        try:
            folder = Path(name) / "two"
            folder.mkdir()
            kill_one(folder, seconds / 2)
            report = run_for(seconds, executing, folder, 2)
            found = [each for each in report.unexplained if each.call == "receive"]
            for each in found[:1]:
                print(f"{each}: {len(each.steps)} steps: {' > '.join(each.steps)}")
            again = replay(NAME, "client", *found[0].steps) if found else None
            print(
                f"{rate(folder):,.0f} steps a second of two workers; {len(found)} sequences; shown again: {again is not None}"
            )
        finally:
            for process in processes:
                process.kill()
        if not dask and seconds >= 60:
            rates = []
            for count in (1, 2):
                folder = Path(name) / f"rate{count}"
                run_for(seconds / 6, local_workers(count), folder, count, "socket")
                rates.append(rate(folder))
            print(f"one worker {rates[0]:,.0f} steps a second, two {rates[1]:,.0f}: {rates[1] / rates[0]:.2f} times")
        return again is not None


if __name__ == "__main__":
    words = [each for each in sys.argv[1:] if each != "--dask"]
    sys.exit(not main(float(words[0]) if words else 600.0, dask="--dask" in sys.argv))

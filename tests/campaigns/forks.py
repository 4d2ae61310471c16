"""A fork every 50 ms while threads make calls: the child's objects can be used and closed, and hold nothing of other threads.

`python -m tests.campaigns.forks [SECONDS]`: exits with 1 when something is wrong.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from contextlib import suppress
from typing import Any

from lifecycle import Client, IllegalCall, Server

HOST = "127.0.0.1"
EVERY = 0.05
CLAIMED, LOCKED, WAITS, FAILED, UNUSABLE = 1, 2, 4, 8, 16
WORDS = {CLAIMED: "a claim was left", LOCKED: "a lock was held", WAITS: "a wait was left", FAILED: "close() failed"}
WORDS[UNUSABLE] = "a call did not go on"


def _churn(stop: threading.Event, server: Server, shared: list[Any]) -> None:
    while not stop.is_set():
        with suppress(IllegalCall, OSError):
            server.listen()
        with suppress(IllegalCall, OSError):
            server.accept().close()
        with suppress(IllegalCall, OSError), Client(timeout=1) as client:
            shared[0] = client
            client.create(0, HOST)
            client.connect(*server.local_address)


def _in_child(server: Server, shared: list[Any]) -> int:
    """What is wrong in a forked child."""
    signal.alarm(5)
    found = 0
    client = shared[0]
    for each in (server, client):
        if each.is_blocking:
            found |= WAITS
        if each._lock.locked():
            found |= LOCKED
    try:
        server.listen()  # whatever claim a vanished thread has left
        if server._claim is not None:
            found |= CLAIMED
        server.timeout = 0
        with suppress(BlockingIOError):
            server.accept().close()
    except (IllegalCall, OSError):
        found |= UNUSABLE
    try:
        server.close()
        client.close()
    except BaseException:
        found |= FAILED
    return found


def run(seconds: float) -> tuple[int, Counter[str]]:
    """How many forks, and what was wrong in how many of them."""
    stop, wrong, forks = threading.Event(), Counter[str](), 0
    server = Server(timeout=0.01)
    server.create(0, HOST)
    server.listen()
    shared: list[Any] = [Client()]
    threads = [threading.Thread(target=_churn, args=(stop, server, shared), daemon=True) for _ in range(8)]
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    begin = time.monotonic()
    try:
        for thread in threads:
            thread.start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while time.monotonic() - begin < seconds:
                time.sleep(EVERY)
                child = os.fork()
                if not child:
                    code = FAILED
                    try:
                        code = _in_child(server, shared)
                    finally:
                        os._exit(code)
                _, status = os.waitpid(child, 0)
                forks += 1
                if os.WIFSIGNALED(status):
                    wrong["the child hung"] += 1
                for bit, word in WORDS.items():
                    if os.WIFEXITED(status) and os.WEXITSTATUS(status) & bit:
                        wrong[word] += 1
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
        sys.setswitchinterval(switching)
        server.close()
    return forks, wrong


def main() -> int:
    forks, wrong = run(float(sys.argv[1]) if len(sys.argv) > 1 else 10)
    print(f"{sys.version.split()[0]}: {forks} forks; wrong: {dict(wrong) or 'nothing'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

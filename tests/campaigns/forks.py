"""A fork every 50 ms while threads make calls: the child's objects can be used and closed, and hold nothing of other threads.

`python -m tests.campaigns.forks [SECONDS] [--plain]`: exits with 1 when something is wrong. --plain: the same with the standard
library's sockets, without this package. Without the GIL a child may hang there, too: a lock of the interpreter that another
thread holds stays held in the child, as that of a dict whose keys are not interned (the tables' are).
"""

from __future__ import annotations

import os
import signal
import socket
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


def _churn_plainly(stop: threading.Event, server: socket.socket, shared: list[Any]) -> None:
    while not stop.is_set():
        with suppress(OSError):
            server.accept()[0].close()
        with suppress(OSError), socket.socket() as client:
            client.settimeout(1)
            shared[0] = client
            client.bind((HOST, 0))
            client.connect(server.getsockname())


def run_plain(seconds: float) -> tuple[int, int]:
    """The same with sockets of the standard library: how many forks, and how many children hung."""
    stop, forks, hung = threading.Event(), 0, 0
    server = socket.create_server((HOST, 0))
    server.settimeout(0.01)
    shared: list[Any] = [socket.socket()]
    threads = [threading.Thread(target=_churn_plainly, args=(stop, server, shared), daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        time.sleep(EVERY)
        child = os.fork()
        if not child:
            signal.alarm(5)
            server.settimeout(0)
            with suppress(OSError):
                server.accept()[0].close()
            server.close()
            shared[0].close()
            os._exit(0)
        forks += 1
        hung += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    stop.set()
    for thread in threads:
        thread.join(10)
    return forks, hung


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--plain"]
    seconds = float(words[0]) if words else 10
    version = sys.version.split()[0]
    if "--plain" in sys.argv:
        warnings.simplefilter("ignore")
        forks, hung = run_plain(seconds)
        print(f"{version}, without the package: {forks} forks; {hung} children hung")
        return 1 if hung else 0
    forks, wrong = run(seconds)
    print(f"{version}: {forks} forks; wrong: {dict(wrong) or 'nothing'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

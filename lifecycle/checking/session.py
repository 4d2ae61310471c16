"""Checking a stretch of a program from inside: `with checked_sockets() as findings:`."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lifecycle.checking import checker, methods, registry
from lifecycle.checking.checker import Checker, Mode
from lifecycle.checking.findings import Finding
from lifecycle.checking.overtaking import judge_those_on_their_way

_lock = threading.RLock()
_running = 0
_follows_forks = False


@contextmanager
def checked_sockets(mode: str = "observe", *, open_is_leak: bool = True) -> Iterator[list[Finding]]:
    """Check the socket calls of all threads while the block runs; the list that it gives grows with each finding.

    mode: "observe" only reports; "warn" also gives a LifecycleWarning; "enforce" raises IllegalCall before the system is asked.
    open_is_leak: report, when the block ends, what was made in it and is still open.

    Raises ValueError for another mode. A socket that is older than the block is taken up in the state that it is really in.

    >>> import socket
    >>> from lifecycle.checking import checked_sockets
    >>> with checked_sockets() as findings, socket.socket() as sock:
    ...     sock.listen()
    >>> print(findings[0].kind, findings[0].call, findings[0].remedy)
    portability listen ('bind',)
    """
    current = Checker(Mode(mode))
    first = next(checker.numbers)
    start(current)
    try:
        yield current.findings
    except BaseException:
        open_is_leak = False  # who leaves by an error closes nothing
        raise
    finally:
        gc.collect()
        registry.judge_the_dead()
        judge_those_on_their_way()
        if open_is_leak:
            registry.judge_the_living(first)
        stop(current)


def start(current: Checker) -> None:
    """Begin to check for `current`."""
    global _running, _follows_forks
    with _lock:
        if not _follows_forks and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=registry.inherit_all)
            _follows_forks = True
        checker.begin(current)
        _running += 1
        methods.install()


def stop(current: Checker) -> None:
    """No longer check for `current`; the last one gives the standard library its methods back."""
    global _running
    with _lock:
        checker.end(current)
        _running -= 1
        if not _running:
            methods.uninstall()
            registry.forget_all()

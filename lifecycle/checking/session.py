"""`with checked_sockets() as findings:` checks the sockets of a program from inside."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lifecycle.checking import checkers, drop_in, handed, late, loops, registry, waiting
from lifecycle.checking.checkers import Checker
from lifecycle.checking.concurrent_close import judge_in_flight
from lifecycle.checking.findings import Finding
from lifecycle.checking.late import Watcher
from lifecycle.checking.settings import Mode


def _watch_tls() -> None:
    from lifecycle.checking import secured_memory, tls, tls_waits  # which import ssl

    tls.install()
    secured_memory.install()
    tls_waits.install()


def _judge_tls() -> None:
    from lifecycle.checking import secured_memory, tls

    tls.judge_waits()
    secured_memory.judge()


def _leave_tls() -> None:
    from lifecycle.checking import secured_memory, tls, tls_waits

    tls_waits.uninstall()
    secured_memory.uninstall()
    tls.uninstall()


_WATCHERS = {
    "asyncio.selector_events": Watcher(loops.install, loops.uninstall, lambda: None),
    handed.POOLS: Watcher(handed.install_pools, handed.uninstall_pools, lambda: None),
    "ssl": Watcher(_watch_tls, _leave_tls, _judge_tls),
}

_lock = threading.RLock()
_running = 0
_follows_forks = False


@contextmanager
def checked_sockets(mode: str = "observe", *, open_is_leak: bool = True, strict: bool = False) -> Iterator[list[Finding]]:
    """Check the socket calls of all threads while the block runs; yields a list to which each finding is added.

    mode: "observe" only reports; "warn" also gives a LifecycleWarning; "enforce" raises IllegalCall before the system is
    asked. open_is_leak: report, when the block ends, the sockets that were made in it and are still open. strict:
    give notes, too: calls that are illegal, and that the program guards by a `try`.

    Raises ValueError for another mode. A socket that is older than the block is followed from the state that it is really in.

    >>> import socket
    >>> from lifecycle.checking import checked_sockets
    >>> with checked_sockets() as findings, socket.socket() as sock:
    ...     sock.listen()
    >>> print(findings[0].kind, findings[0].call, findings[0].remedy)
    portability listen ('bind',)
    """
    current = Checker(Mode(mode), strict=strict)
    first = checkers.other_number()
    start(current)
    try:
        yield current.findings
    except BaseException:
        open_is_leak = False  # a block that an exception leaves had no chance to close
        raise
    finally:
        gc.collect()
        judge_what_is_left(first if open_is_leak else None)
        stop(current)


def judge_what_is_left(first: int | None = 0) -> None:
    """Report leaks and races that only the end of a check shows.

    first: the number of the first socket that must be closed by now; None if sockets may stay open.
    """
    registry.judge_the_dead()
    judge_in_flight()
    late.judge()
    if first is not None:
        registry.judge_the_living(first)


def start(current: Checker) -> None:
    """Begin to check for `current`."""
    global _running, _follows_forks
    with _lock:
        if not _follows_forks and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=registry.inherit_all)
            _follows_forks = True
        checkers.begin(current)
        _running += 1
        drop_in.install()
        if _running == 1:
            waiting.install()
            handed.install()
            late.begin(_WATCHERS)


def stop(current: Checker) -> None:
    """End the check for `current`; the last one restores the methods of the standard library's socket."""
    global _running
    with _lock:
        checkers.end(current)
        _running -= 1
        if not _running:
            drop_in.uninstall()
            waiting.uninstall()
            handed.uninstall()
            late.end()
            registry.forget_all()

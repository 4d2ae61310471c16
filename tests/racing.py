"""Calls at the same moment in many threads, and what a race may do to each of them."""

from __future__ import annotations

import errno
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from loopback import LONG, Background

from lifecycle import IllegalCall
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket

THREADS = 64


@contextmanager
def frequent_switches() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def race(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls at the same moment, each in its own thread; what they returned, or the first of their errors."""
    barrier = threading.Barrier(len(calls))

    def at_the_barrier(call: Callable[[], Any]) -> Any:
        barrier.wait(LONG)
        return call()

    running = [Background(lambda call=call: at_the_barrier(call)) for call in calls]  # type: ignore[misc]
    return [each.result() for each in running]


def tolerant(sock: OsSocket, name: str, *arguments: Any) -> Callable[[], str]:
    """The call, with only the endings that a race may give it: done, refused, or an error of the system that classifies."""

    def call() -> str:
        try:
            getattr(sock, name)(*arguments)
        except IllegalCall as refusal:
            return type(refusal).__name__
        except OSError as error:
            outcome = sock.outcome_of(name, error)
            if error.errno == errno.EBADF or outcome not in {each.name for each in sock.role.outcomes}:
                raise AssertionError(f"{name}() ended in {outcome}: a race must not show {error!r}") from error
            return outcome
        return "done"

    return call

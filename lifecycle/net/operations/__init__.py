"""The operations behind the calls of a socket, each written once, as a generator over non-blocking system calls.

An operation yields what it needs (a Wait or a Resolve), is resumed when a driver has it, and returns the call's result. It
does not wait, has no timeout and starts no task. What ends a wait (a timeout, a close) is thrown into it by the driver.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from types import EllipsisType
from typing import Any, NamedTuple, TypeVar

Value = TypeVar("Value")

Timeout = float | None | EllipsisType
"""Seconds that one call may wait, None for ever; `...` stands for the object's own timeout."""


class Wait(NamedTuple):
    """Until a socket is readable, or writable.

    sockets: those of which one must be ready; None for the object's own. until: the time.monotonic() at which to resume at the
    latest; None for none. goes_on: whether something was done since the last wait. A socket that is reported ready again and
    again without being so (poll(2) does this for an error queue) is asked less often.
    """

    writing: bool
    sockets: tuple[socket.socket, ...] | None = None
    until: float | None = None
    goes_on: bool = False


READABLE = Wait(writing=False)
WRITABLE = Wait(writing=True, goes_on=True)
MORE_READABLE = Wait(writing=False, goes_on=True)
STILL_WRITABLE = Wait(writing=True)

PATIENCE = 64
"""How many times in a row a call waits in vain before it pauses for a moment after each"""


class Resolve(NamedTuple):
    """The addresses of a name, as socket.getaddrinfo() gives them."""

    host: str
    port: int
    family: int
    kind: int


Operation = Generator[Wait | Resolve, Any, Value]

PAUSE = 0.01
"""Seconds between two tries of a call for which the system does not report readiness"""


def checked_timeout(seconds: float | None) -> float | None:
    """`seconds`, or None. TypeError if it is not a number, ValueError if it is negative or NaN."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"a timeout is a number of seconds or None, not {type(seconds).__name__}")
    if not seconds >= 0:
        raise ValueError(f"a timeout is 0 or more seconds, not {seconds}")
    return seconds


def pausing() -> Operation[None]:
    """Wait for a while, as a call waits: with its timeout, its cancellation and its object's end."""
    yield Wait(False, (), time.monotonic() + PAUSE, goes_on=True)

"""The error that mode `enforce` raises: an IllegalCall that is also the OSError with which the system would have answered.

So what a program catches around its calls on sockets catches this error, too.
"""

from __future__ import annotations

import errno
import os
import sys
from functools import cache
from typing import Any

from lifecycle.checking.observed import ObservedState, answers
from lifecycle.engine import IllegalCall, Role

_SYSTEMS = {"linux": "linux", "win32": "winsock", "darwin": "macos"}


def refusal(state: ObservedState, call: str, owner: str) -> IllegalCall:
    """The error for an illegal call on an object of the class named `owner`."""
    return _made(state.role, state.stands_for, call, owner, _number(state, call))


def _number(state: ObservedState, call: str) -> int:
    """The error with which this system answers, or else another one that refuses the call."""
    if state.final:
        return errno.EBADF
    known = answers(state.role.name, state.name, call)
    for system in (_SYSTEMS.get(sys.platform, "linux"), *known):
        number = getattr(errno, known.get(system, "").removeprefix("WSA"), None)
        if isinstance(number, int):
            return number
    return errno.EINVAL


def _made(role: Role, state: str, call: str, owner: str, number: int) -> IllegalCall:
    system_error: Any = type(OSError(number, ""))
    error: Any = _class_over(system_error)(role, state, call, owner, answers)
    error.errno, error.strerror, error.filename, error.filename2 = number, os.strerror(number), None, None
    return error  # type: ignore[no-any-return]


@cache
def _class_over(system_error: Any) -> type[IllegalCall]:
    """IllegalCall that is also a `system_error`; a traceback shows it by the name under which users know it."""

    def reduced(error: Any) -> tuple[Any, ...]:
        _, (role, state, call, owner, _) = IllegalCall.__reduce__(error)
        return _made, (role, state, call, owner, error.errno)

    namespace = {"__module__": IllegalCall.__module__, "__doc__": IllegalCall.__doc__, "__reduce__": reduced}
    return type(IllegalCall.__name__, (IllegalCall, system_error), namespace)

"""The error that mode `enforce` raises: an IllegalCall that is also the OSError with which the system would have answered.

So the program's own handlers around socket calls catch this error, too.
"""

from __future__ import annotations

import errno
import os
import sys
from functools import cache
from typing import Any

from lifecycle.checking.observed import ObservedState, answers, state_named
from lifecycle.engine import IllegalCall
from lifecycle.roles.python.observed import shown

_SYSTEMS = {"linux": "linux", "win32": "winsock", "darwin": "macos"}


def refusal(state: ObservedState, call: str, owner: str) -> IllegalCall:
    """The error for an illegal call on an object of the class named `owner`."""
    return _made(state.role.name, state.name, call, owner, _number(state, call))


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


def _made(role: str, name: str, call: str, owner: str, number: int) -> IllegalCall:
    state = state_named(role, name)
    system_error: Any = type(OSError(number, ""))
    error: Any = _class_over(system_error)(state.role, state.stands_for, call, owner, answers)
    error.errno, error.strerror, error.filename, error.filename2 = number, os.strerror(number), None, None
    error.observed = state
    return error  # type: ignore[no-any-return]


@cache
def _class_over(system_error: Any) -> type[IllegalCall]:
    """IllegalCall that is also a `system_error`; a traceback shows it by the name under which users know it."""

    class Refused(IllegalCall, system_error):  # type: ignore[misc] # an OSError has a layout of its own, and IllegalCall none
        observed: ObservedState

        @property
        def legal(self) -> tuple[str, ...]:
            return self.observed.legal_calls()

        @property
        def reason(self) -> str:
            return self.observed.reason(self.call)

        @property
        def remedy(self) -> tuple[str, ...] | None:
            return self.observed.remedy(self.call)

        def _headline(self) -> str:
            return f"{self.owner}.{self.call}() is not legal in state {shown(self.observed.name)!r}."

        def _advice(self) -> str:
            help = self.observed.help(self.call)
            return f"{help}." if help else super()._advice()

        def __reduce__(self) -> tuple[Any, ...]:
            return _made, (self.observed.role.name, self.observed.name, self.call, self.owner, self.errno)

    Refused.__name__ = Refused.__qualname__ = IllegalCall.__name__
    Refused.__module__ = IllegalCall.__module__
    return Refused

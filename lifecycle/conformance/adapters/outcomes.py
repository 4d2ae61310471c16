"""Classifies what a socket's call brought by the outcomes of the roles: the same for every implementation."""

from __future__ import annotations

import errno
import socket

from lifecycle.engine import IllegalCall
from lifecycle.roles import ROLES
from lifecycle.system.outcomes import outcome_of_number

_WAITING = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINPROGRESS, errno.EALREADY})


def outcome_of_error(role: str, call: str, error: BaseException) -> str:
    """The outcome that an exception means; "raised X" for one that no socket should raise."""
    match error:
        case IllegalCall():
            return "illegal"
        case BlockingIOError():
            return "pending"
        case TimeoutError(errno=None):
            return "timed_out"
        case InterruptedError() | socket.gaierror():
            return "failed"
        case OSError():
            return outcome_of_number(ROLES[role].call(call).errors, error.errno)
    return f"raised {type(error).__name__}"


def outcome_of_value(role: str, call: str, arguments: tuple[object, ...], value: object) -> str:
    """The outcome that a returned value means."""
    if call == "shut_down":
        return str(arguments[0])
    if call in ("receive", "receive_from") and value == b"" and role in ("client", "accepted") and arguments[0]:
        return "eof"
    return "ok"


BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RecursionError, TypeError, SystemExit)
"""what is raised by code that is wrong, rather than by code that refuses a call"""


def system_answer(error: BaseException | None) -> str:
    """An answer in the words of the platform tables: "ok", "blocks" or the error's name."""
    if error is None:
        return "ok"
    if isinstance(error, TimeoutError) and error.errno is None:
        return "blocks"
    number = getattr(error, "errno", None)
    if number in _WAITING:
        return {errno.EINPROGRESS: "ok", errno.EALREADY: "EALREADY"}.get(number, "blocks")
    return text_of(error)


def detail_of(error: BaseException) -> str:
    """An error as detail of its outcome: in one word where a socket may raise it, else what it says.

    A refusal builds its text when it is asked for, which would cost as much as the rest of the step.
    """
    return text_of(error) if isinstance(error, (OSError, IllegalCall)) else str(error) or type(error).__name__


def text_of(error: BaseException) -> str:
    """An error in one word: the name of its number, or of its class."""
    number = getattr(error, "errno", None)
    if number == errno.EOPNOTSUPP:
        return "EOPNOTSUPP"  # on some systems also ENOTSUP, and the platform tables have this name
    name = errno.errorcode.get(number) if isinstance(number, int) else None
    return name or type(error).__name__

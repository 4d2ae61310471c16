"""Classifies the result of a socket's call by the outcomes of its role: the same for every implementation."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from functools import cache

from lifecycle.engine import IllegalCall, Role
from lifecycle.engine.vocabulary import EOF
from lifecycle.roles import ROLES
from lifecycle.roles.words import RECEIVE, RECEIVE_FROM, RECEIVE_HANDLES, SHUT_DOWN
from lifecycle.system.outcomes import outcome_of_class, outcome_of_number

_WAITING = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINPROGRESS, errno.EALREADY})

UNDER_WAY = "EINPROGRESS"
"""the answer of a connect() that is still under way"""

NUMBERS: Mapping[type[OSError], int] = {
    ConnectionResetError: errno.ECONNRESET,
    ConnectionAbortedError: errno.ECONNABORTED,
    ConnectionRefusedError: errno.ECONNREFUSED,
    BrokenPipeError: errno.EPIPE,
}
"""an error's class -> the number that it stands for"""

PLAIN_ERRORS = frozenset({OSError, BlockingIOError, TimeoutError, *NUMBERS})
"""classes of errors that say no more than their error numbers"""

BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RecursionError, TypeError, SystemExit)
"""errors of code that is wrong, rather than of code that refuses a call"""


ANY_ERROR = (Exception, SystemExit, GeneratorExit)
"""the exceptions that an implementation may raise; an interrupt comes from the user"""


def message_of(error: BaseException) -> str:
    """The text of an error of an implementation, which may raise."""
    try:
        return str(error)
    except ANY_ERROR as another:
        return f"its text raises {type(another).__name__}"


def error_text(error: BaseException) -> str:
    """The class of an error of an implementation, and its text."""
    return f"{type(error).__name__}: {message_of(error)}"


def outcome_of_error(role: str, call: str, error: BaseException) -> str:
    """The outcome that an exception means; "raised X" for one that no socket should raise."""
    match error:
        case IllegalCall():
            return "illegal"
        case BlockingIOError():
            return "pending"
        case OSError() if waits_for_tls(error):
            return "pending"
        case TimeoutError(errno=None):
            return "timed_out"
        case socket.gaierror():
            return "failed"
        case OSError():
            errors = ROLES[role].call(call).errors
            number = None if _is_of_ssl(error) else _errno_of(error) or _number_of(error)
            return outcome_of_class(errors, type(error).__name__) or outcome_of_number(errors, number)
    return f"raised {type(error).__name__}"


def _errno_of(error: BaseException) -> int | None:
    """The number of an implementation's error, if it has one and reading it raises nothing."""
    try:
        number = getattr(error, "errno", None)
    except ANY_ERROR:
        return None
    return number if isinstance(number, int) else None


def _number_of(error: OSError) -> int | None:
    """The number for an error that was raised without one (as by asyncio), from its class."""
    return next((number for kind, number in NUMBERS.items() if isinstance(error, kind)), None)


def outcome_of_value(role: str, call: str, arguments: tuple[object, ...], value: object) -> str:
    """The outcome that a returned value means."""
    if call == SHUT_DOWN.name:
        return str(arguments[0])
    if (
        value == b""
        and arguments[0]
        and call in (RECEIVE.name, RECEIVE_FROM.name, RECEIVE_HANDLES.name)
        and _ends(ROLES[role], call)
    ):
        return EOF.name
    return "ok"


@cache
def _ends(role: Role, call: str) -> bool:
    """Whether this call can show the end of a stream."""
    return any(EOF.name in row.get(call, {}) for row in role.table.values())


def system_answer(error: BaseException | None) -> str:
    """An answer in the words of the platform tables: "ok", "blocks", "EINPROGRESS" or another error's name."""
    if error is None:
        return "ok"
    if isinstance(error, TimeoutError) and error.errno is None:
        return "blocks"
    number = _errno_of(error)
    if _is_of_ssl(error):
        return "blocks" if waits_for_tls(error) else text_of(error)
    if number in _WAITING:
        return {errno.EINPROGRESS: UNDER_WAY, errno.EALREADY: "EALREADY"}.get(number, "blocks")
    return text_of(error)


def _is_of_ssl(error: BaseException) -> bool:
    """Whether it is one of ssl's own errors, whose numbers are not the system's; found out without importing ssl."""
    return type(error).__module__ == "ssl"


def waits_for_tls(error: BaseException) -> bool:
    """Whether TLS waits for the connection below it."""
    return type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")


def detail_of(error: BaseException) -> str:
    """An error as detail of its outcome: one word if a socket may raise it, otherwise its text.

    A refusal builds its text when it is asked for, which would cost as much as the rest of the step.
    """
    return text_of(error) if isinstance(error, (OSError, IllegalCall)) else message_of(error) or type(error).__name__


def text_of(error: BaseException) -> str:
    """An error in one word: the name of its number, or of its class."""
    number = _errno_of(error)
    if _is_of_ssl(error):
        return type(error).__name__  # its numbers are OpenSSL's
    if number == errno.EOPNOTSUPP:
        return "EOPNOTSUPP"  # on some systems also ENOTSUP, and the platform tables have this name
    name = None if number is None else errno.errorcode.get(number)
    return name or type(error).__name__

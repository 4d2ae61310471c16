"""How the results and errors of the standard library's sockets classify to outcomes, and which errors the order explains."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lifecycle.checking.phases import Phase
from lifecycle.roles import CLIENT, DATAGRAM
from lifecycle.roles.python_vocabulary import METHODS, PACKAGE_CALLS
from lifecycle.system import outcomes as system

ORDER_ERRORS: Mapping[int, str] = {
    number: name
    for name in ("EBADF", "EINVAL", "ENOTCONN", "EISCONN", "EPIPE", "EDESTADDRREQ", "EOPNOTSUPP", "EALREADY", "ESHUTDOWN",
                 "ECONNABORTED", "ENOTSOCK")
    for prefixed in (name, f"WSA{name}")
    if (number := getattr(errno, prefixed, None)) is not None
}  # fmt: skip
"""Errors by which a system says that a call came in the wrong state; others are the network's, or the arguments'."""

CLOSED_ERRORS = frozenset(
    number for name in ("EBADF", "ENOTSOCK", "WSAENOTSOCK", "WSAEBADF") if (number := getattr(errno, name, None)) is not None
)
"""Errors by which a system says that the socket has gone while a call was using it."""

_GOING_ON = frozenset(
    number
    for name in ("EINPROGRESS", "EALREADY", "EWOULDBLOCK", "EAGAIN", "WSAEWOULDBLOCK", "WSAEINPROGRESS", "WSAEALREADY")
    if (number := getattr(errno, name, None)) is not None
)
_CONNECTED_ALREADY = frozenset(
    number for name in ("EISCONN", "WSAEISCONN") if (number := getattr(errno, name, None)) is not None
)
_DIRECTIONS = {socket.SHUT_RD: "receives", socket.SHUT_WR: "sends", socket.SHUT_RDWR: "both"}

Arguments = Sequence[Any]


def outcome_of_result(phase: Phase, call: str, arguments: Arguments, result: Any) -> str | None:
    """The outcome of a call that returned; None where nothing was asked of the system."""
    classify = _RESULTS.get(call)
    return "ok" if classify is None else classify(phase, arguments, result)


def outcome_of_error(phase: Phase, call: str, error: BaseException) -> str | None:
    """The outcome of a call that raised; None where nothing was asked of the system, or the program was told to stop."""
    match error:
        case BlockingIOError():
            return "pending"
        case TimeoutError(errno=None):
            return "timed_out"
        case socket.gaierror() | socket.herror():
            return None
        case OSError():
            return outcome_of_number(phase, call, error.errno)
    return None


def outcome_of_number(phase: Phase, call: str, number: int | None) -> str:
    """The outcome of a call that failed with that error number."""
    if call in METHODS["connect"]:
        if number in _GOING_ON:
            return "pending"
        if number in _CONNECTED_ALREADY and call in phase.legal:
            return "ok"
    return system.outcome_of_number(_errors(phase, call), number)


def _errors(phase: Phase, call: str) -> system.Errors:
    calls = {each.name: each for each in (DATAGRAM if phase.role.name == DATAGRAM.name else CLIENT).calls}
    known = calls.get(PACKAGE_CALLS.get(call, call))
    return {} if known is None else known.errors


def _of_connect_ex(phase: Phase, arguments: Arguments, result: Any) -> str:
    return outcome_of_number(phase, "connect_ex", result) if result else "ok"


def _of_shutdown(phase: Phase, arguments: Arguments, result: Any) -> str:
    return _DIRECTIONS.get(int(arguments[0]), "both")


def _of_getsockopt(phase: Phase, arguments: Arguments, result: Any) -> str:
    if tuple(arguments[:2]) != (socket.SOL_SOCKET, socket.SO_ERROR) or phase.after("getsockopt", "confirmed") is phase:
        return "ok"
    return system.outcome_of_number(CLIENT.call("connect").errors, result) if result else "asked"


def _of_receiving(size_of: Callable[[Arguments], int], first: bool) -> Callable[[Phase, Arguments, Any], str | None]:
    """For the methods that receive: nothing at all from a stream is its end; where nothing was asked for, nothing is learnt."""

    def classify(phase: Phase, arguments: Arguments, result: Any) -> str | None:
        if result[0] if first else result:
            return "ok"
        if not size_of(arguments):
            return None
        return "eof" if phase.role.name == "stream" else "ok"

    return classify


def _size(arguments: Arguments) -> int:
    return int(arguments[0]) if arguments else 1


def _size_of_buffer(arguments: Arguments) -> int:
    if not arguments:  # given by keyword
        return 1
    return int(arguments[1]) if len(arguments) > 1 and arguments[1] else memoryview(arguments[0]).nbytes


def _size_of_buffers(arguments: Arguments) -> int:
    return (
        sum(memoryview(buffer).nbytes for buffer in arguments[0])
        if arguments and isinstance(arguments[0], (list, tuple))
        else 1
    )


_RESULTS: Mapping[str, Callable[[Phase, Arguments, Any], str | None]] = {
    "connect_ex": _of_connect_ex,
    "shutdown": _of_shutdown,
    "getsockopt": _of_getsockopt,
    "recv": _of_receiving(_size, first=False),
    "recvfrom": _of_receiving(_size, first=True),
    "recvmsg": _of_receiving(_size, first=True),
    "recv_into": _of_receiving(_size_of_buffer, first=False),
    "recvfrom_into": _of_receiving(_size_of_buffer, first=True),
    "recvmsg_into": _of_receiving(_size_of_buffers, first=True),
}

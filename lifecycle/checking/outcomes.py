"""Classifies the results and errors of the standard library's sockets to outcomes."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lifecycle.checking.observed import ObservedState
from lifecycle.roles.python_vocabulary import METHODS, PACKAGE_CALLS
from lifecycle.sockets.classify import CONNECTING, DATAGRAM_ERRORS, FAILED, STREAM_ERRORS, ErrorTable

ORDER_ERRORS: Mapping[int, str] = {
    number: name
    for name in ("EBADF", "EINVAL", "ENOTCONN", "EISCONN", "EPIPE", "EDESTADDRREQ", "EOPNOTSUPP", "EALREADY", "ESHUTDOWN",
                 "ECONNABORTED", "ENOTSOCK")
    for prefixed in (name, f"WSA{name}")
    if (number := getattr(errno, prefixed, None)) is not None
}  # fmt: skip
"""the errors that the state of a socket explains; others come from the network, or from the arguments"""

CLOSED_ERRORS = frozenset(
    number for name in ("EBADF", "ENOTSOCK", "WSAENOTSOCK", "WSAEBADF") if (number := getattr(errno, name, None)) is not None
)
"""the errors of a call whose descriptor is gone"""

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


def outcome_of_result(state: ObservedState, call: str, arguments: Arguments, result: Any) -> str | None:
    """The outcome of a call that returned; None where the system was not asked."""
    classify = _RESULTS.get(call)
    return "ok" if classify is None else classify(state, arguments, result)


def outcome_of_error(state: ObservedState, call: str, error: BaseException) -> str | None:
    """The outcome of a call that raised; None where the system was not asked, or the error is not the system's."""
    match error:
        case BlockingIOError():
            return "pending"
        case TimeoutError(errno=None):
            return "timed_out"
        case socket.gaierror() | socket.herror():
            return None
        case OSError():
            return outcome_of_number(state, call, error.errno)
    return None


def outcome_of_number(state: ObservedState, call: str, number: int | None) -> str:
    """The outcome of a call that failed with that error number."""
    if call in METHODS["connect"]:
        if number in _GOING_ON:
            return "pending"
        if number in _CONNECTED_ALREADY and call in state.legal:
            return "ok"
    return _error_table(state, call).outcome(number)


def _error_table(state: ObservedState, call: str) -> ErrorTable:
    tables = DATAGRAM_ERRORS if state.role.name == "datagram" else STREAM_ERRORS
    return tables.get(PACKAGE_CALLS.get(call, call), FAILED)


def _of_connect_ex(state: ObservedState, arguments: Arguments, result: Any) -> str:
    return outcome_of_number(state, "connect_ex", result) if result else "ok"


def _of_shutdown(state: ObservedState, arguments: Arguments, result: Any) -> str:
    return _DIRECTIONS.get(int(arguments[0]), "both")


def _of_getsockopt(state: ObservedState, arguments: Arguments, result: Any) -> str:
    if tuple(arguments[:2]) != (socket.SOL_SOCKET, socket.SO_ERROR) or state.after("getsockopt", "confirmed") is state:
        return "ok"
    return CONNECTING.outcome(result) if result else "asked"


def _of_receiving(size_of: Callable[[Arguments], int], first: bool) -> Callable[[ObservedState, Arguments, Any], str | None]:
    """For the methods that receive: no bytes from a stream are its end, unless none were asked for."""

    def classify(state: ObservedState, arguments: Arguments, result: Any) -> str | None:
        if result[0] if first else result:
            return "ok"
        if not size_of(arguments):
            return None
        return "eof" if state.role.name == "stream" else "ok"

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


_RESULTS: Mapping[str, Callable[[ObservedState, Arguments, Any], str | None]] = {
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

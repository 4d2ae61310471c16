"""Classifies the results and errors of the standard library's sockets to outcomes."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lifecycle.checking.observed import ObservedState
from lifecycle.roles.python.words import ASKED, CLOSED_ERRORS, CONFIRMED, CONNECTING, ORDER_ERRORS
from lifecycle.roles.words import SHUT_DOWN_CHOICES
from lifecycle.system import outcomes as system

_NAMES = {getattr(errno, name): name for name in ORDER_ERRORS if hasattr(errno, name)}
_CLOSED = frozenset(getattr(errno, name) for name in CLOSED_ERRORS if hasattr(errno, name))

Arguments = Sequence[Any]


def error_name(number: int) -> str:
    """The name of an error of the system."""
    return _NAMES.get(number) or errno.errorcode.get(number, str(number))


def is_order_error(number: int) -> bool:
    """Whether the state of a socket explains the error; others come from the network, or from the arguments."""
    return number in _NAMES


def lost_descriptor(number: int | None) -> bool:
    """Whether it is the error of a call whose descriptor is gone."""
    return number in _CLOSED


def outcome_of_result(state: ObservedState, call: str, arguments: Arguments, result: Any) -> str | None:
    """The outcome of a call that returned; None where the system was not asked."""
    classify = RESULTS.get(call)
    return "ok" if classify is None else classify(state, arguments, result)


def outcome_of_error(state: ObservedState, call: str, error: BaseException) -> str | None:
    """The outcome of a call that raised; None where the system was not asked, or the error is not the system's."""
    if not isinstance(error, OSError):
        return None
    return _if_legal(state, call, system.outcome_of_error(state.role.call(call).errors, error))


def _if_legal(state: ObservedState, call: str, outcome: str | None) -> str | None:
    """An error that reports a success (EISCONN) does so only where the call is legal."""
    return "failed" if outcome == "ok" and call not in state.legal else outcome


def _of_returned_error(state: ObservedState, arguments: Arguments, result: Any) -> str | None:
    call = CONNECTING[-1]
    return _if_legal(state, call, system.outcome_of_number(state.role.call(call).errors, result)) if result else "ok"


def _of_shutdown(state: ObservedState, arguments: Arguments, result: Any) -> str:
    how = int(arguments[0])
    return SHUT_DOWN_CHOICES[{socket.SHUT_WR: 0, socket.SHUT_RD: 1}.get(how, 2)].name


def _of_getsockopt(state: ObservedState, arguments: Arguments, result: Any) -> str:
    is_result = tuple(arguments[:2]) == (socket.SOL_SOCKET, socket.SO_ERROR)
    if not is_result or state.after("getsockopt", CONFIRMED.name) is state:
        return "ok"
    number = int.from_bytes(result, sys.byteorder) if isinstance(result, bytes) else result  # as requested
    return system.outcome_of_number(state.role.call(CONNECTING[0]).errors, number) if number else ASKED.name


def _of_receiving(call: str, size_of: Callable[[Arguments], int], first: bool) -> Callable[..., str | None]:
    """For the methods that receive: no bytes from a stream are its end, unless none were asked for."""

    def classify(state: ObservedState, arguments: Arguments, result: Any) -> str | None:
        if result[0] if first else result:
            return "ok"
        if not size_of(arguments):
            return None
        return "eof" if state.has_end(call) else "ok"

    return classify


def _size(arguments: Arguments) -> int:
    return int(arguments[0]) if arguments else 1


def _size_of_buffer(arguments: Arguments) -> int:
    if not arguments:  # given by keyword
        return 1
    return int(arguments[1]) if len(arguments) > 1 and arguments[1] else memoryview(arguments[0]).nbytes


def _size_of_buffers(arguments: Arguments) -> int:
    if not (arguments and isinstance(arguments[0], (list, tuple))):
        return 1
    return sum(memoryview(buffer).nbytes for buffer in arguments[0])


RESULTS: Mapping[str, Callable[[ObservedState, Arguments, Any], str | None]] = {
    CONNECTING[-1]: _of_returned_error,
    "shutdown": _of_shutdown,
    "getsockopt": _of_getsockopt,
    **{
        call: _of_receiving(call, size_of, first)
        for call, size_of, first in (
            ("recv", _size, False),
            ("recvfrom", _size, True),
            ("recvmsg", _size, True),
            ("recv_into", _size_of_buffer, False),
            ("recvfrom_into", _size_of_buffer, True),
            ("recvmsg_into", _size_of_buffers, True),
        )
    },
}

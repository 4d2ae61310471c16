"""Outcomes of the system's errors, for the sockets, the socket files, the checker and the conformance suite.

The tables say which error means which outcome of a call (`Call.errors`), by errno names, or by the name of a
class of this package. Errors that are not listed mean `failed`.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from functools import cache

if sys.platform != "win32":
    import resource  # not when it is needed: there are no descriptors left then

Errors = Mapping[str, Sequence[str]]
"""outcome -> names of the errors that mean it, as in Call.errors"""


@cache
def _numbers(*names: str) -> frozenset[int]:
    return frozenset(number for name in names if (number := getattr(errno, name, None)) is not None)


UNDER_WAY = _numbers("EINPROGRESS", "EALREADY", "EWOULDBLOCK", "EINTR", "WSAEWOULDBLOCK", "WSAEINPROGRESS", "WSAEALREADY")
"""Answers of a connect whose result is not known yet."""

OUT_OF_DESCRIPTORS = _numbers("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM")
"""Errors for a lack of room for another socket on this machine, which may be temporary."""


def outcome_of_error(errors: Errors, error: BaseException) -> str | None:
    """The outcome of a call that raised an exception; None if the system was not asked.

    errors: what the call's entry in its table lists.
    """
    match error:
        case BlockingIOError():
            return "pending"
        case TimeoutError(errno=None):
            return "timed_out"
        case socket.gaierror() | socket.herror():
            return None
        case OSError():
            return outcome_of_class(errors, type(error).__name__) or outcome_of_number(errors, error.errno)
        case ValueError() | TypeError() | OverflowError() | BufferError():
            return None
    return "failed"


def outcome_of_class(errors: Errors, name: str) -> str | None:
    """The outcome of a call that failed with an error class of this package; None for the system's errors."""
    for outcome, names in errors.items():
        if name in names:
            return outcome
    return None


def outcome_of_number(errors: Errors, number: int | None) -> str:
    """The outcome of a call that failed with that error number."""
    if number is not None:
        for outcome, names in errors.items():
            if number in _numbers(*names):
                return outcome
    return "failed"


def system_error(number: int) -> OSError:
    """The OSError of the right class for an error number of the system."""
    return OSError(number, os.strerror(number))


def would_block() -> BlockingIOError:
    """The error of a call that would have to wait but must not."""
    return BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def closed_meanwhile() -> OSError:
    """The error of a call whose socket was closed; the engine turns it into ClosedDuringCall."""
    return system_error(errno.EBADF)


def note_limit(error: OSError) -> None:
    """Add a note to an error about too many descriptors: which limit was reached, and how to raise it."""
    if error.errno in OUT_OF_DESCRIPTORS and not hasattr(error, "__notes__"):
        error.add_note(limit_text(error.errno))


def limit_text(number: int) -> str:
    """The limit that an error of OUT_OF_DESCRIPTORS has reached, in a sentence."""
    if number != errno.EMFILE:
        return "It is the limit of the whole system, not of this process."
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        return (
            f"This process may have {soft} descriptors at a time (RLIMIT_NOFILE, `ulimit -n`); it may raise that to {hard} "
            "itself: resource.setrlimit(resource.RLIMIT_NOFILE, (...)). A connection takes one at each end."
        )
    return "This process has as many descriptors as the system allows."

"""The system's errors as outcomes: one function for the sockets, the socket files, the checker and the conformance suite.

The tables say which error means which outcome of a call (`Call.errors`), by errno's names of the errors, or by the name of a
class of the package's own. What is not listed is `failed`.
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
"""What this machine lacks when it has no more room for a socket; it may have room again later."""


def outcome_of_error(errors: Errors, error: BaseException) -> str | None:
    """The outcome that an exception of a call means; None where nothing was asked of the system.

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
    """The outcome of a call that failed with an error of the package's own, of that class; None for one of the system's."""
    return next((outcome for outcome, names in errors.items() if name in names), None)


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
    """The error of a call that must not wait where it would have to."""
    return BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def closed_meanwhile() -> OSError:
    """The error of a call whose socket was closed; the engine turns it into ClosedDuringCall."""
    return system_error(errno.EBADF)


def note_limit(error: OSError) -> None:
    """Add to an error about too many descriptors which limit was reached, and how to raise it."""
    if error.errno in OUT_OF_DESCRIPTORS and not hasattr(error, "__notes__"):
        error.add_note(limit_text(error.errno))


def limit_text(number: int) -> str:
    """Which limit an error of OUT_OF_DESCRIPTORS has reached, in a sentence."""
    if number != errno.EMFILE:
        return "The limit is the whole system's, and not this process's."
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        return (
            f"This process may have {soft} descriptors at a time (RLIMIT_NOFILE, `ulimit -n`); it may raise that to {hard} "
            "itself: resource.setrlimit(resource.RLIMIT_NOFILE, (...)). A connection takes one at each end."
        )
    return "This process has as many descriptors as the system gives it."

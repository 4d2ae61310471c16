"""The outcomes of errors, and what is added to an error about a limit."""

from __future__ import annotations

import errno
import socket
import sys

import pytest

from lifecycle.system import outcomes


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BlockingIOError(errno.EAGAIN, ""), "pending"), (TimeoutError("over"), "timed_out"),
        (TimeoutError(errno.ETIMEDOUT, ""), "late"),
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), "refused"),
        (OSError(errno.EBUSY, ""), "failed"), (OSError("no number"), "failed"),
        (PermissionError(errno.EACCES, ""), "named"), (socket.gaierror(socket.EAI_NONAME, ""), None),
        (socket.herror(1, ""), None),
        (ValueError(), None), (TypeError(), None), (OverflowError(), None), (BufferError(), None), (KeyError(), "failed"),
        (KeyboardInterrupt(), "failed"),
    ],
    ids=repr,
)  # fmt: skip
def test_the_outcome_of_each_error(error: BaseException, outcome: str | None) -> None:
    """By the error's class, by its number, or `failed`; None where the system was not asked."""
    errors = {"refused": ("ECONNREFUSED", "WSAECONNREFUSED"), "late": ("ETIMEDOUT",), "named": ("PermissionError",)}
    assert outcomes.outcome_of_error(errors, error) == outcome


def test_the_limit_that_was_reached_is_noted_once() -> None:
    """An error about descriptors says which limit it was and how to raise it, other errors say nothing more."""
    for number, words in ((errno.EMFILE, "RLIMIT_NOFILE"), (errno.ENFILE, "whole system"), (errno.ENOMEM, "whole system")):
        error = OSError(number, "")
        for _ in range(2):
            outcomes.note_limit(error)
        (note,) = error.__notes__
        assert words in note or sys.platform == "win32"
    other = OSError(errno.EACCES, "")
    outcomes.note_limit(other)
    assert not hasattr(other, "__notes__")
    made = (outcomes.would_block(), outcomes.closed_meanwhile(), outcomes.system_error(errno.ECONNRESET))
    assert [(type(each), each.errno) for each in made] == [
        (BlockingIOError, errno.EAGAIN), (OSError, errno.EBADF), (ConnectionResetError, errno.ECONNRESET),
    ]  # fmt: skip

"""The limits that the system sets on how many sockets a process has: said where one is met."""

from __future__ import annotations

import errno
import sys

OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What this machine lacks when it has no more room for a socket; it may have again."""


def note_limit(error: OSError) -> None:
    """Add to an error about too many descriptors which limit was met, and how to raise it."""
    if error.errno in OUT_OF_DESCRIPTORS and not hasattr(error, "__notes__"):
        error.add_note(limit_text(error.errno))


def limit_text(number: int) -> str:
    """Which limit an error of OUT_OF_DESCRIPTORS has met, in a sentence."""
    if number != errno.EMFILE:
        return "The limit is the whole system's, and not this process's."
    if sys.platform == "win32":
        return "This process has as many descriptors as the system gives it."
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        f"This process may have {soft} descriptors at a time (RLIMIT_NOFILE, `ulimit -n`); it may raise that to {hard} itself: "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (...)). A connection takes one at each end."
    )

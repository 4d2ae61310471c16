"""Passing descriptors over a Unix-domain socket (unix(7), SCM_RIGHTS): what a receiver does not keep is closed."""

from __future__ import annotations

import errno
import os
import socket
import sys
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsInt

from lifecycle.system.local_sockets import LOCAL_FAMILY

if TYPE_CHECKING:
    from _typeshed import HasFileno

MOST = 253
"""Descriptors that Linux lets one message carry (SCM_MAX_FD)"""

CLOSES_ON_EXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))
LOOKS_FIRST = sys.platform == "linux"
"""Whether a look at a message (MSG_PEEK) gives its descriptors, too"""


class Arrived(NamedTuple):
    """What one receive has taken.

    is_cut: not all descriptors could be opened. is_longer: the message was longer than what was asked for.
    """

    data: bytes
    handles: list[int]
    is_cut: bool
    is_longer: bool
    sender: Any


def numbers_of(handles: Iterable[int | HasFileno]) -> array[int]:
    """The descriptors, as numbers. TypeError for what is none."""
    numbers: list[Any] = [each if isinstance(each, int) else getattr(each, "fileno", lambda: None)() for each in handles]
    if any(not isinstance(number, int) or isinstance(number, bool) for number in numbers):
        raise TypeError("a handle is an int, or has a fileno()")
    return array("i", numbers)


def refuse_other_family(sock: socket.socket) -> None:
    """OSError (EOPNOTSUPP) for a socket that cannot pass descriptors."""
    if sock.family != LOCAL_FAMILY:
        raise _no_passing()


def _no_passing() -> OSError:
    return OSError(errno.EOPNOTSUPP, "only a Unix-domain socket passes descriptors: make the connection with path=")


def send_with_handles(sock: socket.socket, data: memoryview, handles: array[int]) -> int:
    """Send data, and with its first byte the descriptors; how many bytes. The sender's own stay open."""
    if sys.platform == "win32":
        raise _no_passing()
    return sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)] if handles else [])


def close_all(handles: Iterable[SupportsInt]) -> None:
    """Close descriptors that nobody wants."""
    for handle in handles:
        os.close(int(handle))


def look(sock: socket.socket, size: int) -> Arrived | None:
    """What the next receive would take, its descriptors closed again; None where the system cannot look first."""
    if not LOOKS_FIRST:
        return None
    seen = take(sock, size, socket.MSG_PEEK)
    close_all(seen.handles)
    return seen


def take(sock: socket.socket, size: int, flags: int = 0) -> Arrived:
    """Receive, with all descriptors that came; no child process inherits them."""
    if sys.platform == "win32":
        raise _no_passing()
    space = socket.CMSG_SPACE(MOST * array("i").itemsize) + socket.CMSG_SPACE(256)  # the rest for credentials and labels
    data, ancillary, answer, sender = sock.recvmsg(size, space, flags | CLOSES_ON_EXEC)
    handles = array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            handles.frombytes(content[: len(content) - len(content) % handles.itemsize])
    if not CLOSES_ON_EXEC:
        for handle in handles:
            os.set_inheritable(handle, False)
    return Arrived(data, list(handles), bool(answer & socket.MSG_CTRUNC), bool(answer & socket.MSG_TRUNC), sender)

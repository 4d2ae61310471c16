"""Passing descriptors over a Unix-domain socket (unix(7), SCM_RIGHTS): those that the receiver does not keep are closed."""

from __future__ import annotations

import errno
import os
import socket
import sys
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lifecycle.system.local_sockets import LOCAL_FAMILY

if TYPE_CHECKING:
    from _typeshed import HasFileno

MOST = 253
"""The maximum number of descriptors in one message on Linux (SCM_MAX_FD)"""

RIGHTS = int(getattr(socket, "SCM_RIGHTS", 1))  # not on Windows
CLOSES_ON_EXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))
LOOKS_FIRST = sys.platform == "linux"
"""Whether peeking at a message (MSG_PEEK) returns its descriptors, too"""


class Arrived:
    """The result of one receive: the data, and the descriptors that arrived with it.

    It closes them when it is collected, unless the program got them: a signal handler may raise an exception at any
    time.
    """

    _taken: Sequence[Any] = ()
    _closing: Iterator[int] | None = None
    is_given = False

    def take(self, sock: socket.socket, size: int, flags: int = 0) -> Arrived:
        """Receive; no child process inherits the descriptors."""
        if sys.platform == "win32":
            raise _no_passing()
        space = socket.CMSG_SPACE(MOST * array("i").itemsize) + socket.CMSG_SPACE(256)  # the rest for credentials and labels
        taken: list[Any] = []
        self._taken = taken
        taken.extend(map(sock.recvmsg, (size,), (space,), (flags | CLOSES_ON_EXEC,)))  # in one step: a loop in C
        if not CLOSES_ON_EXEC:
            for handle in self.handles:
                os.set_inheritable(handle, False)
        return self

    @property
    def data(self) -> bytes:
        """The bytes."""
        data: bytes = self._taken[0][0]
        return data

    @property
    def handles(self) -> list[int]:
        """The descriptors."""
        found = array("i")
        for level, kind, content in self._taken[0][1] if self._taken else ():
            if (level, kind) == (socket.SOL_SOCKET, RIGHTS):
                found.frombytes(content[: len(content) - len(content) % found.itemsize])
        return list(found)

    @property
    def is_cut(self) -> bool:
        """Whether not all descriptors could be opened."""
        return bool(self._taken[0][2] & socket.MSG_CTRUNC)

    @property
    def is_longer(self) -> bool:
        """Whether the message was longer than the requested size."""
        return bool(self._taken[0][2] & socket.MSG_TRUNC)

    @property
    def sender(self) -> Any:
        """The system's address of the sender."""
        return self._taken[0][3]

    def close(self) -> None:
        """Close the descriptors, each once, unless the program has them."""
        if not self.is_given:
            self._closing = self._closing or iter(self.handles)
            deque(map(os.close, self._closing), maxlen=0)

    def __del__(self) -> None:
        self.close()


def numbers_of(handles: Iterable[int | HasFileno]) -> array[int]:
    """The descriptors, as numbers. TypeError for anything else, ValueError for more than one message carries."""
    numbers: list[Any] = [each if isinstance(each, int) else getattr(each, "fileno", lambda: None)() for each in handles]
    if any(not isinstance(number, int) or isinstance(number, bool) for number in numbers):
        raise TypeError("a handle is an int, or has a fileno()")
    if len(numbers) > MOST:
        raise ValueError(
            f"one message carries {MOST} descriptors at most, not {len(numbers)}: send the others with further data"
        )
    return array("i", numbers)


def refuse_other_family(sock: socket.socket) -> None:
    """OSError (EOPNOTSUPP) for a socket that cannot pass descriptors."""
    if sock.family != LOCAL_FAMILY:
        raise _no_passing()


def _no_passing() -> OSError:
    return OSError(errno.EOPNOTSUPP, "only a Unix-domain socket passes descriptors: make the connection with path=")


def sending_with_handles(sock: socket.socket, data: memoryview, handles: array[int]) -> tuple[Any, ...]:
    """The call, and its arguments, that sends data, and with its first byte the descriptors; the sender's own stay open."""
    if sys.platform == "win32":
        raise _no_passing()
    return sock.sendmsg, [data], [(socket.SOL_SOCKET, RIGHTS, handles)] if handles else []


def look(sock: socket.socket, size: int) -> Arrived | None:
    """The result of the next receive, with its descriptors closed; None if the system cannot peek."""
    if not LOOKS_FIRST:
        return None
    seen = Arrived().take(sock, size, socket.MSG_PEEK)
    seen.close()
    return seen

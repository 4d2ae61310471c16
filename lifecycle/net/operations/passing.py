"""Sending and receiving descriptors, with the bytes that carry them."""

from __future__ import annotations

import errno
import socket

from lifecycle.net.errors import MessageTruncated, TooManyHandles
from lifecycle.net.operations import READABLE, Operation
from lifecycle.system.addresses import from_system
from lifecycle.system.outcomes import system_error
from lifecycle.system.passing import MOST, Arrived, look, refuse_other_family

HANDLES = 16
"""Descriptors that may arrive with one receive by default"""

Found = tuple[bytes, list[int]]
"""Data, and the descriptors that came with it"""


def checked_arrival(size: int, limit: int) -> None:
    """TypeError unless both are ints, ValueError for a size or a limit out of range."""
    for name, value, least in (("size", size, 1), ("limit", limit, 0)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"a {name} is an int, not {type(value).__name__}")
        if value < least or (name == "limit" and value > MOST):
            raise ValueError(f"a size is 1 byte or more, and a limit 0 to {MOST} descriptors; not {name} {value}")


def receiving_handles(sock: socket.socket, size: int, limit: int) -> Operation[Arrived]:
    """Receive data and descriptors. However it ends, no descriptor stays open that the caller does not get."""
    checked_arrival(size, limit)
    refuse_other_family(sock)
    while True:
        try:
            seen = look(sock, size)
            if seen is not None and len(seen.handles) > limit:
                raise TooManyHandles(len(seen.handles), limit)
            if seen is not None and seen.is_cut:
                raise system_error(errno.EMFILE)  # the message, with its descriptors, is still there
            came = Arrived().take(sock, size)
        except BlockingIOError:
            pass
        else:
            if came.is_longer or came.is_cut or len(came.handles) > limit:
                came.close()
                if came.is_longer:
                    raise MessageTruncated(came.data, from_system(came.sender) if came.sender else None)
                raise TooManyHandles(len(came.handles), limit, came.data)
            return came
        yield READABLE

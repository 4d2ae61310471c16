"""Making a connected datagram socket forget its peer, which Python's socket module cannot ask for."""

from __future__ import annotations

import errno
import os
import socket
import sys

_EMPTY_NAME = bytes(28)  # as long as a sockaddr_in6


def dissolve(sock: socket.socket) -> None:
    """Forget the peer of a datagram socket.

    POSIX (connect): an address of family AF_UNSPEC resets the peer; the BSDs do it and report EAFNOSUPPORT or EINVAL all the
    same. Winsock (connect): the address of no machine, with port 0, does. Raises OSError when the system refuses.
    """
    if os.name == "nt":
        sock.connect(("0.0.0.0" if sock.family == socket.AF_INET else "::", 0))
        return
    import ctypes  # here, since importing it takes longer than all of this package

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(sock.fileno(), _EMPTY_NAME, len(_EMPTY_NAME)) != 0:
        number = ctypes.get_errno()
        if sys.platform == "linux" or number not in (errno.EAFNOSUPPORT, errno.EINVAL):
            raise OSError(number, os.strerror(number))

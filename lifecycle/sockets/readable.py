"""How many bytes could be received at once: FIONREAD where the system lets Python ask, a peek elsewhere."""

from __future__ import annotations

import array
import socket
import sys

FIONREAD = 0x4004667F
"""Winsock's number for the command; what the system itself calls it is this file's matter."""

_PEEK_START, _PEEK_LIMIT = 1 << 16, 1 << 24


def readable_by_peek(sock: socket.socket) -> int:
    """Look at what could be received, at more and more of it."""
    size = _PEEK_START
    while True:
        try:
            found = len(sock.recv(size, socket.MSG_PEEK))
        except BlockingIOError:
            return 0
        if found < size or size >= _PEEK_LIMIT:
            return found
        size *= 2


readable_bytes = readable_by_peek

if sys.platform != "win32":

    def readable_by_ioctl(sock: socket.socket) -> int:
        """Ask the system."""
        import fcntl
        import termios

        count = array.array("i", [0])
        fcntl.ioctl(sock, termios.FIONREAD, count)
        return count[0]

    readable_bytes = readable_by_ioctl

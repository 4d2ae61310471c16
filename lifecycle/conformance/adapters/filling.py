"""Keeps a connection full: some of what was sent is still on its way, and makes room when it is acknowledged, 40 ms later.

Where the send buffer is made as small as the system lets it be, what waits in it fills it all the same.
"""

from __future__ import annotations

import os
import socket


def keep_full(fileno: int) -> None:
    """Let the socket take no more than what it has taken: whatever of it arrives makes no room."""
    with socket.socket(fileno=os.dup(fileno)) as twin:
        twin.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)

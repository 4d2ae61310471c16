"""Two objects of a class that are connected to each other."""

from __future__ import annotations

import socket
from typing import Any

from lifecycle.net.operations import Value
from lifecycle.system.local_sockets import LOCAL_FAMILY


def socket_pair(cls: type[Value], **options: Any) -> tuple[Value, Value]:
    """Two objects of a class that are connected to each other."""
    family = socket.AF_INET if LOCAL_FAMILY == -1 else LOCAL_FAMILY
    made: list[Any] = []
    ends = socket.socketpair(family, cls._kind)  # type: ignore[attr-defined]
    try:
        for end in ends:
            made.append(cls(**options))
            made[-1].attach(end)
    except BaseException:
        for each in (*made, *ends):
            each.close()
        raise
    return made[0], made[1]

"""The unseen parts of a program: sockets of C code and of libraries with their own classes, and raw descriptors."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from lifecycle.checking import registry

OWN_SOCKETS: Mapping[str, str] = {
    "uvloop": "uvloop",
    "gevent.socket": "gevent",
    "eventlet.greenio": "eventlet",
    "grpc._cython.cygrpc": "grpc",
    "zmq.backend": "zmq",
    "psycopg2._psycopg": "libpq",
    "psycopg.pq": "libpq",
    "pycurl": "libcurl",
    "MySQLdb._mysql": "libmysqlclient",
}
"""a module that makes sockets without Python's class -> whose sockets they are"""

_FOLDER = "/proc/self/fd"


def sockets_of_the_process() -> frozenset[int]:
    """The inodes of the sockets among the open descriptors; none where the system does not show them."""
    found = set()
    try:
        names = os.listdir(_FOLDER)
    except OSError:
        return frozenset()
    for name in names:
        try:
            target = os.readlink(f"{_FOLDER}/{name}")
        except OSError:  # closed since, such as the descriptor of the folder
            continue
        if target.startswith("socket:["):
            found.add(int(target[len("socket:[") : -1]))
    return frozenset(found)


def unseen(before: frozenset[int] = frozenset()) -> list[str]:
    """The parts that were not followed, a few words each. before: the sockets that the process had when the check began."""
    libraries = sorted({name for module, name in OWN_SOCKETS.items() if module in sys.modules})
    strange = len(sockets_of_the_process() - before - registry.inodes())
    handed = registry.handed_out()
    told = [f"the sockets of {', '.join(libraries)}"] if libraries else []
    if strange:
        told.append(f"{strange} open socket{_s(strange)} that Python's socket did not make")
    if handed:
        told.append(f"{handed} socket{_s(handed)} handed out by detach()")
    return told


def _s(count: int) -> str:
    return "s" if count > 1 else ""

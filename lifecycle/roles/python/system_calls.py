"""The system's calls by the names of Python's sockets, to check programs in any language by the same roles."""

from __future__ import annotations

from collections.abc import Mapping

from lifecycle.roles.python.words import METHODS, RECEIVING
from lifecycle.roles.words import SHUT_DOWN_CHOICES

SYSTEM_CALLS: Mapping[str, str] = {
    "bind": "bind",
    "listen": "listen",
    "accept": "accept",
    "accept4": "accept",
    "connect": "connect",
    "shutdown": "shutdown",
    "getsockname": "getsockname",
    "getpeername": "getpeername",
    "setsockopt": "setsockopt",
    "getsockopt": "getsockopt",
    "read": "recv",
    "readv": "recvmsg",
    "recv": "recv",
    "recvfrom": "recv",
    "recvmsg": "recvmsg",
    "recvmmsg": "recvmsg",
    "write": "send",
    "writev": "sendmsg",
    "send": "send",
    "sendto": "send",
    "sendmsg": "sendmsg",
    "sendmmsg": "sendmsg",
    "sendfile": "sendfile",
    "sendfile64": "sendfile",
}
"""system call -> the method of Python's sockets that makes it"""

OF_ANY_DESCRIPTOR = frozenset({"read", "readv", "write", "writev", "sendfile", "sendfile64"})
"""calls that files have, too: on a descriptor that is not known to be a socket they are ignored"""

MAY_NAME_A_PEER = frozenset({"sendto", "sendmsg", "sendmmsg"})
"""calls whose row is that of sendto() when they are given an address"""

TO_A_PEER = "sendto"
ACCEPTING = frozenset({"accept", "accept4"})
ENDS_A_DIRECTION = "shutdown"
READS_AN_OPTION = METHODS["get_option"][0]
CONNECTS = METHODS["connect"][0]
RECEIVES = frozenset(RECEIVING)

DIRECTIONS: Mapping[str, str] = {
    name: outcome.name
    for outcome, names in zip(SHUT_DOWN_CHOICES, (("SHUT_WR", "1"), ("SHUT_RD", "0"), ("SHUT_RDWR", "2")), strict=True)
    for name in names
}
"""an argument of shutdown() -> the outcome that it chooses"""

LIFE_CYCLE = (
    "socket", "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "close", "dup", "dup2", "dup3",
    "fcntl", "close_range", "clone", "clone3", "fork", "vfork", "execve", "unshare", "io_uring_setup",
)  # fmt: skip
"""the calls that begin and end the life of a socket: enough for most mistakes, and rare in a busy server"""

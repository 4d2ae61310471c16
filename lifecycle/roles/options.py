"""Which socket options a portable program may set, as the reference system allows them: the exceptions, as a table.

An option that is not named here is passed on, and the operating system answers.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

STREAM, DATAGRAM = int(socket.SOCK_STREAM), int(socket.SOCK_DGRAM)


@dataclass(frozen=True, slots=True)
class RefusedOption:
    """An option of level SOL_SOCKET that must not be set on sockets of the given kinds, and why."""

    option: int
    kinds: frozenset[int]
    reason: str


def _refused(name: str, reason: str, *kinds: int) -> tuple[RefusedOption, ...]:
    option = getattr(socket, name, None)
    return () if option is None else (RefusedOption(option, frozenset(kinds), reason),)


REFUSED_OPTIONS: tuple[RefusedOption, ...] = (
    *_refused("SO_ACCEPTCONN", "says whether the socket listens, and can only be read", STREAM, DATAGRAM),
    *_refused("SO_ERROR", "gives the pending error, and can only be read", STREAM, DATAGRAM),
    *_refused("SO_TYPE", "gives the kind of socket, and can only be read", STREAM, DATAGRAM),
    *_refused("SO_RCVTIMEO", "is not portable: set the object's timeout", STREAM, DATAGRAM),
    *_refused("SO_SNDTIMEO", "is not portable: set the object's timeout", STREAM, DATAGRAM),
    *_refused("SO_RCVLOWAT", "is not portable", STREAM, DATAGRAM),
    *_refused("SO_SNDLOWAT", "is not portable", STREAM, DATAGRAM),
    *_refused("SO_BROADCAST", "is for datagrams", STREAM),
    *_refused("SO_KEEPALIVE", "is for streams", DATAGRAM),
    *_refused("SO_LINGER", "is for streams", DATAGRAM),
    *_refused("SO_OOBINLINE", "is for streams", DATAGRAM),
)


def refusal_of_option(kind: int, level: int, option: int) -> str | None:
    """Why `option` must not be set on a socket of `kind`, or None where the operating system may be asked."""
    if level != socket.SOL_SOCKET:
        return None
    for refused in REFUSED_OPTIONS:
        if refused.option == option and kind in refused.kinds:
            return refused.reason
    return None

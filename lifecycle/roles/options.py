"""The socket options that a portable program must not set, as in the reference system, as a table.

An option that is not in it is passed to the operating system.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

from lifecycle.roles.facts import Facts, Link

STREAM, DATAGRAM = int(socket.SOCK_STREAM), int(socket.SOCK_DGRAM)


class RefusedOption(NamedTuple):
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
    """The reason why `option` must not be set on a socket of `kind`, or None if it may."""
    if level != socket.SOL_SOCKET:
        return None
    for refused in REFUSED_OPTIONS:
        if refused.option == option and kind in refused.kinds:
            return refused.reason
    return None


class OptionTime(NamedTuple):
    """When an option has to be set. in_time: whether it still has an effect with these facts. reason: why not later."""

    level: int
    option: int
    in_time: Callable[[Facts], bool]
    reason: str


def _times(level: str, names: str, in_time: Callable[[Facts], bool], reason: str) -> tuple[OptionTime, ...]:
    known = [name for name in names.split() if hasattr(socket, name) and hasattr(socket, level)]
    return tuple(OptionTime(getattr(socket, level), getattr(socket, name), in_time, f"{name} {reason}") for name in known)


def _decides_bind(at: Facts) -> bool:
    return not at.address or at.link not in (Link.NO, Link.LISTENING)


_BEFORE_BIND = "decides how bind() takes the address, and the socket already has its address"

OPTION_TIMES: tuple[OptionTime, ...] = (
    *_times("SOL_SOCKET", "SO_REUSEADDR SO_REUSEPORT SO_EXCLUSIVEADDRUSE", _decides_bind, _BEFORE_BIND),
    *_times("IPPROTO_IPV6", "IPV6_V6ONLY", _decides_bind, _BEFORE_BIND),
    *_times("IPPROTO_IP", "IP_TRANSPARENT IP_FREEBIND IP_BIND_ADDRESS_NO_PORT", _decides_bind, _BEFORE_BIND),
)
"""options that have no effect later: socket(7), ip(7), ipv6(7), and the documentation of Winsock"""


_TIMED = tuple((each.level, each.option) for each in OPTION_TIMES)  # compared, not hashed: a program may pass any number


def has_a_time(arguments: tuple[object, ...]) -> bool:
    """Whether these arguments of setsockopt() are about an option that has no effect later."""
    return arguments[:2] in _TIMED


def set_too_late(at: Facts, level: object, option: object, value: object = 1) -> str:
    """The reason why setting this option has no effect with these facts, or ""; clearing an option is always allowed."""
    for each in OPTION_TIMES:
        if (each.level, each.option) == (level, option) and value and not each.in_time(at):
            return each.reason
    return ""

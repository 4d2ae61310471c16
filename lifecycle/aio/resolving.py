"""Looking names up without holding the event loop."""

from __future__ import annotations

import socket
from typing import Any

import anyio

from lifecycle.aio.nowaiting import mode
from lifecycle.system.addresses import numeric_address

Found = tuple[int, tuple[Any, ...]]
"""(family, system address)"""


async def resolve(host: object, port: object, family: int, kind: int) -> Found:
    """(family, system address) of `host` and `port`; else as the function of that name in lifecycle.system.addresses."""
    return (await resolve_all(host, port, family, kind, name_family=family))[0]


async def resolve_all(host: object, port: object, family: int, kind: int, *, name_family: int) -> list[Found]:
    """All that `host` and `port` mean, in the order in which to try them; never empty.

    family: that of a numeric address. name_family: AF_INET or AF_INET6 restricts a name's addresses. Raises as resolve().
    """
    numeric = numeric_address(host, port, family)
    if numeric is not None:
        return [numeric]
    assert isinstance(host, str)
    assert isinstance(port, int)
    if mode.never_waits:
        raise ValueError(f"nowait() cannot look the name {host!r} up: give a numeric address")
    found = await anyio.getaddrinfo(host, port, family=socket.AddressFamily(name_family), type=socket.SocketKind(kind))
    return list(dict.fromkeys((entry[0], entry[4]) for entry in found))

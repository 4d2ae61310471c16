"""The tests of the blocking sockets, run against the awaited ones: the same operations under the other driver.

They run on asyncio; what depends on the event loop has its own tests, on every loop.

Left out are those of what awaited sockets do not have: calls in many threads and under signals, lost races between threads,
and the ways to wait and to ask that only some systems have. What leaks is tested in test_leaks.py, anew.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from blocking_face import HERE, awaited_copies, portal_in
from event_loops import LOOPS

FILES = [
    *sorted(str(path.relative_to(HERE)) for path in Path(HERE, "net").glob("test_checklist_[a-i]_*.py")),
    "net/test_addresses.py",
    "net/test_bad_input.py",
    "net/test_blocked_calls.py",
    "net/test_both_families.py",
    "net/test_faults.py",
    "net/test_leaving_peers.py",
    "net/test_ownership.py",
    "net/test_reviewed.py",
    "net/test_servers_on_every_address.py",
    "net/test_several_addresses.py",
    "net/test_smoke.py",
    "net/test_unix_sockets.py",
]

NOT_MEANT = {
    "test_row_132_a_datagram_socket_is_no_stream",  # of SocketFile, which lies over blocking sockets only
    "test_inherited_override_is_checked",  # of classes derived from the blocking ones
    "test_an_interrupted_finish_connect_does_not_connect_to_itself",  # Ctrl-C ends an event loop
}


async def resolver_of_the_system(host: str, port: int, *, family: int, type: int) -> Any:
    """Stands in for anyio.getaddrinfo(): what a test puts into the place of the system's own resolver is asked."""
    return socket.getaddrinfo(host, port, family, type)


@pytest.fixture(scope="module", params=LOOPS[:1], ids=lambda loop: loop.name, autouse=True)
def in_event_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every call of the module's tests is made in one event loop."""
    with portal_in(request.param), patch.object(anyio, "getaddrinfo", resolver_of_the_system):
        yield


def collected() -> dict[str, Any]:
    """name -> test function."""
    found = {}
    for module in awaited_copies(*FILES):
        for name, value in vars(module).items():
            if name.startswith("test_") and callable(value) and name not in NOT_MEANT:
                assert name not in found, f"{name} stands in two files"
                found[name] = value
    return found


globals().update(collected())

"""What several tests of the checker need."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from loopback import HOST, LONG


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listener that is older than any check."""
    with socket.create_server((HOST, 0)) as sock:
        sock.settimeout(LONG)
        yield sock

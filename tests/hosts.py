"""The loopback addresses of this machine, and marks for tests that need more than one of them."""

from __future__ import annotations

import socket

import pytest

HOST6, SECOND, THIRD = "::1", "127.0.0.2", "127.0.0.3"


def family_of(host: str) -> int:
    """The address family of a numeric host."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def can_bind(host: str) -> bool:
    """True if a socket of this machine can be bound to the address."""
    try:
        with socket.socket(family_of(host)) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not can_bind(HOST6), reason="this machine has no IPv6 loopback address")
needs_more_hosts = pytest.mark.skipif(not can_bind(THIRD), reason="this machine has one IPv4 loopback address only")

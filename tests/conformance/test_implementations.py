"""Implementations that others wrote: what differs is named, by the platform's table or as a known difference, and no more."""

from __future__ import annotations

import errno
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from long_form import WHOLE

from lifecycle import ACCEPTED, CLIENT, DATAGRAM, SERVER
from lifecycle.conformance import clusters, conform, target_named
from lifecycle.conformance.adapters.loopback import Loopback
from lifecycle.conformance.campaigns.bare_calls import STDLIB, Implementation, compare

SOCKET_ROLES = (SERVER, CLIENT, ACCEPTED, DATAGRAM)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has a table of what sockets answer to illegal calls"
)


@pytest.fixture(scope="module", autouse=True)
def gevent_hub() -> Iterator[None]:
    """The event loop that gevent keeps for its thread, so that no single test is blamed for it."""
    import gevent

    hub = gevent.get_hub()
    assert hub.loop is not None
    yield
    hub.destroy(destroy_loop=True)


@pytest.mark.parametrize("name", ["socket", "gevent", "trio"])
def test_nothing_is_unexplained(name: str) -> None:
    """Each difference of the standard library's, gevent's and trio's sockets is a named line, or a known difference.

    In the short form their bare calls are left to the test below.
    """
    target = target_named(name)
    report = conform(target if WHOLE else replace(target, bare=None), SOCKET_ROLES, depth=1, walks=0)
    assert report.passes, "\n".join(map(str, report.unexplained))
    assert all(each.explanation for each in report.divergences)


def test_the_standard_library_differs_only_as_the_table_of_its_system_says() -> None:
    """Raw sockets accept what the contract forbids: every explanation is a line of the table of this system."""
    report = conform(target_named("socket"), (SERVER, DATAGRAM), depth=2, walks=0)
    kinds = Counter(each.name.partition(":")[0] for each in clusters(report.divergences))
    assert report.passes
    assert kinds["linux"] == sum(kinds.values()) > 20
    accepted = {(each.role, each.state, each.call) for each in report.divergences}
    assert ("server", "open", "listen") in accepted, "Linux listens on an unbound socket"
    assert ("datagram", "open", "receive_from") in accepted, "Linux waits on an unbound datagram socket"


@pytest.mark.parametrize(
    ("name", "causes"),
    [
        ("gevent", {"settimeout(0) on a closed socket succeeds", "on a closed socket EBADF comes before TypeError"}),
        ("trio", {"connect() is awaited to its end", "an address that is not a tuple is a ValueError"}),
    ],
)
def test_bare_calls_differ_in_known_clusters(name: str, causes: set[str]) -> None:
    """Thousands of sequences of bare calls beside the standard library's: as many causes as are known, and all of those."""
    target = target_named(name)
    assert target.bare is not None
    adapter = target.adapter()
    try:
        found = compare(target.bare(adapter), sequences=400)
    finally:
        adapter.close()
    assert {each.explanation for each in found} == {f"{name}: {cause}" for cause in causes}


def test_the_standard_library_differs_from_itself_in_nothing() -> None:
    """The comparison of bare calls is deterministic: the same sequences have the same answers."""
    assert compare(STDLIB, sequences=300) == []


def test_another_implementation_is_told_apart() -> None:
    """The comparison is not blind: sockets that forget their peer's name are found, and nothing explains it."""

    class Nameless(socket.socket):
        def getpeername(self) -> object:
            raise OSError(errno.EINVAL, "it has no name")

    found = compare(Implementation("nameless", Nameless), sequences=60)
    assert {(each.call, each.got, each.explanation) for each in found} == {("getpeername", "EINVAL", "")}


def test_sockets_in_memory_conform() -> None:
    """The fakes that tests can use refuse what the contract forbids, and need no network."""
    report = conform(target_named("memory"), SOCKET_ROLES, depth=3, walks=200)
    assert report.passes, "\n".join(map(str, report.unexplained))


def test_what_is_broken_costs_no_patience() -> None:
    """A caller that waited once in vain waits shortly from then on: a run over something broken ends."""
    loopback = Loopback()
    try:
        loopback.settle(loopback.listener.fileno(), frozenset({"waiting"}))
        assert loopback.patience < 0.1
    finally:
        loopback.close()

"""Addresses and ports: a table of each form, and what becomes of it."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest
from said import said_by

from lifecycle.system import addresses
from lifecycle.system.addresses import Address, LocalAddress

V4, V6, ANY = socket.AF_INET, socket.AF_INET6, socket.AF_UNSPEC


LONG_NAME = ".".join(["a" * 62] * 4) + "b"

HOSTS: dict[str, Any] = {
    **dict.fromkeys(("127.0.0.1", "0.0.0.0", "255.255.255.255"), V4),
    **dict.fromkeys(("::1", "::", "fe80::1", "::ffff:1.2.3.4"), V6),
    **dict.fromkeys(("fe80::1%lo", "fe80::1%", "localhost", "a", "a.example", "a.example.", "a-b.example", "münchen.example")),
    **dict.fromkeys(("1a.example", "a.1b", "0xg", LONG_NAME + "x")),
    **dict.fromkeys(
        ("", ".", "..", "127.1", "1", "0x", "0x7f.1", "a.0x7F", "1.2.3.4.", "256.1.1.1", LONG_NAME + "xy"), ValueError
    ),
    **dict.fromkeys(("a b", "a\tb", "a:b", "a%b", "[::1]", "a]", "a/b", "a\0b", "\u200b", "::1::", "::g%lo"), ValueError),
}
"""host -> the family of a numeric address, None for a name, or the error"""


@pytest.mark.parametrize("host", HOSTS, ids=ascii)
def test_numeric_addresses_names_and_neither(host: str) -> None:
    """A numeric address has its family, a name has none, and anything else is refused; the other family is refused, too."""
    expected = HOSTS[host]
    found = [said_by(addresses.numeric_address, host, 80, family) for family in (ANY, V4, V6)]
    if expected in (V4, V6):
        answer = (expected, (host, 80))
        assert found == [answer, *(answer if family == expected else "EAFNOSUPPORT" for family in (V4, V6))]
    else:
        assert found == [expected] * 3


def test_what_is_no_address_and_no_port() -> None:
    """Other types are TypeErrors, and ports outside of 0 to 65535 are ValueErrors."""
    assert [said_by(addresses.numeric_address, host, 1, ANY) for host in (None, b"127.0.0.1", 1)] == [TypeError] * 3
    for port, expected in (
        (0, 0),
        (65535, 65535),
        (-1, ValueError),
        (65536, ValueError),
        (True, TypeError),
        ("80", TypeError),
        (None, TypeError),
    ):
        assert said_by(addresses.checked_port, port) == expected


PEERS: list[tuple[tuple[Any, ...], bool]] = [
    (("127.0.0.1", 1), True), (("127.0.0.1", 65535), True), (("127.0.0.1", 0), False), (("0.0.0.0", 1), False),
    (("0.0.0.1", 1), True), (("::1", 1, 0, 0), True), (("::", 1, 0, 0), False), (("0::0", 1, 0, 0), False),
    (("::1", 0, 0, 0), False),
    (("::ffff:0.0.0.0", 1, 0, 0), False), (("::ffff:0:0", 1, 0, 0), False), (("::ffff:127.0.0.1", 1, 0, 0), True),
    (("fe80::1%lo", 1, 0, 1), True), (("::%lo", 1, 0, 1), False),
]  # fmt: skip


@pytest.mark.parametrize(("peer", "can_be"), PEERS, ids=str)
def test_what_can_be_a_peer(peer: tuple[Any, ...], can_be: bool) -> None:
    """Any address but those that mean every interface, in every spelling, and any port but 0."""
    assert said_by(addresses.checked_peer, peer) == (peer if can_be else "EADDRNOTAVAIL")
    if "%" not in peer[0]:
        family = V6 if ":" in peer[0] else V4
        assert addresses.numeric_peer(peer[0], peer[1]) == ((int(family), peer[:2]) if can_be else None)


def test_names_have_no_numeric_peer() -> None:
    """A name, and what is neither an address nor a port, gives None and no error."""
    assert [addresses.numeric_peer(*each) for each in (("localhost", 1), ("1.2.3", 1), ("127.0.0.1", 70000))] == [None] * 3
    assert (addresses.any_address(V4), addresses.any_address(V6)) == ("0.0.0.0", "::")


SHOWN: list[tuple[Any, Address, str]] = [
    (("1.2.3.4", 5), Address("1.2.3.4", 5), "1.2.3.4:5"),
    (("::1", 5, 0, 0), Address("::1", 5), "[::1]:5"),
    (("::ffff:1.2.3.4", 5, 0, 0), Address("1.2.3.4", 5), "1.2.3.4:5"),
    (("fe80::1", 5, 0, 3), Address("fe80::1%3", 5), "[fe80::1%3]:5"),
    (("fe80::1%lo", 5, 0, 3), Address("fe80::1%lo", 5), "[fe80::1%lo]:5"),
    ("/tmp/a", LocalAddress("/tmp/a", 0), "/tmp/a"),
    (b"\0abc", LocalAddress("\0abc", 0), "@abc"),
    *(
        [(b"/tmp/\xff", LocalAddress("/tmp/\udcff", 0), "/tmp/\udcff")] if sys.platform != "win32" else []
    ),  # names there are texts
    ("", LocalAddress("", 0), "(unnamed)"),
    (None, LocalAddress("", 0), "(unnamed)"),
]


@pytest.mark.parametrize(("address", "expected", "text"), SHOWN, ids=ascii)
def test_addresses_of_the_system(address: Any, expected: Address, text: str) -> None:
    """Each form of the system's becomes an Address, with its text and its path."""
    found = addresses.from_system(address)
    assert (found, type(found), str(found)) == (expected, type(expected), text)
    assert found.path == (expected.host if isinstance(expected, LocalAddress) else None)

"""Calls that are made the same way on every system."""

from __future__ import annotations

import errno
import socket

import pytest
from loopback import HOST, unused_port
from said import said_by

from lifecycle.system.portable_calls import TRIES_OF_PORTS, at_every, direction_of


@pytest.mark.parametrize("asks_for_a_port", [False, True])
def test_another_port_is_tried_where_the_systems_choice_is_taken_elsewhere(asks_for_a_port: bool) -> None:
    """Some ports are tried, but only one if it was asked for; then EADDRINUSE is raised, and no socket is left."""
    made: list[socket.socket] = []

    def prepare(family: int) -> socket.socket:
        made.append(socket.socket(family))
        return made[-1]

    address = (socket.AF_INET, (HOST, unused_port() if asks_for_a_port else 0))
    with pytest.raises(OSError, match=str(errno.EADDRINUSE)) as caught:
        at_every([address, address], prepare)
    assert caught.value.errno == errno.EADDRINUSE
    assert len(made) == 2 * (1 if asks_for_a_port else TRIES_OF_PORTS)
    assert [sock.fileno() for sock in made] == [-1] * len(made)


def test_only_a_port_that_is_taken_is_tried_again() -> None:
    """Any other error at a further address is raised at once, and no socket is left."""
    made: list[socket.socket] = []
    families: list[int] = []

    def prepare(family: int) -> socket.socket:
        families.append(family)
        if len(families) % 2 == 0:
            raise PermissionError(errno.EACCES, "not here")
        made.append(socket.socket(family))
        return made[-1]

    with pytest.raises(PermissionError):
        at_every([(socket.AF_INET, (HOST, 0))] * 2, prepare)
    assert len(families) == 2
    assert [sock.fileno() for sock in made] == [-1]


@pytest.mark.parametrize(
    ("how", "direction"),
    [
        ("receives", ("receives", socket.SHUT_RD)), (0, ("receives", socket.SHUT_RD)), ("sends", ("sends", socket.SHUT_WR)),
        (1, ("sends", socket.SHUT_WR)), ("both", ("both", socket.SHUT_RDWR)), (2, ("both", socket.SHUT_RDWR)),
        (3, ValueError), (-1, ValueError), ("none", ValueError), (True, ValueError), (None, ValueError), (1.0, ValueError),
    ],
)  # fmt: skip
def test_directions(how: object, direction: object) -> None:
    """A direction by its word or by MFC's number; anything else is refused."""
    assert said_by(direction_of, how) == direction


def test_sends_are_what_is_ended_without_a_direction() -> None:
    """As in MFC, shut_down() ends sends."""
    assert direction_of() == ("sends", socket.SHUT_WR)

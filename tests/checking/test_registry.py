"""Which objects belong to which socket of the system: descriptors that are handed out, shared sockets, numbers left."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator

import pytest

from lifecycle.checking import session
from lifecycle.checking.checkers import Checker
from lifecycle.checking.registry import handed_out, inode_of, inodes, judge_the_living, track_of
from lifecycle.checking.settings import Mode

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a socket of the system is told by its inode")


@pytest.fixture
def checker() -> Iterator[Checker]:
    """A checker that runs."""
    current = Checker(Mode.OBSERVE)
    session.start(current)
    try:
        yield current
    finally:
        session.stop(current)


def test_sockets_are_counted_from_the_begin_of_the_check(checker: Checker) -> None:
    """Each object that is made in the check counts, those that are found in it do not; another check begins at nothing."""
    before = checker.sockets
    left, right = socket.socketpair()
    made = socket.socket()
    inner = Checker(Mode.OBSERVE)
    session.start(inner)
    with left, right, made, left.dup():
        assert (checker.sockets - before, inner.sockets) == (4, 1)
        checker.forget()
        assert (checker.sockets, inner.sockets) == (0, 1)
    session.stop(inner)


def test_descriptors_that_were_handed_out_are_counted(checker: Checker) -> None:
    """A detached descriptor counts until it is closed, or an object is made of it; its inode is known meanwhile."""
    first, second = socket.socketpair()
    held = inode_of(first.fileno()), inode_of(second.fileno())
    assert handed_out() == 0
    assert set(held) <= inodes()
    numbers = first.detach(), second.detach()
    assert handed_out() == 2
    assert set(held) <= inodes()
    os.close(numbers[0])
    assert handed_out() == 1
    with socket.socket(fileno=numbers[1]) as again:
        assert handed_out() == 0
        assert inode_of(again.fileno()) == held[1]
        assert held[1] in inodes()
    assert held[1] not in inodes()


@pytest.mark.parametrize("is_closed", [False, True])
def test_number_that_a_program_takes_out_has_to_be_closed(checker: Checker, is_closed: bool) -> None:
    """At the end of a run, a descriptor that the program has detached and not closed is reported at the detach()."""
    sock = socket.socket()
    number = sock.detach()
    if is_closed:
        os.close(number)
        with socket.socket() as other:  # it has the number now
            assert other.fileno() == number
            judge_the_living(0)
    else:
        judge_the_living(0)
        os.close(number)
    assert [(each.code, each.call) for each in checker.findings if each.call == "detach"] == (
        [] if is_closed else [("LC304", "detach")]
    )


def test_objects_over_one_socket_share_its_state(checker: Checker) -> None:
    """Objects that are made of one descriptor follow each other until one is closed; another socket does not."""
    with socket.socket() as first, socket.socket(fileno=os.dup(first.fileno())) as second, first.dup() as third:
        tracks = [track_of(each) for each in (first, second, third)]
        assert all(tracks[0].group is each.group for each in tracks)  # type: ignore[union-attr]
        second.bind(("127.0.0.1", 0))
        assert [each.state.name for each in tracks] == ["bound"] * 3  # type: ignore[union-attr]
        third.close()
        first.listen()
        assert [each.state.name for each in tracks] == ["listening", "listening", "closed"]  # type: ignore[union-attr]
        with socket.socket() as other:
            assert track_of(other).state.name == "open"  # type: ignore[union-attr]


def test_what_is_not_followed_has_no_track(checker: Checker) -> None:
    """A closed object that the check never saw has no track, nor has any without a check; an older one is adopted, once."""
    session.stop(checker)
    unseen, gone = socket.socket(), socket.socket()
    gone.close()
    assert track_of(unseen) is None
    session.start(checker)
    adopted = track_of(unseen)
    assert track_of(gone) is None
    assert adopted is not None
    assert (adopted.adopted, adopted.state.name, adopted.events) == (True, "open", [])
    assert track_of(unseen) is adopted
    unseen.close()


def test_inode_of_what_is_no_descriptor() -> None:
    """A number that no open file has is told by 0, and two descriptors of one socket have the same number."""
    with socket.socket() as sock:
        copy = os.dup(sock.fileno())
        assert inode_of(sock.fileno()) == inode_of(copy) != 0
        os.close(copy)
    assert inode_of(copy) == inode_of(-1) == 0

"""Descriptors in messages: which can be passed, how many at a time, and what arrives."""

from __future__ import annotations

import errno
import os
import socket
import sys

import pytest
from said import said_by

from lifecycle.system import passing


class WithNumber:
    def __init__(self, number: object) -> None:
        self.fileno = lambda: number


def test_handles_to_pass() -> None:
    """Numbers and objects with a fileno() become numbers; other things and more than one message carries are refused."""
    assert passing.numbers_of([1, WithNumber(2)]).tolist() == [1, 2]
    assert passing.numbers_of([]).tolist() == []
    for wrong in (True, "1", 1.0, None, WithNumber(None), WithNumber(False), WithNumber("1")):
        assert said_by(passing.numbers_of, [1, wrong]) is TypeError
    assert len(passing.numbers_of([0] * passing.MOST)) == passing.MOST
    assert said_by(passing.numbers_of, [0] * (passing.MOST + 1)) is ValueError


@pytest.mark.skipif(sys.platform != "linux", reason="the number and what a peek returns are those of Linux")
def test_one_message_carries_as_many_descriptors_as_the_system_says() -> None:
    """The system takes MOST of them and no more; all arrive, and not more than the message's data, with the sender's name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        for sock in (one, other):
            sock.bind(b"")
        one.connect(other.getsockname())
        with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
            one.sendmsg(
                [b"x"], [(socket.SOL_SOCKET, passing.RIGHTS, passing.numbers_of([0] * passing.MOST) + passing.numbers_of([0]))]
            )
        send, *arguments = passing.sending_with_handles(one, memoryview(b"data"), passing.numbers_of([0] * passing.MOST))
        for size, is_longer in ((4, False), (3, True)):
            assert send(*arguments) == 4
            seen = passing.look(other, size)
            assert seen is not None
            arrived = passing.Arrived().take(other, size)
            for each in (seen, arrived):
                assert (each.data, each.is_longer, each.is_cut, each.sender) == (
                    b"data"[:size],
                    is_longer,
                    False,
                    one.getsockname(),
                )
            numbers = arrived.handles
            assert len(set(numbers)) == passing.MOST
            assert not any(os.get_inheritable(number) for number in numbers)
            arrived.close()
            arrived.close()
            assert [said_by(os.fstat, number) for number in numbers] == ["EBADF"] * passing.MOST

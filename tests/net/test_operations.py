"""Operations by themselves: what they yield, what they return, and what happens to an error that is thrown into them."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import pytest
from loopback import LONG, SHORT, connected_pair

from lifecycle import BlockingCallCancelled, SendTimedOut, SendWouldBlock, StateChangedDuringCall
from lifecycle.net.operations import READABLE, WRITABLE, Operation
from lifecycle.net.operations.transfer import Progress, accepting, reading, receiving, sending
from lifecycle.roles import words


class Scripted:
    """A socket whose calls give what a script says, one entry per call: a value, or an error."""

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.seen: list[bytes] = []

    def _next(self) -> Any:
        entry = self.script.pop(0)
        if isinstance(entry, BaseException):
            raise entry
        return entry

    def send(self, data: memoryview, flags: int) -> Any:
        self.seen.append(bytes(data))
        return self._next()

    def recv(self, size: int, flags: int) -> Any:
        return self._next()

    def accept(self) -> Any:
        return self._next(), None


def result(operation: Operation[Any]) -> Any:
    """What an operation returns that does not wait any more."""
    with pytest.raises(StopIteration) as ended:
        operation.send(None)
    return ended.value.value


def full() -> BlockingIOError:
    return BlockingIOError(errno.EAGAIN, "full")


def test_sending_goes_on_where_it_stopped() -> None:
    """What was not sent is sent when there is room; the result is the whole length."""
    sock = Scripted(2, full(), 3)
    operation = sending(sock, b"hello", 0, Progress())  # type: ignore[arg-type]
    assert next(operation) is WRITABLE
    assert result(operation) == 5
    assert sock.seen == [b"hello", b"llo", b"llo"]


@pytest.mark.parametrize(
    ("thrown", "kind"),
    [
        (full(), SendWouldBlock),
        (TimeoutError("timed out"), SendTimedOut),
        (BlockingCallCancelled(), BlockingCallCancelled),
    ],
)
def test_an_interrupted_send_says_how_much_was_sent(thrown: OSError, kind: type[Any]) -> None:
    """What ends the wait of a send leaves it as an error that says how much was sent, and so does its progress."""
    progress = Progress()
    operation = sending(Scripted(2, full()), b"hello", 0, progress)  # type: ignore[arg-type]
    next(operation)
    with pytest.raises(kind) as failure:
        operation.throw(thrown)
    assert failure.value.sent == progress.sent == 2


def test_a_time_out_of_the_system_is_its_own() -> None:
    """ETIMEDOUT, by which the system says that the peer is out of reach, stays what it is."""
    error = TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    operation = sending(Scripted(error), b"hello", 0, Progress())  # type: ignore[arg-type]
    with pytest.raises(TimeoutError) as failure:
        next(operation)
    assert failure.value is error


def test_receiving_waits_until_there_is_something() -> None:
    """A receive that finds nothing waits until the socket is readable, as often as it takes."""
    operation = receiving(Scripted(full(), full(), b"data"), 10, 0)  # type: ignore[arg-type]
    assert next(operation) is READABLE
    assert operation.send(None) is READABLE
    assert result(operation) == b"data"


def test_a_connection_that_was_aborted_in_the_queue_is_passed_over() -> None:
    """accept(2) may report an aborted connection: the next one is taken, in non-blocking mode."""
    with socket.socket() as connection:
        operation = accepting([Scripted(ConnectionAbortedError(errno.ECONNABORTED, "gone"), full(), connection)])  # type: ignore[arg-type]
        assert next(operation) is READABLE
        assert result(operation) is connection
        assert connection.gettimeout() == 0


@pytest.mark.parametrize(
    ("size", "exact", "arrivals", "taken", "left"),
    [
        (4, False, [b"ab"], b"ab", b""),
        (4, True, [b"ab", b"cdef"], b"abcd", b"ef"),
        (4, True, [b"ab", b""], b"ab", b""),
        (None, True, [b"ab", b"cd", b""], b"abcd", b""),
        (0, True, [], b"", b""),
    ],
)
def test_reading_takes_what_was_asked_for(
    size: int | None, exact: bool, arrivals: list[bytes], taken: bytes, left: bytes
) -> None:
    """A read takes what one receive gives, or exactly its size, or everything to the end; the rest stays held."""
    held = bytearray()
    steps = reading(held, size, exact)
    with pytest.raises(StopIteration) as ended:
        next(steps)
        for data in arrivals:
            steps.send(data)
    assert (ended.value.value, bytes(held)) == (taken, left)


def test_the_deadline_ends_an_operation_that_is_always_ready() -> None:
    """The blocking driver looks at the deadline in every turn, whatever the poll says."""

    def never_done() -> Operation[None]:
        while True:
            yield WRITABLE

    with connected_pair(timeout=SHORT) as (client, _), pytest.raises(TimeoutError):
        client._run(words.SEND, never_done())


def test_the_state_ends_an_operation_that_is_always_ready() -> None:
    """The blocking driver looks at the row of the present state in every turn, whatever the poll says."""

    with connected_pair(timeout=LONG) as (client, _):

        def shut() -> Operation[None]:
            yield WRITABLE
            client.shut_down()
            yield WRITABLE

        with pytest.raises(StateChangedDuringCall, match="send_shut"):
            client._run(words.SEND, shut())

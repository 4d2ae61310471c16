"""Sends, receives and messages over sockets that take and give what a script says, in every order."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from said import said_by

from lifecycle import MessageTruncated
from lifecycle.net.operations import (
    MORE_READABLE,
    PAUSE,
    READABLE,
    STILL_WRITABLE,
    WRITABLE,
    Operation,
    Wait,
    checked_timeout,
    transfer,
)
from lifecycle.net.operations.transfer import (
    READ_SIZE,
    Progress,
    accepting,
    count,
    hold,
    let_go,
    receiving,
    receiving_from_held,
    receiving_message,
    sending,
    sending_message,
)

FULL = "full"
"""In a script: the call would block"""


class Scripted:
    """A socket whose calls take or give so many bytes, or would block; behind the script they take all, or are at the end."""

    family = socket.AF_INET

    def __init__(self, script: list[Any], data: bytes = b"") -> None:
        self.script, self.left, self.sent = list(script), data, b""
        self.flags: list[int] = []

    def _next(self, most: int) -> int:
        entry = self.script.pop(0) if self.script else most
        if entry == FULL:
            raise BlockingIOError(errno.EAGAIN, "full")
        if isinstance(entry, BaseException):
            raise entry
        return min(entry, most)

    def send(self, data: memoryview, flags: int = 0) -> int:
        number = self._next(len(data))
        self.sent += bytes(data[:number])
        self.flags.append(flags)
        return number

    def recv(self, size: int, flags: int = 0) -> bytes:
        number = self._next(size)
        data, self.left = self.left[:number], self.left[number:]
        self.flags.append(flags)
        return data


def run(operation: Operation[Any]) -> tuple[Any, list[Any]]:
    """What an operation returns, and what it waited for."""
    waits: list[Any] = []
    try:
        while True:
            waits.append(next(operation))
    except StopIteration as ended:
        return ended.value, waits


scripts = st.lists(st.integers(1, 5) | st.just(FULL), max_size=10)


@given(data=st.binary(max_size=20), script=scripts, before=st.integers(0, 5))
def test_a_send_goes_on(data: bytes, script: list[Any], before: int) -> None:
    """All is sent, with the flags; a wait behind a send that took something goes on, and others wait in vain."""
    sock, progress = Scripted(script), Progress(min(before, len(data)))
    sent, waits = run(sending(sock, bytearray(data), 7, progress))  # type: ignore[arg-type]
    assert (sent, progress.sent) == (len(data), len(data))
    assert sock.sent == data[before:]
    assert set(sock.flags) <= {7}
    tried = script[: len(script) - len(sock.script)]
    assert waits == [
        STILL_WRITABLE if number and tried[number - 1] == FULL else WRITABLE
        for number, entry in enumerate(tried)
        if entry == FULL
    ]


@pytest.mark.parametrize("error", [OSError(errno.EPIPE, ""), TimeoutError(errno.ETIMEDOUT, ""), KeyboardInterrupt()])
def test_an_error_says_how_much_was_sent(error: BaseException) -> None:
    """Whatever ends a send has `sent`."""
    with pytest.raises(type(error)) as caught:
        run(sending(Scripted([2, FULL, 3, error]), b"hello world", 0, Progress()))  # type: ignore[arg-type]
    assert caught.value is error
    assert vars(error)["sent"] == 5


@pytest.mark.parametrize(("sent", "noted"), [(5, 5), (0, 0), (~5, 5), (~0, 0)])
def test_the_count_of_an_error(sent: int, noted: int) -> None:
    """It is noted once: what was committed to TLS is given as its complement."""
    error = OSError()
    count(error, sent)
    count(error, 99)
    assert vars(error)["sent"] == noted


@given(data=st.binary(max_size=20), script=scripts, size=st.integers(1, 8))
def test_a_receive_waits_for_anything(data: bytes, script: list[Any], size: int) -> None:
    """It gives what one call of the system gives, after as many waits as there is nothing; the first may be another one."""
    waits_first = next((number for number, entry in enumerate(script) if entry != FULL), len(script))
    sock = Scripted(script, data)
    expected = data[: min(size, script[waits_first]) if waits_first < len(script) else size]
    found, waits = run(receiving(sock, size, 3, MORE_READABLE))  # type: ignore[arg-type]
    assert (found, waits) == (expected, [MORE_READABLE, *[READABLE] * waits_first][:waits_first])
    assert sock.flags == [3]


WAITALL, PEEK, OOB = int(socket.MSG_WAITALL), int(socket.MSG_PEEK), int(socket.MSG_OOB)


@given(
    held=st.binary(max_size=6), data=st.binary(max_size=12), script=scripts, size=st.integers(0, 12),
    flags=st.sampled_from([0, WAITALL, PEEK, OOB, OOB | WAITALL, WAITALL | PEEK]),
)  # fmt: skip
def test_a_receive_from_what_is_held(held: bytes, data: bytes, script: list[Any], size: int, flags: int) -> None:
    """What is held comes first; MSG_WAITALL waits for all of the size, MSG_PEEK takes nothing, and MSG_OOB passes by."""
    sock, kept, whole = Scripted(script, data), bytearray(held), held + data
    operation = receiving_from_held(sock, kept, size, flags)  # type: ignore[arg-type]
    if flags & OOB or not (held or flags & WAITALL):
        alone, _ = run(receiving(Scripted(script, data), size, flags))  # type: ignore[arg-type]
        assert run(operation)[0] == alone
        assert (bytes(kept), sock.flags) == (held, [flags])
    elif flags & PEEK:
        if flags & WAITALL:
            assert said_by(run, operation) == errno.errorcode[errno.EOPNOTSUPP]
        else:
            assert run(operation) == (held[:size], [])
        assert (bytes(kept), sock.left) == (held, data)
    else:
        found, waits = run(operation)
        assert found == (whole[:size] if flags & WAITALL else held[:size])
        assert bytes(kept) + sock.left == whole[len(found) :]
        assert set(sock.flags) <= {0}
        assert set(waits) <= {READABLE, MORE_READABLE}


class Stream:
    _held: bytearray | None = None


def test_what_a_stream_holds() -> None:
    """It holds something or None; what a call has left is kept, and what another call holds meanwhile is not lost."""
    stream = Stream()
    held = hold(stream)
    assert (held, stream._held) == (b"", held)
    held += b"left"
    let_go(stream, held)
    assert hold(stream) is held
    held.clear()
    let_go(stream, held)
    assert stream._held is None
    held += b"again"
    let_go(stream, held)
    assert stream._held is held
    let_go(stream, bytearray(b"other"))
    assert stream._held is held
    let_go(stream, bytearray())
    assert stream._held is held


def test_the_first_listener_with_a_connection_is_taken() -> None:
    """Listeners are asked in turn; an aborted connection is passed over, and behind it the queue is asked again at once."""
    asked: list[int] = []

    class Listener:
        def __init__(self, number: int, *script: Any) -> None:
            self.number, self.script = number, list(script)

        def accept(self) -> Any:
            asked.append(self.number)
            entry = self.script.pop(0)
            if isinstance(entry, BaseException):
                raise entry
            return entry, None

    def full() -> BlockingIOError:
        return BlockingIOError(errno.EAGAIN, "")

    aborted = ConnectionAbortedError(errno.ECONNABORTED, "")
    with socket.socket() as connection:
        listeners: Any = [Listener(1, full(), full(), full()), Listener(2, aborted, full(), connection)]
        found, waits = run(accepting(listeners))
        assert (found is connection, waits, asked) == (True, [READABLE], [1, 2, 1, 2, 1, 2])


class Messages(Scripted):
    """A socket that sends and receives messages."""

    def __init__(self, script: list[Any], family: int) -> None:
        super().__init__(script)
        self.family = family  # type: ignore[assignment]
        self.peers: list[Any] = []

    def sendto(self, data: bytes, flags: int, peer: Any) -> int:
        self.peers.append(peer)
        return self.send(memoryview(data), flags)


@pytest.mark.parametrize("peer", [None, ("127.0.0.1", 9)])
@pytest.mark.parametrize("family", [socket.AF_INET, int(getattr(socket, "AF_UNIX", 1))])
def test_a_message_waits_for_room(peer: Any, family: int) -> None:
    """To a peer of AF_UNIX by pauses, since the queue that is full is the peer's; else until the socket is writable."""
    sock = Messages([FULL, FULL, 5], family)
    sent, waits = run(sending_message(sock, b"hello", 4, peer))  # type: ignore[arg-type]
    assert (sent, sock.sent, sock.flags, set(sock.peers)) == (5, b"hello", [4], {peer} - {None})
    if peer is not None and family != socket.AF_INET:
        assert [(each.writing, each.sockets, each.goes_on) for each in waits] == [(False, (), True)] * 2
    else:
        assert waits == [WRITABLE] * 2


def test_a_pause_is_short() -> None:
    """It ends at a moment, without a socket."""
    (wait,) = transfer.pausing()
    assert isinstance(wait, Wait)
    assert wait.until is not None
    assert 0 <= wait.until - transfer.pausing.__globals__["time"].monotonic() <= PAUSE
    assert (wait.writing, wait.sockets, wait.goes_on) == (False, (), True)


@pytest.mark.parametrize(
    ("is_longer", "sender"), [(False, ("127.0.0.1", 9)), (False, None), (True, ("127.0.0.1", 9)), (True, None)]
)
def test_a_message_that_is_longer_is_an_error(is_longer: bool, sender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its beginning and its sender, if that is known; each receive waits until there is a message."""
    answers: list[Callable[[], Any]] = [lambda: Scripted([FULL]).recv(1), lambda: (b"mess", is_longer, sender)]
    monkeypatch.setattr(transfer.portable_calls, "receive_message", lambda sock, size, flags: answers.pop(0)())
    operation = receiving_message(Scripted([]), 4, 0)  # type: ignore[arg-type]
    if is_longer:
        with pytest.raises(MessageTruncated) as caught:
            run(operation)
        assert (caught.value.head, caught.value.sender) == (b"mess", sender)
    else:
        assert run(operation) == ((b"mess", sender), [READABLE])


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, None), (0, 0), (0.0, 0.0), (1.5, 1.5), (-1, ValueError), (-1e-9, ValueError), (float("nan"), ValueError),
     (True, TypeError), ("1", TypeError)],
)  # fmt: skip
def test_timeouts(seconds: Any, expected: Any) -> None:
    """Seconds from 0 on, or None."""
    assert said_by(checked_timeout, seconds) == expected
    assert READ_SIZE == 65536

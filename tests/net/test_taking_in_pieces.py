"""What is taken from a stream, whatever the pieces in which it arrives: against simple models of bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from said import said_by

from lifecycle import IncompleteRead, Reader, SeparatorNotFound
from lifecycle.net.operations import messages
from lifecycle.net.operations.messages import LIMIT, Budget, Lines, exactly, taken, until
from lifecycle.net.operations.transfer import READ_SIZE, reading, reading_line

streams = st.lists(st.binary(max_size=6) | st.sampled_from([b"\n", b"\r\n", b"ab\n", b"\n\n", b"--", b"-"]), max_size=12).map(
    b"".join
)
sizes = st.integers(0, 12)


class Arriving:
    """A stream whose bytes arrive in pieces, the last of which is its end."""

    def __init__(self, data: bytes, pieces: list[int]) -> None:
        self.left, self.pieces, self.wanted = data, pieces, list[int]()

    def receive(self, size: int, *, timeout: object = None) -> bytes:
        self.wanted.append(size)
        assert 0 <= size <= READ_SIZE
        piece = self.pieces.pop() if self.pieces else 3
        data, self.left = self.left[: min(size, piece)], self.left[min(size, piece) :]
        return data

    def run(self, steps: Generator[int, bytes, Any]) -> Any:
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(self.receive(wanted))
        except StopIteration as ended:
            return ended.value

    def _received_by(self, steps: Generator[int, bytes, Any], timeout: object) -> Any:
        return self.run(steps)


pieces = st.lists(st.integers(1, 5), max_size=20)


@given(held=st.binary(max_size=6), data=streams, pieces=pieces, size=sizes)
def test_exactly(held: bytes, data: bytes, pieces: list[int], size: int) -> None:
    """So many bytes, or IncompleteRead with all there were; the others are left, and no more than needed is asked for."""
    stream, kept, whole = Arriving(data, pieces), bytearray(held), held + data
    if size > len(whole):
        with pytest.raises(IncompleteRead) as caught:
            stream.run(exactly(kept, size))
        assert (caught.value.partial, caught.value.expected) == (whole, size)
        assert bytes(kept) == whole
        return
    assert stream.run(exactly(kept, size)) == whole[:size]
    assert bytes(kept) + stream.left == whole[size:]
    assert len(kept) == max(0, len(held) - size)
    if not size:
        assert stream.wanted == [0]  # a receive of nothing, which is refused where nothing may be received
    elif len(held) < size:
        assert stream.wanted[0] == size - len(held)


@given(
    held=streams,
    data=streams,
    pieces=pieces,
    separator=st.sampled_from([b"\n", b"\r\n", b"--", b"---"]),
    limit=st.integers(1, 12),
)
def test_until(held: bytes, data: bytes, pieces: list[int], separator: bytes, limit: int) -> None:
    """What is before the separator, if that is not more than the limit; nothing is lost otherwise."""
    stream, kept, whole = Arriving(data, pieces), bytearray(held), held + data
    at = whole.find(separator)
    if 0 <= at <= limit:
        assert stream.run(until(kept, separator, limit)) == whole[:at]
        assert bytes(kept) + stream.left == whole[at + len(separator) :]
        return
    with pytest.raises((SeparatorNotFound, IncompleteRead)) as caught:
        stream.run(until(kept, separator, limit))
    assert bytes(kept) + stream.left == whole
    if isinstance(caught.value, SeparatorNotFound):
        assert at > limit or len(whole) >= limit + len(separator)
        assert len(kept) >= limit
    else:
        assert at < 0
        assert len(whole) < limit + len(separator)
        assert (caught.value.partial, caught.value.expected) == (whole, None)


@given(held=st.binary(max_size=6), data=streams, pieces=pieces, size=sizes | st.none(), exact=st.booleans())
def test_reading(held: bytes, data: bytes, pieces: list[int], size: int | None, exact: bool) -> None:
    """All, or up to a size: exactly where that is asked for and the stream does not end, else what one receive gives."""
    stream, kept, whole = Arriving(data, list(pieces)), bytearray(held), held + data
    first = pieces[-1] if pieces else 3
    expected = len(whole) if size is None else min(size, len(whole) if exact or held else first)
    expected = min(expected, len(held)) if held and not exact and size is not None else min(expected, len(whole))
    assert stream.run(reading(kept, size, exact)) == whole[:expected]
    assert bytes(kept) + stream.left == whole[expected:]
    assert stream.wanted[:1] == ([READ_SIZE] if size is None else [size - len(held)] if stream.wanted else [])
    assert len(stream.wanted) <= 1 or exact or size is None


@given(held=streams, data=streams, pieces=pieces, size=st.integers(-1, 9))
def test_reading_a_line(held: bytes, data: bytes, pieces: list[int], size: int) -> None:
    """Up to the first line end and with it, or up to the size, or to the end of the stream."""
    stream, kept, whole = Arriving(data, pieces), bytearray(held), held + data
    line = whole[: whole.find(b"\n") + 1] or whole
    expected = line if size < 0 else line[:size]
    assert stream.run(reading_line(kept, size)) == expected
    assert bytes(kept) + stream.left == whole[len(expected) :]
    assert not stream.wanted or b"\n" not in held


def reader_of(stream: Arriving, limit: int) -> Reader:
    """A reader over bytes that arrive."""
    reader = Reader.__new__(Reader)
    Lines.__init__(reader, limit)
    reader._socket = stream  # type: ignore[assignment]
    return reader


def next_of(whole: bytes, name: str, size: int, limit: int) -> tuple[Any, int]:
    """What a read of a reader gives of the bytes that are left, and how many it takes; None for an error."""
    if name == "exactly":
        return (whole[:size], size) if size <= len(whole) else (IncompleteRead, 0)
    separator = b"\n" if name == "line" else b"--"
    at = whole.find(separator)
    if name == "line":
        if at < 0:
            return (whole, len(whole)) if len(whole) <= limit else (SeparatorNotFound, 0)
        return (whole[: at + 1], at + 1) if at < limit else (SeparatorNotFound, 0)
    if 0 <= at <= limit:
        return whole[:at], at + 2
    return (SeparatorNotFound if at > limit or len(whole) >= limit + 2 else IncompleteRead), 0


@given(
    data=st.lists(streams, max_size=4).map(b"".join), pieces=pieces, limit=st.integers(4, 12),
    reads=st.lists(st.tuples(st.sampled_from(["line", "next", "exactly", "until", "read"]), sizes), max_size=9),
)  # fmt: skip
def test_all_reads_of_a_reader_in_any_order(data: bytes, pieces: list[int], limit: int, reads: list[tuple[str, int]]) -> None:
    """Each read gives what it gives of plain bytes; what is buffered and what has not arrived are what is left."""
    stream = Arriving(data, pieces)
    reader, left = reader_of(stream, limit), data
    calls: dict[str, Callable[[int], bytes]] = {
        "line": lambda size: reader.readline(),
        "next": lambda size: next(iter(reader), b""),
        "exactly": reader.read_exactly,
        "until": lambda size: reader.read_until(b"--"),
    }
    for name, size in reads:
        buffered = len(left) - len(stream.left)
        assert reader.buffered == reader.unread == buffered
        if name == "read":
            found = reader.read(size)
            assert found == left[: len(found)]
            assert len(found) == min(size, buffered) if buffered else len(found) <= size
            left = left[len(found) :]
        else:
            expected, count = next_of(left, "line" if name == "next" else name, size, limit)
            assert said_by(calls[name], size) == expected
            left = left[count:]


@given(data=st.binary(max_size=8), size=sizes)
def test_taken(data: bytes, size: int) -> None:
    """The first bytes are given and gone, the others are left."""
    held = bytearray(data)
    assert (taken(held, size), bytes(held)) == (data[:size], data[size:])


def test_a_line_as_long_as_the_limit() -> None:
    """A line may have the limit's bytes with its end; the error for a longer one has the limit, and nothing is lost."""
    for pieces in ([], [1] * 20, [5, 5, 5]):
        stream = Arriving(b"1234567\n12345678\n", list(pieces))
        reader = reader_of(stream, 8)
        assert reader.readline() == b"1234567\n"
        with pytest.raises(SeparatorNotFound, match="8"):
            reader.readline()
        assert reader.buffered + len(stream.left) == 9
        assert reader.read_exactly(9) == b"12345678\n"
        assert reader.readline() == b""


def test_a_budget_is_for_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of the seconds, never nothing where a call may wait, nor less; None and 0 stay what they are."""
    now = 100.0
    monkeypatch.setattr(messages.time, "monotonic", lambda: now)
    budget = Budget(5)
    assert (budget.left, budget.limits) == (5, {"timeout": 5})
    now = 103.0
    assert (budget.left, budget.limits) == (2, {"timeout": 2})
    now = 106.0
    assert budget.left == 1e-6
    assert (Budget(None).left, Budget(None).limits) == (None, {})
    assert (Budget(0).left, Budget(0).limits) == (0, {"timeout": 0})
    assert time is messages.time
    assert (LIMIT, READ_SIZE) == (65536, 65536)

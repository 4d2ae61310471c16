"""How results and errors of Python's sockets are named: of each method that receives, each way to shut, and a connect."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Any

import pytest

from lifecycle.checking.losses import took_all
from lifecycle.checking.observed import DATAGRAM, STREAM, ObservedState
from lifecycle.checking.outcomes import (
    error_name,
    is_order_error,
    lost_descriptor,
    outcome_of_error,
    outcome_of_result,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the numbers are POSIX's")

CONNECTED, PACKETS, OPEN = STREAM["connected"], DATAGRAM["connected"], STREAM["open"]
SEEKING = next(state for state in STREAM if state.facts.link.name == "SEEKING" and not state.facts.early)
SOME, NONE = bytearray(4), bytearray()
RESULT = (socket.SOL_SOCKET, socket.SO_ERROR)

RECEIVED: list[tuple[str, tuple[Any, ...], Any, Any]] = [
    # method, arguments, a result with data, a result without
    ("recv", (4,), b"data", b""),
    ("recv", (4, 0), b"data", b""),
    ("recv", (), b"data", b""),  # the size is given by name
    ("recvfrom", (4,), (b"data", None), (b"", None)),
    ("recvmsg", (4, 9), (b"data", [], 0, None), (b"", [], 0, None)),
    ("recv_into", (SOME,), 4, 0),
    ("recv_into", (SOME, 0), 4, 0),
    ("recv_into", (NONE, 2), 4, 0),
    ("recv_into", (), 4, 0),
    ("recvfrom_into", (SOME,), (4, None), (0, None)),
    ("recvfrom_into", (SOME, 1, 0), (4, None), (0, None)),
    ("recvmsg_into", ([SOME],), (4, [], 0, None), (0, [], 0, None)),
    ("recvmsg_into", ((NONE, SOME),), (4, [], 0, None), (0, [], 0, None)),
    ("recvmsg_into", ([SOME, NONE],), (4, [], 0, None), (0, [], 0, None)),
    ("recvmsg_into", (iter([SOME]),), (4, [], 0, None), (0, [], 0, None)),
    ("recvmsg_into", (), (4, [], 0, None), (0, [], 0, None)),
]

NOTHING_ASKED: list[tuple[str, tuple[Any, ...], Any]] = [
    ("recv", (0,), b""),
    ("recvfrom", (0,), (b"", None)),
    ("recvmsg", (0, 9), (b"", [], 0, None)),
    ("recv_into", (NONE,), 0),
    ("recv_into", (NONE, 0), 0),
    ("recvfrom_into", (NONE,), (0, None)),
    ("recvmsg_into", ([NONE],), (0, [], 0, None)),
    ("recvmsg_into", ([],), (0, [], 0, None)),
]


@pytest.mark.parametrize(("call", "arguments", "some", "none"), RECEIVED)
def test_nothing_from_a_stream_is_its_end(call: str, arguments: tuple[Any, ...], some: Any, none: Any) -> None:
    """A method that receives nothing, though it asked for something, has seen the end of a stream; a datagram may be empty."""
    assert outcome_of_result(CONNECTED, call, arguments, some) == "ok"
    assert outcome_of_result(CONNECTED, call, arguments, none) == "eof"
    assert outcome_of_result(PACKETS, call, arguments, none) == "ok"


@pytest.mark.parametrize(("call", "arguments", "none"), NOTHING_ASKED)
def test_nothing_that_was_asked_for_is_no_end(call: str, arguments: tuple[Any, ...], none: Any) -> None:
    """A call that asks for no bytes says nothing of the stream."""
    assert outcome_of_result(CONNECTED, call, arguments, none) is None


OTHERS: list[tuple[ObservedState, str, tuple[Any, ...], Any, str]] = [
    (CONNECTED, "send", (b"data",), 4, "ok"),
    (CONNECTED, "shutdown", (socket.SHUT_WR,), None, "sends"),
    (CONNECTED, "shutdown", (socket.SHUT_RD,), None, "receives"),
    (CONNECTED, "shutdown", (socket.SHUT_RDWR,), None, "both"),
    (OPEN, "connect_ex", (("", 1),), 0, "ok"),
    (OPEN, "connect_ex", (("", 1),), errno.EINPROGRESS, "pending"),
    (OPEN, "connect_ex", (("", 1),), errno.ECONNREFUSED, "refused"),
    (SEEKING, "connect_ex", (("", 1),), errno.EISCONN, "ok"),
    (CONNECTED, "connect_ex", (("", 1),), errno.EISCONN, "failed"),
    (SEEKING, "getsockopt", RESULT, 0, "asked"),
    (SEEKING, "getsockopt", RESULT, errno.ECONNREFUSED, "refused"),
    (SEEKING, "getsockopt", (*RESULT, 4), bytes(4), "asked"),
    (SEEKING, "getsockopt", (*RESULT, 4), errno.ECONNREFUSED.to_bytes(4, sys.byteorder), "refused"),
    (SEEKING, "getsockopt", (socket.SOL_SOCKET, socket.SO_TYPE), 1, "ok"),
    (SEEKING, "getsockopt", (socket.IPPROTO_TCP, socket.SO_ERROR), 1, "ok"),
    (OPEN, "getsockopt", RESULT, errno.ECONNREFUSED, "ok"),
]


@pytest.mark.parametrize(("state", "call", "arguments", "result", "outcome"), OTHERS)
def test_outcome_of_a_result(state: ObservedState, call: str, arguments: tuple[Any, ...], result: Any, outcome: str) -> None:
    """The direction of a shutdown, a returned error, and the result that SO_ERROR tells of a connect, have their outcomes."""
    assert outcome_of_result(state, call, arguments, result) == outcome


ERRORS: list[tuple[ObservedState, str, BaseException, str | None]] = [
    (OPEN, "connect", ValueError(), None),
    (OPEN, "connect", KeyboardInterrupt(), None),
    (OPEN, "connect", BlockingIOError(errno.EINPROGRESS, ""), "pending"),
    (OPEN, "connect", ConnectionRefusedError(errno.ECONNREFUSED, ""), "refused"),
    (SEEKING, "connect", OSError(errno.EISCONN, ""), "ok"),
    (CONNECTED, "connect", OSError(errno.EISCONN, ""), "failed"),
    (CONNECTED, "send", BrokenPipeError(errno.EPIPE, ""), "broken"),
    (CONNECTED, "recv", BlockingIOError(errno.EAGAIN, ""), "pending"),
    (CONNECTED, "recv", OSError(errno.ENOBUFS, ""), "failed"),
]


@pytest.mark.parametrize(("state", "call", "error", "outcome"), ERRORS)
def test_outcome_of_an_error(state: ObservedState, call: str, error: BaseException, outcome: str | None) -> None:
    """An error of the system has the outcome that the role gives it; any other says nothing."""
    assert outcome_of_error(state, call, error) == outcome


def test_errors_that_the_order_explains() -> None:
    """The state of a socket explains some errors, and two of them mean that the descriptor is gone; each has its name."""
    names = [
        "EBADF", "EINVAL", "ENOTCONN", "EISCONN", "EPIPE", "EDESTADDRREQ", "EOPNOTSUPP", "EALREADY", "ESHUTDOWN",
        "ECONNABORTED", "ENOTSOCK",
    ]  # fmt: skip
    assert {number for number in range(200) if is_order_error(number)} == {getattr(errno, name) for name in names}
    assert {name for number, name in errno.errorcode.items() if lost_descriptor(number)} == {"EBADF", "ENOTSOCK"}
    assert not lost_descriptor(None)
    assert [error_name(getattr(errno, name)) for name in (*names, "ENOENT")] == [*names, "ENOENT"]
    assert error_name(99_999) == "99999"


@pytest.mark.parametrize(
    ("buffers", "count", "took"),
    [
        ([b"ab", b"cd"], 4, True), ([b"ab", b"cd"], 3, False), ((b"ab", bytearray(b"cd")), 5, False), ([], 0, True),
        ([b"ab", "cd"], 1, True), (iter([b"ab"]), 1, True), ([memoryview(b"ab")], 1, False), ([os], 9, True),
    ],
)  # fmt: skip
def test_whether_a_message_was_taken_whole(buffers: object, count: int, took: bool) -> None:
    """It was where the count is that of all bytes; buffers that can only be read once, or have no length, are left alone."""
    assert took_all(buffers, count) is took

"""Sending, receiving and accepting: what waits until a socket has room, data, a message or a connection."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from lifecycle.net.errors import BlockingCallCancelled, MessageTruncated, SendTimedOut, SendWouldBlock
from lifecycle.net.operations import MORE_READABLE, READABLE, STILL_WRITABLE, WRITABLE, Operation, Wait, pausing
from lifecycle.system import portable_calls
from lifecycle.system.addresses import from_system
from lifecycle.system.handles import take_connection, unfilled
from lifecycle.system.local_sockets import LOCAL_FAMILY
from lifecycle.system.outcomes import system_error
from lifecycle.system.passing import sending_with_handles

if TYPE_CHECKING:
    from array import array

    from _typeshed import ReadableBuffer

MSG_WAITALL = getattr(socket, "MSG_WAITALL", 0)

READ_SIZE = 1 << 16
"""How much a file reads at most in one receive."""


class Progress:
    """How much of the data of a send went out."""

    __slots__ = ("_counts",)

    def __init__(self, sent: int = 0) -> None:
        self._counts = [sent]

    @property
    def sent(self) -> int:
        """The number of bytes."""
        return sum(self._counts)

    def add(self, send: Callable[..., int], *arguments: object) -> None:
        """Make a system call that sends, and count what it gives.

        Both in one step: where a signal handler may raise is between two instructions of Python, and a loop in C has none.
        """
        self._counts.extend(map(send, *zip(arguments)))
        self._counts = [self.sent]


def sending(
    sock: socket.socket, data: ReadableBuffer, flags: int, progress: Progress, handles: array[int] | None = None
) -> Operation[int]:
    """Send what is left of `data` on a stream, descriptors with its first byte.

    An error that ends it says how much was sent, and `progress` does.
    """
    view = memoryview(data).cast("B")
    request = WRITABLE
    try:
        while progress.sent < len(view):
            try:
                if handles and not progress.sent:
                    progress.add(*sending_with_handles(sock, view, handles))
                else:
                    progress.add(sock.send, view[progress.sent :], flags)
                request = WRITABLE
                continue
            except BlockingIOError:
                pass
            yield request
            request = STILL_WRITABLE
    except BlockingIOError:
        raise SendWouldBlock(progress.sent) from None
    except BlockingCallCancelled:
        raise BlockingCallCancelled(progress.sent) from None
    except TimeoutError as error:
        if error.errno is not None:  # the system's own: the peer is out of reach
            vars(error)["sent"] = progress.sent
            raise
        raise SendTimedOut(progress.sent) from None
    except BaseException as error:
        vars(error)["sent"] = progress.sent
        raise
    return progress.sent


def count(error: BaseException, sent: int) -> None:
    """Note on the exception that ends a send how much was sent; it may be the system's, or a signal handler's.

    sent: ~sent over TLS, see TlsLayer.send(). An exception that has a number already keeps it.
    """
    vars(error).setdefault("sent", ~sent if sent < 0 else sent)


def receiving(sock: socket.socket, size: int, flags: int, request: Wait = READABLE) -> Operation[bytes]:
    """Receive what has arrived on a stream, at least one byte, or b"" at its end."""
    while True:
        try:
            return sock.recv(size, flags)
        except BlockingIOError:
            pass
        yield request
        request = READABLE


class Holds(Protocol):
    """A stream that may hold what was received and not given; its usual receive looks whether that is None."""

    _held: bytearray | None


def hold(stream: Holds) -> bytearray:
    """The bytes that the stream holds, to take from and to add to; let_go() follows."""
    held = stream._held
    if held is None:
        held = stream._held = bytearray()
    return held


def let_go(stream: Holds, held: bytearray) -> None:
    """After a call that has taken from `held`: keep the rest for the next one."""
    if held:
        if stream._held is None:
            stream._held = held
    elif stream._held is held:
        stream._held = None


def receiving_from_held(sock: socket.socket, held: bytearray, size: int, flags: int) -> Operation[bytes]:
    """Receive where an earlier call has left something, or with MSG_WAITALL: all of `size` bytes, or up to the end.

    OSError (EOPNOTSUPP) for MSG_WAITALL with MSG_PEEK: a socket that polls could only wait by asking again and again.
    """
    if flags & socket.MSG_OOB or not (held or flags & MSG_WAITALL):
        return (yield from receiving(sock, size, flags))
    if flags & socket.MSG_PEEK:
        if flags & MSG_WAITALL:
            raise system_error(errno.EOPNOTSUPP)
        return bytes(held[:size])
    while len(held) < size and (flags & MSG_WAITALL or not held):
        received = yield from receiving(sock, min(size - len(held), READ_SIZE), flags & ~MSG_WAITALL, MORE_READABLE)
        if not received:
            break
        held += received
    first = bytes(held[:size])
    del held[:size]
    return first


def accepting(listeners: Sequence[socket.socket], into: socket.socket | None = None) -> Operation[socket.socket]:
    """Take the first connection of a queue, the first listener's before the others'.

    into: a socket object that holds nothing yet; see take_connection().
    """
    into = unfilled() if into is None else into
    while True:
        passed_over = False
        for listener in listeners:
            try:
                connection = take_connection(listener, into)
            except BlockingIOError:
                continue
            except ConnectionAbortedError:
                passed_over = True  # it was gone before it was taken; others may be behind it
                continue
            return connection
        if not passed_over:
            yield READABLE


def sending_message(
    sock: socket.socket, data: ReadableBuffer, flags: int, peer: Any = None, handles: array[int] | None = None
) -> Operation[int]:
    """Send one message, to `peer` or to the socket's own, with descriptors."""
    while True:
        try:
            if handles:
                send, *arguments = sending_with_handles(sock, memoryview(data), handles)
                return int(send(*arguments))
            return sock.send(data, flags) if peer is None else sock.sendto(data, flags, peer)
        except BlockingIOError:
            if peer is not None and sock.family == LOCAL_FAMILY:
                yield from pausing()  # the queue that is full is the peer's: this socket is writable all the time
                continue
        yield WRITABLE


def receiving_message(sock: socket.socket, size: int, flags: int) -> Operation[tuple[bytes, Any]]:
    """Receive one message and the address it came from; MessageTruncated for one that is longer."""
    while True:
        try:
            data, truncated, sender = portable_calls.receive_message(sock, size, flags)
        except BlockingIOError:
            pass
        else:
            if truncated:
                raise MessageTruncated(data, from_system(sender) if sender else None)
            return data, sender
        yield READABLE


def reading(held: bytearray, size: int | None, exact: bool) -> Generator[int, bytes, bytes]:
    """Read from a stream through `held`, what an earlier read left: yields how much to receive next, and is sent what arrived.

    size: None for everything up to the end. exact: whether to go on until there are `size` bytes. What an interrupted read has
    received stays held.
    """
    while size is None or (len(held) < size and (exact or not held)):
        received = yield READ_SIZE if size is None else min(size - len(held), READ_SIZE)
        held += received
        if not received:
            break
    taken = bytes(held) if size is None else bytes(held[:size])
    del held[: len(taken)]
    return taken


def reading_line(held: bytearray, size: int) -> Generator[int, bytes, bytes]:
    """Read a line with its end as reading() does: at most `size` bytes unless that is negative, fewer at the stream's end."""
    searched = 0
    while True:
        end = held.find(b"\n", searched) + 1
        if end or 0 <= size <= len(held):
            break
        searched = len(held)
        received = yield READ_SIZE
        if not received:
            break
        held += received
    taken = bytes(held[: min(end or len(held), size if size >= 0 else len(held))])
    del held[: len(taken)]
    return taken

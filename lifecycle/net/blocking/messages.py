"""Messages over a blocking stream: calls that consist of calls of send() and receive(), and are checked as those are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from lifecycle.net.blocking.driver import BlockingSocket
from lifecycle.net.errors import BlockingCallCancelled, SendTimedOut, SendWouldBlock
from lifecycle.net.operations import Timeout
from lifecycle.net.operations.messages import (
    LIMIT,
    Budget,
    Steps,
    Taken,
    checked_file,
    checked_limit,
    checked_separator,
    exactly,
    until,
)
from lifecycle.net.operations.transfer import READ_SIZE
from lifecycle.net.os_socket import checked_size
from lifecycle.net.twins import StreamCalls

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Messages(BlockingSocket, StreamCalls):
    """The calls of a stream that send or receive whole messages and files."""

    __slots__ = ("_held",)

    _fresh: ClassVar[Mapping[str, object]] = {"_held": None}

    if TYPE_CHECKING:

        def send(self, data: ReadableBuffer, flags: int = 0, timeout: Timeout = ...) -> int: ...
        def receive(self, size: int = 65536, flags: int = 0, timeout: Timeout = ...) -> bytes: ...
        def receive_from(self, size: int = 65536, flags: int = 0, *, timeout: Timeout = ...) -> tuple[bytes, None]: ...

    def receive_exactly(self, size: int, *, timeout: Timeout = ...) -> bytes:
        """Receive exactly `size` bytes, waiting for them.

        timeout: seconds for all of them; the object's own where it is not given. Raises IncompleteRead, an EOFError, when the
        stream ends before; and what receive() raises, in the same states. After any error nothing is lost: what arrived stays
        in the object, and this call made again, or receive(), gives it.
        """
        checked_size(size)
        return self._take(exactly, timeout, size)

    def receive_until(self, separator: bytes, *, limit: int = LIMIT, timeout: Timeout = ...) -> bytes:
        """Receive up to `separator`; what came before it. The separator is taken from the stream and not given.

        limit: the most bytes before it. timeout: as for receive_exactly(). What was received beyond it stays in the object for
        the next call. Raises SeparatorNotFound, a ValueError, when there are more than `limit` bytes without it; else as
        receive_exactly().
        """
        return self._take(until, timeout, checked_separator(separator), checked_limit(limit))

    def receive_into(self, buffer: WriteableBuffer, flags: int = 0, *, timeout: Timeout = ...) -> int:
        """Receive into a buffer that can be written to; how many bytes, 0 at the end of the stream. Else as receive()."""
        with memoryview(buffer) as view, view.cast("B") as octets:
            if octets.readonly:
                raise TypeError("receive_into() needs a buffer that can be written to")
            data = self.receive(len(octets), flags, timeout=timeout)
            octets[: len(data)] = data
            return len(data)

    def send_gathered(self, parts: Iterable[ReadableBuffer], *, timeout: Timeout = ...) -> int:
        """Send all parts, one after the other, by one send(); how many bytes. Raises as send() does."""
        return self.send(b"".join(parts), timeout=timeout)

    def send_file(self, file: BinaryIO, size: int | None = None, *, timeout: Timeout = ...) -> int:
        """Send a file from its position to its end, or `size` bytes of it; how many were sent.

        file: anything whose read() gives bytes. timeout: seconds for all of it. Raises as send() does, and what the file's
        read() raises; SendTimedOut and SendWouldBlock have in `sent` how much of the file was sent, and the position of a file
        that can seek is then behind that, so that the call may be made again.
        """
        checked_file(file)
        if size is not None:
            checked_size(size)
        budget, sent = self._budget(timeout), 0
        while size is None or sent < size:
            part = file.read(READ_SIZE if size is None else min(READ_SIZE, size - sent))
            if not part:
                break
            try:
                sent += self.send(part, timeout=budget.left)
            except (SendTimedOut, SendWouldBlock, BlockingCallCancelled) as error:
                if file.seekable():
                    file.seek(error.sent - len(part), 1)
                raise type(error)(sent + error.sent) from None
        return sent or self.send(b"", timeout=budget.left)

    # -- for the calls above --------------------------------------------------------------------------------------------

    def _budget(self, timeout: Timeout) -> Budget:
        return Budget(self._seconds(timeout))

    def _take(self, taking: Callable[..., Steps[Taken]], timeout: Timeout, *arguments: Any) -> Taken:
        """Take a message by receive(); what remains is held for the next call."""
        if self._held:
            self.receive(0)  # refused where nothing may be received
        held, self._held = self._held or bytearray(), None
        try:
            return self._received_by(taking(held, *arguments), timeout)
        finally:
            self._held = held or None

    def _received_by(self, steps: Steps[Taken], timeout: Timeout) -> Taken:
        """Run `steps`, with receive() for what each of them asks for; the result."""
        try:
            wanted = next(steps)
            budget = self._budget(timeout)
            while True:
                wanted = steps.send(self.receive(wanted, timeout=budget.left))
        except StopIteration as ended:
            result: Taken = ended.value
            return result

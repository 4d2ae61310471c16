"""The errors of the sockets besides the system's own; all are OSErrors, since they are about the network."""

from __future__ import annotations

import errno
from typing import Any

from lifecycle.system.addresses import Address


class SendTimedOut(TimeoutError):
    """The timeout expired before all of the data was sent; `sent` bytes of it were, and the rest may be sent later."""

    def __init__(self, sent: int) -> None:
        super().__init__(f"timed out after {sent} bytes were sent")
        self.sent = sent

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.sent,)


class SendWouldBlock(BlockingIOError):
    """The socket does not wait and its buffer is full; `sent` bytes of the data were sent before that."""

    def __init__(self, sent: int) -> None:
        super().__init__(errno.EAGAIN, f"the buffer is full after {sent} bytes were sent", sent)
        self.sent = sent

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.sent,)


class BlockingCallCancelled(InterruptedError):
    """cancel_blocking_call() ended this call; `sent` bytes had been sent where it was a send."""

    def __init__(self, sent: int = 0) -> None:
        super().__init__(errno.EINTR, "the blocking call was cancelled")
        self.sent = sent

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.sent,)


class IncompleteRead(EOFError):
    """The peer ended its stream within a message: `partial` has arrived of it, of `expected` bytes where that is known.

    Nothing is lost: a receive() of the object, or a read of the reader, gives `partial`.
    """

    def __init__(self, partial: bytes, expected: int | None) -> None:
        wanted = "the separator" if expected is None else f"{expected} bytes"
        super().__init__(f"the stream has ended after {len(partial)} bytes, before {wanted}")
        self.partial = partial
        self.expected = expected

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.partial, self.expected)


class SeparatorNotFound(ValueError):
    """No `separator` came within `limit` bytes. Nothing is lost: what has arrived can still be received."""

    def __init__(self, separator: bytes, limit: int) -> None:
        super().__init__(f"no {separator!r} within {limit} bytes: the peer sends something else, or the limit is too low")
        self.separator = separator
        self.limit = limit

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.separator, self.limit)


class MessageTruncated(OSError):
    """A message was longer than the size asked for: `head` is what fitted, `sender` its sender; the rest is lost."""

    def __init__(self, head: bytes, sender: Address | None) -> None:
        super().__init__(errno.EMSGSIZE, f"the message is longer than {len(head)} bytes; its rest is lost")
        self.head = head
        self.sender = sender

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.head, self.sender)


class TooManyHandles(OSError):
    """More descriptors arrived than allowed: `count` instead of at most `limit`. None of them stays open.

    On Linux nothing was taken: a call with a higher limit gives them, and receive() drops them. Other systems cannot look
    first: `data` is what came with them there, and they are lost.
    """

    def __init__(self, count: int, limit: int, data: bytes = b"") -> None:
        super().__init__(
            errno.EMSGSIZE, f"{count} descriptors arrived, and at most {limit} are allowed; none of them stays open"
        )
        self.count = count
        self.limit = limit
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.count, self.limit, self.data)


class StreamTruncated(ConnectionError):
    """The connection ended without the peer's close_notify: data may be missing. Every later receive raises it again."""


class PlainTextUnread(OSError):
    """start_tls() was refused: the object holds unread plain text, which must not be taken for data received over TLS."""


class HandshakeRefused(ConnectionError):
    """One side did not accept the other's certificate, name or version; the connection can only be closed.

    reason: OpenSSL's name, as in "TLSV13_ALERT_CERTIFICATE_REQUIRED" for an alert of the peer, or "CERTIFICATE_VERIFY_FAILED".
    verify_message: what is wrong with the peer's certificate, or "".
    """

    def __init__(self, reason: str, verify_message: str = "") -> None:
        super().__init__(verify_message or reason)
        self.reason = reason
        self.verify_message = verify_message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason, self.verify_message)

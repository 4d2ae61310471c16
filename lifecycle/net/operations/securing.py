"""TLS: its handshake, what is sent and received over it, and its end, over a layer that stands in the place of the socket.

The layer makes one step at a time and never waits: a step that would have to raises a BlockingIOError.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lifecycle.engine import ClosedDuringCall
from lifecycle.net.errors import BlockingCallCancelled, SendTimedOut, SendWouldBlock
from lifecycle.net.operations import READABLE, WRITABLE, Operation, Wait
from lifecycle.net.operations.transfer import Progress
from lifecycle.system.outcomes import system_error

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from lifecycle.net.tls_details import TlsDetails


class NoRoom(BlockingIOError):
    """A step cannot go on before the socket is writable; every other BlockingIOError means readable."""

    def __init__(self) -> None:
        super().__init__(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _wait_for(reason: BlockingIOError) -> Wait:
    return WRITABLE if isinstance(reason, NoRoom) else READABLE


class OfSocket:
    """An attribute that is the socket's below.

    Named one by one, and not by __getattr__(): with that CPython specialises no attribute of the class, and a step takes half
    as long again; nor must a call that is not known here send or receive below TLS.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: SecureLayer, owner: type) -> Any:
        return getattr(layer.below, self._name)


OWN_ERRORS = (OSError, TypeError, ValueError)
"""The errors that a step raises itself: of the network, or of its arguments"""


class SecureLayer:
    """TLS, step by step. It stands in the place of an object's socket, with its methods; the socket below is `below`."""

    __slots__ = ("_is_abandoned", "_sends_under_way", "below")

    _error: OSError | None
    """the error that has ended TLS"""
    _lock: Any
    """held for a step; by the same thread twice where an exception has left it held"""
    is_drained: bool
    """Whether nothing can be received before the socket is readable"""

    def __init__(self, below: socket.socket) -> None:
        self.below = below
        self._is_abandoned = False
        self._sends_under_way = 0

    detach, family, proto, type = OfSocket(), OfSocket(), OfSocket(), OfSocket()
    getpeername, getsockname, getsockopt, setsockopt = OfSocket(), OfSocket(), OfSocket(), OfSocket()

    def fileno(self) -> int:
        """The descriptor."""
        return self.below.fileno()

    def handshake(self) -> None:
        """Go on with the handshake."""
        raise NotImplementedError

    def commit(self, data: memoryview) -> int:
        """Encrypt what goes into one piece; how many bytes. They cannot be taken back, and need not be sent again."""
        raise NotImplementedError

    def flush(self) -> None:
        """Send what was encrypted."""
        raise NotImplementedError

    def recv(self, size: int, flags: int = 0) -> bytes:
        """The data that has arrived, at least one byte, or b"" after the peer's close_notify."""
        raise NotImplementedError

    @property
    def buffered(self) -> int:
        """How many decrypted bytes a receive gives without asking the system."""
        raise NotImplementedError

    @property
    def has_come(self) -> bool:
        """Whether a receive ends without asking the system: by data, by the end or by an error."""
        raise NotImplementedError

    @property
    def details(self) -> TlsDetails:
        """The result of the handshake."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Send no close_notify at the close: the data that was sent is incomplete."""
        self._is_abandoned = True

    @contextmanager
    def send_under_way(self) -> Iterator[None]:
        """A send that may wait: a close() meanwhile, from elsewhere, sends no close_notify."""
        with self._lock:
            self._sends_under_way += 1
        try:
            yield
        except ClosedDuringCall:  # which this thread may learn before the other one closes the socket
            self.abandon()
            raise
        finally:
            with self._lock:
                self._sends_under_way -= 1

    @property
    def is_whole(self) -> bool:
        """Whether close_notify may say that the peer has got everything, as far as this layer knows."""
        return not (self._is_abandoned or self._sends_under_way)

    @property
    def has_failed(self) -> bool:
        """Whether an error has ended TLS."""
        return self._error is not None

    def is_torn_by(self, error: BaseException) -> bool:
        """Whether an exception of a signal handler came within a step: what that took or sent is not known, and TLS is over."""
        if self._error is not None or (isinstance(error, OWN_ERRORS) and not isinstance(error, TimeoutError)):
            return False
        here, traceback = type(self).__init__.__code__.co_filename, error.__traceback__
        while traceback is not None and traceback.tb_frame.f_code.co_filename != here:
            traceback = traceback.tb_next
        if traceback is None:
            return False
        self._keep(ConnectionAbortedError(errno.ECONNABORTED, f"an exception came while TLS took or sent: {error!r}"))
        with suppress(RuntimeError):  # this thread holds it no longer
            while True:
                self._lock.release()
        return True

    def _keep(self, error: OSError) -> None:
        """Keep the first error that ends TLS."""
        raise NotImplementedError

    def left_over(self) -> bytes:
        """Plain text after the peer's close_notify that was received together with it."""
        raise NotImplementedError


def shaking_hands(layer: SecureLayer) -> Operation[None]:
    """Make the handshake, or go on with it."""
    while True:
        try:
            return layer.handshake()
        except BlockingIOError as reason:
            request = _wait_for(reason)
        yield request


def sending_secured(layer: SecureLayer, data: ReadableBuffer, flags: int, progress: Progress) -> Operation[int]:
    """Send what is left of `data`: it has ended when all of it has gone to the system. See sending()."""
    if flags:
        raise system_error(errno.EOPNOTSUPP)
    view = memoryview(data).cast("B")
    waited_at = -1
    with layer.send_under_way(), _with_count(progress):
        while True:
            try:
                while progress.sent < len(view):
                    progress.add(layer.commit, view[progress.sent :])
                layer.flush()
                return progress.sent
            except BlockingIOError as reason:
                request = _wait_for(reason)
            yield request._replace(goes_on=progress.sent != waited_at)
            waited_at = progress.sent


def ending_secured(layer: SecureLayer) -> Operation[bytes]:
    """Send what was encrypted, the close_notify at last; what has arrived in plain text behind the peer's."""
    while True:
        try:
            layer.flush()
            return layer.left_over()
        except BlockingIOError as reason:
            request = _wait_for(reason)
        yield request


@contextmanager
def _with_count(progress: Progress) -> Iterator[None]:
    """Note on an exception that ends a send how much of the data was sent."""
    try:
        yield
    except BlockingIOError:
        raise SendWouldBlock(progress.sent) from None
    except BlockingCallCancelled:
        raise BlockingCallCancelled(progress.sent) from None
    except TimeoutError as error:
        if error.errno is not None:
            vars(error)["sent"] = progress.sent
            raise
        raise SendTimedOut(progress.sent) from None
    except BaseException as error:
        vars(error)["sent"] = progress.sent
        raise

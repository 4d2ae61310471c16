"""KeepsError: what ends TLS on a connection is kept, and raised again and again: the connection never looks whole again."""

from __future__ import annotations

import copy
import errno
import socket
import ssl
from typing import NoReturn

from lifecycle.net.errors import HandshakeRefused
from lifecycle.net.operations.securing import SecureLayer
from lifecycle.net.tls_details import TlsDetails


class KeepsError(SecureLayer):
    """A layer that keeps its first error. What that means depends on whether the handshake is over, and on what has arrived."""

    __slots__ = ("_details", "_error", "_has_received", "_is_usual", "_was_raised", "is_drained")

    _is_usual: bool
    """Whether a receive has nothing to look at: the handshake is over, and there is no end, no error and nothing read ahead"""

    def __init__(self, below: socket.socket) -> None:
        super().__init__(below)
        self._details: TlsDetails | None = None  # until the handshake is over
        self._error: OSError | None = None
        self._was_raised = self._has_received = self._is_usual = self.is_drained = False

    def _keep_of_openssl(self, error: ssl.SSLError) -> None:
        """Keep what an error of OpenSSL means to the user."""
        reason = error.reason or str(error)
        if self._details is None or ("ALERT" in reason and not self._has_received):
            self._keep(HandshakeRefused(reason, getattr(error, "verify_message", "")), error)
        else:
            self._keep(ConnectionAbortedError(errno.ECONNABORTED, f"TLS: {reason}"), error)

    def _keep(self, error: OSError, cause: ssl.SSLError | None = None) -> None:
        """Keep the first error; its traceback would hold this object."""
        self._is_usual = self.is_drained = False
        if self._error is None:
            if self._details is None and not isinstance(error, ConnectionError):
                error = ConnectionAbortedError(errno.ECONNABORTED, f"the TLS handshake has failed: {error}")
            self._error = error.with_traceback(None)
            error.__cause__ = None if cause is None else cause.with_traceback(None)
            error.__context__ = None

    def _raise_unusable(self) -> NoReturn:
        """Raise the error that has ended TLS, or EALREADY: the handshake is under way."""
        self._raise_error()
        raise OSError(errno.EALREADY, "a TLS handshake is under way on this object")

    def _raise_error(self) -> None:
        """Raise a copy of the error that has ended TLS, if there is one."""
        if self._error is not None:
            self._was_raised = True
            raise _copied(self._error)


def _copied(error: OSError) -> OSError:
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied

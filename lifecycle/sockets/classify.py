"""How the system's errors classify to outcomes: data, one table per kind of socket. The engine knows no error numbers."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """The outcome of a call by error number; `otherwise` for the numbers that are not listed."""

    numbers: Mapping[int, str]
    otherwise: str = "failed"

    def outcome(self, number: int | None) -> str:
        """The outcome of an OSError with that number."""
        return self.otherwise if number is None else self.numbers.get(number, self.otherwise)


def _numbers(outcome: str, *names: str) -> Mapping[int, str]:
    """The numbers that this system has for those names."""
    return MappingProxyType({getattr(errno, name): outcome for name in names if hasattr(errno, name)})


FAILED = ErrorTable({})

CONNECTION_GONE = ErrorTable(
    _numbers(
        "broken", "ECONNRESET", "ECONNABORTED", "EPIPE", "ENETRESET", "ENOTCONN", "ESHUTDOWN",
        "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN",
    )
)  # fmt: skip
"""Sending and receiving on a stream; a time-out of the system's own means that the peer is out of reach."""

CONNECTING = ErrorTable(
    _numbers("failed", "EAFNOSUPPORT", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EBADF"), otherwise="refused"
)
"""Seeking a connection: whatever the network says is a refusal, what this machine lacks is not."""

PEER_REFUSES = ErrorTable(_numbers("refused", "ECONNREFUSED", "ECONNRESET"))
"""A datagram that nobody takes is told to the sender later, as ECONNREFUSED (POSIX) or WSAECONNRESET (Winsock)."""

STREAM_ERRORS: Mapping[str, ErrorTable] = {
    "connect": CONNECTING,
    "finish_connect": CONNECTING,
    "send": CONNECTION_GONE,
    "send_to": CONNECTION_GONE,
    "receive": CONNECTION_GONE,
    "receive_from": CONNECTION_GONE,
}

DATAGRAM_ERRORS: Mapping[str, ErrorTable] = {
    "send": PEER_REFUSES,
    "receive": PEER_REFUSES,
    "receive_from": PEER_REFUSES,
}

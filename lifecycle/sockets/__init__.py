"""Real sockets of the operating system, blocking, as the handlers of the roles."""

from importlib import import_module
from typing import TYPE_CHECKING

from lifecycle.net.errors import (
    BlockingCallCancelled,
    HandshakeRefused,
    IncompleteRead,
    MessageTruncated,
    PlainTextUnread,
    SendTimedOut,
    SendWouldBlock,
    SeparatorNotFound,
    StreamTruncated,
    TooManyHandles,
)
from lifecycle.system.addresses import Address
from lifecycle.system.portable_calls import FIONREAD

if TYPE_CHECKING:
    from lifecycle.net.blocking.client import Client
    from lifecycle.net.blocking.datagram import Datagram
    from lifecycle.net.blocking.opening import open_connection
    from lifecycle.net.blocking.reader import Reader
    from lifecycle.net.blocking.server import Accepted, Server

__all__ = [
    "FIONREAD",
    "Accepted",
    "Address",
    "BlockingCallCancelled",
    "Client",
    "Datagram",
    "HandshakeRefused",
    "IncompleteRead",
    "MessageTruncated",
    "PlainTextUnread",
    "Reader",
    "SendTimedOut",
    "SendWouldBlock",
    "SeparatorNotFound",
    "Server",
    "StreamTruncated",
    "TooManyHandles",
    "open_connection",
]

_FILES = {
    "Accepted": "server",
    "Client": "client",
    "Datagram": "datagram",
    "Reader": "reader",
    "Server": "server",
    "open_connection": "opening",
}
"""The files of lifecycle.net.blocking in which these are"""


def __getattr__(name: str) -> object:
    """Make a class when it is first used: a program that only has clients does without the others."""
    if name not in _FILES:
        raise AttributeError(f"module 'lifecycle.sockets' has no attribute {name!r}")
    value: object = getattr(import_module(f"lifecycle.net.blocking.{_FILES[name]}"), name)
    return globals().setdefault(name, value)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

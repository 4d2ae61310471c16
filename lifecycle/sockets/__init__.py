"""Real sockets of the operating system, blocking, as the handlers of the roles."""

from lifecycle.net.blocking.opening import open_connection
from lifecycle.net.blocking.reader import Reader
from lifecycle.net.blocking.sockets import Accepted, Client, Datagram, Server
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

"""Real sockets of the operating system, blocking, as the handlers of the roles."""

from lifecycle.net.blocking.sockets import Accepted, Client, Datagram, Server
from lifecycle.net.errors import (
    BlockingCallCancelled,
    HandshakeRefused,
    MessageTruncated,
    PlainTextUnread,
    SendTimedOut,
    SendWouldBlock,
    StreamTruncated,
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
    "MessageTruncated",
    "PlainTextUnread",
    "SendTimedOut",
    "SendWouldBlock",
    "Server",
    "StreamTruncated",
]

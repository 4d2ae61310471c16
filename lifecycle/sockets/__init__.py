"""Real sockets of the operating system, blocking, as the handlers of the roles."""

from lifecycle.net.blocking.reader import Reader
from lifecycle.net.blocking.sockets import Accepted, Client, Datagram, Server
from lifecycle.net.errors import (
    BlockingCallCancelled,
    IncompleteRead,
    MessageTruncated,
    SendTimedOut,
    SendWouldBlock,
    SeparatorNotFound,
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
    "IncompleteRead",
    "MessageTruncated",
    "Reader",
    "SendTimedOut",
    "SendWouldBlock",
    "SeparatorNotFound",
    "Server",
]

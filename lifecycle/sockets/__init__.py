"""Real sockets of the operating system, blocking, as the handlers of the roles."""

from lifecycle.sockets.accepted import Accepted
from lifecycle.sockets.client import Client
from lifecycle.sockets.datagram import Datagram
from lifecycle.sockets.errors import BlockingCallCancelled, MessageTruncated, SendTimedOut, SendWouldBlock
from lifecycle.sockets.server import Server
from lifecycle.system.addresses import Address
from lifecycle.system.portable_calls import FIONREAD

__all__ = [
    "FIONREAD",
    "Accepted",
    "Address",
    "BlockingCallCancelled",
    "Client",
    "Datagram",
    "MessageTruncated",
    "SendTimedOut",
    "SendWouldBlock",
    "Server",
]

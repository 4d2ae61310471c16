"""The legal order of socket calls, executable.

Each socket role (server, client, accepted, datagram) is a declarative state machine that allows only legal call orders; real
sockets of the operating system are attached to it as side-effect handlers.
"""

from lifecycle.engine import (
    CallInProgress,
    ClosedDuringCall,
    IllegalCall,
    Journal,
    Lifecycle,
    LifecycleError,
    Role,
    RoleError,
)
from lifecycle.roles import ACCEPTED, CLIENT, DATAGRAM, ROLES, SERVER
from lifecycle.sockets import (
    Accepted,
    Address,
    BlockingCallCancelled,
    Client,
    Datagram,
    MessageTruncated,
    SendTimedOut,
    SendWouldBlock,
    Server,
)

__version__ = "0.1.0"

__all__ = [
    "ACCEPTED",
    "CLIENT",
    "DATAGRAM",
    "ROLES",
    "SERVER",
    "Accepted",
    "Address",
    "BlockingCallCancelled",
    "CallInProgress",
    "Client",
    "ClosedDuringCall",
    "Datagram",
    "IllegalCall",
    "Journal",
    "Lifecycle",
    "LifecycleError",
    "MessageTruncated",
    "Role",
    "RoleError",
    "SendTimedOut",
    "SendWouldBlock",
    "Server",
]

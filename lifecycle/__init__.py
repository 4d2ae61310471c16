"""The legal order of socket calls, executable.

Each socket role (server, client, accepted, datagram) is a declarative state machine that allows only legal call orders; real
sockets of the operating system are attached to it as side-effect handlers. An Archive carries typed values over them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.archive import Archive as Archive
    from lifecycle.archive import ArchiveError as ArchiveError
    from lifecycle.archive import SocketFile as SocketFile
    from lifecycle.archive import serializable as serializable
    from lifecycle.engine import CallInProgress as CallInProgress
    from lifecycle.engine import ClosedDuringCall as ClosedDuringCall
    from lifecycle.engine import IllegalCall as IllegalCall
    from lifecycle.engine import Journal as Journal
    from lifecycle.engine import Lifecycle as Lifecycle
    from lifecycle.engine import LifecycleError as LifecycleError
    from lifecycle.engine import Role as Role
    from lifecycle.engine import RoleError as RoleError
    from lifecycle.engine import StateChangedDuringCall as StateChangedDuringCall
    from lifecycle.roles import ACCEPTED as ACCEPTED
    from lifecycle.roles import ARCHIVE as ARCHIVE
    from lifecycle.roles import CLIENT as CLIENT
    from lifecycle.roles import DATAGRAM as DATAGRAM
    from lifecycle.roles import ROLES as ROLES
    from lifecycle.roles import SERVER as SERVER
    from lifecycle.roles import SOCKET_FILE as SOCKET_FILE
    from lifecycle.sockets import Accepted as Accepted
    from lifecycle.sockets import Address as Address
    from lifecycle.sockets import BlockingCallCancelled as BlockingCallCancelled
    from lifecycle.sockets import Client as Client
    from lifecycle.sockets import Datagram as Datagram
    from lifecycle.sockets import HandshakeRefused as HandshakeRefused
    from lifecycle.sockets import IncompleteRead as IncompleteRead
    from lifecycle.sockets import MessageTruncated as MessageTruncated
    from lifecycle.sockets import PlainTextUnread as PlainTextUnread
    from lifecycle.sockets import Reader as Reader
    from lifecycle.sockets import SendTimedOut as SendTimedOut
    from lifecycle.sockets import SendWouldBlock as SendWouldBlock
    from lifecycle.sockets import SeparatorNotFound as SeparatorNotFound
    from lifecycle.sockets import Server as Server
    from lifecycle.sockets import StreamTruncated as StreamTruncated
    from lifecycle.sockets import TooManyHandles as TooManyHandles
    from lifecycle.sockets import open_connection as open_connection

__version__ = "0.1.0"

__all__ = [
    "ACCEPTED",
    "ARCHIVE",
    "CLIENT",
    "DATAGRAM",
    "ROLES",
    "SERVER",
    "SOCKET_FILE",
    "Accepted",
    "Address",
    "Archive",
    "ArchiveError",
    "BlockingCallCancelled",
    "CallInProgress",
    "Client",
    "ClosedDuringCall",
    "Datagram",
    "HandshakeRefused",
    "IllegalCall",
    "IncompleteRead",
    "Journal",
    "Lifecycle",
    "LifecycleError",
    "MessageTruncated",
    "PlainTextUnread",
    "Reader",
    "Role",
    "RoleError",
    "SendTimedOut",
    "SendWouldBlock",
    "SeparatorNotFound",
    "Server",
    "SocketFile",
    "StateChangedDuringCall",
    "StreamTruncated",
    "TooManyHandles",
    "open_connection",
    "serializable",
]

_FLOORS = ("lifecycle.engine", "lifecycle.roles", "lifecycle.sockets", "lifecycle.archive")


def __getattr__(name: str) -> object:
    """Load a public name's module when the name is first used: a program that only declares roles does not load the sockets."""
    if name in __all__:
        for floor in _FLOORS:
            module = import_module(floor)
            if name in module.__all__:
                value: object = getattr(module, name)
                globals()[name] = value
                return value
    raise AttributeError(f"module 'lifecycle' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

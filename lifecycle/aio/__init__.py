"""The same roles, awaited, on asyncio (also uvloop) and trio through anyio, and CAsyncSocket's notifications."""

try:
    import anyio as _anyio
except ImportError as _missing:
    raise ImportError('lifecycle.aio needs anyio: pip install "socket-lifecycle[aio]"', name="anyio") from _missing

from importlib import import_module
from typing import TYPE_CHECKING

from lifecycle.net.aio.nonblocking import nowait
from lifecycle.net.aio.opening import open_connection
from lifecycle.net.aio.reader import Reader
from lifecycle.net.aio.sockets import Accepted, Client, Datagram, Server
from lifecycle.net.notify.context import NotificationsNotRunning, notifications
from lifecycle.net.notify.events import Events

if TYPE_CHECKING:
    from lifecycle.aio.archive import Archive as Archive
    from lifecycle.aio.socket_file import SocketFile as SocketFile

del _anyio

__all__ = [
    "Accepted",
    "Archive",
    "Client",
    "Datagram",
    "Events",
    "NotificationsNotRunning",
    "Reader",
    "Server",
    "SocketFile",
    "notifications",
    "nowait",
    "open_connection",
]

_LOADED_WHEN_USED = {"Archive": "lifecycle.aio.archive", "SocketFile": "lifecycle.aio.socket_file"}


def __getattr__(name: str) -> object:
    """Load archives when they are first used: a program that only uses sockets does not load them."""
    if name in _LOADED_WHEN_USED:
        value: object = getattr(import_module(_LOADED_WHEN_USED[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'lifecycle.aio' has no attribute {name!r}")

"""The same roles, awaited: over asyncio (uvloop too) and trio, by way of anyio; and CAsyncSocket's notifications."""

try:
    import anyio as _anyio
except ImportError as _missing:
    raise ImportError('lifecycle.aio needs anyio: pip install "socket-lifecycle[aio]"', name="anyio") from _missing

from importlib import import_module
from typing import TYPE_CHECKING

from lifecycle.aio.accepted import Accepted
from lifecycle.aio.client import Client
from lifecycle.aio.datagram import Datagram
from lifecycle.aio.events import Events
from lifecycle.aio.notifications import NotificationsNotRunning, notifications
from lifecycle.aio.nowaiting import nowait
from lifecycle.aio.server import Server

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
    "Server",
    "SocketFile",
    "notifications",
    "nowait",
]

_LOADED_WHEN_USED = {"Archive": "lifecycle.aio.archive", "SocketFile": "lifecycle.aio.socket_file"}


def __getattr__(name: str) -> object:
    """Load archives when they are first used: whoever only talks over sockets never loads them."""
    if name in _LOADED_WHEN_USED:
        value: object = getattr(import_module(_LOADED_WHEN_USED[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'lifecycle.aio' has no attribute {name!r}")

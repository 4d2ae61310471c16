"""The same roles, awaited: over asyncio (uvloop too) and trio, by way of anyio; and CAsyncSocket's notifications."""

try:
    import anyio as _anyio
except ImportError as _missing:
    raise ImportError('lifecycle.aio needs anyio: pip install "lifecycle[aio]"', name="anyio") from _missing

from lifecycle.aio.accepted import Accepted
from lifecycle.aio.client import Client
from lifecycle.aio.datagram import Datagram
from lifecycle.aio.events import Events
from lifecycle.aio.notifications import NotificationsNotRunning, notifications
from lifecycle.aio.nowaiting import nowait
from lifecycle.aio.server import Server

del _anyio

__all__ = [
    "Accepted",
    "Client",
    "Datagram",
    "Events",
    "NotificationsNotRunning",
    "Server",
    "notifications",
    "nowait",
]

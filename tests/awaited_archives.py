"""Awaited archives over a connection, with the plain socket at its other end."""

from __future__ import annotations

import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from awaited import connected

from lifecycle import Archive as BlockingArchive
from lifecycle import aio
from lifecycle.archive import DOUBLE, WORD, CArray, CString, Registry, serializable

REGISTRY = Registry()


@serializable("CTrack", schema=1, registry=REGISTRY)
@dataclass
class Track:
    name: CString  # type: ignore[valid-type]
    length: DOUBLE  # type: ignore[valid-type]
    points: CArray[WORD]  # type: ignore[type-arg, valid-type]


@asynccontextmanager
async def loading(**options: Any) -> AsyncIterator[tuple[aio.Archive, socket.socket]]:
    """A loading archive and the plain socket that it loads from."""
    async with connected() as (client, peer), aio.SocketFile(client) as file, aio.Archive(file, "load", **options) as archive:
        yield archive, peer


@asynccontextmanager
async def storing(**options: Any) -> AsyncIterator[tuple[aio.Archive, socket.socket]]:
    """A storing archive and the plain socket that it stores to."""
    async with connected() as (client, peer), aio.SocketFile(client) as file, aio.Archive(file, "store", **options) as archive:
        yield archive, peer


def stored(*values: Any) -> bytes:
    """The bytes of the values, by the blocking archive."""
    file = io.BytesIO()
    with BlockingArchive(file, "store", registry=REGISTRY) as archive:
        for value in values:
            archive << value
    return file.getvalue()

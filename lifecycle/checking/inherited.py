"""Listeners that were closed here but are still open in a child process; reported when they make a bind() fail."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from lifecycle.checking import checkers
from lifecycle.checking.call_sites import CallSite
from lifecycle.checking.registry import inode_of
from lifecycle.checking.track import SocketTrack
from lifecycle.roles.python.hazards import INHERITED

_closed: dict[int, SocketTrack] = {}
_KEPT = 64

_TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
_PORT, _STATE, _INODE, _LISTENS = 1, 3, 9, "0A"


def note_closed(track: SocketTrack, number: int) -> None:
    """A listener with that descriptor is about to be closed."""
    inode = track.inode or inode_of(number)
    if inode:
        _closed[inode] = track
        if len(_closed) > _KEPT:
            del _closed[next(iter(_closed))]


def look(address: Any, call: str, place: CallSite) -> None:
    """The address is in use: report a listener on it that was closed here."""
    for inode in _listening(address[1]) if sys.platform == "linux" and isinstance(address, tuple) else ():
        holders = _holders(inode) if inode in _closed else []
        if holders and os.getpid() not in holders:
            reason = f"{INHERITED.reason}: process {', '.join(map(str, holders))}"
            checkers.report_hazard(INHERITED, _closed[inode], call, place, reason=reason)


def _listening(port: object) -> set[int]:
    """The inodes of the listeners on that port."""
    rows = (line.split() for table in map(Path, _TABLES) if table.exists() for line in table.read_text().splitlines()[1:])
    return {int(row[_INODE]) for row in rows if row[_STATE] == _LISTENS and int(row[_PORT].rpartition(":")[2], 16) == port}


def _holders(inode: int) -> list[int]:
    """The processes that have the socket, as far as the system shows them to this one."""
    return [
        int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _has(each / "fd", f"socket:[{inode}]")
    ]


def _has(folder: Path, name: str) -> bool:
    try:
        return any(os.readlink(each) == name for each in folder.iterdir())
    except OSError:  # another user's, or it has ended, or closed the descriptor
        return False

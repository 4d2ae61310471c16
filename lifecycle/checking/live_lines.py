"""The events that `lifecycle run --live` shows: each process appends them to one file, which the command reads.

Only events that `observe` records are written: changes of state, and the first call of each kind with each outcome in a state.
So a line is written when something changes, and none for the thousandth send.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lifecycle.checking import track
from lifecycle.checking.findings import Finding
from lifecycle.checking.shared_file import SharedFile
from lifecycle.checking.track import Event, SocketTrack

LIVE = "live.jsonl"
LARGEST = 256 << 20
"""The maximum size of the file in bytes; later events are not shown"""


class LiveLines:
    """The writing end, in each process of the program. process: the main one, whose sockets have names without its number."""

    def __init__(self, folder: Path, process: int) -> None:
        self._file = SharedFile(folder / LIVE)
        self._main = process
        self._left = LARGEST
        track.tell(self._noted)

    def found(self, finding: Finding) -> None:
        """Write a finding."""
        data = {name: getattr(finding, name) for name in ("socket", "call", "file", "line")}
        self._write({"found": data | {"text": str(finding), "count": 1}})

    def _noted(self, noted: SocketTrack, event: Event) -> None:
        data = event._asdict()
        place = data.pop("place")
        process = os.getpid()
        name = noted.name if process == self._main else f"{noted.name} of {process}"
        self._write({"role": noted.state.role.name, "subject": name, "file": place.file, "line": place.line, **data})

    def _write(self, data: dict[str, Any]) -> None:
        line = json.dumps(data) + "\n"
        self._left -= len(line)
        if self._left > 0:
            try:
                self._file.append(line)
            except OSError:  # the reading command has ended, or the disk is full: the program continues
                self._left = 0

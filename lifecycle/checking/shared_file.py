"""The file to which the processes of a run append, and descriptors kept for when the program has none left."""

from __future__ import annotations

import os
import sys
from pathlib import Path

KEPT, SPARE = 200, 24
"""Numbers from which descriptors are taken; a program may count on the lowest ones, and set a limit above the spare ones"""

SPARES = 3  # to import a module, and to write a file


class SharedFile:
    """Open from the beginning, in every process; a forked child has its parent's.

    A program that closes all descriptors, as a daemon does, closes these too: the file is then opened again for each use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = -1
        self._spares: list[int] = []
        number = self._open()
        try:
            self._number = _kept(number, KEPT)
            self._spares = [_kept(number, SPARE) for _ in range(SPARES)]
            found = os.fstat(number)
            self._identity = found.st_dev, found.st_ino
        finally:
            os.close(number)

    def append(self, line: str) -> None:
        """Append a line, in one write: those of several processes do not mix. Raises OSError."""
        if self._is_own(self._number):
            os.write(self._number, line.encode())
            return
        number = self._open()
        try:
            os.write(number, line.encode())
        finally:
            os.close(number)

    def read(self) -> str:
        """All that was appended, once, at the end; "" where the file can no longer be read."""
        try:
            number = self._number if self._is_own(self._number) else self._open()
        except OSError:
            return ""
        os.lseek(number, 0, os.SEEK_SET)
        parts = []
        while part := os.read(number, 1 << 20):
            parts.append(part)
        os.close(number)
        return b"".join(parts).decode()

    def free_spares(self) -> None:
        """Free the descriptors that were kept for the report."""
        while self._spares:
            number = self._spares.pop()
            if self._is_own(number):
                os.close(number)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)

    def _is_own(self, number: int) -> bool:
        """Whether the descriptor is this file's still: its number may be another file's by now."""
        try:
            found = os.fstat(number)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity


def _kept(number: int, first: int) -> int:
    """A duplicate out of the program's way, where the system can choose numbers and the limit allows it."""
    if sys.platform != "win32":
        import fcntl

        try:
            return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, first)
        except OSError:  # the limit is lower
            pass
    return os.dup(number)

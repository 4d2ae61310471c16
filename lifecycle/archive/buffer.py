"""Reading from and writing to an archive's file, a binary file of any kind."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lifecycle.archive.format.decoder import Receive
from lifecycle.archive.format.encoder import Encoder


def receive_of(file: Any) -> tuple[Receive, bool]:
    """A function that receives bytes of `file`, and whether it may be asked for more than needed without waiting for more.

    From a connection nothing more is read, as in MFC: the rest is for the next archive, or the next reader.
    """
    one_read: Receive | None = getattr(file, "read1", None)
    reads_ahead = one_read is not None or isinstance(file, io.RawIOBase)
    return one_read or file.read, reads_ahead and not getattr(file, "is_connection", False)


def give_back(file: Any, unread: bytes) -> bool:
    """Give bytes that were read ahead back to the file, or seek back by that many; return whether it could."""
    take_back = getattr(file, "take_back", None)
    if take_back is not None:
        take_back(unread)
        return True
    seekable = getattr(file, "seekable", None)
    if not unread or seekable is None or not seekable():
        return False
    file.seek(-len(unread), os.SEEK_CUR)
    return True


def position_of(file: Any) -> int:
    """The file's position; 0 if it has none."""
    try:
        return int(file.tell()) if file.seekable() else 0
    except (AttributeError, OSError, ValueError):
        return 0


def length_of(file: Any) -> int:
    """The number of bytes up to the end of the file; io.UnsupportedOperation for a file without a length."""
    get_length = getattr(file, "get_length", None)
    if get_length is not None:  # a SocketFile refuses it, with the table's reason
        return int(get_length())
    here = file.tell()
    try:
        return int(file.seek(0, os.SEEK_END)) - int(here)
    finally:
        file.seek(here)


class Sender:
    """Sends the bytes that an encoder has stored.

    Nothing is sent before the buffer is full or flushed. A value is not split: if it does not fit into the rest of the buffer,
    the buffer is sent first; of a value longer than the buffer, whole buffers are sent and the rest is kept.

    is_cut_off: whether a send was interrupted, so that it is not known how much of it the file took.
    """

    __slots__ = ("_encoder", "_give", "_is_raw", "is_cut_off")

    def __init__(self, file: Any, encoder: Encoder) -> None:
        self._encoder = encoder
        self._is_raw = isinstance(file, io.RawIOBase)
        self._give: Callable[[bytes], int | None] = file.write
        self.is_cut_off = False

    def send_whole_buffers(self) -> None:
        """Send all whole buffers; an error is raised by the next call that has to send."""
        length = len(self._encoder.out)
        with suppress(OSError):
            self.send(length - length % self._encoder.format.size)

    def send(self, count: int) -> None:
        """Send the first `count` bytes, or raise; unsent bytes stay."""
        out = self._encoder.out
        while count:
            chunk = bytes(out) if count == len(out) else bytes(out[:count])
            try:
                given = self._give(chunk)
            except OSError as error:
                self._sent(getattr(error, "characters_written", 0))
                raise
            except BaseException:
                self.is_cut_off = True
                raise
            if given is None and not self._is_raw:
                given = count  # a file that counts nothing has taken everything
            if given is None or given <= 0:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            given = min(given, count)
            self._sent(given)
            count -= given

    def _sent(self, count: int) -> None:
        del self._encoder.out[:count]
        self._encoder.sent += count

"""Whole values: a call of an archive stores or takes all of a value or nothing, and ends as its error means."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal, TypeVar

from lifecycle.archive.errors import ArchiveError, EndOfFile, FormatError, ReadOnly, WriteOnly
from lifecycle.archive.formats import Format
from lifecycle.archive.loading import Source
from lifecycle.archive.nesting import recursion_ended
from lifecycle.archive.storing import Sink
from lifecycle.engine import IllegalCall, Lifecycle
from lifecycle.roles.stream import GONE
from lifecycle.system.outcomes import outcome_of_number

Kept = TypeVar("Kept")
Mode = Literal["load", "store"]


class WholeValues(Lifecycle):
    """The part of an archive that moves values through its buffer."""

    __slots__ = ("_depth", "_file", "_flush_is_due", "_format", "_mode", "_nested", "_schema", "_sink", "_source", "_spoilt_by")

    _file: Any
    _format: Format
    _mode: Mode
    _sink: Sink
    _source: Source
    _nested: bool
    _depth: int
    _schema: int
    _flush_is_due: bool
    _spoilt_by: ArchiveError | None

    @property
    def is_loading(self) -> bool:
        """Whether values come out of it (IsLoading)."""
        return self._mode == "load"

    @property
    def is_storing(self) -> bool:
        """Whether values go into it (IsStoring)."""
        return self._mode == "store"

    # -- how a call ends -----------------------------------------------------------------------------------------------------

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """How an error of a call classifies; None inside another call, whose outcome it becomes.

        Wrong bytes break the archive also where a user's serialize() catches the error: nobody knows where the next value
        begins. At the end of the file that is known, and older programs' files may end there: it may be caught.
        """
        if self._nested:
            if isinstance(error, FormatError) and not isinstance(error, EndOfFile):
                self._spoilt_by = self._spoilt_by or error
            return None
        if isinstance(error, EndOfFile):
            return "eof"
        if isinstance(error, FormatError):
            return "malformed"
        if isinstance(error, BlockingIOError):
            return "pending"
        if isinstance(error, TimeoutError) and error.errno is None:
            return "timed_out"
        if self._row._allows("store") and self._sink.is_cut_off:
            return "broken"
        return outcome_of_number({"broken": GONE}, error.errno) if isinstance(error, OSError) else "failed"

    def refusal_kind(self, state: str, call: str) -> type[IllegalCall]:
        """MFC's causes readOnly and writeOnly, for calls of the other direction."""
        directions = self.role.table[self.role.initial]["attach"]
        loading, storing = directions["load"], directions["store"]
        if state == loading and call in self.role.table[storing]:
            return ReadOnly
        if state == storing and call in self.role.table[loading]:
            return WriteOnly
        return IllegalCall

    # -- whole values --------------------------------------------------------------------------------------------------------

    def _store_whole(self, put: Callable[..., None], *arguments: Any) -> None:
        """Store all of it or nothing; a nested call is part of the outer one, and nothing leaves before that is whole."""
        sink, outer, depth = self._sink, self._nested, self._depth
        before, numbered = len(sink.out), len(sink.numbered)
        self._nested = True
        try:
            put(*arguments)
        except BaseException as error:
            sink.go_back(before, numbered)
            self._flush_is_due = self._flush_is_due and outer
            if isinstance(error, RecursionError):
                raise recursion_ended(self) from None
            raise
        finally:
            self._nested, self._depth = outer, depth
        if not outer and len(sink.out) > sink.format.size:
            self._make_room(before, numbered)
        if not outer:
            self._flush_if_due()

    def _make_room(self, before: int, numbered: int) -> None:
        """Send what the buffer cannot keep besides the value behind its first `before` bytes, or take that value back."""
        sink = self._sink
        stored = len(sink.out) - before
        try:
            sink.send(before)
        except BaseException:
            sink.go_back(len(sink.out) - stored, numbered)
            raise
        sink.send_whole_buffers()

    def _put(self, data: bytes) -> None:
        """Store bytes that may be sent in parts: whole buffers leave, the rest is kept."""
        sink = self._sink
        if len(sink.out) > sink.format.size and not self._nested:
            sink.send(len(sink.out))  # it could not be sent before: until it can, nothing more is taken
        sink.out += data
        if len(sink.out) > sink.format.size and not self._nested:
            sink.send_whole_buffers()

    def _take_whole(self, take: Callable[..., Kept], *arguments: Any) -> Kept:
        """Take so that all of it is taken, or nothing, unless the bytes are wrong; a nested call is part of the outer one."""
        source, outer, depth, schema = self._source, self._nested, self._depth, self._schema
        if not outer:
            source.hold()
        begin, numbered = source.offset, len(source.numbered)
        self._nested = True
        try:
            value = take(*arguments)
        except BaseException as error:
            if not outer:
                self._spoilt_by = None
            if isinstance(error, RecursionError):
                raise recursion_ended(self) from None
            if not isinstance(error, FormatError) or (outer and isinstance(error, EndOfFile)):
                source.go_back(begin, numbered)
                self._schema = schema
            self._flush_is_due = self._flush_is_due and outer
            raise
        finally:
            self._nested, self._depth = outer, depth
            if not outer:
                source.release()
        if not outer:
            self._raise_what_was_caught()
            self._flush_if_due()
        return value

    def _raise_what_was_caught(self) -> None:
        error, self._spoilt_by = self._spoilt_by, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # its traceback holds this frame, and that the archive

    def _flush_if_due(self) -> None:
        """Make up for a flush() inside the value; what hinders it is told by the next call that has to send."""
        if self._flush_is_due:
            with suppress(OSError):
                self._flush_now()

    def _flush_now(self) -> None:
        """Send all that the buffer holds, or give back what was read ahead."""
        self._flush_is_due = False
        if self.is_loading:
            self._give_back()
            return
        self._sink.send(len(self._sink.out))
        flush = getattr(self._file, "flush", None)
        if flush is not None:
            flush()

    def _taken(self, size: int) -> bytes:
        source = self._source
        data = bytes(source.data[source.at : source.at + size])
        source.at += size
        return data

    def _give_back(self) -> None:
        """Move a file that can seek back to where the archive is."""
        source = self._source
        seekable = getattr(self._file, "seekable", None)
        if source.unread and seekable is not None and seekable():
            self._file.seek(-source.unread, os.SEEK_CUR)
            del source.data[source.at :]

"""Atomic values: a call of an archive stores or loads a whole value or nothing, and its error decides the outcome."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import GeneratorType
from typing import Any, Literal

from lifecycle.archive.buffer import Sender, give_back
from lifecycle.archive.errors import (
    ArchiveError,
    ClassNotLoaded,
    ClassNotStored,
    EndOfFile,
    FormatError,
    GenericError,
    NestedTooDeeply,
    ReadOnly,
    WriteOnly,
)
from lifecycle.archive.format.decoder import Decoder, Mark
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.nesting import Continuation, Load, Storing, store_nested
from lifecycle.archive.format.paths import add_path
from lifecycle.engine import IllegalCall, Lifecycle
from lifecycle.roles.archive import ARCHIVE, CLASSES, Direction
from lifecycle.system.outcomes import outcome_of_error

Mode = Literal["load", "store"]


class ArchiveCalls(Lifecycle):
    """The errors and outcomes of an archive's calls, blocking and awaited."""

    __slots__ = ()

    def refusal_kind(self, state: str, call: str) -> type[IllegalCall]:
        """ReadOnly and WriteOnly, MFC's causes, for calls of the other direction."""
        return _refusal_of(state, call)

    @staticmethod
    def platform_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """MFC's exception, if it has one."""
        kind = _refusal_of(state, call)
        if not (issubclass(kind, ArchiveError) and ARCHIVE.call(call).errors):
            return {}
        return {"mfc": f"CArchiveException, cause {int(kind.cause)}"}

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """The outcome of a call that raised the error."""
        if isinstance(error, EndOfFile):
            return "eof"
        if isinstance(error, FormatError):
            return "malformed"
        return outcome_of_error(self.role.call(call).errors, error) or "failed"


def _refusal_of(state: str, call: str) -> type[IllegalCall]:
    direction = ARCHIVE.state(state).facts.direction
    others = [each.name for each in ARCHIVE.states if each.facts.direction not in (None, direction)]
    if direction is None or not any(call in ARCHIVE.table[other] for other in others):
        return IllegalCall
    if direction is Direction.LOAD:
        return ClassNotStored if call in CLASSES else ReadOnly
    return ClassNotLoaded if call in CLASSES else WriteOnly


class AtomicValues(ArchiveCalls):
    """The part of an archive that moves values through its buffer."""

    __slots__ = ("_decoder", "_encoder", "_file", "_flush_is_due", "_mode", "_nested", "_sender", "_spoilt_by")

    _file: Any
    _mode: str
    _encoder: Encoder
    _decoder: Decoder
    _sender: Sender
    _nested: bool
    _flush_is_due: bool
    _spoilt_by: ArchiveError | None

    @property
    def is_loading(self) -> bool:
        """Whether it loads values (IsLoading)."""
        return self._mode == Direction.LOAD

    @property
    def is_storing(self) -> bool:
        """Whether it stores values (IsStoring)."""
        return self._mode == Direction.STORE

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """The outcome of a call that raised the error; None inside another call, which then fails with it.

        Malformed bytes break the archive even if a user's serialize() catches the error: the start of the next value is
        unknown. EndOfFile may be caught: nothing was taken, and the files of older programs may end there.
        """
        if self._nested:
            if isinstance(error, FormatError) and not isinstance(error, EndOfFile):
                self._spoilt_by = self._spoilt_by or error
            return None
        outcome = super().outcome_of(call, error)
        sender: Sender | None = getattr(self, "_sender", None)  # none while the constructor runs, and none of a loading archive
        return "broken" if outcome == "failed" and sender is not None and sender.is_cut_off else outcome

    # -- storing -------------------------------------------------------------------------------------------------------------

    def _store_whole(self, put: Callable[..., Storing | None], *arguments: Any) -> None:
        """Store a whole value or nothing; a nested call is part of the outer one, before whose end nothing is sent."""
        encoder, outer = self._encoder, self._nested
        mark = encoder.mark()
        self._nested = True
        try:
            storing = put(encoder, *arguments)
            if storing is not None:
                store_nested(storing)
        except BaseException as error:
            encoder.go_back(mark)
            self._flush_is_due = self._flush_is_due and outer
            if isinstance(error, RecursionError):
                raise NestedTooDeeply(_recursion_limit()) from None
            raise
        finally:
            self._nested = outer
        if not outer:
            if len(encoder.out) > encoder.format.size:
                self._make_room(mark)
            self._flush_if_due()

    def _make_room(self, mark: Any) -> None:
        """Send what does not fit into the buffer in addition to the value stored since `mark`, or undo that value."""
        encoder = self._encoder
        before, numbered, depth = mark
        stored = len(encoder.out) - before
        try:
            self._sender.send(before)
        except BaseException:
            encoder.go_back((len(encoder.out) - stored, numbered, depth))
            raise
        self._sender.send_whole_buffers()

    def _put(self, data: bytes) -> None:
        """Store bytes that may be sent in parts: whole buffers are sent, the rest is kept."""
        encoder = self._encoder
        if len(encoder.out) > encoder.format.size and not self._nested:
            self._sender.send(len(encoder.out))  # it could not be sent before: until it can, nothing more is taken
        if encoder.format.trace is not None:
            encoder.format.tell(encoder.offset, "bytes", data)
        encoder.out += data
        if len(encoder.out) > encoder.format.size and not self._nested:
            self._sender.send_whole_buffers()

    # -- loading -------------------------------------------------------------------------------------------------------------

    def _take_whole(self, load: Load) -> Any:
        """Load a whole value or nothing, unless the bytes are malformed; a nested call is part of the outer one."""
        decoder = self._decoder
        outer, mark = self._begin_to_take()
        try:
            value = load(decoder)
            if value.__class__ is GeneratorType:
                value = Continuation(decoder, value).resume()
        except BaseException as error:
            self._take_back(outer, mark, error)
            if isinstance(error, RecursionError):
                raise GenericError(decoder.offset, _recursion_limit(), "deeper ones") from None
            raise
        finally:
            self._end_taking(outer, mark)
        if not outer:
            self._raise_what_was_caught()
            self._flush_if_due()
        return value

    def _begin_to_take(self) -> tuple[bool, Mark]:
        """Begin a load; return whether it is part of another one, and where it begins."""
        outer, self._nested = self._nested, True
        self._decoder.is_waiting = False
        if not outer:
            self._decoder.hold()
            self._spoilt_by = None
        return outer, self._decoder.mark()

    def _take_back(self, outer: bool, mark: Mark, error: BaseException) -> None:
        """Undo a load that failed with `error`, unless malformed bytes have broken the archive."""
        if not isinstance(error, (FormatError, RecursionError)) or (outer and isinstance(error, EndOfFile)):
            self._decoder.go_back(mark)
        if not outer and isinstance(error, FormatError):
            add_path(error, self._decoder, mark[0])
        self._flush_is_due = self._flush_is_due and outer

    def _end_taking(self, outer: bool, mark: Mark) -> None:
        self._nested = outer
        self._decoder.depth = mark[2]
        if not outer:
            self._decoder.release()

    def _raise_what_was_caught(self) -> None:
        error, self._spoilt_by = self._spoilt_by, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # its traceback holds this frame, and that the archive

    def _taken(self, size: int) -> bytes:
        decoder = self._decoder
        data = bytes(decoder.data[decoder.at : decoder.at + size])
        if decoder.format.trace is not None:
            decoder.format.tell(decoder.offset, "bytes", data)
        decoder.at += size
        return data

    # -- both ----------------------------------------------------------------------------------------------------------------

    def _flush_if_due(self) -> None:
        """Run a flush() that was requested inside the value; its error is raised by the next call that sends."""
        if self._flush_is_due:
            with suppress(OSError):
                self._flush_now()

    def _flush_now(self) -> None:
        """Send the whole buffer, or give back what was read ahead."""
        self._flush_is_due = False
        if self.is_loading:
            decoder = self._decoder
            if give_back(self._file, bytes(decoder.data[decoder.at :])):
                del decoder.data[decoder.at :]
            return
        self._sender.send(len(self._encoder.out))
        flush = getattr(self._file, "flush", None)
        if flush is not None:
            flush()


def _recursion_limit() -> str:
    """What the error text expects of objects whose serialize() methods exceed Python's stack."""
    return f"objects nested no deeper than Python's recursion limit of {sys.getrecursionlimit()} calls allows"

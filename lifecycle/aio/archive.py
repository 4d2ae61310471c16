"""Archive: typed values through an awaited socket, in the format of MFC's CArchive.

Values are stored and loaded by an archive of lifecycle.archive over a file in memory. Stored values are kept there until
flush() sends them. Loading stops where bytes are missing, and continues there when they have arrived.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import anyio

from lifecycle.aio.gathering import ReadBuffer, WriteBuffer, turns
from lifecycle.aio.kept_values import KeptValues
from lifecycle.aio.socket_file import SocketFile
from lifecycle.archive import archive as blocking
from lifecycle.archive.atomic import Mode
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.nesting import Continuation, Load
from lifecycle.archive.format.objects import take_body, take_object
from lifecycle.archive.format.operands import operand
from lifecycle.archive.format.own_stack import OwnStack, answer_of
from lifecycle.archive.format.registry import REGISTRY, Registry
from lifecycle.archive.format.wire import Wire
from lifecycle.archive.operators import Kept, Pointed, Value
from lifecycle.engine import LifecycleError, settled
from lifecycle.roles import ARCHIVE
from lifecycle.roles.archive import LOAD

if TYPE_CHECKING:
    from lifecycle.archive.format.text import CEditView

Self = TypeVar("Self", bound="Archive")

DECODED_TWICE = 1 << 13
"""The number of bytes of a value that may be decoded again, in addition to its size."""


class Archive(KeptValues, role=ARCHIVE):
    """Typed values through an awaited SocketFile, in the format of MFC's CArchive, in one direction.

    file: a SocketFile of lifecycle.aio, which is not owned: close the archive first, then the file, then the socket, as nested
    `async with` blocks do. mode: "load" or "store". The others: as for lifecycle.archive.Archive.

    Loading is awaited: `await archive.load(kind)`, `await (archive >> kind)`; a whole message of several values is
    `await archive.take(decode)`. Storing is not: `archive << DWORD(5)` keeps the value, and `await archive.flush()` sends the
    values. A cancelled load has taken nothing, a cancelled flush() may be repeated. One loading and one storing archive over
    one file are the usual pair; neither may be used by several tasks at once.
    """

    def __init__(
        self,
        file: SocketFile,
        mode: Mode,
        *,
        unicode: bool = True,
        encoding: str = "cp1252",
        errors: str = "strict",
        buffer_size: int = 4096,
        limit: int = 1 << 26,
        depth: int = 1000,
        no_flush_on_delete: bool = False,
        win32: bool = False,
        registry: Registry = REGISTRY,
        schemas: Mapping[Any, int] | None = None,
        base: int = 0,
        engine: str | None = None,
    ) -> None:
        super().__init__(engine=engine)
        if not isinstance(file, SocketFile):
            raise TypeError(f"an archive of lifecycle.aio needs its SocketFile, not a {type(file).__name__}")
        self._read_buffer, self._write_buffer = ReadBuffer(file), WriteBuffer(file)
        self._turn = anyio.Lock(fast_acquire=True)
        self._discards = no_flush_on_delete
        self._archive = blocking.Archive(
            self._read_buffer if mode == LOAD.name else self._write_buffer,
            mode,
            unicode=unicode,
            encoding=encoding,
            errors=errors,
            buffer_size=buffer_size,
            limit=limit,
            depth=depth,
            no_flush_on_delete=True,
            win32=win32,
            registry=registry,
            schemas=schemas,
            base=base,
            engine=engine,
        )
        try:
            self.attach(file, mode)
        except BaseException:
            self._archive.abort()
            raise

    def attach(self, file: SocketFile, mode: Mode) -> None:
        """Take the file, as the constructor does. Raises IllegalCall over a closed one."""
        self._file = file
        return settled(mode, None)

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} {self.state} over {self._file!r}>"

    def __del__(self) -> None:
        """Warn about an archive that was not closed, and drop its unsent values: a flush cannot be awaited here."""
        if self.state in (self.role.initial, *self.role.final):
            return
        try:
            unsent = ": its unsent values are lost" if self.is_storing and not self.is_buffer_empty else ""
            warnings.warn(f"unclosed {self!r}{unsent}", ResourceWarning, stacklevel=2, source=self)
        finally:
            self._release()

    def _release(self) -> None:
        self._archive.abort()

    # -- loading -------------------------------------------------------------------------------------------------------------

    async def take(self, decode: Callable[[blocking.Archive], Kept]) -> Kept:
        """Load a whole message, or nothing: the values that `decode` loads from its argument, an archive.

        decode: a plain function, as in `lambda archive: (archive >> DWORD, archive >> CString)`; it may be called several
        times, from the message's beginning, until all of the message has arrived. Raises what load() raises.
        """
        message: Kept = await self.load(_Message(decode))
        return message

    @overload
    async def load(self, kind: type[Pointed]) -> Pointed | None: ...
    @overload
    async def load(self, kind: type[Value]) -> Value: ...
    @overload
    async def load(self, kind: Wire[Kept]) -> Kept: ...
    @overload
    async def load(self, kind: type[Kept]) -> Kept | None: ...
    @overload
    async def load(self, kind: object) -> Any: ...
    async def load(self, kind: Any) -> Any:
        """Load one value of a kind: a wire type, a serializable class (an object or None), or an annotation of a wire type.

        Raises WriteOnly (an IllegalCall) on a storing archive; ArchiveError if the bytes are not of that kind, which leaves
        the archive broken; ConnectionError.
        """
        return await self._take(operand(kind).load)

    @overload
    async def __rshift__(self, kind: type[Pointed]) -> Pointed | None: ...
    @overload
    async def __rshift__(self, kind: type[Value]) -> Value: ...
    @overload
    async def __rshift__(self, kind: Wire[Kept]) -> Kept: ...
    @overload
    async def __rshift__(self, kind: type[Kept]) -> Kept | None: ...
    @overload
    async def __rshift__(self, kind: object) -> Any: ...
    async def __rshift__(self, kind: Any) -> Any:
        """`value = await (archive >> DWORD)`, with the parentheses: load a value of that kind."""
        return await self.load(kind)

    @overload
    async def exchange(self, kind: type[Value], value: Value | None = None) -> Value: ...
    @overload
    async def exchange(self, kind: object, value: Any = None) -> Any: ...
    async def exchange(self, kind: Any, value: Any = None) -> Any:
        """Store `value`, or load one, and return it, like exchange() of lifecycle.archive.Archive."""
        if self.is_loading:
            return await self.load(kind)
        self.store(kind, value)
        return value

    async def read(self, size: int = -1) -> bytes:
        """Read `size` raw bytes, fewer at the end of the stream (CArchive::Read); all up to the end if it is negative."""
        found: bytes = await self._take(lambda _: self._archive.read(size))
        return found if len(found) == size else settled("eof", found)

    async def rest(self) -> bytes:
        """Read all bytes up to the end of the stream, like read(-1)."""
        return await self.read(-1)

    async def ensure_read(self, size: int) -> bytes:
        """Read exactly `size` raw bytes, or raise EndOfFile (CArchive::EnsureRead)."""
        found: bytes = await self._take(lambda _: self._archive.ensure_read(size))
        return found

    async def read_string(self, most: int | None = None) -> str | None:
        """Read one line, without its end; None at the end of the stream (ReadString). most: the maximum of characters."""
        line: str | None = await self._take(lambda _: self._archive.read_string(most))
        return settled("eof", None) if line is None else line

    async def read_count(self) -> int:
        """Read a count (ReadCount)."""
        count: int = await self._take(lambda _: self._archive.read_count())
        return count

    @overload
    async def read_object(self) -> Any: ...
    @overload
    async def read_object(self, kind: type[Kept]) -> Kept | None: ...
    async def read_object(self, kind: type[Any] = object) -> Any:
        """Load an object of `kind` or of a class derived from it, or None (ReadObject)."""
        return await self._take(lambda decoder: take_object(decoder, kind))

    async def read_class(self, kind: type[Any] | None = None) -> tuple[type[Any], int]:
        """Load the description of a class: the class and its schema number (ReadClass)."""
        found: tuple[type[Any], int] = await self._take(lambda _: self._archive.read_class(kind))
        return found

    # -- storing -------------------------------------------------------------------------------------------------------------

    async def flush(self) -> None:
        """Storing: send all kept values: the message. Loading: give received but unread bytes back to the file.

        Raises ConnectionError, after which the archive is broken. A cancelled flush() may be repeated: nothing is sent twice.
        """
        if self.is_storing:
            await self._send()
        else:
            self._archive.flush()

    async def _send(self) -> None:
        self._archive.flush()
        async with self._turn:
            await self._write_buffer.send()
        self._archive.flush()  # which raises the error that sending has met, if any

    # -- both ----------------------------------------------------------------------------------------------------------------

    @overload
    async def serialize(self, thing: type[Kept]) -> Kept: ...  # type: ignore[overload-overlap]  # a class is an object, too
    @overload
    async def serialize(self, thing: object, kind: type[Any] | None = None) -> None: ...
    async def serialize(self, thing: Any, kind: type[Any] | None = None) -> Any:
        """Store or load the members of an object of a serializable class, without a tag (a direct call of Serialize).

        thing: when loading, it may be a class, and a new object of it is returned.
        """
        if self.is_storing:
            return self._archive.serialize(thing, kind)
        taken = await self._take(lambda decoder: take_body(decoder, thing, kind))
        return taken if isinstance(thing, type) else None

    async def serialize_class(self, kind: type[Any]) -> None:
        """Store the description of a class, or load one and check that it is that class's (SerializeClass)."""
        if self.is_storing:
            self._archive.serialize_class(kind)
        else:
            await self._take(lambda _: self._archive.serialize_class(kind))

    async def serialize_raw(self, view: CEditView) -> None:
        """Raise io.UnsupportedOperation, in both directions: over a socket nothing says where the text ends."""
        self._archive.serialize_raw(view)

    def abort(self) -> None:
        """Release the file without sending the kept values; never fails (Abort)."""
        self._archive.abort()

    async def close(self) -> None:
        """Send the kept values and release the file, which stays open; closing again does nothing.

        Storing: raises what flush() raises. Loading: received but unread bytes go back to the file, for the next
        archive over it and for its read().
        """
        if not self.is_legal("flush"):
            self._archive.abort()
            return
        if self.is_storing:
            await self._send()
        self._archive.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._discards or not (error is None or isinstance(error, Exception)):  # a cancellation waits for nothing
            self.abort()
        try:
            await self.close()
        except (OSError, ValueError, LifecycleError):  # the connection is gone, or the file was closed before the archive
            if error is None:
                raise
        finally:
            self.abort()

    async def _take(self, load: Load) -> Any:
        """Load a whole value or nothing; when bytes are missing, wait for them and continue."""
        archive, decoder = self._archive, self._archive._decoder
        async with self._turn:
            outer, mark = archive._begin_to_take()
            try:
                value = await self._loaded(Continuation(decoder, load), begin=mark[0])
            except BaseException as error:
                archive._take_back(outer, mark, error)
                raise
            finally:
                archive._end_taking(outer, mark)
            archive._raise_what_was_caught()
            return value

    async def _loaded(self, value: Continuation, begin: int) -> Any:
        """The value, once all of it has arrived.

        A user's function starts again when bytes were missing. If that has decoded many bytes twice, the rest is
        loaded on a separate stack, where functions can wait for bytes: decoding takes time in proportion to the bytes.
        """
        decoder, again = self._archive._decoder, 0
        while again <= DECODED_TWICE + decoder.offset + decoder.unread - begin:
            try:
                return await turns().decode(value.resume)
            except BlockingIOError:
                again += decoder.reached - decoder.offset
                await self._read_buffer.receive(decoder.needed)
                decoder.is_waiting = False
        stack, receive = OwnStack(value.resume), decoder.receive
        decoder.receive = stack.request
        try:
            is_over = await turns().decode(stack.resume)
            while not is_over:
                await self._read_buffer.receive(decoder.needed)
                is_over = await turns().decode(lambda: stack.resume(answer_of(receive, stack.asked)))
            return stack.result
        finally:
            stack.abandon()
            decoder.receive = receive


class _Message(Wire[Kept]):
    """The values that a function decodes, loaded as one value: all of them or none."""

    def __init__(self, decode: Callable[[blocking.Archive], Kept]) -> None:
        super().__init__("message")
        self._decode = decode

    def load(self, decoder: Decoder) -> Kept:
        """Load one message."""
        return self._decode(decoder.owner())

"""Archive: typed values through a socket that is awaited, in the format of MFC's CArchive.

The archive proper is that of lifecycle.archive, over a file in memory: what is stored is gathered there until flush() sends it,
and what a value needs is gathered there before it is decoded. So the format has one implementation, and the table one user.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import anyio

from lifecycle.aio.gathering import Incoming, Outgoing
from lifecycle.aio.socket_file import SocketFile
from lifecycle.archive import archive as blocking
from lifecycle.archive.archive import Kept, Pointed, Value
from lifecycle.archive.objects import kind_of
from lifecycle.archive.registry import REGISTRY, Registry
from lifecycle.archive.whole import Mode
from lifecycle.archive.wire import Wire
from lifecycle.engine import LifecycleError, Role
from lifecycle.net.aio.nonblocking import mode
from lifecycle.roles import ARCHIVE

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from lifecycle.archive.text import CEditView

Self = TypeVar("Self", bound="Archive")

LONG_ATTEMPT = 0.0005
"""Seconds; an attempt to decode a message that takes longer than this in vain is not made again for the next piece of it."""

WAIT_PER_ATTEMPT = 4.0
"""How many times as long as such an attempt took it waits for more, unless as much as it had comes before."""


class Archive:
    """Typed values through an awaited SocketFile, in the format of MFC's CArchive, in one direction for life.

    file: a SocketFile of lifecycle.aio, which is not owned: close the archive first, then the file, then the socket, as nested
    `async with` blocks do. mode: "load" or "store". The others: as of lifecycle.archive.Archive.

    Loading is awaited: `await archive.load(kind)`, `await (archive >> kind)`; a whole message of several values is
    `await archive.take(decode)`. Storing is not: `archive << DWORD(5)` keeps the value, and `await archive.flush()` sends what
    is kept. A cancelled load has taken nothing, a cancelled flush() may be made again. One loading and one storing archive over
    one file are the usual pair; neither is for several tasks at once.
    """

    role: Role = ARCHIVE

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
        depth: int = 100,
        no_flush_on_delete: bool = False,
        win32: bool = False,
        registry: Registry = REGISTRY,
        engine: str | None = None,
    ) -> None:
        if not isinstance(file, SocketFile):
            raise TypeError(f"an archive of lifecycle.aio lies over its SocketFile, not over {type(file).__name__}")
        self._file = file
        self._incoming, self._outgoing = Incoming(file), Outgoing(file)
        self._sending = anyio.Lock()
        self._discards = no_flush_on_delete
        self._archive = blocking.Archive(  # the file's own table says whether it can have one
            self._outgoing if mode == "store" else self._incoming,
            mode,
            unicode=unicode,
            encoding=encoding,
            errors=errors,
            buffer_size=buffer_size,
            limit=limit,
            depth=depth,
            no_flush_on_delete=True,  # whoever forgets it cannot await its flush either
            win32=win32,
            registry=registry,
            engine=engine,
        )

    # -- what it is ----------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """The name of the present state."""
        return self._archive.state

    @property
    def legal(self) -> tuple[str, ...]:
        """The calls that are legal in the present state, in the table's order."""
        return self._archive.legal

    @property
    def is_loading(self) -> bool:
        """Whether values come out of it (IsLoading)."""
        return self._archive.is_loading

    @property
    def is_storing(self) -> bool:
        """Whether values go into it (IsStoring)."""
        return self._archive.is_storing

    @property
    def is_buffer_empty(self) -> bool:
        """Whether nothing is left of what was received, or nothing waits to be sent (IsBufferEmpty)."""
        return self._archive.is_buffer_empty and self._outgoing.is_empty

    @property
    def file(self) -> SocketFile:
        """The file given to the constructor (GetFile)."""
        return self._file

    @property
    def offset(self) -> int:
        """How many bytes were stored or taken since the archive began."""
        return self._archive.offset

    @property
    def document(self) -> object:
        """Free for the program, and handed on to serialize() methods (m_pDocument)."""
        return self._archive.document

    @document.setter
    def document(self, document: object) -> None:
        self._archive.document = document

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} {self.state} over {self._file!r}>"

    def __del__(self) -> None:
        archive = getattr(self, "_archive", None)  # none where the constructor has raised
        if archive is not None and archive.state not in self.role.final:
            keeps = self.is_storing and not self.is_buffer_empty
            unsent = ": what it keeps is lost, for nobody can await its flush" if keeps else ""
            warnings.warn(f"unclosed {self!r}{unsent}", ResourceWarning, stacklevel=2, source=self)

    # -- loading -------------------------------------------------------------------------------------------------------------

    async def take(self, decode: Callable[[blocking.Archive], Kept]) -> Kept:
        """Take a whole message: what `decode` takes from the archive that it is called with, all of it or nothing.

        decode: a plain function, as in `lambda archive: (archive >> DWORD, archive >> CString)`; it may be called several
        times, from the message's beginning, until all of the message has come. Raises as load() does.
        """
        return await self._gather(lambda: self._archive.load(_Message(decode)))

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

        Raises WriteOnly (an IllegalCall) on a storing archive; ArchiveError when the bytes are none of that kind, which leaves
        the archive broken; ConnectionError.
        """
        return await self._gather(lambda: self._archive.load(kind))

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
        return await self._gather(lambda: self._archive.load(kind))

    async def read(self, size: int) -> bytes:
        """Take `size` raw bytes, fewer where the stream ends before (CArchive::Read)."""
        return await self._gather(lambda: self._archive.read(size))

    async def ensure_read(self, size: int) -> bytes:
        """Take just `size` raw bytes, or raise EndOfFile (CArchive::EnsureRead)."""
        return await self._gather(lambda: self._archive.ensure_read(size))

    async def read_string(self, most: int | None = None) -> str | None:
        """Take one line, without its end; None at the end of the stream (ReadString). most: the most characters to take."""
        return await self._gather(lambda: self._archive.read_string(most))

    async def read_count(self) -> int:
        """Take a count (ReadCount)."""
        return await self._gather(self._archive.read_count)

    @overload
    async def read_object(self) -> Any: ...
    @overload
    async def read_object(self, kind: type[Kept]) -> Kept | None: ...
    async def read_object(self, kind: type[Any] = object) -> Any:
        """Take an object of `kind` or of a class derived from it, or None (ReadObject)."""
        return await self._gather(lambda: self._archive.read_object(kind))

    async def read_class(self, kind: type[Any] | None = None) -> tuple[type[Any], int]:
        """Take the description of a class: the class and the schema number it was stored under (ReadClass)."""
        return await self._gather(lambda: self._archive.read_class(kind))

    # -- storing -------------------------------------------------------------------------------------------------------------

    def __lshift__(self: Self, value: object) -> Self:
        """Keep a value that knows its wire type (`archive << DWORD(5) << CString("x")`), an object or None; the archive."""
        self._archive.store(kind_of(value), value)
        return self

    def store(self, kind: Any, value: object) -> None:
        """Keep one value of a kind until flush(). Raises ReadOnly (an IllegalCall) when loading; TypeError, ValueError."""
        self._archive.store(kind, value)

    def write(self, data: ReadableBuffer) -> None:
        """Keep raw bytes (CArchive::Write)."""
        self._archive.write(data)

    def write_string(self, line: str) -> None:
        """Keep text as it is: no length before it, no end behind it (WriteString)."""
        self._archive.write_string(line)

    def write_count(self, count: int) -> None:
        """Keep a count (WriteCount)."""
        self._archive.write_count(count)

    def write_object(self, thing: object) -> None:
        """Keep an object of a serializable class, or None (WriteObject)."""
        self._archive.write_object(thing)

    def write_class(self, kind: type[Any]) -> None:
        """Keep the description of a serializable class (WriteClass)."""
        self._archive.write_class(kind)

    async def flush(self) -> None:
        """Storing: send all that is kept: the message. Loading: nothing, for a connection takes nothing back.

        Raises ConnectionError, after which the archive is broken. A cancelled flush() may be made again: nothing is sent twice.
        """
        self._archive.flush()
        if self.is_storing:
            async with self._sending:
                await self._outgoing.send()
            self._archive.flush()  # which tells the error that sending has met, if any

    # -- both ----------------------------------------------------------------------------------------------------------------

    async def serialize(self, thing: object, kind: type[Any] | None = None) -> None:
        """Keep or take what an object of a serializable class consists of, without a tag (a direct call of Serialize)."""
        await self._gather(lambda: self._archive.serialize(thing, kind))

    async def serialize_class(self, kind: type[Any]) -> None:
        """Keep the description of a class, or take it and see that it is that one (SerializeClass)."""
        await self._gather(lambda: self._archive.serialize_class(kind))

    async def serialize_raw(self, view: CEditView) -> None:
        """Refused over a socket, in both directions, with io.UnsupportedOperation: nobody could tell where the text ends."""
        await self._gather(lambda: self._archive.serialize_raw(view))

    def map_object(self, thing: object) -> None:
        """Give `thing` the next number without a byte, on both sides at the same place, to be referred to (MapObject)."""
        self._archive.map_object(thing)

    def abort(self) -> None:
        """Let go of the file without sending what is kept; never fails (Abort)."""
        self._archive.abort()

    async def close(self) -> None:
        """Send what is kept, and let go of the file, which stays open; closing again does nothing.

        Storing: raises what flush() raises. Loading: bytes that were received and not taken are lost, and UnreadBytesLost is
        warned of.
        """
        if self.is_storing and "flush" in self.legal:
            await self.flush()
        self._archive.close()

    async def __aenter__(self: Self) -> Self:
        return self

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

    async def _gather(self, take: Callable[[], Kept]) -> Kept:
        """Make a call of the archive again and again until all that it needs has come.

        Each time it decodes from the beginning. Where that takes long, time is given for much to come before the next one, so
        that decoding takes a small part of the time whatever the size of the pieces that a message comes in.
        """
        while True:
            begin = perf_counter()
            try:
                return take()
            except BlockingIOError:
                elapsed = perf_counter() - begin
                await self._incoming.more()
                if elapsed > LONG_ATTEMPT and not mode.never_waits:
                    await self._incoming.much_more(elapsed * WAIT_PER_ATTEMPT, self._archive._source.unread)


class _Message(Wire[Kept]):
    """What a function decodes, as one value: all of it is taken, or nothing."""

    def __init__(self, decode: Callable[[blocking.Archive], Kept]) -> None:
        super().__init__("message")
        self._decode = decode

    def load(self, archive: blocking.Archive) -> Kept:
        """Take one message."""
        return self._decode(archive)

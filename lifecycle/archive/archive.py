"""Archive: typed values, strings and objects through a binary file, in one direction (MFC's CArchive)."""

from __future__ import annotations

import inspect
import io
import operator
import os
import warnings
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload
from weakref import ref

from lifecycle.archive.atomic import Mode
from lifecycle.archive.buffer import Sender, length_of, position_of, receive_of
from lifecycle.archive.errors import TooLate, UnreadBytesLost
from lifecycle.archive.file import SocketFile
from lifecycle.archive.format import objects, operands, text
from lifecycle.archive.format.decoder import NO_SCHEMA, Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.lengths import count_prefix, take_count
from lifecycle.archive.format.registry import REGISTRY, Registry
from lifecycle.archive.format.settings import Format, Trace
from lifecycle.archive.format.tracing import TracedWire
from lifecycle.archive.format.wire import Wire
from lifecycle.archive.operators import Kept, Operators, Pointed, Value
from lifecycle.engine import LifecycleError, settled
from lifecycle.roles import ARCHIVE
from lifecycle.roles.archive import Direction

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Archive(Operators, role=ARCHIVE):
    """Typed values through a SocketFile or any other binary file, in the format of MFC's CArchive.

    file: a SocketFile, or an object with read() (or read1(), which does not wait for more) or write(). It is not owned: close
    the archive first, then the file, then the socket, as nested `with` blocks do. mode: "load" or "store".

    unicode: whether CString and text are stored as UTF-16, as by a Unicode build of a program, or in the ANSI code page.
    encoding and errors: the ANSI code page, which is not on the wire, and how to handle characters that it does not have (as in
    bytes.decode). buffer_size: bytes, at least 128. limit: the largest length of one string, block or count, in bytes. depth:
    how deep objects may be nested. no_flush_on_delete: leaving a `with` block drops unflushed data. win32: counts as in a
    32-bit program. registry: which classes may be loaded; by default those made @serializable. schemas: class, or name on the
    wire -> the schema number to store its objects with, or to expect, instead of its own. base: the offset of the archive's
    first byte; by default the file's position, or 0 if it has none. trace: is called with each value that is loaded or stored,
    as Traced(offset, kind, value); print, for example.

    An object is stored once and referred to afterwards, so that later changes to it are not sent; stored objects are kept
    alive. Object numbers belong to one archive: use one per message, or one per connection, as the peer does.

    A call that fails because of an argument, a timeout or a would-block leaves the archive as it was and can be repeated; an
    ArchiveError from the bytes leaves it `broken`. An archive must not be used by several threads at once; one loading and one
    storing archive over one file are the usual pair.
    """

    __slots__ = ("_base", "_discards", "document")

    def __init__(
        self,
        file: Any,
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
        base: int | None = None,
        trace: Trace | None = None,
        engine: str | None = None,
    ) -> None:
        super().__init__(engine=engine)
        self._file = file
        self._mode = mode
        self._discards = no_flush_on_delete
        self._registry = registry
        self._schemas = registry.schemas(schemas or {})
        self._base = position_of(file) if base is None else base
        self._nested = False
        self._flush_is_due = False
        self._spoilt_by = None
        self._format = Format(unicode, encoding, errors, win32, limit, depth, buffer_size, trace)
        self.document: object = None
        self.attach(file, mode)

    # -- calls of the table --------------------------------------------------------------------------------------------------

    def attach(self, file: Any, mode: Mode) -> None:
        """Take the file, as the constructor does. Raises IllegalCall over a closed SocketFile, ValueError for another mode."""
        make: dict[str, Callable[[], None]] = {
            Direction.LOAD: self._load_from_file,
            Direction.STORE: self._store_into_file,
        }
        if mode not in make:
            raise ValueError(f"an archive's mode is 'load' or 'store', not {mode!r}")
        if not isinstance(file, SocketFile):
            able = "read" if self.is_loading else "write"
            is_text = isinstance(file, io.TextIOBase) or getattr(file, "encoding", None) is not None
            if is_text or not callable(getattr(file, able, None)):
                how = f": open({os.fspath(file)!r}, '{able[0]}b') gives one" if isinstance(file, (str, os.PathLike)) else ""
                how = ": use a SocketFile over it" if hasattr(file, "legal") else how
                raise TypeError(f"{file!r} is not a binary file to {mode}: it has no {able}() of bytes{how}")
        make[mode]()
        return settled(mode, None)

    @overload
    def load(self, kind: type[Pointed]) -> Pointed | None: ...
    @overload
    def load(self, kind: type[Value]) -> Value: ...
    @overload
    def load(self, kind: Wire[Kept]) -> Kept: ...
    @overload
    def load(self, kind: type[Kept]) -> Kept | None: ...
    @overload
    def load(self, kind: object) -> Any: ...
    def load(self, kind: Any) -> Any:
        """Load one value of a kind: a wire type, a serializable class (an object or None), or an annotation of a wire type.

        Raises WriteOnly (an IllegalCall) on a storing archive; ArchiveError if the bytes are not of that kind, which leaves
        the archive broken; TimeoutError and BlockingIOError, after which nothing was taken; ConnectionError.
        """
        wire = self._wire(kind)
        return wire.load(self._decoder) if wire.is_atomic else self._take_whole(wire.load)

    def store(self, kind: Any, value: object) -> None:
        """Store one value of a kind.

        Raises ReadOnly (an IllegalCall) on a loading archive; TypeError or ValueError if the value is not of that kind, and
        TimeoutError or BlockingIOError if the buffer has no room yet; nothing was stored then.
        """
        wire = self._wire(kind)
        if self._nested and wire.is_atomic:
            wire.store(self._encoder, value)
        else:
            self._store_whole(wire.store, value)

    def read(self, size: int = -1) -> bytes:
        """Read `size` raw bytes, fewer at the end of the file (CArchive::Read); all up to the end if it is negative.

        Raises GenericError if more than the archive's limit remain up to the end.
        """
        if size < 0:
            return settled("eof", self._taken(self._decoder.fetch_rest("the rest of the file")))
        found = self._decoder.fetch_up_to(self._checked_size(size), f"{size} raw bytes")
        return self._taken(found) if found == size else settled("eof", self._taken(found))

    def ensure_read(self, size: int) -> bytes:
        """Read exactly `size` raw bytes, or raise EndOfFile (CArchive::EnsureRead)."""
        self._decoder.fetch(self._checked_size(size), f"{size} raw bytes")
        return self._taken(size)

    def write(self, data: ReadableBuffer) -> None:
        """Write raw bytes (CArchive::Write)."""
        self._put(bytes(memoryview(data)))

    def read_string(self, most: int | None = None) -> str | None:
        """Read one line, without its end (LF, or CR and the next character); None at the end of the file (ReadString).

        most: the maximum number of characters; the rest of the line stays.
        """
        at = self.offset
        line = self._take_whole(lambda decoder: text.read_line(decoder, most))
        self._format.tell(at, "line", line)
        return settled("eof", None) if line is None else line

    def write_string(self, line: str) -> None:
        """Write text without a length before it or an end after it (WriteString). End lines yourself, with "\\n" """
        self._put(text.encoded(line, self._encoder))

    def read_count(self) -> int:
        """Read a count (ReadCount); GenericError if it is above the archive's limit, since each element takes a byte."""
        return take_count(self._decoder, least=1)

    def write_count(self, count: int) -> None:
        """Write a count (WriteCount)."""
        self._put(count_prefix(operator.index(count), win32=self._format.win32))

    @overload
    def read_object(self) -> Any: ...
    @overload
    def read_object(self, kind: type[Kept]) -> Kept | None: ...
    def read_object(self, kind: type[Any] = object) -> Any:
        """Load an object of `kind` or of a class derived from it, or None; a reference returns the object loaded before.

        Raises what load() raises, and BadClass, BadSchema and BadIndex.
        """
        return self._take_whole(lambda decoder: objects.take_object(decoder, kind))

    def write_object(self, thing: object) -> None:
        """Store an object of a serializable class, or None; an object stored before is only referred to (WriteObject).

        Raises NotSerializable, a TypeError, for any other class, and NestedTooDeeply beyond the archive's depth.
        """
        self._store_whole(objects.put_object, thing)

    def read_class(self, kind: type[Any] | None = None) -> tuple[type[Any], int]:
        """Load the description of a class: the class and its schema number (ReadClass)."""
        found: tuple[type[Any], int] = self._take_whole(lambda decoder: objects.take_class(decoder, kind))
        return found

    def write_class(self, kind: type[Any]) -> None:
        """Store the description of a serializable class (WriteClass)."""
        self._store_whole(objects.put_class, kind)

    def serialize_class(self, kind: type[Any]) -> None:
        """Store the description of a class, or load one and check that it is that class's (SerializeClass)."""
        if self.is_storing:
            self._store_whole(objects.put_class, kind)
        else:
            self._take_whole(lambda decoder: objects.take_class(decoder, kind))

    @overload
    def serialize(self, thing: type[Kept]) -> Kept: ...  # type: ignore[overload-overlap]  # a class is an object, too
    @overload
    def serialize(self, thing: object, kind: type[Any] | None = None) -> None: ...
    def serialize(self, thing: Any, kind: type[Any] | None = None) -> Any:
        """Store or load the members of an object of a serializable class, without a tag (a direct call of Serialize).

        thing: when loading, it may be a class, and a new object of it is returned: `serialize(Age)`.
        kind: the class whose members are meant: a base of the object's class, by default its own. A derived class's method
        stores or loads those of its base with super().serialize(archive), as in C++ with CBase::Serialize(ar).
        """
        if self.is_storing:
            self._store_whole(objects.put_body, thing, kind)
            return None
        taken = self._take_whole(lambda decoder: objects.take_body(decoder, thing, kind))
        return taken if isinstance(thing, type) else None

    def serialize_raw(self, view: text.CEditView) -> None:
        """Store or load the text of a view without its length, which needs a file that knows its own (SerializeRaw).

        Raises io.UnsupportedOperation over a SocketFile, in both directions: nothing says where the text ends.
        """
        if not isinstance(view, text.CEditView):
            raise TypeError(f"{view!r} is not a CEditView")
        size = length_of(self._file)
        if self.is_storing:
            self._put(text.encoded(view.text, self._encoder))
        else:
            self._take_whole(lambda decoder: text.take_rest(decoder, view, size))

    def map_object(self, thing: object) -> None:
        """Give `thing` the next object number, and write nothing; both sides must call it at the same place (MapObject)."""
        if thing is None:
            return
        if isinstance(thing, type):
            raise TypeError(f"{thing.__name__} is a class, not an object: write_class() and read_class() number it")
        if self.is_loading:
            self._decoder.numbered.append(thing)
        else:
            self._encoder.number(thing)

    def get_object_schema(self) -> int:
        """The schema number of the object being loaded, at the first call; otherwise -1 (GetObjectSchema)."""
        schema, self._decoder.schema = self._decoder.schema, NO_SCHEMA
        return schema

    def set_object_schema(self, schema: int) -> None:
        """Set what get_object_schema() returns next (SetObjectSchema)."""
        self._decoder.schema = schema

    def set_load_params(self, grow_by: int = 1024) -> None:
        """MFC's growth of the table of objects; without effect here, and refused (TooLate) after the first object."""
        self._before_objects(self.set_load_params, self._decoder.numbered)

    def set_store_params(self, hash_size: int = 2053, block_size: int = 128) -> None:
        """MFC's size of the table of objects; without effect here, and refused (TooLate) after the first object."""
        self._before_objects(self.set_store_params, self._encoder.numbered)

    def flush(self) -> None:
        """Send the whole buffer; on a socket, one flush is one send.

        Loading: move a seekable file back to the archive's position; with any other file, bytes read ahead stay in the buffer.

        Inside a serialize() it happens when the outermost value is complete. Unsent bytes stay: after TimeoutError or
        BlockingIOError, call it again.
        """
        if self._nested:
            self._flush_is_due = True
        else:
            self._flush_now()

    def abort(self) -> None:
        """Release the file without flushing; never fails (Abort)."""

    def close(self) -> None:
        """Flush and release the file, which stays open; closing again does nothing.

        Storing: raises what flush() raises, and stays open if that can be repeated. Loading: bytes that were read ahead go
        back to a seekable file; with any other file they are lost, with a warning, UnreadBytesLost.
        """
        if self._nested:
            raise RuntimeError("close() inside serialize() would leave half a value behind")
        if not self.is_legal("flush"):
            return
        self._flush_now()
        if self.is_loading and self._decoder.unread:
            message = f"{self._decoder.unread} bytes were read ahead and not taken: they are lost"
            warnings.warn(message, UnreadBytesLost, stacklevel=_level_of_the_caller())

    # -- leaving scope -------------------------------------------------------------------------------------------------------

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._discards:
            self.abort()
        try:
            self.close()
        except (OSError, ValueError, LifecycleError):  # the connection is gone, or the file was closed before the archive
            if error is None:
                raise
        finally:
            self.abort()

    def __del__(self) -> None:
        """Warn about an archive that was not closed, and drop unflushed data: a finalizer must not wait for a peer."""
        if not hasattr(self, "_mode") or self.state in (self.role.initial, *self.role.final):
            return
        try:
            if not self._discards:
                unsent = ": unflushed data is lost" if self.is_storing and not self.is_buffer_empty else ""
                warnings.warn(f"unclosed {self!r}{unsent}", ResourceWarning, stacklevel=2, source=self)
        finally:
            self.abort()

    def _load_from_file(self) -> None:
        receive, reads_ahead = receive_of(self._file)
        self._decoder = Decoder(
            self._format, self._registry, receive,
            reads_ahead=reads_ahead, base=self._base, schemas=self._schemas, owner=ref(self),
        )  # fmt: skip

    def _store_into_file(self) -> None:
        self._encoder = Encoder(self._format, self._registry, schemas=self._schemas, owner=ref(self))
        self._encoder.sent = self._base
        self._sender = Sender(self._file, self._encoder)

    def _wire(self, kind: Any) -> Wire[Any]:
        wire = operands.operand(kind)
        return wire if self._format.trace is None else TracedWire(wire, wire.name)

    def _checked_size(self, size: int) -> int:
        if not 0 <= size <= self._format.limit:
            raise ValueError(f"a size of {size} bytes: it is from 0 to {self._format.limit} (the archive's limit)")
        return size

    @staticmethod
    def _before_objects(call: Callable[..., None], numbered: list[Any]) -> None:
        if numbered:
            raise TooLate(f"{call.__name__}() comes before the first object")


def _level_of_the_caller() -> int:
    """The stacklevel, for the calling function, of the nearest line outside this package."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("lifecycle."):
        frame, level = frame.f_back, level + 1
    return max(level, 1)

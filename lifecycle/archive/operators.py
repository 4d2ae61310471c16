"""The operators and properties of an archive: everything that is not a call of the role's table, but uses those calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from lifecycle.archive.atomic import AtomicValues
from lifecycle.archive.format import objects, operands
from lifecycle.archive.format.registry import Registry
from lifecycle.archive.format.settings import Format
from lifecycle.archive.format.wire import Wire

if TYPE_CHECKING:
    from lifecycle.archive.format.containers import Collection

Value = TypeVar("Value", bound="int | float | str | tuple[Any, ...] | list[Any] | dict[Any, Any]")
Pointed = TypeVar("Pointed", bound="Collection")
Kept = TypeVar("Kept")
Self = TypeVar("Self", bound="Operators")


class Operators(AtomicValues):
    """The operators << and >>, exchange(), rest(), and the properties of an archive."""

    __slots__ = ("_format", "_registry", "_schemas")

    _format: Format
    _registry: Registry
    _schemas: dict[type[Any], int]

    if TYPE_CHECKING:

        def load(self, kind: Any) -> Any: ...
        def store(self, kind: Any, value: object) -> None: ...
        def read(self, size: int = -1) -> bytes: ...

    # -- what it is ----------------------------------------------------------------------------------------------------------

    @property
    def is_buffer_empty(self) -> bool:
        """Whether the buffer has no unread bytes, or no unsent ones (IsBufferEmpty).

        One message may contain several values: after the first, load more until the buffer is empty, before waiting for the
        next message.
        """
        return not (self._decoder.unread if self.is_loading else self._encoder.out)

    @property
    def file(self) -> Any:
        """The file given to the constructor (GetFile); call flush() before using it directly."""
        return self._file

    def get_file(self) -> Any:
        """MFC's name of `file`."""
        return self._file

    @property
    def offset(self) -> int:
        """The number of bytes stored or loaded since the archive began."""
        return self._decoder.offset if self.is_loading else self._encoder.offset

    @property
    def schemas(self) -> dict[type[Any], int]:
        """The schema number of each class that the archive has met, or was given; Archive(schemas=...) stores with it."""
        met = self._decoder.numbered if self.is_loading else ()
        return self._schemas | {each.entry.kind: each.schema for each in met if isinstance(each, objects.LoadedClass)}

    @property
    def at_end(self) -> bool:
        """Whether the file being loaded has no more bytes; over a socket it waits for a byte, or for the end of the stream.

        Raises WriteOnly (an IllegalCall) on a storing archive, TimeoutError and BlockingIOError if nothing has arrived yet.
        """
        self.read(0)  # refused by the table where nothing can be loaded
        return not self._decoder.fetch_up_to(1, "the end of the file")

    def rest(self) -> bytes:
        """Read all bytes up to the end of the file, like read(-1); for example those of an object of unknown class."""
        return self.read(-1)

    @property
    def unicode(self) -> bool:
        """Whether CString and text are stored as UTF-16."""
        return self._format.unicode

    @property
    def encoding(self) -> str:
        """The ANSI code page, by Python's name."""
        return self._format.encoding

    # -- the operators -------------------------------------------------------------------------------------------------------

    def __lshift__(self: Self, value: object) -> Self:
        """Store a value with a wire type (`archive << DWORD(5) << CString("x")`), an object or None; return the archive."""
        self.store(operands.kind_of(value), value)
        return self

    @overload
    def __rshift__(self, kind: type[Pointed]) -> Pointed | None: ...
    @overload
    def __rshift__(self, kind: type[Value]) -> Value: ...
    @overload
    def __rshift__(self, kind: Wire[Kept]) -> Kept: ...
    @overload
    def __rshift__(self, kind: type[Kept]) -> Kept | None: ...
    @overload
    def __rshift__(self, kind: object) -> Any: ...  # Annotated[int, DWORD], of which type checkers know no more
    def __rshift__(self, kind: Any) -> Any:
        """Load a value of that kind: `value = archive >> DWORD`; for a serializable class, an object of it or None."""
        return self.load(kind)

    @overload
    def exchange(self, kind: type[Value], value: Value | None = None) -> Value: ...
    @overload
    def exchange(self, kind: object, value: Any = None) -> Any: ...
    def exchange(self, kind: Any, value: Any = None) -> Any:
        """Store `value`, or load one, and return it: `self.width = archive.exchange(WORD, self.width)`.

        So one function can do what C++'s Serialize does in two branches. Raises what store() and load() raise.
        """
        if self.is_loading:
            return self.load(kind)
        self.store(kind, value)
        return value

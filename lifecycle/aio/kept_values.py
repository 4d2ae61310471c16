"""The calls and properties of an awaited archive that do not wait: stored values are kept until flush()."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from lifecycle.aio.gathering import WriteBuffer
from lifecycle.aio.socket_file import SocketFile
from lifecycle.archive import archive as blocking
from lifecycle.archive.atomic import ArchiveCalls
from lifecycle.archive.format.operands import kind_of

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Self = TypeVar("Self", bound="KeptValues")


class KeptValues(ArchiveCalls):
    """The calls of an awaited archive that are those of the archive in memory."""

    _archive: blocking.Archive
    _file: SocketFile
    _write_buffer: WriteBuffer

    # -- what it is ----------------------------------------------------------------------------------------------------------

    @property
    def is_loading(self) -> bool:
        """Whether it loads values (IsLoading)."""
        return self._archive.is_loading

    @property
    def is_storing(self) -> bool:
        """Whether it stores values (IsStoring)."""
        return self._archive.is_storing

    @property
    def is_buffer_empty(self) -> bool:
        """Whether there are no unread received bytes, or no unsent ones (IsBufferEmpty)."""
        return self._archive.is_buffer_empty and self._write_buffer.is_empty

    @property
    def file(self) -> SocketFile:
        """The file given to the constructor (GetFile)."""
        return self._file

    @property
    def schemas(self) -> dict[type[Any], int]:
        """The schema number of each class that the archive has met, or was given."""
        return self._archive.schemas

    @property
    def offset(self) -> int:
        """The number of bytes stored or loaded since the archive began."""
        return self._archive.offset

    @property
    def document(self) -> object:
        """Free for the program's use in serialize() methods (m_pDocument)."""
        return self._archive.document

    @document.setter
    def document(self, document: object) -> None:
        self._archive.document = document

    def get_object_schema(self) -> int:
        """The schema number of the object being loaded, at the first call; otherwise -1 (GetObjectSchema)."""
        return self._archive.get_object_schema()

    def set_object_schema(self, schema: int) -> None:
        """Set what get_object_schema() returns next (SetObjectSchema)."""
        self._archive.set_object_schema(schema)

    def set_load_params(self, grow_by: int = 1024) -> None:
        """MFC's growth of the table of objects; without effect here, and refused (TooLate) after the first object."""
        self._archive.set_load_params(grow_by)

    # -- storing -------------------------------------------------------------------------------------------------------------

    def __lshift__(self: Self, value: object) -> Self:
        """Store a value with a wire type (`archive << DWORD(5) << CString("x")`), an object or None; return the archive."""
        self.store(kind_of(value), value)
        return self

    def store(self, kind: Any, value: object) -> None:
        """Keep one value of a kind until flush(). Raises ReadOnly, an IllegalCall, when loading; TypeError, ValueError."""
        self._archive.store(kind, value)

    def write(self, data: ReadableBuffer) -> None:
        """Write raw bytes (CArchive::Write)."""
        self._archive.write(data)

    def write_string(self, line: str) -> None:
        """Write text without a length before it or an end after it (WriteString)."""
        self._archive.write_string(line)

    def write_count(self, count: int) -> None:
        """Write a count (WriteCount)."""
        self._archive.write_count(count)

    def write_object(self, thing: object) -> None:
        """Store an object of a serializable class, or None (WriteObject)."""
        self._archive.write_object(thing)

    def write_class(self, kind: type[Any]) -> None:
        """Store the description of a serializable class (WriteClass)."""
        self._archive.write_class(kind)

    def set_store_params(self, hash_size: int = 2053, block_size: int = 128) -> None:
        """MFC's size of the table of objects; without effect here, and refused (TooLate) after the first object."""
        self._archive.set_store_params(hash_size, block_size)

    def map_object(self, thing: object) -> None:
        """Give `thing` the next object number, and write nothing; both sides must call it at the same place (MapObject)."""
        self._archive.map_object(thing)

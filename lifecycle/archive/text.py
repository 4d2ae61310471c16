"""Text without a type: lines, and the text view (MFC's CEditView), in characters as wide as the program's build has them.

That width is not on the wire: a Unicode and an ANSI program do not understand each other's lines and views.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any, ClassVar

from lifecycle.archive.errors import BadIndex, GenericError
from lifecycle.archive.socket_file import SocketFile
from lifecycle.archive.strings import from_wide, undecodable, wide

if TYPE_CHECKING:
    from lifecycle.archive.archive import Archive
    from lifecycle.archive.loading import Source
    from lifecycle.archive.storing import Sink

LONGEST_CHARACTER = 4

LARGEST_VIEW = 1_048_575
"""The most characters an edit control takes unless it is told otherwise (SetLimitText)."""


def encoded(text: str, sink: Sink) -> bytes:
    """The characters of `text` as the archive's program has them."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is no text: a str")
    return wide(text) if sink.format.unicode else text.encode(sink.format.encoding, sink.format.errors)


def _decoded(source: Source, at: int, size: int) -> str:
    data = source.data[at : at + size]
    try:
        return from_wide(data) if source.format.unicode else data.decode(source.format.encoding, source.format.errors)
    except UnicodeError as error:
        raise undecodable(source, at, error) from None


def read_line(source: Source, most: int | None = None) -> str | None:
    """Take a line and its end, which is LF, or CR and whatever character follows; the line, or None at the end of the file."""
    width = 2 if source.format.unicode else 1
    feed, carriage = "\n".encode("utf-16-le")[:width], "\r".encode("utf-16-le")[:width]
    size, end = 0, 0
    while most is None or size < most * width:
        found = source.fetch_up_to(size + width, "a line of text")
        if found < size + width:
            if found > size:
                raise GenericError(source.offset + found, "the second byte of a character", "the end of the file")
            break
        start = source.at + size
        character = source.data[start : start + width]
        if character == feed:
            end = width
            break
        if character == carriage:
            end = min(source.fetch_up_to(size + 2 * width, "a line of text") - size, 2 * width)
            if end % width:
                raise GenericError(source.offset + size + end, "the second byte of a character", "the end of the file")
            break
        size += width
    if not size and not end and (most is None or most > 0):
        return None
    if most is not None and not end:
        size = _whole_characters(source, size)
    line = _decoded(source, source.at, size)
    source.at += size + end
    return line


def _whole_characters(source: Source, size: int) -> int:
    """How many of so many bytes are whole characters: of a code page, some take several bytes. At least one whole character."""
    while not source.format.unicode:
        try:
            source.data[source.at : source.at + size].decode(source.format.encoding)
            break
        except UnicodeDecodeError as error:
            if error.end < size or size - error.start >= LONGEST_CHARACTER:
                break
            if error.start:
                return error.start
        if source.fetch_up_to(size + 1, "a character of several bytes") == size:
            break
        size += 1
    return size


def length_of(file: Any) -> int:
    """How many bytes the file has from where it is to its end; io.UnsupportedOperation for a file that has no length."""
    if isinstance(file, SocketFile):
        getattr(file, "get_length")()  # noqa: B009 - refuses, with the table's reason; type checkers do not know it
    here = file.tell()
    try:
        return int(file.seek(0, os.SEEK_END)) - int(here)
    finally:
        file.seek(here)


def take_rest(source: Source, view: CEditView, size: int) -> None:
    """Take the text of a view that goes on to the end of a file, `size` bytes behind what was read ahead."""
    size += source.unread
    if size > view.limit * (2 if source.format.unicode else 1):
        raise BadIndex(source.offset, f"at most {view.limit} characters (the view's limit)", f"{size} bytes")
    at = source.fetch(size, "the text of a view")
    view.text = _decoded(source, at, size)
    source.at = at + size


class CEditView:
    """A text view: its text, and the most characters it takes.

    text: lines end as the view holds them, in MFC with CRLF. limit: characters (SetLimitText).
    """

    __slots__ = ("limit", "text")

    __body__: ClassVar[tuple[Any, Any]]

    def __init__(self, text: str = "", *, limit: int = LARGEST_VIEW) -> None:
        self.text = text
        self.limit = limit

    def serialize(self, archive: Archive) -> None:
        """Put or take the length and the text: over a socket too. Raises BadIndex for a text beyond `limit`."""
        archive.serialize(self)

    def serialize_raw(self, archive: Archive) -> None:
        """Put or take the text alone, which needs a file that knows its length: io.UnsupportedOperation over a SocketFile."""
        archive.serialize_raw(self)

    def __repr__(self) -> str:
        return f"CEditView({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, CEditView) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


def _put_view(archive: Archive, view: CEditView) -> None:
    sink = archive._sink
    characters = encoded(view.text, sink)
    sink.out += struct.pack("<I", len(characters) // (2 if sink.format.unicode else 1)) + characters


def _take_view(archive: Archive, view: CEditView) -> None:
    source = archive._source
    at = source.fetch(4, "the length of a view's text")
    (length,) = struct.unpack_from("<I", source.data, at)
    if length > view.limit:
        raise BadIndex(source.offset, f"at most {view.limit} characters (the view's limit)", f"{length}")
    size = length * (2 if source.format.unicode else 1)
    at = source.fetch(4 + size, "the text of a view")
    view.text = _decoded(source, at + 4, size)
    source.at = at + 4 + size


CEditView.__body__ = (_put_view, _take_view)

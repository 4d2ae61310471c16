"""Untyped text: lines, and the text view (MFC's CEditView), with the character width of the program's build.

The width is not on the wire: a Unicode and an ANSI program cannot read each other's lines and views.
"""

from __future__ import annotations

import struct
from typing import Any, ClassVar

from lifecycle.archive.errors import BadIndex, GenericError
from lifecycle.archive.format import strings
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder

LONGEST_CHARACTER = 4

LARGEST_VIEW = 1_048_575
"""The default limit of an edit control in characters (SetLimitText)."""

CARRIAGE_RETURN = b"\r"

LINE_FEED = b"\n"


def encoded(text: str, encoder: Encoder) -> bytes:
    """The characters of `text` as bytes, in the archive's width and encoding."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text: expected a str")
    return strings.encoded(text, encoder, unicode=encoder.format.unicode)


def _decoded(decoder: Decoder, at: int, size: int) -> str:
    return strings.decoded(decoder, at, size, unicode=decoder.format.unicode)


def read_line(decoder: Decoder, most: int | None = None) -> str | None:
    """Load a line and its end, which is LF, or CR and the next character; return the line, or None at the end of the file."""
    width = 2 if decoder.format.unicode else 1
    longest = None if most is None else most * width
    size, found = _find_end(decoder, width, longest)
    end = 0
    if found:
        end = width
        if found == CARRIAGE_RETURN:
            end = min(decoder.fetch_up_to(size + 2 * width, "a line of text") - size, 2 * width)
            if end % width:
                raise _half(decoder, size + end)
            if not size and end == width:  # nothing before it, nothing behind it: no line, as in MFC
                decoder.at += end
                return None
    if not size and not end and (most is None or most > 0):
        return None
    if most is not None and not end:
        size = _whole_characters(decoder, size)
    line = _decoded(decoder, decoder.at, size)
    decoder.at += size + end
    return line


def _find_end(decoder: Decoder, width: int, longest: int | None) -> tuple[int, bytes]:
    """The size of the line in bytes, and the first character of its end; b"" if the file or `longest` ends it.

    The searched part is remembered, so that a line which arrives in many pieces is searched once.
    """
    begin, searched = decoder.searched
    size = searched - begin if begin == decoder.offset else 0
    while longest is None or size < longest:
        until = decoder.unread - decoder.unread % width
        until = until if longest is None else min(until, longest)
        if until > size:
            start, stop, found = decoder.at + size, decoder.at + until, b""
            for mark in (LINE_FEED, CARRIAGE_RETURN):
                at = _find(decoder.data, mark, start, stop, width)
                if at >= 0:
                    stop, found = at, mark
            if found:
                return stop - decoder.at, found
            size = until
            decoder.searched = (decoder.offset, decoder.offset + size)
            continue
        arrived = decoder.fetch_up_to(size + width, "a line of text")
        if arrived < size + width:
            if arrived > size:
                raise _half(decoder, arrived)
            break
    return size, b""


ONE_BYTE = " (a program built for ANSI has one byte for each: Archive(unicode=False))"


def _half(decoder: Decoder, size: int) -> GenericError:
    return GenericError(decoder.offset + size, "the second byte of a character", f"the end of the file{ONE_BYTE}")


def _text_of_a_view(decoder: Decoder) -> str:
    return f"the text of a view, 2 bytes a character{ONE_BYTE}" if decoder.format.unicode else "the text of a view"


def _find(data: bytearray, mark: bytes, start: int, stop: int, width: int) -> int:
    """The first offset of a character of `width` bytes from `start` on; -1 if there is none."""
    mark = mark.ljust(width, b"\0")
    at = data.find(mark, start, stop)
    while at >= 0 and (at - start) % width:
        at = data.find(mark, at + 1, stop)
    return at


def _whole_characters(decoder: Decoder, size: int) -> int:
    """How many of the bytes are whole characters, of which some take several bytes; at least one character."""
    while not decoder.format.unicode:
        try:
            decoder.data[decoder.at : decoder.at + size].decode(decoder.format.codec)
            break
        except UnicodeDecodeError as error:
            if error.end < size or size - error.start >= LONGEST_CHARACTER:
                break
            if error.start:
                return error.start
        if decoder.fetch_up_to(size + 1, "a character of several bytes") == size:
            break
        size += 1
    return size


def take_rest(decoder: Decoder, view: CEditView, size: int) -> None:
    """Load the text of a view up to the end of the file: `size` bytes after those that were read ahead."""
    size += decoder.unread
    if size > view.limit * (2 if decoder.format.unicode else 1):
        raise BadIndex(decoder.offset, f"at most {view.limit} characters (the view's limit)", f"{size} bytes")
    at = decoder.fetch(size, _text_of_a_view(decoder))
    view.text = _decoded(decoder, at, size)
    decoder.at = at + size


class CEditView:
    """A text view: its text, and the maximum number of characters.

    text: with the view's line ends, in MFC CRLF. limit: characters (SetLimitText).
    """

    __slots__ = ("limit", "text")

    __body__: ClassVar[tuple[Any, Any]]

    def __init__(self, text: str = "", *, limit: int = LARGEST_VIEW) -> None:
        self.text = text
        self.limit = limit

    def serialize(self, archive: Any) -> None:
        """Store or load the length and the text, over a socket too. Raises BadIndex for a text beyond `limit`."""
        archive.serialize(self)

    def serialize_raw(self, archive: Any) -> None:
        """Store or load the text only, which needs a file with a length: io.UnsupportedOperation over a SocketFile."""
        archive.serialize_raw(self)

    def __repr__(self) -> str:
        return f"CEditView({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, CEditView) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


def _put_view(encoder: Encoder, view: CEditView) -> None:
    characters = encoded(view.text, encoder)
    encoder.out += struct.pack("<I", len(characters) // (2 if encoder.format.unicode else 1)) + characters


def _take_view(decoder: Decoder, view: CEditView) -> CEditView:
    at = decoder.fetch(4, "the length of a view's text")
    (length,) = struct.unpack_from("<I", decoder.data, at)
    if length > view.limit:
        raise BadIndex(decoder.offset, f"at most {view.limit} characters (the view's limit)", f"{length}")
    size = length * (2 if decoder.format.unicode else 1)
    at = decoder.fetch(4 + size, _text_of_a_view(decoder))
    view.text = _decoded(decoder, at + 4, size)
    decoder.at = at + 4 + size
    return view


CEditView.__body__ = (_put_view, _take_view)

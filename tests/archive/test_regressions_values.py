"""What was wrong once, and is not again: values, code pages, lines of text, and arguments of the wrong kind."""

from __future__ import annotations

import codecs
import gzip
import io
import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from archive_bytes import loading
from archive_classes import Age
from loopback import client_and_raw_peer

from lifecycle.archive import (
    DWORD,
    LONGLONG,
    SHORT,
    WORD,
    Archive,
    ArchiveError,
    CArray,
    CEditView,
    CMap,
    COleVariant,
    CString,
    CTime32,
    EndOfFile,
    GenericError,
    SocketFile,
)

# -- code pages ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"encoding": "hex"}, LookupError),
        ({"encoding": "no-such-code-page"}, LookupError),
        ({"encoding": "undefined"}, ValueError),
        ({"errors": "nonsense"}, LookupError),
        ({"errors": "xmlcharrefreplace"}, ValueError),
        ({"errors": "namereplace"}, ValueError),
        ({"encoding": None}, TypeError),
        ({"limit": -1}, ValueError),
        ({"depth": -1}, ValueError),
    ],
    ids=repr,
)
def test_settings_that_cannot_work_are_refused_when_the_archive_is_made(
    options: dict[str, Any], error: type[Exception]
) -> None:
    """What is not a code page, or no way to decode, is told by the constructor, and not by some value of the peer's."""
    with pytest.raises(error):
        loading(b"\3abc", **options)


@pytest.mark.parametrize("encoding", ["idna", "punycode", "utf-7", "utf-16", "cp932", "raw_unicode_escape", "utf-8-sig"])
def test_any_code_page_gives_text_or_an_archive_error(encoding: str) -> None:
    """Codecs raise UnicodeErrors of several kinds; all of them are the archive's GenericError."""
    for data in (b"\3\x81\x8d\xff", b"\5xn--\xff", b"\3\\xz", b"\4xn--", b"\6xn--\xc3\xa4", b"\2\xd8\x00", b"\1+"):
        with loading(data, encoding=encoding) as archive:
            try:
                assert isinstance(archive >> CString, str)
            except ArchiveError as error:
                assert isinstance(error, GenericError)  # noqa: PT017 - it may be loaded too
                assert archive.state == "broken"


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [(SHORT, -(1 << 15), (1 << 15) - 1), (WORD, 0, (1 << 16) - 1), (LONGLONG, -(1 << 63), (1 << 63) - 1)],
)
def test_a_number_that_does_not_fit_is_told_the_bounds(kind: Any, low: int, high: int) -> None:
    """The bounds fit, the numbers next to them do not, and the error names the bounds."""
    with Archive(io.BytesIO(), "store") as archive:
        for number in (low, high):
            archive.store(kind, number)
        for number in (low - 1, high + 1):
            with pytest.raises(ValueError, match=f"an integer from {low} to {high}$"):
                archive.store(kind, number)


@pytest.mark.parametrize(
    ("page", "gaps", "first"),
    [
        ("cp874", "DB DC DD DE FC FD FE FF", 0xF8C1),
        ("cp1253", "AA D2 FF", 0xF8F9),
        ("cp1255", "CA", 0x05BA),
        ("cp1255", "D9 DA DB DC DD DE DF FB FC FF", 0xF88D),
        ("cp1257", "A1 A5", 0xF8FC),
    ],
)
def test_gaps_of_pythons_code_pages_are_numbered_as_on_windows(page: str, gaps: str, first: int) -> None:
    """The bytes that Python's codec lacks are successive characters, and come back as the same bytes."""
    text = "".join(map(chr, range(first, first + len(gaps.split()))))
    file = io.BytesIO()
    with Archive(file, "store", unicode=False, encoding=page) as archive:
        archive << CString(text)
    assert file.getvalue()[1:] == bytes.fromhex(gaps)
    with loading(file.getvalue(), encoding=page) as archive:
        assert archive >> CString == text


# -- values that look like others ----------------------------------------------------------------------------------------------


def test_the_mark_of_a_longer_time_is_no_time_of_four_bytes() -> None:
    """CTime32 of that number would be read as the beginning of a time of twelve bytes: it is refused."""
    with Archive(io.BytesIO(), "store") as archive:
        with pytest.raises(ValueError, match="mark"):
            archive << CTime32(-0x7FFFFFF6)
        with pytest.raises(ValueError, match="is not a CTime32"):
            archive.store(CTime32, "soon")
        archive << CTime32(-0x7FFFFFF5)
        assert archive.offset == 4


# -- lines ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "at"), [(b"a\0\n\0x", 5), (b"x", 1), (b"a\0\r\0x", 5)], ids=["behind", "alone", "behind CR"])
def test_half_a_character_at_the_end_of_a_file_is_malformed(data: bytes, at: int) -> None:
    """An odd byte behind the last line of UTF-16 is reported, with its place, and is not an end of the file."""
    with loading(data) as archive:
        with pytest.raises(GenericError, match="second byte of a character") as caught:
            while archive.read_string() is not None:
                pass
        assert (caught.value.offset, archive.state) == (at, "broken")


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("encoding", "text"), [("cp932", "あいaう"), ("utf-8", "a€b\U0001f600é"), ("cp1252", "äöü")])
def test_lines_are_cut_between_characters(encoding: str, text: str, most: int) -> None:
    """read_string(most) cuts no character of several bytes in two, and one that is wider than `most` comes whole."""
    with loading(f"{text}\nnext".encode(encoding), unicode=False, encoding=encoding) as archive:
        parts: list[str] = []
        while "".join(parts) != text:
            part = archive.read_string(most)
            assert part
            assert len(part.encode(encoding)) <= max(most, len(part[:1].encode(encoding)))
            parts.append(part)


# -- reading -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["read", "ensure_read"])
def test_reading_beyond_the_limit_is_an_argument_out_of_range(call: str) -> None:
    """The caller asked for it and not the bytes: a ValueError, and the archive goes on."""
    with loading(b"abc", limit=1000) as archive:
        for size in (1001, *([-1] if call == "ensure_read" else [])):
            with pytest.raises(ValueError, match="from 0 to 1000"):
                getattr(archive, call)(size)
        assert archive.read(3) == b"abc"


def test_reading_into_what_cannot_be_written_to_takes_nothing() -> None:
    """readinto() of a read-only buffer is a TypeError before anything is received."""
    with client_and_raw_peer(timeout=2) as (client, peer), SocketFile(client) as file:
        peer.sendall(b"abc")
        with pytest.raises(TypeError, match="written to"):
            file.readinto(b"xyz")  # type: ignore[arg-type]
        assert file.read(3) == b"abc"


def test_a_compressed_file_that_was_cut_off_is_an_end_of_file() -> None:
    """What gzip calls EOFError is the archive's EndOfFile, and breaks it."""
    data = gzip.compress(bytes(range(256)) * 64)[:-40]
    with gzip.open(io.BytesIO(data)) as file, Archive(file, "load") as archive:
        with pytest.raises(EndOfFile, match="end-of-stream"):
            while True:
                archive >> DWORD
        assert archive.state == "broken"


CODED = codecs.StreamReaderWriter(io.BytesIO(), codecs.getreader("utf-8"), codecs.getwriter("utf-8"))


def test_files_of_text_are_refused() -> None:
    """A file that reads or writes text is a TypeError of the constructor, whatever kind of file it is."""
    with tempfile.NamedTemporaryFile("w+") as named, tempfile.SpooledTemporaryFile(mode="w+") as spooled:
        for file in (io.StringIO(), named, spooled, CODED, object()):
            for mode in ("load", "store"):
                with pytest.raises(TypeError, match="not a binary file"):
                    Archive(file, mode)  # type: ignore[arg-type]


# -- arguments of the wrong kind -----------------------------------------------------------------------------------------------

WRONG: dict[str, Callable[[Archive], Any]] = {
    "serialize": lambda archive: archive.serialize(5),
    "serialize_raw": lambda archive: archive.serialize_raw(5),  # type: ignore[arg-type]
    "serialize a view": lambda archive: archive.serialize(CEditView(5)),  # type: ignore[arg-type]
    "write": lambda archive: archive.write("text"),  # type: ignore[arg-type]
    "write_string": lambda archive: archive.write_string(5),  # type: ignore[arg-type]
    "write_count": lambda archive: archive.write_count(1.5),  # type: ignore[arg-type]
    "write_class": lambda archive: archive.write_class(5),  # type: ignore[arg-type]
    "serialize_class": lambda archive: archive.serialize_class(5),  # type: ignore[arg-type]
    "write_object": lambda archive: archive.write_object(5),
    "store None": lambda archive: archive.store(DWORD, None),
    "store a map": lambda archive: archive.store(CMap[WORD, CString], [1]),
    "store a pointer": lambda archive: archive.store(Age, 5),
    "store a variant": lambda archive: archive.store(COleVariant, COleVariant(None, "x")),  # type: ignore[arg-type]
    "an instance as a kind": lambda archive: archive.store(5, 5),
    "<<": lambda archive: archive << 5,
}


@pytest.mark.parametrize("name", WRONG)
def test_arguments_of_the_wrong_kind_are_type_errors(name: str) -> None:
    """Nothing is stored then, and the archive goes on."""
    with Archive(io.BytesIO(), "store") as archive:
        with pytest.raises(TypeError):
            WRONG[name](archive)
        assert (archive.state, archive.offset) == ("storing", 0)


# -- values that have no wire type -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        (5, r"DWORD\(5\)"),
        ("x", r"CString\('x'\)"),
        (b"x", r"archive\.write"),
        ([1, 2], r"CArray\[DWORD\]"),
        ({1: "x"}, r"CMap\[WORD, CString\]"),
        (object(), r"@serializable\('object'\)"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_value_that_does_not_say_how_it_travels_is_refused_with_what_to_write(value: object, remedy: str) -> None:
    """The operator << names, for Python's own types, a wire type that holds such values; nothing was stored."""
    with Archive(io.BytesIO(), "store") as archive:
        with pytest.raises(TypeError, match=remedy):
            archive << value
        assert (archive.state, archive.offset) == ("storing", 0)


@pytest.mark.parametrize("value", [5, "ab", {1: 2}], ids=repr)
def test_an_array_takes_a_list_of_its_elements_and_nothing_else(value: Any) -> None:
    """Also no string, whose characters would be the elements."""
    with Archive(io.BytesIO(), "store") as archive, pytest.raises(TypeError, match=r"not a CArray\[CString\]: expected a list"):
        archive.store(CArray[CString], value)

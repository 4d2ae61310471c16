"""The tables of docs/archives.md are what the code does. Its code blocks run in tests/test_documents.py."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

import lifecycle.archive
from lifecycle.archive import Archive, ArchiveError, Cause, CEditView, Wire
from lifecycle.archive.format.registry import COLLECTIONS

GUIDE = (Path(__file__).parents[2] / "docs" / "archives.md").read_text(encoding="utf-8")
TYPES = re.findall(r"^\| `.*\| `(\w+)(.*)` \| `([0-9a-f ]+)` \| `(.*)` \|$", GUIDE, re.MULTILINE)
ERRORS = re.findall(r"^\| `(\w+)` \| (\d) \| ", GUIDE, re.MULTILINE)
NAMES = vars(lifecycle.archive)


@pytest.mark.parametrize(("name", "arguments", "octets", "loaded"), TYPES, ids=[f"{name}{rest}" for name, rest, *_ in TYPES])
def test_a_wire_type_is_as_the_guide_says(name: str, arguments: str, octets: str, loaded: str) -> None:
    """The value has these bytes, and loads as a value of that type that is equal to it."""
    value = eval(name + arguments, dict(NAMES))
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive << value
    assert file.getvalue().hex(" ") == octets
    file.seek(0)
    with Archive(file, "load") as archive:
        back: Any = archive >> type(value)
        assert (archive.is_buffer_empty, archive.offset) == (True, len(file.getvalue()))
    assert back == value
    assert type(back) is eval(loaded, dict(NAMES))


def test_the_guide_has_every_wire_type() -> None:
    """Each wire type that the package exports has a line, but for the classes that travel by pointer, which the text names."""
    exported = {
        name
        for name in lifecycle.archive.__all__
        if (hasattr(NAMES[name], "__wire__") and not issubclass(NAMES[name], Wire)) or name in ("CArray", "CList", "CMap")
    }
    collections = {name for name in exported if NAMES[name] in COLLECTIONS}
    assert exported - collections == {name for name, *_ in TYPES}
    assert all(f"`{name}`" in GUIDE for name in (*collections, CEditView.__name__))


def test_the_guide_has_every_error_of_mfc() -> None:
    """Each cause of a CArchiveException has its line, with the class that has it."""
    assert [int(cause) for _, cause in ERRORS] == [cause for cause in Cause if cause is not Cause.NONE]
    for name, cause in ERRORS:
        assert issubclass(NAMES[name], ArchiveError)
        assert NAMES[name].cause == int(cause)


def test_the_guides_defaults() -> None:
    """The limit and the buffer that the guide names are the archive's."""
    defaults = Archive.__init__.__kwdefaults__
    assert (defaults["limit"], defaults["buffer_size"], defaults["encoding"]) == (64 << 20, 4096, "cp1252")
    assert "`limit` (64 MiB)" in GUIDE
    assert "`buffer_size=4096`" in GUIDE

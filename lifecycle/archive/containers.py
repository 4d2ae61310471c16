"""MFC's collection classes: serializable classes themselves, which travel by pointer (<<) or as a member (serialize).

Loading fills an array anew, and adds to a list or a map what comes, as MFC's do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from lifecycle.archive.counting import count_prefix, take_count
from lifecycle.archive.nesting import deeper
from lifecycle.archive.objects import ANY_POINTER, EmbeddedWire, PointerWire
from lifecycle.archive.registry import COLLECTIONS, Entry
from lifecycle.archive.scalars import DWORD, WORD
from lifecycle.archive.strings import CString
from lifecycle.archive.templates import ItemsWire, MapWire
from lifecycle.archive.wire import Wire, travels_as, wire_of

if TYPE_CHECKING:
    from lifecycle.archive.archive import Archive


class Collection:
    """A collection, which is put and taken by pointer, or as a member by serialize()."""

    __slots__ = ()

    def serialize(self, archive: Archive) -> None:
        """Put the elements behind their count, or take them, without a tag (a direct call of Serialize)."""
        archive.serialize(self, next(kind for kind in type(self).__mro__ if kind in COLLECTIONS))


class CByteArray(Collection, bytearray):
    """An array of bytes."""


class CWordArray(Collection, list[int]):
    """An array of WORDs."""


class CDWordArray(Collection, list[int]):
    """An array of DWORDs."""


class CStringArray(Collection, list[str]):
    """An array of strings."""


class CStringList(Collection, list[str]):
    """A list of strings."""


class CObArray(Collection, list[Any]):
    """An array of objects by pointer; None is NULL."""


class CObList(Collection, list[Any]):
    """A list of objects by pointer; None is NULL."""


class CMapStringToString(Collection, dict[str, str]):
    """A map from strings to strings."""


class CMapStringToOb(Collection, dict[str, Any]):
    """A map from strings to objects by pointer."""


class CMapWordToOb(Collection, dict[int, Any]):
    """A map from WORDs to objects by pointer."""


def _replace(thing: Any, loaded: Any) -> None:
    thing[:] = loaded


class _Bytes(Wire[Any]):
    """A count, then as many raw bytes."""

    least = 2

    def store(self, archive: Archive, value: bytes) -> None:
        archive._sink.out += count_prefix(len(value), win32=archive._sink.format.win32) + value

    def load(self, archive: Archive) -> CByteArray:
        source = archive._source
        size = take_count(source, least=1)
        at = source.fetch(size, f"{size} bytes")
        value = CByteArray(source.data[at : at + size])
        source.at = at + size
        return value


def _deeper(body: Callable[[Archive, Any], None], archive: Archive, thing: Any) -> None:
    deeper(archive, body, thing)


def _register(kind: type[Any], wire: Wire[Any], fill: Callable[[Any, Any], None]) -> None:
    def take(archive: Archive, thing: Any) -> None:
        fill(thing, wire.load(archive))

    put_deeper = partial(_deeper, wire.store)
    take_deeper = partial(_deeper, take)
    entry = Entry(kind, kind.__name__, 0, False, kind, put_deeper, take_deeper, members=(wire.store, take))
    COLLECTIONS.add(entry)
    travels_as(kind, EmbeddedWire(entry))
    kind.__wire__.least = 2
    kind.__pointer__ = PointerWire(kind)
    kind.__module__ = "lifecycle.archive"


for _kind, _wire, _fill in (
    (CByteArray, _Bytes("CByteArray"), _replace),
    (CWordArray, ItemsWire("CWordArray", wire_of(WORD), list), _replace),
    (CDWordArray, ItemsWire("CDWordArray", wire_of(DWORD), list), _replace),
    (CStringArray, ItemsWire("CStringArray", wire_of(CString), list), _replace),
    (CStringList, ItemsWire("CStringList", wire_of(CString), list), list.extend),
    (CObArray, ItemsWire("CObArray", ANY_POINTER, list), _replace),
    (CObList, ItemsWire("CObList", ANY_POINTER, list), list.extend),
    (CMapStringToString, MapWire("CMapStringToString", wire_of(CString), wire_of(CString), dict), dict.update),
    (CMapStringToOb, MapWire("CMapStringToOb", wire_of(CString), ANY_POINTER, dict), dict.update),
    (CMapWordToOb, MapWire("CMapWordToOb", wire_of(WORD), ANY_POINTER, dict), dict.update),
):
    _register(_kind, _wire, _fill)

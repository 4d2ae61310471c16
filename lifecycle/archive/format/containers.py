"""MFC's collection classes: serializable classes, stored by pointer (<<) or as a member (serialize).

Loading replaces the contents of an array, and adds to a list or a map, as in MFC.
"""

from __future__ import annotations

from collections.abc import Callable
from types import GeneratorType
from typing import Any

from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.lengths import count_prefix, take_count
from lifecycle.archive.format.nesting import Loading, Storing
from lifecycle.archive.format.objects import ANY_POINTER, EmbeddedWire, PointerWire
from lifecycle.archive.format.registry import COLLECTIONS, Entry
from lifecycle.archive.format.scalars import DWORD, WORD
from lifecycle.archive.format.strings import CString
from lifecycle.archive.format.templates import ItemsWire, MapWire
from lifecycle.archive.format.wire import Wire, travels_as, wire_of


class Collection:
    """A collection, stored and loaded by pointer, or as a member with serialize()."""

    __slots__ = ()

    def serialize(self, archive: Any) -> None:
        """Store or load the count and the elements, without a tag (a direct call of Serialize)."""
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
    """A count, then that many raw bytes."""

    least = 2

    def store(self, encoder: Encoder, value: bytes) -> None:
        encoder.out += count_prefix(len(value), win32=encoder.format.win32) + value

    def load(self, decoder: Decoder) -> CByteArray:
        return CByteArray(decoder.ensure_read(take_count(decoder, least=1)))


def _register(kind: type[Any], wire: Wire[Any], fill: Callable[[Any, Any], None]) -> None:
    def put_deeper(encoder: Encoder, thing: Any) -> Storing | None:
        encoder.enter()
        storing = wire.store(encoder, thing)
        if storing is not None:
            return _leave(encoder, storing)
        encoder.depth -= 1
        return None

    def take(decoder: Decoder, thing: Any) -> Any:
        loaded = wire.load(decoder)
        if loaded.__class__ is GeneratorType:
            return filled(thing, loaded)
        fill(thing, loaded)
        return thing

    def filled(thing: Any, loading: Any) -> Loading:
        fill(thing, (yield loading))
        return thing

    def take_deeper(decoder: Decoder, thing: Any) -> Any:
        decoder.enter()
        taken = take(decoder, thing)
        if taken.__class__ is GeneratorType:
            return _leave_loading(decoder, taken)
        decoder.depth -= 1
        return taken

    entry = Entry(kind, kind.__name__, 0, False, kind, put_deeper, take_deeper, members=(wire.store, take))
    COLLECTIONS.add(entry)
    travels_as(kind, EmbeddedWire(entry))
    kind.__wire__.least = 2
    kind.__pointer__ = PointerWire(kind)
    kind.__module__ = "lifecycle.archive"


def _leave(encoder: Encoder, storing: Storing) -> Storing:
    yield storing
    encoder.depth -= 1


def _leave_loading(decoder: Decoder, loading: Any) -> Loading:
    taken = yield loading
    decoder.depth -= 1
    return taken


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

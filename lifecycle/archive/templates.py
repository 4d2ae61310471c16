"""CArray, CList and CMap: MFC's templates, which travel as a count and their elements, and never by pointer.

`CArray[DWORD]` is a class: `archive << CArray[DWORD]([1, 2])`, `values = archive >> CArray[DWORD]`; in a dataclass, the
annotation is `CArray[DWORD]` or Annotated[list[int], CArray[DWORD]]. For type checkers they are list and dict, so that a field
may be given a plain list.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from lifecycle.archive.counting import count_prefix, take_count
from lifecycle.archive.errors import GenericError
from lifecycle.archive.wire import Wire, travels_as, wire_of

if TYPE_CHECKING:
    from lifecycle.archive.archive import Archive

Item = TypeVar("Item")
Key = TypeVar("Key")

if TYPE_CHECKING:
    CArray: TypeAlias = list[Item]
    CList: TypeAlias = list[Item]
    CMap: TypeAlias = dict[Key, Item]
else:

    class CArray(list[Item], Generic[Item]):
        """CArray<T>: a count, then the elements. A serializable class as T means embedded objects, `Age | None` pointers."""

        __slots__ = ()

        def __class_getitem__(cls, kind: Any) -> Any:
            return _template(cls, kind)

    class CList(list[Item], Generic[Item]):
        """CList<T>: a count, then the elements."""

        __slots__ = ()

        def __class_getitem__(cls, kind: Any) -> Any:
            return _template(cls, kind)

    class CMap(dict[Key, Item], Generic[Key, Item]):
        """CMap<K, V>: a count, then each key and its value, in any order; of equal keys the last one stays."""

        __slots__ = ()

        def __class_getitem__(cls, kinds: Any) -> Any:
            return _template(cls, kinds)


class ItemsWire(Wire[Any]):
    """A count, then as many values of one kind."""

    least = 2

    def __init__(self, name: str, items: Wire[Any], make: type[Any]) -> None:
        super().__init__(name)
        self.items = items
        self.make = make

    def store(self, archive: Archive, value: Iterable[Any]) -> None:
        if not isinstance(value, Iterable) or isinstance(value, (str, dict)):
            raise TypeError(f"{value!r} is no {self.name}: a list")
        values = value if isinstance(value, (list, tuple)) else list(value)
        sink = archive._sink
        sink.out += count_prefix(len(values), win32=sink.format.win32)
        if self.items.least:
            self.items.store_many(archive, values)
            return
        for item in values:
            before = len(sink.out)
            self.items.store(archive, item)
            if len(sink.out) == before:
                raise ValueError(f"{self.name}: elements that take no bytes could not be loaded again")

    def load(self, archive: Archive) -> Any:
        least = max(self.items.least, 1)
        count = take_count(archive._source, least=least)
        archive._source.expect(count * least)
        if self.items.least:
            items = self.items.load_many(archive, count)
            return items if self.make is list else self.make(items)
        return self.make([_paid_for(archive, self.items) for _ in range(count)])


class MapWire(Wire[Any]):
    """A count, then as many pairs of a key and a value."""

    least = 2

    def __init__(self, name: str, keys: Wire[Any], items: Wire[Any], make: type[Any]) -> None:
        super().__init__(name)
        self.keys = keys
        self.items = items
        self.make = make

    def store(self, archive: Archive, value: dict[Any, Any]) -> None:
        self._check_keys()
        if not isinstance(value, dict):
            raise TypeError(f"{value!r} is no {self.name}: a dict")
        archive._sink.out += count_prefix(len(value), win32=archive._sink.format.win32)
        for key, item in value.items():
            self.keys.store(archive, key)
            self.items.store(archive, item)

    def load(self, archive: Archive) -> Any:
        self._check_keys()
        found = self.make()
        load_key = self.keys.load if self.keys.least or self.items.least else lambda archive: _paid_for(archive, self.keys)
        for _ in range(take_count(archive._source, least=max(self.keys.least + self.items.least, 1))):
            key = load_key(archive)
            found[key] = self.items.load(archive)
        return found

    def _check_keys(self) -> None:
        """TypeError for keys that could not be found again, or whose hash would depend on what is not loaded yet."""
        is_flat = self.keys.whole or getattr(self.keys, "is_flat", False)
        if not is_flat or getattr(getattr(self.keys, "kind", int), "__hash__", None) is None:
            raise TypeError(
                f"{self.name}: {self.keys.name} cannot be a key: use a number, a string, or a frozen record of those"
            )


def _paid_for(archive: Archive, wire: Wire[Any]) -> Any:
    """One item of a kind that may take no bytes; one that takes none is refused, for a count of them would cost nothing."""
    before = archive._source.offset
    item = wire.load(archive)
    if archive._source.offset == before:
        raise GenericError(before, f"a {wire.name} that takes at least one byte", "one that takes none")
    return item


@cache
def _template(template: type[Any], kinds: Any) -> Any:
    """The class `template[kinds]`, or the generic alias where the kinds are type variables."""
    several = kinds if isinstance(kinds, tuple) else (kinds,)
    if any(isinstance(kind, TypeVar) for kind in several):
        alias: Any = super(template, template)
        return alias.__class_getitem__(kinds)
    wires = [wire_of(kind) for kind in several]
    name = f"{template.__name__}[{', '.join(wire.name for wire in wires)}]"
    kind = type(name, (template,), {"__slots__": (), "__doc__": template.__doc__, "__module__": "lifecycle.archive"})
    travels_as(kind, MapWire(name, wires[0], wires[1], kind) if issubclass(template, dict) else ItemsWire(name, wires[0], kind))
    return kind

"""CArray, CList and CMap: MFC's templates, stored as a count and their elements, never by pointer.

`CArray[DWORD]` is a class: `archive << CArray[DWORD]([1, 2])`, `values = archive >> CArray[DWORD]`; in a dataclass, the
annotation is `CArray[DWORD]` or Annotated[list[int], CArray[DWORD]]. For type checkers they are list and dict, so that a field
accepts a plain list.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from functools import cache
from itertools import repeat, starmap
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from lifecycle.archive.errors import GenericError
from lifecycle.archive.format.collisions import distinct_keys
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.lengths import count_prefix, take_count
from lifecycle.archive.format.nesting import Loading, Storing
from lifecycle.archive.format.strings import StringWire
from lifecycle.archive.format.wire import AT_ONCE, OBJECT_COST, Fixed, Wire, at_once, travels_as, wire_of

TABLE = 90
"""The memory of a key in a map just past a growth of its table, with the table before, in bytes."""

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
        """CMap<K, V>: a count, then each key and its value, in any order; the last of equal keys counts."""

        __slots__ = ()

        def __class_getitem__(cls, kinds: Any) -> Any:
            return _template(cls, kinds)


class ItemsWire(Wire[Any]):
    """A count, then that many values of one kind."""

    least = 2
    cost = OBJECT_COST
    goes_back = False

    def __init__(self, name: str, items: Wire[Any], make: type[Any]) -> None:
        super().__init__(name)
        self.items = items
        self.make = make

    @property
    def thresholds(self) -> tuple[int, ...]:  # type: ignore[override]
        """The thresholds of the items."""
        return self.items.thresholds

    def at(self, schema: int) -> Wire[Any]:
        """The wire for objects of that schema number."""
        return ItemsWire(self.name, self.items.at(schema), self.make) if self.thresholds else self

    def store(self, encoder: Encoder, value: Iterable[Any]) -> Storing | None:
        if not isinstance(value, Iterable) or isinstance(value, (str, dict)):
            raise TypeError(f"{value!r} is not a {self.name}: expected a list")
        values = value if isinstance(value, (list, tuple)) else list(value)
        encoder.out += count_prefix(len(values), win32=encoder.format.win32)
        return self.items.store_all(encoder, values) if self.items.least else self._store_sized(encoder, values)

    def _store_sized(self, encoder: Encoder, values: Iterable[Any]) -> Storing:
        for item in values:
            before = len(encoder.out)
            storing = self.items.store(encoder, item)
            if storing is not None:
                yield storing
            if len(encoder.out) == before:
                raise ValueError(f"{self.name}: elements that take no bytes could not be loaded again")

    def load(self, decoder: Decoder) -> Any:
        items = self.items
        least = items.least
        count = take_count(decoder, least=max(least, items.cost))
        if len(decoder.data) - decoder.at < count * least:
            decoder.expect(count * least)
        values = items.load_all(decoder, count, self.make) if least else self._load_sized(count)
        return self._made(values) if values.__class__ is GeneratorType else values

    def _made(self, loading: Any) -> Loading:
        return (yield loading)  # a frame from which an error's path has the container's name

    def _load_sized(self, count: int) -> Loading:
        values = self.make()
        load = _at_least_one_byte(self.items)
        while len(values) < count:
            values.append((yield load()))
            yield lambda decoder: decoder.charge(self.items.cost)
        return values


class MapWire(Wire[Any]):
    """A count, then that many pairs of a key and a value."""

    least = 2
    cost = 15
    goes_back = False

    def __init__(self, name: str, keys: Wire[Any], items: Wire[Any], make: type[Any]) -> None:
        super().__init__(name)
        self.keys = keys
        self.items = items
        self.make = make

    def store(self, encoder: Encoder, value: dict[Any, Any]) -> Storing | None:
        self._check_keys()
        if not isinstance(value, dict):
            raise TypeError(f"{value!r} is not a {self.name}: expected a dict")
        encoder.out += count_prefix(len(value), win32=encoder.format.win32)
        return self._store_pairs(encoder, value) if value else None

    def _store_pairs(self, encoder: Encoder, value: dict[Any, Any]) -> Storing:
        for key, item in value.items():
            self.keys.store(encoder, key)
            storing = self.items.store(encoder, item)
            if storing is not None:
                yield storing

    def load(self, decoder: Decoder) -> Any:
        self._check_keys()
        count = take_count(decoder, least=max(self.keys.least + self.items.least, 1))
        return self._load_pairs(count) if count else self.make()

    def _load_pairs(self, count: int) -> Loading:
        keys: list[Any] = []
        codes = self.items.codes if isinstance(self.items, Fixed) and self.items.gather is None else ""
        items: Any = array(codes) if codes else []  # packed: there are no objects of them while the map grows
        load_key = None if self.keys.least or self.items.least else _at_least_one_byte(self.keys)
        most, begin = at_once(self.keys.cost + self.items.cost + OBJECT_COST), 0
        for number in range(1, count + 1):
            keys.append((yield self.keys.load if load_key is None else load_key()))
            items.append((yield self.items.load))
            if number in (count, begin + most):
                due = self.keys.cost_of(keys[begin:]) + ((number - begin) * TABLE >> 4)
                due += (number - begin) * self.items.least >> 4 if codes else self.items.cost_of(items[begin:])
                begin = number
                yield lambda decoder: decoder.charge(due)  # noqa: B023 - it is called at once

        def made(decoder: Decoder) -> Any:
            distinct = len(set(keys)) if isinstance(self.keys, StringWire) else distinct_keys(keys)
            if not distinct:
                raise GenericError(decoder.offset, f"keys of a {self.name} with different hashes", f"{count} that collide")
            if codes:
                return _filled(self.make, keys, items, distinct)
            keys.reverse()
            items.reverse()  # they are given up while the map grows
            return self.make(zip(starmap(keys.pop, repeat((), count)), starmap(items.pop, repeat((), count)), strict=True))

        return (yield made)

    def _check_keys(self) -> None:
        """Raise TypeError for keys that could not be found again, or whose hash would depend on values not loaded yet."""
        if not self.keys.can_be_key:
            raise TypeError(
                f"{self.name}: {self.keys.name} cannot be a key: use a number, a string, or a frozen record of those"
            )


def _filled(make: type[dict[Any, Any]], keys: list[Any], numbers: array[Any], distinct: int) -> dict[Any, Any]:
    """A map of the keys, which are given up while it grows, and then of their numbers; the last of equal keys counts."""
    if distinct < len(keys):
        pairs = dict(zip(keys, numbers, strict=True))
        keys, numbers = list(pairs), array(numbers.typecode, pairs.values())
        del pairs
    keys.reverse()
    filled = make.fromkeys(starmap(keys.pop, repeat((), len(keys))))
    last = reversed(filled)
    while numbers:
        part = numbers[-AT_ONCE:]
        del numbers[-AT_ONCE:]  # gives the memory back, pop() does not
        for number, key in zip(reversed(part), last, strict=False):
            filled[key] = number
    return filled


def _at_least_one_byte(wire: Wire[Any]) -> Callable[[], Loading]:
    """Makes loads of a kind that may have 0 bytes; a value of 0 bytes is refused, since a count of them would cost nothing."""

    def load() -> Loading:
        before = -1

        def begin(decoder: Decoder) -> Any:
            nonlocal before
            before = decoder.offset
            return wire.load(decoder)

        def end(decoder: Decoder) -> None:
            if decoder.offset == before:
                raise GenericError(before, f"a {wire.name} that takes at least one byte", "one that takes none")

        item = yield begin
        yield end
        return item

    return load


@cache
def _template(template: type[Any], kinds: Any) -> Any:
    """The class `template[kinds]`, or the generic alias if the kinds are type variables."""
    several = kinds if isinstance(kinds, tuple) else (kinds,)
    if any(isinstance(kind, TypeVar) for kind in several):
        alias: Any = super(template, template)
        return alias.__class_getitem__(kinds)
    wires = [wire_of(kind) for kind in several]
    name = f"{template.__name__}[{', '.join(wire.name for wire in wires)}]"
    kind = type(name, (template,), {"__slots__": (), "__doc__": template.__doc__, "__module__": "lifecycle.archive"})
    travels_as(kind, MapWire(name, wires[0], wires[1], kind) if issubclass(template, dict) else ItemsWire(name, wires[0], kind))
    return kind

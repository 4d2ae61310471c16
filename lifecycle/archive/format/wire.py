"""Wire types: how a value of one kind becomes bytes, and bytes a value.

A kind, in `archive >> DWORD` or in a dataclass's annotation, is anything that has a wire: a class of this package, a
serializable class, `Annotated[int, DWORD]`, or `Age | None` for a pointer. In an annotation and in a typed array a serializable
class means an embedded object, as a member does in C++; the operators << and >> store and load objects by pointer, as C++'s do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import wraps
from itertools import chain, starmap
from operator import itemgetter
from sys import getsizeof
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin

from lifecycle.archive.errors import GenericError, NotSerializable
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.nesting import Loading, Storing

T = TypeVar("T")

OBJECT_COST = 6
"""The cost of a value that is loaded as an object: a sixteenth of about 96 bytes."""

AT_ONCE = 1 << 12
"""The most values that are loaded before they are charged; see at_once()"""


SHARED_FROM = 3 << 16
"""The number of loaded bytes from which on values are shared: what they have in common takes 3 to 6 MB."""


class Shared:
    """The values of one or two bytes, each at the index of its number: objects of its own take up to 38 times the bytes."""

    def __init__(self, *numbers: range, gather: Callable[[int], Any] = int) -> None:
        self._make: Callable[[], tuple[Any, ...]] = lambda: tuple(map(gather, chain(*numbers)))
        self._values: tuple[Any, ...] = ()

    def __call__(self, size: int) -> tuple[Any, ...]:
        """The values, which are made once an archive has that many bytes; before, none."""
        if not self._values and size >= SHARED_FROM:
            self._values = self._make()
        return self._values


SHARED: Mapping[tuple[str, Any], Shared] = {
    ("H", None): Shared(range(1 << 16)),
    ("h", None): Shared(range(1 << 15), range(-1 << 15, 0)),
    ("b", None): Shared(range(1 << 7), range(-1 << 7, 0)),
    ("H", chr): Shared(range(1 << 16), gather=chr),
}
"""By format character and `gather`."""

PLACE = 9
"""The memory that a value takes in a list that grew, in addition to its own, in bytes."""


def at_once(cost: int) -> int:
    """The number of values of that cost that are loaded before they are charged: about 256 KB."""
    return max(1, 4 * AT_ONCE // max(cost, 4))


class Wire(Generic[T]):
    """How values of one kind are stored. A subclass is your own kind: `Annotated[str, MyWire()]`, `archive >> MyWire()`.

    It has store(encoder, value), which writes bytes with encoder.write(data) and values with encoder.store(kind, value), and
    load(decoder), which reads them with decoder.ensure_read(size) and decoder.load(kind), and returns the value.

    name: such as "DWORD", for error texts. least: the minimum size of a value in bytes. is_atomic: whether a value is stored
    and loaded in one step, so that nothing has to be undone when it fails. is_flat: whether a value contains no objects, so
    that it has neither numbers nor code of users. cost: the bytes that a value counts against the archive's limit, a sixteenth
    of the memory that it takes; 1 where that is in proportion to its bytes. goes_back: whether a load() that lacks bytes has
    to be undone, since it loads a value in several steps. thresholds: the schema numbers at which the fields of a value change
    (see at()).
    """

    least = 1
    cost = 1
    is_atomic = False
    is_flat = False
    is_record = False
    goes_back: ClassVar[bool] = True
    thresholds: tuple[int, ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if cls.goes_back and "load" in vars(cls):
            setattr(cls, "load", _taken_back(vars(cls)["load"]))  # noqa: B010 - type checkers refuse to assign a method

    def at(self, schema: int) -> Wire[T]:
        """The wire for values in an object of that schema number."""
        return self

    @property
    def __wire__(self) -> Wire[T]:
        return self

    @property
    def can_be_key(self) -> bool:
        """Whether a value can be a key of a map: it has a hash, which does not depend on values not loaded yet."""
        return self.is_flat

    def __repr__(self) -> str:
        return f"<wire {self.name}>"

    def store(self, encoder: Encoder, value: T) -> Storing | None:
        """Append the bytes of `value`; TypeError or ValueError if it is not of this kind."""
        raise NotImplementedError

    def load(self, decoder: Decoder) -> T | Loading:
        """Load one value; an ArchiveError if the bytes are not of this kind."""
        raise NotImplementedError

    def store_all(self, encoder: Encoder, values: Sequence[T]) -> Storing | None:
        """Append the bytes of every value."""
        rest = iter(values)
        for value in rest:
            storing = self.store(encoder, value)
            if storing is not None:
                return self._store_rest(encoder, storing, rest)
        return None

    def _store_rest(self, encoder: Encoder, first: Storing, rest: Iterable[T]) -> Storing:
        yield first
        for value in rest:
            storing = self.store(encoder, value)
            if storing is not None:
                yield storing

    def load_all(self, decoder: Decoder, count: int, make: type[list[T]] = list) -> list[T] | Loading:
        """Load `count` values; make: the class of what they are given in, which is filled with them, and not with a copy."""
        values = make()
        return values if not count else self._load_rest(values, count)

    def _load_rest(self, values: list[T], count: int) -> Loading:
        most, before = at_once(self.cost), 0
        while len(values) < count:
            values.append((yield self.load))
            if len(values) == count or len(values) - before == most:
                due, before = self.cost_of(values[before:]), len(values)
                yield lambda decoder: decoder.charge(due)  # noqa: B023 - it is called at once
        return values

    def cost_of(self, values: Sequence[T]) -> int:
        """The charge for these values (Decoder.charge)."""
        return len(values) * self.cost


def _taken_back(load: Callable[[Any, Decoder], Any]) -> Callable[[Any, Decoder], Any]:
    """Load a value in several steps, which are undone if bytes are missing."""

    @wraps(load)
    def whole(self: Any, decoder: Decoder) -> Any:
        mark = decoder.mark()
        try:
            return load(self, decoder)
        except BlockingIOError:
            decoder.go_back(mark)
            raise

    return whole


def _memory(value: Any) -> int:
    """The memory of a value in bytes; 0 of those that Python has once."""
    if isinstance(value, bool) or (isinstance(value, int) and 0 <= value <= 256):
        return 0
    size = getsizeof(value) + (0 if type(value) in (int, float, str) else 8)  # classes of variable size have a sentinel
    return (
        max(size, 32) + sum(map(_memory, value))
        if isinstance(value, tuple)
        else max(size, 24 if isinstance(value, float) else 32)
    )


class Fixed(Wire[T]):
    """A value of fixed size, packed and unpacked by one struct call.

    codes: struct's format characters without the byte order, which is always little-endian. spread and gather: from the value
    to the packed items and back, unless the value is the only item itself. fits: what fits, for the error text. items: the
    number of items, by default one for each character. memory: what a value takes in bytes. shared: makes the objects that
    values can share, if there are few.
    """

    is_atomic = is_flat = True
    goes_back = False

    def __init__(
        self,
        name: str,
        codes: str,
        fits: str,
        *,
        spread: Callable[[T], Sequence[Any]] | None = None,
        gather: Callable[..., T] | None = None,
        items: int | None = None,
    ) -> None:
        super().__init__(name)
        self.codes = codes
        self.fits = fits
        self.spread = spread
        self.gather = gather
        self.items = len(codes) if items is None else items
        self.shared = SHARED.get((codes, gather))
        layout = struct.Struct(f"<{codes}")
        self.least = self.size = layout.size
        self._pack = layout.pack
        self._unpack_from = layout.unpack_from
        dear = layout.unpack(b"\x7f" * layout.size) if codes != "b" else (-128,)
        self.memory = _memory(dear[0] if gather is None else gather(*dear))
        self.cost = self.memory + 15 >> 4

    def cost_of(self, values: Sequence[T]) -> int:
        return len(values) * self.memory >> 4

    def store(self, encoder: Encoder, value: T) -> None:
        encoder.out += self.packed(value)

    def packed(self, value: T) -> bytes:
        """The bytes of `value`; TypeError or ValueError if it does not fit."""
        try:
            return self._pack(value) if self.spread is None else self._pack(*self.spread(value))
        except (struct.error, OverflowError, TypeError, AttributeError, ValueError) as error:
            kind = ValueError if isinstance(value, (int, float, tuple, str)) else TypeError
            raise kind(f"{value!r} is not a {self.name}: expected {self.fits}") from error

    def load(self, decoder: Decoder) -> T:
        at = decoder.at
        if at + self.size > len(decoder.data):
            at = decoder.fetch(self.size, self.name)
        items = self._unpack_from(decoder.data, at)
        decoder.at = at + self.size
        value: T = items[0] if self.gather is None else self.gather(*items)
        return value

    def store_all(self, encoder: Encoder, values: Sequence[T]) -> None:
        if self.spread is None:
            try:
                encoder.out += struct.pack(f"<{len(values)}{self.codes}", *values)
            except (struct.error, OverflowError):
                pass  # one of them does not fit: packing each by itself finds it
            else:
                return
        encoder.out += b"".join([self.packed(value) for value in values])

    def load_all(self, decoder: Decoder, count: int, make: type[list[T]] = list) -> list[T] | Loading:
        size = count * self.size
        if decoder.at + size > len(decoder.data):
            try:
                decoder.fetch(size, f"{count} x {self.name}")
            except BlockingIOError:
                return self._when_fetched(count, make)
        at = decoder.at
        decoder.at = at + size
        known = self.shared(size) if self.shared and count > 1 else ()
        decoder.charge(count * (PLACE if known else PLACE + self.memory) >> 4)
        if not known and self.gather is None and count <= AT_ONCE:
            return make(struct.unpack_from(f"<{count}{self.codes}", decoder.data, at))
        with memoryview(decoder.data) as view, view[at : at + size] as items:
            return make(self.each(items, count, known))

    def each(self, items: memoryview, count: int, known: Sequence[T]) -> Iterator[T]:
        """The values of these bytes, made as they are asked for: a tuple of all would take as much memory again.

        known: the values that are shared, if any.
        """
        if self.gather is not None and not known:
            return starmap(self.gather, struct.iter_unpack(f"<{self.codes}", items))
        starts = range(0, count, AT_ONCE)
        parts = (struct.unpack_from(f"<{min(AT_ONCE, count - at)}{self.codes}", items, at * self.size) for at in starts)
        if known:
            parts = (itemgetter(*each, each[0])(known)[:-1] for each in parts)
        return chain.from_iterable(parts)

    def _when_fetched(self, count: int, make: type[list[T]]) -> Loading:
        yield lambda decoder: decoder.fetch(count * self.size, f"{count} x {self.name}")
        return (yield lambda decoder: self.load_all(decoder, count, make))


def travels_as(kind: Any, wire: Wire[Any]) -> None:
    """Make `wire` the wire type of the class `kind`."""
    kind.__wire__ = wire


class EnumWire(Wire[Enum]):
    """A member of an enumeration, as a number of a wire type."""

    is_atomic = is_flat = True
    goes_back = False

    def __init__(self, kind: type[Enum], number: Wire[Any]) -> None:
        super().__init__(kind.__name__)
        self.kind = kind
        self.number = number
        self.least = number.least

    def store(self, encoder: Encoder, value: Enum) -> None:
        self.number.store(encoder, value.value if isinstance(value, self.kind) else self.kind(value).value)

    def load(self, decoder: Decoder) -> Enum:
        at = decoder.offset
        number = self.number.load(decoder)
        try:
            return self.kind(number)
        except ValueError:
            members = ", ".join(str(each.value) for each in self.kind)
            raise GenericError(at, f"a {self.name} ({members})", f"{number!r}") from None


WIRE_MAKERS: list[Callable[[type[Any]], Wire[Any] | None]] = []
"""Makes wires for classes without one (records.py: dataclasses that are not registered)."""


def wire_of(kind: object) -> Wire[Any]:
    """The wire of a kind; TypeError, which lists the possible kinds, if it has none."""
    if isinstance(kind, type) and hasattr(kind, "__pointer__") and "__pointer__" not in vars(kind):
        raise NotSerializable(f"{kind.__name__} is derived from a serializable class and is not serializable itself")
    wire = declared_wire(kind)
    if wire is None:
        wire = _annotated(kind)
    if isinstance(wire, Wire):
        return wire
    raise TypeError(
        f"{_named(kind)} is not a wire type: use DWORD, CString or another one from lifecycle.archive, "
        "a class made @serializable, a dataclass of wire types, or Annotated[int, DWORD]"
    )


def declared_wire(kind: object) -> Wire[Any] | None:
    """The wire of a class, or of a dataclass that is not registered."""
    if isinstance(kind, type) and "__wire__" not in vars(kind):
        for make in WIRE_MAKERS:
            made = make(kind)
            if made is not None:
                return made
    wire = getattr(kind, "__wire__", None)
    return wire if isinstance(wire, Wire) else None


def _annotated(kind: object) -> Wire[Any] | None:
    """The wire of an annotation that is not a class: Annotated[int, DWORD], or `Age | None`."""
    origin = get_origin(kind)
    if origin is Annotated:
        first, *others = get_args(kind)
        wire = next((wire for each in others if isinstance(wire := getattr(each, "__wire__", None), Wire)), None)
        if wire is None:
            return wire_of(first)
        return EnumWire(first, wire) if isinstance(first, type) and issubclass(first, Enum) else wire
    if origin in (Union, UnionType):
        kinds = [each for each in get_args(kind) if each is not NoneType]
        if len(kinds) == 1 and len(get_args(kind)) == 2:
            return vars(kinds[0]).get("__pointer__") if isinstance(kinds[0], type) else None
    return None


def _named(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else repr(kind)

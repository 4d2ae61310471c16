"""What a wire type is: how a value of one kind becomes bytes, and bytes a value.

A kind, in `archive >> DWORD` or in a dataclass's annotation, is anything that has a wire: a class of this package, a
serializable class, `Annotated[int, DWORD]`, or `Age | None` for a pointer. In an annotation and in a typed array a serializable
class means an embedded object, as a member does in C++; the operators << and >> store and load objects by pointer, as C++'s do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from lifecycle.archive.errors import NotSerializable
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.nesting import Loading, Storing

T = TypeVar("T")

OBJECT_COST = 6
"""The cost of a value that is loaded as an object: of about 96 bytes, a sixteenth."""


class Wire(Generic[T]):
    """How values of one kind travel.

    name: as in "DWORD", for error texts. least: the fewest bytes that a value takes. is_atomic: whether a value is stored and
    loaded by one step that happens or does not, so that nothing has to be undone when it fails. is_flat: whether a value holds
    no objects, so that it has neither numbers nor code of users. cost: of how many bytes a value counts against the archive's
    limit.
    """

    least = 1
    cost = 1
    is_atomic = False
    is_flat = False
    is_record = False

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def __wire__(self) -> Wire[T]:
        return self

    @property
    def can_be_key(self) -> bool:
        """Whether a value can be a key of a map: it has a hash, which does not depend on what is not loaded yet."""
        return self.is_flat

    def __repr__(self) -> str:
        return f"<wire {self.name}>"

    def store(self, encoder: Encoder, value: T) -> Storing | None:
        """Append the bytes of `value`; TypeError or ValueError when it is not of this kind."""
        raise NotImplementedError

    def load(self, decoder: Decoder) -> T | Loading:
        """Load one value; an ArchiveError when the bytes are not of this kind."""
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

    def load_all(self, decoder: Decoder, count: int) -> list[T] | Loading:
        """Load `count` values."""
        values: list[T] = []
        return values if not count else self._load_rest(values, count)

    def _load_rest(self, values: list[T], count: int) -> Loading:
        while len(values) < count:
            values.append((yield self.load))
        return values


class Fixed(Wire[T]):
    """A value of fixed size: what one struct call packs and unpacks.

    codes: struct's format characters without the byte order, which is always little-endian. spread and gather: from the value
    to the packed items and back, where the value is not the one item itself. fits: what fits, for the error text.
    """

    is_atomic = is_flat = True

    def __init__(
        self,
        name: str,
        codes: str,
        fits: str,
        *,
        spread: Callable[[T], Sequence[Any]] | None = None,
        gather: Callable[..., T] | None = None,
    ) -> None:
        super().__init__(name)
        self.codes = codes
        self.fits = fits
        self.spread = spread
        self.gather = gather
        layout = struct.Struct(f"<{codes}")
        self.least = self.size = layout.size
        self._pack = layout.pack
        self._unpack_from = layout.unpack_from

    def store(self, encoder: Encoder, value: T) -> None:
        encoder.out += self.packed(value)

    def packed(self, value: T) -> bytes:
        """The bytes of `value`; TypeError or ValueError when it does not fit."""
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

    def load_all(self, decoder: Decoder, count: int) -> list[T] | Loading:
        size = count * self.size
        if decoder.at + size > len(decoder.data):
            try:
                decoder.fetch(size, f"{count} x {self.name}")
            except BlockingIOError:
                return self._when_fetched(count)
        at = decoder.at
        if self.gather is None:
            values = list(struct.unpack_from(f"<{count}{self.codes}", decoder.data, at))
        else:
            gather = self.gather
            with memoryview(decoder.data) as view, view[at : at + size] as items:
                values = [gather(*each) for each in struct.iter_unpack(f"<{self.codes}", items)]
        decoder.at = at + size
        return values

    def _when_fetched(self, count: int) -> Loading:
        yield lambda decoder: decoder.fetch(count * self.size, f"{count} x {self.name}")
        return (yield lambda decoder: self.load_all(decoder, count))


def travels_as(kind: Any, wire: Wire[Any]) -> None:
    """Let values of the class `kind` travel by `wire`."""
    kind.__wire__ = wire


def wire_of(kind: object) -> Wire[Any]:
    """The wire of a kind; TypeError, saying what has one, when it has none."""
    wire = getattr(kind, "__wire__", None)
    if isinstance(kind, type) and hasattr(kind, "__pointer__") and "__pointer__" not in vars(kind):
        raise NotSerializable(f"{kind.__name__} is derived from a serializable class and is not serializable itself")
    if wire is None:
        wire = _annotated(kind)
    if isinstance(wire, Wire):
        return wire
    raise TypeError(
        f"{_named(kind)} is not a wire type: use DWORD, CString and their like from lifecycle.archive, "
        "a class made @serializable, or Annotated[int, DWORD]"
    )


def _annotated(kind: object) -> Wire[Any] | None:
    """The wire of an annotation that is not a class: Annotated[int, DWORD], or `Age | None`."""
    origin = get_origin(kind)
    if origin is Annotated:
        wires = [wire for wire in (getattr(each, "__wire__", None) for each in get_args(kind)) if wire is not None]
        return wires[0] if wires else _annotated(get_args(kind)[0])
    if origin in (Union, UnionType):
        kinds = [each for each in get_args(kind) if each is not NoneType]
        if len(kinds) == 1 and len(get_args(kind)) == 2:
            return vars(kinds[0]).get("__pointer__") if isinstance(kinds[0], type) else None
    return None


def _named(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else repr(kind)

"""Records: dataclasses whose annotations are wire types, compiled to functions that pack whole runs of fields at once.

A run of fields of fixed size is one struct call; a string behind it lends the run its short length, so that a record like
(int, double, short string) takes one call to pack and two appends. The functions are generated from a plan, one step per run; a
value that does not fit is found by storing the fields one by one, so that the error names the field.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_type_hints

from lifecycle.archive.nesting import deeper
from lifecycle.archive.record_source import MANY, ONE, TAGGED, put_source, take_source
from lifecycle.archive.strings import undecodable
from lifecycle.archive.wire import Fixed, Wire, wire_of

if TYPE_CHECKING:
    from lifecycle.archive.archive import Archive

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Part of a record: a run of fields of fixed size, and the string or other field behind it, if there is one."""

    run: tuple[tuple[str, Fixed[Any]], ...]
    last: tuple[str, Wire[Any]] | None

    @property
    def codes(self) -> str:
        """struct's format characters for the run."""
        return "".join(wire.codes for _, wire in self.run)

    @property
    def size(self) -> int:
        """How many bytes the run has."""
        return struct.calcsize(f"<{self.codes}")


def steps_of(wires: dict[str, Wire[Any]]) -> tuple[Step, ...]:
    """The steps in which fields are packed, in their order."""
    steps: list[Step] = []
    run: list[tuple[str, Fixed[Any]]] = []
    for name, wire in wires.items():
        if isinstance(wire, Fixed):
            run.append((name, wire))
        else:
            steps.append(Step(tuple(run), (name, wire)))
            run.clear()
    if run:
        steps.append(Step(tuple(run), None))
    return tuple(steps)


class Record(Wire[Any]):
    """The wire of a dataclass: its fields in their order, without a tag.

    names: what names in the annotations mean that are not of the class's module.
    """

    def __init__(self, kind: type[Any], names: dict[str, Any]) -> None:
        super().__init__(kind.__name__)
        self.kind = kind
        self.names = {**names, kind.__name__: kind}
        self._functions: dict[tuple[str, bool], Function] = {}

    @cached_property
    def wires(self) -> dict[str, Wire[Any]]:
        """The wire of each field; TypeError, naming the field, for an annotation that is no wire type."""
        try:
            hints = get_type_hints(self.kind, localns=self.names, include_extras=True)
        except NameError as error:
            raise TypeError(f"{self.name}: {error} where the class is declared, and its annotations use it") from None
        found = {}
        for each in fields(self.kind):
            try:
                found[each.name] = wire_of(hints[each.name])
            except TypeError as error:
                raise TypeError(f"{self.name}.{each.name}: {error}") from None
        return found

    @cached_property
    def least(self) -> int:  # type: ignore[override]
        """The fewest bytes that a record has; a record that contains itself by value would have no end, and says so."""
        if self.__dict__.get("_measuring"):
            raise TypeError(f"{self.name} contains itself by value: use `{self.name} | None`, a pointer")
        self._measuring = True
        try:
            return sum(wire.least for wire in self.wires.values())
        finally:
            self._measuring = False

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps in which the fields are packed."""
        assert self.least >= 0  # asks whether it contains itself
        return steps_of(self.wires)

    def make(self) -> Any:
        """A new object to load into; __init__ and __post_init__ are not run."""
        kind: Any = self.kind
        return kind.__new__(kind)

    @cached_property
    def is_flat(self) -> bool:
        """Whether a record refers to nothing: then many of them can be numbered at once, before their fields are stored."""
        return all(wire.whole for wire in self.wires.values())

    # -- storing -------------------------------------------------------------------------------------------------------------

    def store(self, archive: Archive, value: Any) -> None:
        self.store_many(archive, (value,))

    def store_many(self, archive: Archive, values: Iterable[Any]) -> None:
        values = values if isinstance(values, (list, tuple)) else list(values)
        for kind in set(map(type, values)) - {self.kind}:
            raise TypeError(f"{next(value for value in values if type(value) is kind)!r} is no {self.name}")
        self._put_all(archive, values)

    def put(self, archive: Archive, thing: Any) -> None:
        """Put the fields of `thing`, which may have more: it may be of a derived class."""
        self._put_all(archive, (thing,))

    def _put_all(self, archive: Archive, things: Sequence[Any]) -> None:
        if self.is_flat or not things:
            self._function("put", archive)(archive, things)
        else:
            deeper(archive, self._function("put", archive), things)

    def put_tagged(self, archive: Archive, things: Iterable[Any], tag: bytes) -> None:
        """Put a tag and the fields of each of `things`, which have their numbers already."""
        self._function("put tagged", archive)(archive, things, tag)

    def _blame(self, archive: Archive, thing: Any, error: Exception) -> None:
        """Raise the error that names the field of `thing` which does not fit; return where none of those is to blame.

        Fields that hold other objects are not tried again, for that may run users' code; their errors are their own.
        """
        for name, wire in self.wires.items():
            if not wire.whole:
                continue
            try:
                wire.store(archive, getattr(thing, name))
            except (ValueError, TypeError, AttributeError) as found:
                kind = ValueError if isinstance(found, ValueError) else TypeError
                raise kind(f"{self.name}.{name}: {found}") from error

    # -- loading -------------------------------------------------------------------------------------------------------------

    def load(self, archive: Archive) -> Any:
        thing = self.make()
        self.take(archive, thing)
        return thing

    def take(self, archive: Archive, thing: Any) -> None:
        """Take the fields of `thing`."""
        if self.is_flat:
            self._function("take", archive)(archive, thing)
        else:
            deeper(archive, self._function("take", archive), thing)

    def load_many(self, archive: Archive, count: int) -> list[Any]:
        function = self._function("take many", archive)
        made: list[Any] = function(archive, count) if self.is_flat or not count else deeper(archive, function, count)
        return made

    def take_tagged(self, archive: Archive, count: int, tag: bytes, things: list[Any]) -> None:
        """Take up to `count` new objects, as long as the tag comes, number them, and append them to `things`."""
        archive._source.expect(count * (len(tag) + self.least))
        self._function("take tagged", archive)(archive, count, tag, things)

    # -- the generated functions ---------------------------------------------------------------------------------------------

    def _function(self, title: str, archive: Archive) -> Function:
        """The function of that title for the archive's kind of strings."""
        unicode = archive._format.unicode
        function = self._functions.get((title, unicode))
        if function is None:
            if title in _FRAMES:
                source = take_source(
                    self.steps, _FRAMES[title], self.kind, unicode=unicode, least=self.least, undecodable=undecodable
                )
            else:
                source = put_source(self.steps, unicode=unicode, tagged=title == "put tagged", blame=self._blame)
            function = self._functions[title, unicode] = source.compiled(f"{self.name} {title}")
        return function


_FRAMES = {"take": ONE, "take many": MANY, "take tagged": TAGGED}

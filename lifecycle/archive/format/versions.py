"""Fields that not every object has: since a schema number, or if a condition is true.

`Annotated[WORD, since(351)]` is `if (schema >= 351) ar >> m_w`; `Annotated[CString, when(lambda thing: thing.kind == 2)]` is
`if (m_kind == 2) ar >> m_s`. A field that is absent loads as its default, and as None where it has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_type_hints

from lifecycle.archive.format.wire import Wire, wire_of


@dataclass(frozen=True, slots=True)
class Since:
    """In an annotation: objects of this schema number and later ones have the field."""

    schema: int


@dataclass(frozen=True, slots=True)
class When:
    """In an annotation: the field exists if the condition is true of the object, whose earlier fields are set."""

    condition: Callable[[Any], Any]


def since(schema: int) -> Since:
    """The field is stored and loaded in objects of that schema number and later ones: `Annotated[WORD, since(351)]`.

    The number is that of the object (when loading, from the file); for a dataclass by value, that of the enclosing object.
    """
    return Since(schema)


def when(condition: Callable[[Any], Any]) -> When:
    """The field is stored and loaded if condition(thing) is true: `Annotated[CString, when(lambda thing: thing.kind == 2)]`.

    condition: a function of the object, whose earlier fields are set.
    """
    return When(condition)


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a record: its wire, the schema number since which it exists, its conditions, and its default."""

    name: str
    wire: Wire[Any]
    since: int
    conditions: tuple[Callable[[Any], Any], ...]
    absent: Callable[[], Any]

    @property
    def thresholds(self) -> tuple[int, ...]:
        """The schema numbers at which the field changes."""
        return (*((self.since,) if self.since else ()), *self.wire.thresholds)

    def at(self, schema: int) -> Member:
        """The field in objects of that schema number; without the wire's minimum size if it is absent."""
        return Member(self.name, self.wire.at(schema), self.since, self.conditions, self.absent)


def members_of(kind: type[Any], names: dict[str, Any]) -> tuple[Member, ...]:
    """The fields of a dataclass; TypeError, naming the field, for an annotation that is not a wire type."""
    try:
        hints = get_type_hints(kind, localns=names, include_extras=True)
    except NameError as error:
        raise TypeError(f"{kind.__name__}: {error} where the class is declared, and its annotations use it") from None
    found = []
    for each in fields(kind):
        hint = hints[each.name]
        try:
            wire = wire_of(hint)
        except TypeError as error:
            raise type(error)(f"{kind.__name__}.{each.name}: {error}") from None
        notes = getattr(hint, "__metadata__", ())
        first = max((note.schema for note in notes if isinstance(note, Since)), default=0)
        conditions = tuple(note.condition for note in notes if isinstance(note, When))
        found.append(Member(each.name, wire, first, conditions, _default_of(each)))
    return tuple(found)


def _default_of(field: Field[Any]) -> Callable[[], Any]:
    """A function that makes the field's default, None if it has none."""
    if field.default_factory is not MISSING:
        return field.default_factory
    default = None if field.default is MISSING else field.default
    return lambda: default

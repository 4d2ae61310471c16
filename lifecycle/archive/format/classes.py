"""@serializable: lets archives store objects of a class, and load them by its name on the wire."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.objects import EmbeddedWire, PointerWire
from lifecycle.archive.format.own_stack import OwnStack, load_apart
from lifecycle.archive.format.records import Record
from lifecycle.archive.format.registry import LARGEST_SCHEMA, LONGEST_NAME, REGISTRY, Entry, Registry
from lifecycle.archive.format.wire import travels_as

Class = TypeVar("Class", bound=type)

_NAME = re.compile(r"\b[^\W\d]\w*")


def checked_name(name: str, schema: int) -> None:
    """Raise ValueError if a class of that name and schema number could not be read back."""
    if not (name.isascii() and 0 < len(name) <= LONGEST_NAME and "\0" not in name):
        raise ValueError(f"{name!r} cannot be a class's name on the wire: 1 to {LONGEST_NAME} ASCII characters")
    if not 0 <= schema <= LARGEST_SCHEMA:
        raise ValueError(f"{schema} cannot be a schema number: 0 to {LARGEST_SCHEMA}")


def serializable(
    name: str, schema: int = 0, *, versionable: bool = False, registry: Registry = REGISTRY
) -> Callable[[Class], Class]:
    """Let archives store objects of the decorated class, and load them by `name`.

    name: the class's name on the wire, as in the C++ program. schema: its version number (IMPLEMENT_SERIAL); objects
    with another one raise BadSchema, unless versionable: then the class gets it from the archive's get_object_schema().

    The class has a method serialize(self, archive), which checks archive.is_storing, and a constructor without arguments; or it
    is a dataclass whose annotations are wire types, and needs no method: put @serializable above @dataclass. In its
    annotations, a serializable class means an embedded object, and `Age | None` means a pointer, which may be shared and may be
    None.
    """
    if isinstance(name, type):
        raise TypeError(f"@serializable needs the class's name on the wire: @serializable({name.__name__!r})")
    checked_name(name, schema)

    def register(decorated: Class) -> Class:
        kind: Any = decorated
        is_dataclass = "__dataclass_fields__" in vars(kind)
        owner = next((base for base in kind.__mro__ if "serialize" in vars(base)), None)
        if owner is not None and not isinstance(vars(owner).get("__wire__"), Record):
            if is_dataclass and owner is not kind:
                raise TypeError(f"{kind.__name__} inherits serialize(), which does not know its fields: give it its own")
            _check_can_be_made(kind, kind)
            entry = Entry(kind, name, schema, versionable, kind, _putting(kind), _taking(kind))
            travels_as(kind, EmbeddedWire(entry))
        elif is_dataclass:
            if kind.__new__ is not object.__new__:
                _check_can_be_made(kind, kind.__new__, kind)
            record = Record(kind, _names_around(kind, inspect.currentframe()), schema)
            entry = Entry(kind, name, schema, versionable, record.make, record.put, record.take, record=record)
            kind.serialize = _serialize_as(kind)
            travels_as(kind, record)
        else:
            raise TypeError(
                f"{kind.__name__} has no method serialize() and is not a dataclass; put @serializable above @dataclass"
            )
        registry.add(entry)
        kind.__pointer__ = PointerWire(kind)
        return decorated

    return register


def _names_around(kind: type[Any], declaring: FrameType | None) -> dict[str, Any]:
    """The local names of the declaring function that the annotations of `kind` use; as text, they are not in a closure.

    declaring: the frame called by the declaring one.
    """
    caller = declaring.f_back if declaring is not None else None
    if caller is None or caller.f_locals is caller.f_globals:
        return {}
    texts = [text for each in kind.__mro__ for text in vars(each).get("__annotations__", {}).values() if isinstance(text, str)]
    here = caller.f_locals
    return {name: here[name] for text in texts for name in _NAME.findall(text) if name in here}


def _check_can_be_made(kind: type[Any], maker: Callable[..., Any], *arguments: Any) -> None:
    try:
        inspect.signature(maker).bind(*arguments)
    except TypeError as error:
        raise TypeError(f"{kind.__name__} must be made without arguments, to be loaded into: {error}") from None


LEVELS_PER_STACK = 50
"""How deep serialize() methods are nested on one Python stack; deeper ones get a new stack."""


def _putting(kind: Any) -> Callable[[Encoder, Any], None]:
    def put(encoder: Encoder, thing: Any) -> None:
        encoder.enter()
        if encoder.depth % LEVELS_PER_STACK:
            kind.serialize(thing, encoder.owner())
        else:
            OwnStack(lambda: kind.serialize(thing, encoder.owner())).resume()
        encoder.depth -= 1

    return put


def _taking(kind: Any) -> Callable[[Decoder, Any], Any]:
    def take(decoder: Decoder, thing: Any) -> Any:
        decoder.enter()
        if decoder.depth % LEVELS_PER_STACK:
            kind.serialize(thing, decoder.owner())
        else:
            load_apart(decoder, lambda: kind.serialize(thing, decoder.owner()))
        decoder.depth -= 1
        return thing

    return take


def _serialize_as(kind: Any) -> Callable[[Any, Any], None]:
    def serialize(self: Any, archive: Any) -> None:
        """Store or load the fields, in their order, without a tag (a direct call of Serialize)."""
        archive.serialize(self, kind)

    return serialize

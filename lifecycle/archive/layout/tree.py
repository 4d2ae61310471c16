"""Loaded values as a tree of dicts, lists, texts and numbers for JSON; each object once, later by its number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

Put = Callable[[Any], None]


def tree_of(value: object) -> Any:
    """The tree of a value of any depth; a repeated object is {"again": its number}.

    An object is a dict with its class, its number and its members; bytes are hexadecimal text, a float that JSON does not
    have is text.
    """
    root: list[Any] = []
    numbers: dict[int, int] = {}
    kept: list[object] = []  # so that no other object gets the place, and with it the number, of one that is freed
    due: list[tuple[object, Put]] = [(value, root.append)]
    while due:
        thing, put = due.pop()
        plain = _plain(thing)
        if plain is not _NOT_PLAIN:
            put(plain)
            continue
        if id(thing) in numbers:
            put({"again": numbers[id(thing)]})
            continue
        numbers[id(thing)] = len(numbers) + 1
        kept.append(thing)
        due += reversed([(item, place) for item, place in _within(thing, numbers[id(thing)], put)])
    return root[0]


_NOT_PLAIN = object()


def _plain(thing: object) -> Any:
    if thing is None or isinstance(thing, bool):
        return thing
    for kind in (int, str):
        if isinstance(thing, kind):
            return kind(thing)
    if isinstance(thing, float):
        return float(thing) if math.isfinite(thing) else repr(float(thing))
    if isinstance(thing, (bytes, bytearray)):
        return bytes(thing).hex()
    return _NOT_PLAIN


def _within(thing: object, number: int, put: Put) -> Iterator[tuple[object, Put]]:
    """The parts of a value, each with its place."""
    if isinstance(thing, Mapping):
        pairs: list[Any] = []
        put(pairs)
        for pair in thing.items():
            yield list(pair), pairs.append
    elif isinstance(thing, Iterable):
        items: list[Any] = []
        put(items)
        for item in thing:
            yield item, items.append
    else:
        members: dict[str, Any] = {"class": type(thing).__name__, "number": number}
        put(members)
        for name in _names(thing):
            yield getattr(thing, name, None), _setter(members, name)


def _setter(members: dict[str, Any], name: str) -> Put:
    return lambda value: members.__setitem__(name, value)


def _names(thing: object) -> list[str]:
    if is_dataclass(thing):
        return [each.name for each in fields(thing)]
    return list(getattr(thing, "__dict__", ()))

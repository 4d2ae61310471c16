"""Attributes of modules and classes that are replaced while something is checked."""

from __future__ import annotations

from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any, Final

_ABSENT: Final = object()


class Replacements:
    """Sets attributes, and restores them, except one that the program has replaced meanwhile."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def wrap(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute by the result of `make` for it; a missing attribute is ignored.

        A built-in function that is an attribute of a class is not a method, and neither is its replacement.
        """
        if hasattr(owner, name):
            original = getattr(owner, name)
            value = make(original)
            if isinstance(original, BuiltinFunctionType) and isinstance(value, FunctionType):
                value = staticmethod(value)
            self._replaced.append((owner, name, value, vars(owner).get(name, _ABSENT)))
            setattr(owner, name, value)

    def restore(self) -> None:
        """Restore all of them."""
        for owner, name, value, former in reversed(self._replaced):
            if vars(owner).get(name) is value:
                if former is _ABSENT:
                    delattr(owner, name)
                else:
                    setattr(owner, name, former)
        self._replaced.clear()

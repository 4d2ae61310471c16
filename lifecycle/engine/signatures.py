"""The texts of a handler's signature, from which its checked method is generated."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import cast

PREFIX = "_lc_"
"""Begins every name that the generated code adds to the handler's own"""

_STARS: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


class Signature:
    """The texts of a handler's signature: its parameters, and how to hand each of them on.

    Raises TypeError for a handler without `self`, and for a parameter whose name the generated code uses.
    """

    def __init__(self, handler: FunctionType) -> None:
        self.defaults: dict[str, object] = {}
        self._declared: list[str] = []
        self._handed_on: list[str] = []
        self._positional: list[str] = []
        self._keywords: list[str] = []
        parameters = list(inspect.signature(handler).parameters.values())
        if not parameters or parameters[0].kind not in (parameters[0].POSITIONAL_ONLY, parameters[0].POSITIONAL_OR_KEYWORD):
            raise TypeError(
                f"{handler.__qualname__}() has no parameter for its object: write `def {handler.__name__}(self, ...)`"
            )
        for number, parameter in enumerate(parameters):
            if parameter.name.startswith(PREFIX):
                raise TypeError(f"{handler.__qualname__}(): rename its parameter {parameter.name!r}, which generated code uses")
            self._add(parameter, number)
        self._declared = list(_with_separators(parameters, self._declared))
        self.texts = {
            "self": parameters[0].name,
            "parameters": ", ".join(self._declared),
            "arguments": ", ".join(self._handed_on),
            "arguments_only": ", ".join(self._handed_on[1:]),
            "first": parameters[1].name if len(parameters) > 1 else "",
            "only": parameters[1].name if len(parameters) == 2 and parameters[1].kind not in _STARS else "",
            "positional": "".join(f"{each}, " for each in self._positional),
            "keywords": ", ".join(self._keywords),
        }

    def _add(self, parameter: inspect.Parameter, number: int) -> None:
        kind, name = parameter.kind, parameter.name
        star = _STARS.get(kind, "")
        default = ""
        if parameter.default is not parameter.empty:
            self.defaults[f"{PREFIX}default_{number}"] = parameter.default
            default = f"={PREFIX}default_{number}"
        self._declared.append(f"{star}{name}{default}")
        self._handed_on.append(f"{name}={name}" if kind is parameter.KEYWORD_ONLY else f"{star}{name}")
        if number == 0:
            return
        if kind is parameter.KEYWORD_ONLY:
            self._keywords.append(f"{name!r}: {name}")
        elif kind is parameter.VAR_KEYWORD:
            self._keywords.append(f"**{name}")
        else:
            self._positional.append(f"{star}{name}")


def _with_separators(parameters: list[inspect.Parameter], declared: list[str]) -> Iterator[str]:
    """The declared parameters with `/` behind those that are positional only, and `*` before those that are keyword only."""
    last = None
    for parameter, text in zip(parameters, declared, strict=True):
        kind = parameter.kind
        if last is parameter.POSITIONAL_ONLY and kind is not last:
            yield "/"
        if kind is parameter.KEYWORD_ONLY and last not in (kind, parameter.VAR_POSITIONAL):
            yield "*"
        last = kind
        yield text
    if last is inspect.Parameter.POSITIONAL_ONLY:
        yield "/"


def keywords_of(awaited: bool) -> dict[str, str]:
    return {"async_": "async ", "await_": "await "} if awaited else {"async_": "", "await_": ""}


def finished(method: FunctionType, handler: FunctionType) -> FunctionType:
    method.__code__ = method.__code__.replace()  # CPython keeps its inline caches in the code: each class needs its own
    return cast(FunctionType, functools.wraps(handler)(method))

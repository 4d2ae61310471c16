"""The texts of a handler's signature, from which its checked method is generated."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType

PREFIX = "_lc_"
"""Begins every name that the generated code adds to the handler's own"""

POSITIONAL_OR_KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD

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
        has_object = bool(parameters) and parameters[0].kind in (inspect.Parameter.POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD)
        _check_names(handler, [parameter.name for parameter in parameters], has_object=has_object)
        for number, parameter in enumerate(parameters):
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
    """The declared parameters, with `/` after those that are positional-only and `*` before those that are keyword-only."""
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


def has_parameters_of_its_own(handler: FunctionType) -> bool:
    """Whether a handler's parameters are those of its code, and not those of another function that it passes for."""
    return not hasattr(handler, "__wrapped__") and not hasattr(handler, "__signature__")


def check_parameters(handler: FunctionType) -> None:
    """Raise what Signature() would raise of a handler that has parameters of its own, without the cost of that."""
    _check_names(handler, parameter_names(handler.__code__), has_object=handler.__code__.co_argcount > 0)


def parameter_names(code: CodeType) -> tuple[str, ...]:
    """The names of a function's parameters, in the order of its local variables: those with stars are the last."""
    stars = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars.bit_count()]


def _check_names(handler: FunctionType, names: Iterable[str], *, has_object: bool) -> None:
    if not has_object:
        raise TypeError(f"{handler.__qualname__}() has no parameter for its object: write `def {handler.__name__}(self, ...)`")
    for name in names:
        if name.startswith(PREFIX):
            raise TypeError(f"{handler.__qualname__}(): rename its parameter {name!r}, which generated code uses")


def keywords_of(awaited: bool) -> dict[str, str]:
    return {"async_": "async ", "await_": "await "} if awaited else {"async_": "", "await_": ""}

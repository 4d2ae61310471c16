"""Generates the flat method of a governed call: one Python frame, with the handler's own signature.

The source is registered in `linecache`, so that tracebacks and debuggers show it. A call whose handler names a first try
runs that expression in the generated frame itself: on the hot path nothing else is called.
"""

from __future__ import annotations

import functools
import inspect
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from types import FunctionType
from typing import Any, TypeVar, cast

Handler = TypeVar("Handler", bound=Callable[..., Any])

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class FirstTry:
    """What a call attempts before anything else; see `first_try`."""

    attempt: str
    enough: str
    not_yet: type[Exception]
    rest: Callable[..., Any]


def first_try(attempt: str, *, enough: str, not_yet: type[Exception], rest: Callable[..., Any]) -> Callable[[Handler], Handler]:
    """Let a handler's call begin with one expression that the generated method evaluates in its own frame.

    attempt: an expression over `self` and the handler's parameters. enough: an expression over `result` and the same
    names; when it is true, `result` goes to the caller at once, as the outcome `ok`. not_yet: the exception by which the
    attempt says that it would have to wait. rest: called as rest(self, result or None, *arguments) when it was not
    enough; what it returns or raises settles the call. The handler itself must do the same as attempt and rest together.
    """

    def mark(handler: Handler) -> Handler:
        handler.__first_try__ = FirstTry(attempt, enough, not_yet, rest)  # type: ignore[attr-defined]
        return handler

    return mark


_FLAT = """\
def {name}({parameters}):
    row = self._row
    after = row.{name}
    if after is None:
        return _perform(self, {name!r}, _handler, ({positional}), {{{keywords}}})
    try:
        result = _handler({arguments})
    except BaseException as error:
        _settle_error(self, row, {name!r}, error)
        raise
    if result.__class__ is _Settled:
        _settle(self, row, {name!r}, result.outcome)
        return result.value
    if after is not row:
        with self._lock:
            if self._row is row:
                self._row = after
                return result
        _settle(self, row, {name!r}, "ok")
    return result
"""

_FIRST_TRY = """\
def {name}({parameters}):
    row = self._row
    if not row._keeps_{name}:
        return _perform(self, {name!r}, _handler, ({positional}), {{{keywords}}})
    try:
        result = {attempt}
    except _not_yet:
        result = None
    except BaseException as error:
        _settle_error(self, row, {name!r}, error)
        raise
    else:
        if {enough}:
            return result
    return _resume(self, row, {name!r}, _rest, (result, {positional}), {{{keywords}}})
"""

_LONG_WAY = """\
def {name}({parameters}):
    return {perform}(self, {name!r}, _handler, ({positional}), {{{keywords}}})
"""


def flat_method(name: str, handler: FunctionType, runtime: dict[str, object]) -> Any:
    """A call that usually keeps or changes the state without further ado; its first try is used where it has one."""
    trial: FirstTry | None = getattr(handler, "__first_try__", None)
    if trial is None:
        return _compiled(_FLAT, name, handler, runtime)
    names = {"_not_yet": trial.not_yet, "_rest": trial.rest}
    return _compiled(_FIRST_TRY, name, handler, runtime | names, attempt=trial.attempt, enough=trial.enough)


def long_method(name: str, handler: FunctionType, runtime: dict[str, object], perform: str = "_perform") -> Any:
    """A call that always goes through `perform`: exclusive ones, ones taken at once, and overriding ones."""
    return _compiled(_LONG_WAY, name, handler, runtime, perform=perform)


def _compiled(template: str, name: str, handler: FunctionType, runtime: dict[str, object], **expressions: str) -> FunctionType:
    signature = _Signature(handler)
    source = template.format(
        name=name,
        parameters=signature.parameters,
        arguments=signature.arguments,
        positional=signature.positional,
        keywords=signature.keywords,
        **expressions,
    )
    filename = f"<lifecycle {handler.__module__}.{handler.__qualname__} {next(_numbers)}>"
    namespace: dict[str, Any] = {
        "__name__": "lifecycle.engine.generated",
        "_handler": handler,
        **runtime,
        **signature.defaults,
    }
    exec(compile(source, filename, "exec"), namespace)
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return cast(FunctionType, functools.wraps(handler)(namespace[name]))


_STARS: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


class _Signature:
    """The texts of a handler's signature: its parameters, and how to hand each of them on."""

    def __init__(self, handler: FunctionType) -> None:
        self.defaults: dict[str, object] = {}
        declared: list[str] = []
        handed_on: list[str] = []
        positional: list[str] = []
        keywords: list[str] = []
        last_kind = None
        for number, parameter in enumerate(inspect.signature(handler).parameters.values()):
            kind, name = parameter.kind, parameter.name
            if last_kind is parameter.POSITIONAL_ONLY and kind is not last_kind:
                declared.append("/")
            if kind is parameter.KEYWORD_ONLY and last_kind not in (kind, parameter.VAR_POSITIONAL):
                declared.append("*")
            last_kind = kind
            star = _STARS.get(kind, "")
            default = ""
            if parameter.default is not parameter.empty:
                self.defaults[f"_default_{number}"] = parameter.default
                default = f"=_default_{number}"
            declared.append(f"{star}{name}{default}")
            handed_on.append(f"{name}={name}" if kind is parameter.KEYWORD_ONLY else f"{star}{name}")
            if number == 0:
                continue
            if kind is parameter.KEYWORD_ONLY:
                keywords.append(f"{name!r}: {name}")
            elif kind is parameter.VAR_KEYWORD:
                keywords.append(f"**{name}")
            else:
                positional.append(f"{star}{name}")
        if last_kind is inspect.Parameter.POSITIONAL_ONLY:
            declared.append("/")
        self.parameters = ", ".join(declared)
        self.arguments = ", ".join(handed_on)
        self.positional = "".join(f"{each}, " for each in positional)
        self.keywords = ", ".join(keywords)

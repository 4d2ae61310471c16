"""Generates the flat method of a governed call: one Python frame, with the handler's own signature.

The source is registered in `linecache`, so that tracebacks and debuggers show it. A call whose handler names a first try
runs that expression in the generated frame itself: on the hot path nothing else is called.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import textwrap
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeVar, cast

from lifecycle.engine.role import Role
from lifecycle.engine.vocabulary import Call

Handler = TypeVar("Handler", bound=Callable[..., Any])


class FirstTry(NamedTuple):
    """What a call attempts before anything else; see `first_try`."""

    attempt: str
    enough: str
    not_yet: type[Exception] | tuple[type[Exception], ...]
    rest: Callable[..., Any]


def first_try(
    attempt: str, *, enough: str, not_yet: type[Exception] | tuple[type[Exception], ...], rest: Callable[..., Any]
) -> Callable[[Handler], Handler]:
    """Let a handler's call begin with one expression that the generated method evaluates in its own frame.

    attempt: an expression over `self` and the handler's parameters. enough: an expression over `_result` and the same
    names; when it is true, `_result` goes to the caller at once, as the outcome `ok`. not_yet: the exceptions by which the
    attempt says that it has done nothing yet. rest: called as rest(self, result or None, *arguments) when it was not
    enough; what it returns or raises settles the call. The handler itself must do the same as attempt and rest together.
    """

    def mark(handler: Handler) -> Handler:
        handler.__first_try__ = FirstTry(attempt, enough, not_yet, rest)  # type: ignore[attr-defined]
        return handler

    return mark


_SETTLE_OK = """\
    if _result is not None and _result.__class__ is _Settled:
        _settle({self}, _row, {name!r}, _result.outcome)
        return _result.value
    if _after is _row{unless}:
        return _result
    with {self}._lock:
        if {self}._row is _row:
            {self}._row = _after
            return _result
    _settle({self}, _row, {name!r}, "ok")
    return _result
"""

_SETTLE_CHOICE = """\
    if _result.__class__ is not _Settled:
        _settle({self}, _row, {name!r}, "ok")
        return _result
    _settle({self}, _row, {name!r}, _result.outcome)
    return _result.value
"""

_FLAT = """\
{async_}def {name}({parameters}):
    _row = {self}._row
    _after = _row.{name}
    if _after is None:
        return {await_}_perform({self}, {name!r}, _handler, ({positional}), {{{keywords}}})
    try:
        _result = {await_}_handler({arguments})
    except BaseException as _error:
        _settle_error({self}, _row, {name!r}, _error)
        raise
"""

_EXCLUSIVE = """\
{async_}def {name}({parameters}):
    _row = {self}._row
    _after = _row.{name}
    _claimed = False
    try:
        if _after is not None:
            with {self}._lock:
                if {self}._row is _row and {self}._claim is None:
                    {self}._claim = {name!r}
                    _claimed = True
        if _claimed:
            try:
                _result = {await_}_handler({arguments})
            except BaseException as _error:
                _settle_error({self}, _row, {name!r}, _error)
                raise
{settle}
    finally:
        if _claimed:  # until the state has changed, and whatever interrupts
            {self}._claim = None
    return {await_}_perform({self}, {name!r}, _handler, ({positional}), {{{keywords}}})
"""

_AT_ONCE = """\
{async_}def {name}({parameters}):
    _row = {self}._row
    _after = _row.{name}
    _taken = False
    if _after is not None:
        with {self}._lock:
            if {self}._row is _row:
                {self}._row = _after
                _taken = True
    if not _taken:
        return {await_}_perform({self}, {name!r}, _handler, ({positional}), {{{keywords}}})
    return {await_}_handler({arguments})
"""

_FIRST_TRY = """\
{async_}def {name}({parameters}):
    _row = {self}._row
    if not _row._keeps_{name}:
        return {await_}_perform({self}, {name!r}, _handler, ({positional}), {{{keywords}}})
    try:
        _result = {attempt}
    except _not_yet:
        _result = None
    except BaseException as _error:
        _settle_error({self}, _row, {name!r}, _error)
        raise
    else:
        if {enough}:
            return _result
    try:
        _result = {await_}_rest({rest_arguments})
    except BaseException as _error:
        _settle_error({self}, _row, {name!r}, _error)
        raise
    if _result.__class__ is not _Settled:
        return _result
    _settle({self}, _row, {name!r}, _result.outcome)
    return _result.value
"""

_OVERRIDE = """\
{async_}def {name}({parameters}):
    return {await_}_perform_override({self}, {name!r}, _handler, ({positional}), {{{keywords}}})
"""


Runtime = Mapping[str, object]
"""What generated methods use of the engine, by the names that the templates have for it."""


def checked_method(role: Role, call: Call, handler: FunctionType, runtime: Runtime, *, awaited: bool) -> Any:
    """The method that checks `call`, runs `handler` and settles how it ended, in one frame in the usual case.

    awaited: whether the handler is a coroutine function; the method is one then, and the call ends when it does.
    """
    compiled = functools.partial(_compiled, awaited=awaited)
    trial: FirstTry | None = getattr(handler, "__first_try__", None)
    if trial is not None:
        names = {"_not_yet": trial.not_yet, "_rest": trial.rest}
        return compiled(_FIRST_TRY, call.name, handler, {**runtime, **names}, attempt=trial.attempt, enough=trial.enough)
    if call.settles_before:
        return compiled(_AT_ONCE, call.name, handler, runtime)
    always_ok = all("ok" in calls[call.name] for calls in role.table.values() if call.name in calls)
    settle = _SETTLE_OK if always_ok else _SETTLE_CHOICE
    if call.exclusive:
        settle = settle.replace("{unless}", " is {self}._row")
        template = _EXCLUSIVE.replace("{settle}", textwrap.indent(settle, "        "))
    else:
        template = _FLAT + settle.replace("{unless}", "")
    return compiled(template, call.name, handler, runtime)


def overriding_method(call: Call, override: FunctionType, runtime: Runtime, *, awaited: bool) -> Any:
    """The method that checks `call` before a subclass's own method for it."""
    return _compiled(_OVERRIDE, call.name, override, runtime, awaited=awaited)


def _compiled(
    template: str, name: str, handler: FunctionType, runtime: Runtime, *, awaited: bool, **expressions: str
) -> FunctionType:
    signature = _Signature(handler)
    source = template.format(
        name=name,
        self=signature.subject,
        parameters=signature.parameters,
        arguments=signature.arguments,
        rest_arguments=signature.rest_arguments,
        positional=signature.positional,
        keywords=signature.keywords,
        async_="async " if awaited else "",
        await_="await " if awaited else "",
        **expressions,
    )
    namespace: dict[str, Any] = {
        "__name__": "lifecycle.engine.generated",
        "_handler": handler,
        **runtime,
        **signature.defaults,
    }
    exec(_code_of(source, name), namespace)
    method = namespace[name]
    method.__code__ = method.__code__.replace()  # CPython keeps its inline caches in the code: each class needs its own
    return cast(FunctionType, functools.wraps(handler)(method))


def _code_of(source: str, name: str) -> CodeType:
    """The source compiled, once for all the classes whose method has the same text."""
    code = _codes.get(source)
    if code is None:
        filename = f"<lifecycle {name} {len(_codes)}>"
        code = _codes[source] = compile(source, filename, "exec")
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return code


_codes: dict[str, CodeType] = {}

_STARS: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


_LOCALS = frozenset({"_row", "_after", "_result", "_error", "_claimed", "_taken"})


class _Signature:
    """The texts of a handler's signature: its parameters, and how to hand each of them on."""

    def __init__(self, handler: FunctionType) -> None:
        self.subject = ""
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
                self.subject = name
                continue
            if name in _LOCALS:
                raise TypeError(f"{handler.__qualname__}(): a parameter named {name!r} would clash with the generated method")
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
        self.rest_arguments = ", ".join([*handed_on[:1], "_result", *handed_on[1:]])
        self.positional = "".join(f"{each}, " for each in positional)
        self.keywords = ", ".join(keywords)

"""Generates the checked method of a governed call: one Python frame in the usual case, with the handler's own signature.

The source is registered in `linecache`, so that tracebacks and debuggers show it. A handler that is marked `@inlined` is
compiled into the method together with the check, under its own file and lines: what runs is one frame, and debuggers,
coverage and profilers see the handler.
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType, CoroutineType, FunctionType
from typing import Any, TypeVar, cast

from lifecycle.engine.role import Role
from lifecycle.engine.settling import Settled
from lifecycle.engine.vocabulary import Call

Handler = TypeVar("Handler", bound=Callable[..., Any])

PREFIX = "_lc_"
"""Begins every name that the generated code adds to the handler's own"""


def inlined(handler: Handler) -> Handler:
    """Have this handler's body compiled into its checked method, so that the call is one frame.

    A `return` of a name or a constant ends the call with `ok`, which must keep the state, and gives it to the caller as it
    is; any other returned expression may be settled(...). The handler has no closure and no zero-argument super(). Where its
    source cannot be read, it runs in a frame of its own, as every other handler.
    """
    handler.__inlined__ = True  # type: ignore[attr-defined]
    return handler


def fires_into(kind: type, default: Callable[[Any], Any] | None = None) -> Callable[[Handler], Handler]:
    """Say which partner a handler's call fires a row of: its first argument, an instance of `kind`.

    default: makes one, given the object, where the argument is None. Any other argument is a TypeError before anything is
    touched. The handler only installs into the partner; the engine checks, claims and moves it.
    """

    def mark(handler: Handler) -> Handler:
        handler.__fires_into__ = (kind, default)  # type: ignore[attr-defined]
        return handler

    return mark


_SETTLE_OK = """\
    if _lc_result is not None:
        _lc_kind = _lc_result.__class__
        if _lc_kind is _lc_Settled:
            return {self}._settle_result(_lc_node, {name!r}, _lc_result)
        if _lc_kind is _lc_Coroutine:
            {self}._refuse_coroutine({name!r}, _lc_result)
    if _lc_after is _lc_node{unless}:
        return _lc_result
    with {self}._lock:
        if {self}._row is _lc_node:
            {self}._row = _lc_after
            return _lc_result
    {self}._settle_call(_lc_node, {name!r}, "ok")
    return _lc_result
"""

_SETTLE_CHOICE = """\
    if _lc_result.__class__ is _lc_Settled:
        return {self}._settle_result(_lc_node, {name!r}, _lc_result)
    if _lc_result.__class__ is _lc_Coroutine:
        {self}._refuse_coroutine({name!r}, _lc_result)
    {self}._settle_call(_lc_node, {name!r}, "ok")
    return _lc_result
"""

_FLAT = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._row
    _lc_after = _lc_node.{name}
    if _lc_after is None:
        return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
    try:
        _lc_result = {await_}_lc_handler({arguments})
    except BaseException as _lc_error:
        {self}._settle_error(_lc_node, {name!r}, _lc_error)
        raise
"""

_EXCLUSIVE = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._row
    _lc_after = _lc_node.{name}
    _lc_claimed = False
    try:
        if _lc_after is not None:
            with {self}._lock:
                if {self}._row is _lc_node and {self}._claim is None:
                    {self}._claim = {name!r}
                    _lc_claimed = True
        if _lc_claimed:
            try:
                _lc_result = {await_}_lc_handler({arguments})
            except BaseException as _lc_error:
                {self}._settle_error(_lc_node, {name!r}, _lc_error)
                raise
{settle}
    finally:
        if _lc_claimed:  # until the state has changed, and whatever interrupts
            {self}._claim = None
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_SETTLES_BEFORE = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._row
    _lc_after = _lc_node.{name}
    _lc_taken = False
    if _lc_after is not None:
        with {self}._lock:
            if {self}._row is _lc_node:
                {self}._row = _lc_after
                _lc_taken = True
    if not _lc_taken:
        return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
    return {await_}_lc_handler({arguments})
"""

_SETTLES_BEFORE_AS_CHOSEN = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._row
    _lc_after = None
    if _lc_node.{name} is not None:
        _lc_next = _lc_node._after({name!r}, {self}.outcome_before({name!r}, {arguments_only}))
        if _lc_next is not None:
            with {self}._lock:
                if {self}._row is _lc_node:
                    {self}._row = _lc_after = _lc_next
    if _lc_after is None:
        return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
    try:
        return {await_}_lc_handler({arguments})
    except BaseException as _lc_error:
        {self}._settle_error(_lc_node, {name!r}, _lc_error, _lc_after)
        raise
"""

_SLOW = """\
{async_}def {name}({parameters}):
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_INLINED = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._row
    if not _lc_node._keeps_{name}:
        return {await_}{self}.{run}({name!r}, "_lc_handler", ({positional}), {{{keywords}}})
    try:
        pass
    except {self}._SettledEarly as _lc_early:
        _lc_result = _lc_early.settled
    except BaseException as _lc_error:
        {self}._settle_error(_lc_node, {name!r}, _lc_error)
        raise
    return {self}._settle_result(_lc_node, {name!r}, _lc_result)
"""


def checked_method(role: Role, call: Call, handler: FunctionType, *, awaited: bool) -> FunctionType:
    """The method that checks `call`, runs `handler` and settles how it ended, in one frame in the usual case.

    awaited: whether the handler is a coroutine function; the method is one then, and the call ends when it does.
    """
    endings = [calls[call.name] for calls in role.table.values() if call.name in calls]
    if getattr(handler, "__inlined__", False):
        method = _inlined_method(call, handler, awaited=awaited)
        if method is not None:
            return method
    if call.fires is not None:
        handler = _firing_handler(call.name, handler, awaited=awaited)
    run = "_run_awaited_call" if awaited else "_run_call"
    if call.settles_before:
        one_ending = all(set(outcomes) == {"ok"} for outcomes in endings)
        template = _SETTLES_BEFORE if one_ending else _SETTLES_BEFORE_AS_CHOSEN
        return _compiled(template, call.name, handler, run, awaited=awaited)
    settle = _SETTLE_OK if all("ok" in outcomes for outcomes in endings) else _SETTLE_CHOICE
    if call.exclusive:
        settle = settle.replace("{unless}", " is {self}._row")
        template = _EXCLUSIVE.replace("{settle}", textwrap.indent(settle, "        "))
    else:
        template = _FLAT + settle.replace("{unless}", "")
    return _compiled(template, call.name, handler, run, awaited=awaited)


def _firing_handler(call: str, handler: FunctionType, *, awaited: bool) -> FunctionType:
    """The handler with what moves the call's partner around it."""
    if awaited:

        async def fire_awaited(self: Any, *arguments: Any, **keywords: Any) -> Any:
            return await self._fire_awaited(call, handler, arguments, keywords)

        return cast(FunctionType, functools.wraps(handler)(fire_awaited))

    def fire(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return self._fire(call, handler, arguments, keywords)

    return cast(FunctionType, functools.wraps(handler)(fire))


def overriding_method(call: Call, override: FunctionType, *, awaited: bool) -> FunctionType:
    """The method that checks `call` before a subclass's own method for it."""
    return _compiled(_SLOW, call.name, override, "_run_awaited_override" if awaited else "_run_override", awaited=awaited)


def _compiled(template: str, name: str, handler: FunctionType, run: str, *, awaited: bool) -> FunctionType:
    signature = _Signature(handler)
    source = template.format(name=name, run=run, **signature.texts, **_keywords_of(awaited))
    namespace: dict[str, Any] = {
        "__name__": "lifecycle.engine.generated",
        "_lc_handler": handler,
        "_lc_Settled": Settled,
        "_lc_Coroutine": CoroutineType,
        **signature.defaults,
    }
    exec(_code_of(source, name), namespace)
    return _finished(namespace[name], handler)


def _keywords_of(awaited: bool) -> dict[str, str]:
    return {"async_": "async ", "await_": "await "} if awaited else {"async_": "", "await_": ""}


def _finished(method: FunctionType, handler: FunctionType) -> FunctionType:
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


# -- inlining -------------------------------------------------------------------------------------------------------------


def _inlined_method(call: Call, handler: FunctionType, *, awaited: bool) -> FunctionType | None:
    """The checked method with the handler's body in it; None where the handler's source is not available."""
    if handler.__code__.co_freevars:
        raise TypeError(f"{handler.__qualname__}() is inlined, so that it cannot use a closure or super() without arguments")
    signature = _Signature(handler)
    definition = _definition_of(handler)
    if definition is None:
        return None
    source = _INLINED.format(
        name=call.name,
        run="_run_awaited_call" if awaited else "_run_call",
        **signature.texts,
        **_keywords_of(awaited),
    )
    module = ast.parse(source)
    for node in ast.walk(module):
        _locate(node, definition.lineno)  # the check belongs to the line of the `def`
    (method,) = module.body
    (attempt,) = (node for node in cast(ast.FunctionDef, method).body if isinstance(node, ast.Try))
    returns = _Returns(signature.texts["self"])
    attempt.body = [
        *returns.visit(ast.Module(_without_docstring(definition), [])).body,
        ast.Return(),
    ]  # it may end without a return
    _locate(attempt, attempt.body[0].lineno)  # the same line costs no instruction
    flags = handler.__code__.co_flags & _FUTURES
    code = compile(ast.fix_missing_locations(module), handler.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
    own = next(constant for constant in code.co_consts if isinstance(constant, CodeType))
    # The handler is a constant of the code: a variable would cost each call, and the module's names are not ours.
    own = own.replace(co_consts=tuple(handler if constant == "_lc_handler" else constant for constant in own.co_consts))
    made = FunctionType(own, handler.__globals__, call.name, handler.__defaults__)
    made.__kwdefaults__ = handler.__kwdefaults__
    return _finished(made, handler)


def _locate(node: ast.AST, line: int) -> None:
    if hasattr(node, "lineno"):
        node.lineno = node.end_lineno = line  # type: ignore[attr-defined]


def _definition_of(handler: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The handler's own definition, with the lines of its file, if the source that is read now is that of its code."""
    try:
        lines, first = inspect.getsourcelines(handler)
        module = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    ast.increment_lineno(module, first - 1)
    definition = module.body[0]
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    definition.decorator_list = []
    flags = handler.__code__.co_flags & _FUTURES
    compiled = compile(module, handler.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
    found = next((code for code in compiled.co_consts if isinstance(code, CodeType)), None)
    own = handler.__code__
    return definition if found is not None and (found.co_code, found.co_names) == (own.co_code, own.co_names) else None


_FUTURES = functools.reduce(int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
"""The flags by which a code object says which `from __future__` imports its module has"""


def _without_docstring(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """The body, in which a docstring would be a line that runs."""
    return definition.body if ast.get_docstring(definition, clean=False) is None else definition.body[1:]


class _Returns(ast.NodeTransformer):
    """Lets what a handler returns be settled(...), but for names and constants."""

    def __init__(self, subject: str) -> None:
        self._subject = subject

    def visit_Return(self, node: ast.Return) -> ast.stmt | list[ast.stmt]:
        if node.value is None or isinstance(node.value, ast.Name | ast.Constant):
            return node
        check = ast.parse(
            f"{PREFIX}result = 0\nif {PREFIX}result.__class__ is not {self._subject}._Settled:\n    return {PREFIX}result\n"
            f"raise {self._subject}._SettledEarly({PREFIX}result)"
        )
        for each in ast.walk(check):
            _locate(each, node.lineno)
        cast(ast.Assign, check.body[0]).value = node.value
        return check.body

    def visit(self, node: ast.AST) -> Any:
        """As ever, but for functions and classes inside the handler: what they return is their own."""
        is_own = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef)
        return node if is_own else super().visit(node)


# -- signatures -----------------------------------------------------------------------------------------------------------

_STARS: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


class _Signature:
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

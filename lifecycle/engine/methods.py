"""Generates the checked method of a governed call: one Python frame in the usual case, with the handler's own signature.

The source is registered in `linecache`, so that tracebacks and debuggers show it. A handler that is marked `@inlined` is
compiled into the method together with the check, under its own file and lines: what runs is one frame, and debuggers,
coverage and profilers see the handler.
"""

from __future__ import annotations

import ast
import functools
import linecache
import textwrap
from collections.abc import Callable
from types import CodeType, CoroutineType, FunctionType
from typing import Any, TypeVar, cast

from lifecycle.engine.inlining import inlined_method
from lifecycle.engine.role import Role
from lifecycle.engine.settling import Settled
from lifecycle.engine.signatures import Signature, finished, keywords_of
from lifecycle.engine.steps import IS_ONE_STEP, claim_of
from lifecycle.engine.vocabulary import Call

Handler = TypeVar("Handler", bound=Callable[..., Any])


def fires_into(kind: type, default: Callable[[Any], Any] | None = None) -> Callable[[Handler], Handler]:
    """Say which partner a handler's call fires a row of: its first argument, an instance of `kind`.

    default: makes one, given the object, where the argument is None. Any other argument is a TypeError before anything is
    touched. The handler only installs into the partner; the engine checks, claims and moves it.
    """

    def mark(handler: Handler) -> Handler:
        handler.__fires_into__ = (kind, default)  # type: ignore[attr-defined]
        return handler

    return mark


_STEP = "if True" if IS_ONE_STEP else "with {self}._lock"
"""Begins a block that compares what an object holds, and sets it: `if True` is not an instruction"""

_SETTLE_OK = """\
        if _lc_result is not None:
            _lc_kind = _lc_result.__class__
            if _lc_kind is _lc_Settled:
                return {self}._settle_result(_lc_node, {name!r}, _lc_result)
            if _lc_kind is _lc_Coroutine:
                {self}._refuse_coroutine({name!r}, _lc_result)
        if _lc_after is _lc_node{unless}:
            return _lc_result
        {step}:
            if {self}._node is _lc_node:
                {self}._node = _lc_after
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
    _lc_node = {self}._node
    _lc_after = _lc_node.{name}
    if _lc_after is None:
        return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
    try:
        try:
            _lc_result = {await_}_lc_handler({arguments})
        except BaseException as _lc_error:
            {self}._settle_error(_lc_node, {name!r}, _lc_error)
            raise
{settle}
    except BaseException as _lc_error:
        {self}._true_up(_lc_node, {name!r}, _lc_error)
        raise
"""

_EXCLUSIVE = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_after = _lc_node.{name}
    _lc_claim = _lc_claim_of({name!r})
    try:
        try:
            if _lc_after is not None:
                {step}:
                    if {self}._node is _lc_node and {self}._claim is None:
                        {self}._claim = _lc_claim
            if {self}._claim is _lc_claim:
                try:
                    _lc_result = {await_}_lc_handler({arguments})
                except BaseException as _lc_error:
                    {self}._settle_error(_lc_node, {name!r}, _lc_error)
                    raise
{settle}
        except BaseException as _lc_error:
            if {self}._claim is _lc_claim:
                {self}._true_up(_lc_node, {name!r}, _lc_error)
            raise
        finally:
            if {self}._claim is _lc_claim:  # until the state has changed
                {self}._claim = None
    finally:
        if {self}._claim is _lc_claim:  # once more: an exception of a signal handler may have come in the first
            {self}._claim = None
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_SETTLES_BEFORE = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_after = _lc_node.{name}
    _lc_taken = False
    try:
        if _lc_after is not None:
            {step}:
                if {self}._node is _lc_node:
                    {self}._node = _lc_after
                    _lc_taken = True
        if _lc_taken:
            return {await_}_lc_handler({arguments})
    except BaseException as _lc_error:
        {self}._true_up(_lc_node, {name!r}, _lc_error)
        raise
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_SETTLES_BEFORE_AS_CHOSEN = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_after = None
    try:
        if _lc_node.{name} is not None:
            _lc_next = _lc_node._after({name!r}, {self}.outcome_before({name!r}, {arguments_only}))
            if _lc_next is not None:
                {step}:
                    if {self}._node is _lc_node:
                        {self}._node = _lc_after = _lc_next
        if _lc_after is not None:
            try:
                return {await_}_lc_handler({arguments})
            except BaseException as _lc_error:
                {self}._settle_error(_lc_node, {name!r}, _lc_error, _lc_after)
                raise
    except BaseException as _lc_error:
        {self}._true_up(_lc_node, {name!r}, _lc_error)
        raise
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_SLOW = """\
{async_}def {name}({parameters}):
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""


def checked_method(role: Role, call: Call, handler: FunctionType, *, awaited: bool) -> FunctionType:
    """The method that checks `call`, runs `handler` and settles how it ended, in one frame in the usual case.

    awaited: whether the handler is a coroutine function; the method is one then, and the call ends when it does.
    """
    endings = [calls[call.name] for calls in role.table.values() if call.name in calls]
    if getattr(handler, "__inlined__", False):
        method = inlined_method(call, handler, awaited=awaited)
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
        settle = settle.replace("{unless}", " is {self}._node")
        template = _EXCLUSIVE.replace("{settle}", textwrap.indent(settle, "        ").rstrip())
    else:
        template = _FLAT.replace("{settle}", settle.replace("{unless}", "").rstrip())
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
    signature = Signature(handler)
    step = _STEP.format(**signature.texts)
    source = template.format(name=name, run=run, step=step, **signature.texts, **keywords_of(awaited))
    namespace: dict[str, Any] = {
        "__name__": "lifecycle.engine.generated",
        "_lc_handler": handler,
        "_lc_claim_of": claim_of,
        "_lc_Settled": Settled,
        "_lc_Coroutine": CoroutineType,
        **signature.defaults,
    }
    exec(_code_of(source, name), namespace)
    return finished(namespace[name], handler)


def _code_of(source: str, name: str) -> CodeType:
    """The source compiled, once for all the classes whose method has the same text."""
    code = _codes.get(source)
    if code is None:
        filename = f"<lifecycle {name} {len(_codes)}>"
        module = ast.parse(source)
        for node in ast.walk(module):
            if isinstance(node, ast.Try):
                node.lineno = _begin_of(node)
        code = _codes[source] = compile(module, filename, "exec")
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return code


def _begin_of(statement: ast.stmt) -> int:
    """The line of the first statement in it that does something.

    A `try:` on a line of its own is an instruction that belongs to no `try` around it, where a tracer may raise.
    """
    return _begin_of(statement.body[0]) if isinstance(statement, ast.Try) else statement.lineno


_codes: dict[str, CodeType] = {}

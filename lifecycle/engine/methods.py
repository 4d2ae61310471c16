"""Generates the checked method of a governed call: one Python frame in the usual case, with the handler's own signature.

The source is registered in `linecache`, so that tracebacks and debuggers show it. A handler that is marked `@inlined` is
compiled into the method together with the check, under its own file and lines: what runs is one frame, and debuggers,
coverage and profilers see the handler.
"""

from __future__ import annotations

import ast
import functools
import linecache
import re
import textwrap
from _thread import get_ident
from collections.abc import Callable, Mapping
from types import CodeType, CoroutineType, FunctionType
from typing import Any, TypeVar, cast

from lifecycle.engine import table
from lifecycle.engine.inlining import begin_of, inlined_method, statements_of
from lifecycle.engine.role import Role
from lifecycle.engine.settling import Settled
from lifecycle.engine.signatures import PREFIX, Signature, finished, keywords_of
from lifecycle.engine.steps import IS_ONE_STEP, process
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

_CLAIMS = (
    """\
            if _lc_after is not None and {object}._claim is None:
                {object}._claim = _lc_claim
"""
    if IS_ONE_STEP
    else """\
            if _lc_after is not None:
                with {object}._lock:
                    if {object}._node is {node} and {object}._claim is None:
                        {object}._claim = _lc_claim
            if {object}._claim is _lc_claim:
"""
)
"""Begins the block of a call that has claimed the object, whose node was read just before: in the same step, or again"""

_TAKES = (
    """\
        if _lc_after is not None:
            {self}._node = _lc_after
"""
    if IS_ONE_STEP
    else """\
        _lc_taken = False
        if _lc_after is not None:
            with {self}._lock:
                if {self}._node is _lc_node:
                    {self}._node = _lc_after
                    _lc_taken = True
        if _lc_taken:
"""
)
"""The same of a call that settles before its handler"""

_SETTLE_OK = """\
        if _lc_result is not None:
            _lc_kind = _lc_result.__class__
            if _lc_kind is _lc_Settled:
                _lc_result = {self}._settle_result(_lc_node, {name!r}, _lc_result)
                {release}return _lc_result
            if _lc_kind is _lc_Coroutine:
                {self}._refuse_coroutine({name!r}, _lc_result)
{unless}        {step}:
            if {self}._node is _lc_node:
                {self}._node = _lc_after
                {release}return _lc_result
        {self}._settle_call(_lc_node, {name!r}, "ok")
        {release}return _lc_result
"""

_SETTLE_CHOICE = """\
        if _lc_result.__class__ is _lc_Settled:
            _lc_result = {self}._settle_result(_lc_node, {name!r}, _lc_result)
            {release}return _lc_result
        if _lc_result.__class__ is _lc_Coroutine:
            {self}._refuse_coroutine({name!r}, _lc_result)
        {self}._settle_call(_lc_node, {name!r}, "ok")
        {release}return _lc_result
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
    _lc_claim = ({name!r}, _lc_process[0], _lc_get_ident())  # as claim_of() makes it
    _lc_node = {self}._node
    _lc_after = _lc_node.{name}
    try:
        try:
{claims}
                try:
                    _lc_result = {await_}_lc_handler({arguments})
                except BaseException as _lc_error:
                    {self}._settle_error(_lc_node, {name!r}, _lc_error)
                    raise
{settle}
        except BaseException as _lc_error:
            try:
                if {self}._claim is _lc_claim:
                    {self}._true_up(_lc_node, {name!r}, _lc_error)
            finally:
                if {self}._claim is _lc_claim:  # until the state has changed
                    {self}._claim = None
            raise
    except BaseException:
        if {self}._claim is _lc_claim:  # once more: an exception of a signal handler may have come in the first
            {self}._claim = None
        raise
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_SETTLES_BEFORE = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_after = _lc_node.{name}
    try:
{takes}
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
        _lc_next = {chosen}
        if _lc_next is None and _lc_node.{name} is not None:
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

_CHOSEN = "_lc_node._chosen_{name}.get({only}) if {only}.__class__ is _lc_str else None"
"""The node that a call with choices leads to, or None where its argument is not one of them, or the call takes the slow path"""

_KEEPS = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    if {usually_zero}_lc_node._keeps_{name}{is_none}:
        return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
    try:
        _lc_handler()
    except {self}._SettledEarly as _lc_error:
        _lc_result = _lc_error.settled
    except BaseException as _lc_error:
        {self}._settle_error(_lc_node, {name!r}, _lc_error)
        raise
    return {self}._settle_result(_lc_node, {name!r}, _lc_result)
"""

_FIRES = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_partner = _lc_default({self}) if {partner} is None and _lc_node._keeps_{name} is not None else {partner}
    if _lc_node._keeps_{name} is not None and _lc_isinstance(_lc_partner, _lc_kind) and _lc_partner._fired is _lc_fired:
        _lc_claim = ({fired!r}, _lc_process[0], _lc_get_ident())
        _lc_first = _lc_partner._node
        _lc_after = _lc_first.{fired}
        try:
            try:
{claims}
                    {partner} = _lc_partner
                    try:
                        _lc_result = {await_}_lc_handler({arguments})
                    except BaseException as _lc_error:
                        _lc_partner._settle_error(_lc_first, {fired!r}, _lc_error)
                        raise
                    {step}:
                        if _lc_partner._node is _lc_first:
                            _lc_partner._node = _lc_after
                            _lc_after = None
                    if _lc_after is not None:
                        _lc_partner._settle_call(_lc_first, {fired!r}, "ok")
                    _lc_partner._fired_by({self})
                    if _lc_result.__class__ is _lc_Settled:
                        _lc_result = {self}._settle_result(_lc_node, {name!r}, _lc_result)
                    _lc_partner._claim = None
                    return _lc_result
            except BaseException as _lc_error:
                try:
                    if _lc_partner._claim is _lc_claim:
                        _lc_partner._true_up_fired(_lc_first, {fired!r}, _lc_error)
                        {self}._settle_error(_lc_node, {name!r}, _lc_error)
                finally:
                    if _lc_partner._claim is _lc_claim:
                        _lc_partner._claim = None
                raise
        except BaseException:
            if _lc_partner._claim is _lc_claim:
                _lc_partner._claim = None
            raise
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""
"""Of a handler that is inlined and keeps its object's state: it claims, fills and moves its partner as _fire() does"""

_SLOW = """\
{async_}def {name}({parameters}):
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""


def checked_method(role: Role, call: Call, handler: FunctionType, *, awaited: bool) -> FunctionType:
    """The method that checks `call`, runs `handler` and settles how it ended, in one frame in the usual case.

    awaited: whether the handler is a coroutine function; the method is one then, and the call ends when it does.
    """
    slow = handler if call.fires is None else _firing_handler(call.name, handler, awaited=awaited)
    run = "_run_awaited_call" if awaited else "_run_call"
    method = None
    if getattr(handler, "__inlined__", False):
        source, names = _source(_inlined_template(role, call, handler), call, handler, run, awaited=awaited)
        method = inlined_method(source, handler, slow, names)
    if method is None:
        method = _compiled(_template(role, call), call, slow, run, awaited=awaited)
    return finished(method, handler)


def _template(role: Role, call: Call) -> str:
    """The source of a checked method whose handler has a frame of its own."""
    endings = [calls[call.name] for calls in role.table.values() if call.name in calls]
    if call.settles_before:
        return _SETTLES_BEFORE if all(set(outcomes) == {"ok"} for outcomes in endings) else _SETTLES_BEFORE_AS_CHOSEN
    settle = _SETTLE_OK if all("ok" in outcomes for outcomes in endings) else _SETTLE_CHOICE
    if call.exclusive:
        settle = re.sub("( *){release}", r"\1{self}._claim = None\n\1", settle.replace("{unless}", ""))
        return _EXCLUSIVE.replace("{settle}", textwrap.indent(settle, "        ").rstrip())
    settle = settle.replace("{unless}", "        if _lc_after is _lc_node: return _lc_result\n").replace("{release}", "")
    return _FLAT.replace("{settle}", settle.rstrip())


def _inlined_template(role: Role, call: Call, handler: FunctionType) -> str:
    """The source of a checked method into which its handler is compiled."""
    if call.fires is not None:
        return _FIRES
    return _template(role, call) if call.exclusive or call.settles_before else _KEEPS


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
    run = "_run_awaited_override" if awaited else "_run_override"
    return finished(_compiled(_SLOW, call, override, run, awaited=awaited), override)


_NEW = """\
def __new__(cls, *arguments, **keywords):
    try:
        node = cls._first_nodes[table.default]
    except KeyError:
        node = cls._first_node(None)
    except AttributeError:
        raise TypeError(no_role.format(cls.__name__)) from None
    self = cls._allocate(cls)
    self._node = node
{fresh}
    return self
"""


_CONSTANTS = (None, False, ())


def making_method(fresh: Mapping[str, object], no_role: str) -> Any:
    """The __new__() of a class whose new objects hold what `fresh` says.

    In it and not in __init__(), so that a dataclass, or a subclass that does not call super().__init__(), is governed too.
    """
    values = {f"{PREFIX}{name}": value for name, value in fresh.items()}
    texts = {name: repr(value) if value in _CONSTANTS else f"{PREFIX}{name}" for name, value in fresh.items()}
    source = _NEW.format(fresh="\n".join(f"    self.{name} = {text}" for name, text in texts.items()))
    namespace: dict[str, Any] = {"__name__": "lifecycle.engine.generated", "table": table, "no_role": no_role, **values}
    exec(_code_of(source, "new"), namespace)
    return staticmethod(namespace["__new__"])


def _source(template: str, call: Call, handler: FunctionType, run: str, *, awaited: bool) -> tuple[str, Mapping[str, object]]:
    """The source of a method, and what the names in it mean."""
    signature = Signature(handler)
    names: dict[str, object] = {
        "_lc_process": process,
        "_lc_get_ident": get_ident,
        "_lc_Settled": Settled,
        "_lc_Coroutine": CoroutineType,
        "_lc_str": str,
        **signature.defaults,
    }
    texts = {"name": call.name, "run": run, "chosen": "None", **signature.texts, **keywords_of(awaited)}
    texts |= {"step": _STEP.format(**texts), "takes": _TAKES.format(**texts).rstrip()}
    texts["claims"] = _CLAIMS.format(object=texts["self"], node="_lc_node").rstrip()
    zero = getattr(handler, "__usually_zero__", None)  # what _keeps_<call> is where the state allows the call
    texts |= {"usually_zero": f"{zero} is not " if zero else "", "is_none": "" if zero else " is None"}
    if call.choices and texts["only"]:
        texts["chosen"] = _CHOSEN.format(**texts)
    if template is _FIRES:
        kind, default = handler.__fires_into__  # type: ignore[attr-defined]
        names |= {"_lc_kind": kind, "_lc_default": default, "_lc_fired": kind._fired, "_lc_isinstance": isinstance}
        claims = textwrap.indent(_CLAIMS.format(object="_lc_partner", node="_lc_first"), "    ").rstrip()
        texts |= {"fired": call.fires or "", "partner": texts["first"], "claims": claims}
    return template.format(**texts), names


def _compiled(template: str, call: Call, handler: FunctionType, run: str, *, awaited: bool) -> FunctionType:
    source, names = _source(template, call, handler, run, awaited=awaited)
    namespace: dict[str, Any] = {"__name__": "lifecycle.engine.generated", "_lc_handler": handler, **names}
    exec(_code_of(source, call.name), namespace)
    return cast(FunctionType, namespace[call.name])


def _code_of(source: str, name: str) -> CodeType:
    """The source compiled, once for all the classes whose method has the same text."""
    code = _codes.get(source)
    if code is None:
        filename = f"<lifecycle {name} {len(_codes)}>"
        module = ast.parse(source)
        for node in statements_of(module):
            if isinstance(node, ast.Try):
                node.lineno = begin_of(node)
        code = _codes[source] = compile(module, filename, "exec")
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return code


_codes: dict[str, CodeType] = {}

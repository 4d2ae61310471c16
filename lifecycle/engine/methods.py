"""Makes the checked method of a governed call: one Python frame in the usual case, with the handler's own signature.

What is wrong with a handler is refused here; the code is compiled when the first object of the class is made (deferred.py).
Its source is registered in `linecache`, so that tracebacks and debuggers show it. A handler that is marked `@inlined` is
compiled into the method together with the check, under its own file and lines: what runs is one frame, and debuggers,
coverage and profilers see the handler.
"""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

from lifecycle.engine import table
from lifecycle.engine.deferred import Deferred, Make, own_code
from lifecycle.engine.inlining import check_inlined, free_names, inlined_method, locate_tries, self_contained_method
from lifecycle.engine.role import Role
from lifecycle.engine.signatures import PREFIX, check_parameters, has_parameters_of_its_own
from lifecycle.engine.templates import SLOW, inlined_template_of, source_of, template_of
from lifecycle.engine.vocabulary import Call

Handler = TypeVar("Handler", bound=Callable[..., Any])

Later = list[Deferred]


def fires_into(kind: type, default: Callable[[Any], Any] | None = None) -> Callable[[Handler], Handler]:
    """Say which partner a handler's call fires a row of: its first argument, an instance of `kind`.

    default: makes one, given the object, where the argument is None. Any other argument is a TypeError before anything is
    touched. The handler only installs into the partner; the engine checks, claims and moves it.
    """

    def mark(handler: Handler) -> Handler:
        handler.__fires_into__ = (kind, default)  # type: ignore[attr-defined]
        return handler

    return mark


def checked_method(role: Role, call: Call, handler: FunctionType, later: Later, *, awaited: bool) -> FunctionType:
    """The method that checks `call`, runs `handler` and settles how it ended, in one frame in the usual case.

    later: the methods to compile when the first object of the class is made; this one is added. awaited: whether the handler is
    a coroutine function; the method is one then, and the call ends when it does. Raises TypeError for parameters that the
    method cannot have, and for a handler that is to be inlined and cannot be.
    """
    slow = handler if call.fires is None else _firing_handler(call.name, handler, awaited=awaited)
    run = "_run_awaited_call" if awaited else "_run_call"
    if not getattr(handler, "__inlined__", False):
        return _framed_method(lambda: template_of(role, call), call, handler, slow, run, later, awaited=awaited)
    check_inlined(handler, returns_once=call.fires is not None or bool(call.exclusive))
    source, names = source_of(inlined_template_of(role, call), call, handler, run, awaited=awaited)
    free = {name: names[name] for name in free_names(source, names)}

    def make() -> FunctionType:
        method = inlined_method(source, handler, slow, free)
        if method is None:
            framed, meanings = source_of(template_of(role, call), call, slow, run, awaited=awaited)
            method = self_contained_method(framed, handler, slow, free, meanings)
        return method

    return _method(call.name, handler, make, later, handler.__globals__, free, awaited=awaited)


def overriding_method(call: Call, override: FunctionType, later: Later, *, awaited: bool) -> FunctionType:
    """The method that checks `call` before a subclass's own method for it. later: as for checked_method()."""
    run = "_run_awaited_override" if awaited else "_run_override"
    return _framed_method(lambda: SLOW, call, override, override, run, later, awaited=awaited)


def _framed_method(
    template: Callable[[], str],
    call: Call,
    handler: FunctionType,
    runs: FunctionType,
    run: str,
    later: Later,
    *,
    awaited: bool,
) -> FunctionType:
    """A method whose handler has a frame of its own. runs: the handler, or what is around it."""
    namespace: dict[str, Any] = {"__name__": "lifecycle.engine.generated", "_lc_handler": runs}

    def make() -> FunctionType:
        source, names = source_of(template(), call, runs, run, awaited=awaited)
        namespace.update(names)
        exec(_code_of(source, call.name), namespace)
        return cast(FunctionType, namespace[call.name])

    return _method(call.name, handler, make, later, namespace, {}, awaited=awaited)


def _method(
    name: str,
    handler: FunctionType,
    make: Make,
    later: Later,
    namespace: dict[str, Any],
    free: Mapping[str, object],
    *,
    awaited: bool,
) -> FunctionType:
    """The method that `make` compiles, with the handler's name, docstring and so on; see Deferred."""
    if has_parameters_of_its_own(handler):
        check_parameters(handler)
        deferred = Deferred(name, handler, make, namespace, free, awaited=awaited)
        later.append(deferred)
        method: Any = deferred.method
    else:
        method = make()
        method.__code__ = own_code(method)
    return cast(FunctionType, functools.wraps(handler)(method))


def _firing_handler(call: str, handler: FunctionType, *, awaited: bool) -> FunctionType:
    """The handler with what moves the call's partner around it."""
    if awaited:

        async def fire_awaited(self: Any, *arguments: Any, **keywords: Any) -> Any:
            return await self._fire_awaited(call, handler, arguments, keywords)

        return cast(FunctionType, functools.wraps(handler)(fire_awaited))

    def fire(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return self._fire(call, handler, arguments, keywords)

    return cast(FunctionType, functools.wraps(handler)(fire))


_NEW = """\
def __new__(cls, *arguments, **keywords):
    try:
        node = cls._first_nodes[table.default]
    except KeyError:
        node = cls._first_node(None)
    self = cls._allocate(cls)
    self._node = node
{fresh}
    return self
"""


_CONSTANTS = (None, False, ())


def making_method(fresh: Mapping[str, object]) -> Any:
    """The __new__() of a class with a role, whose new objects hold what `fresh` says.

    In it and not in __init__(), so that a dataclass, or a subclass that does not call super().__init__(), is governed too.
    """
    values = {f"{PREFIX}{name}": value for name, value in fresh.items()}
    texts = {name: repr(value) if value in _CONSTANTS else f"{PREFIX}{name}" for name, value in fresh.items()}
    source = _NEW.format(fresh="\n".join(f"    self.{name} = {text}" for name, text in texts.items()))
    namespace: dict[str, Any] = {"__name__": "lifecycle.engine.generated", "table": table, **values}
    exec(_code_of(source, "new"), namespace)
    return staticmethod(namespace["__new__"])


def _code_of(source: str, name: str) -> CodeType:
    """The source compiled, once for all the classes whose method has the same text."""
    code = _codes.get(source)
    if code is None:
        filename = f"<lifecycle {name} {len(_codes)}>"
        module = ast.parse(source)
        locate_tries(module)
        code = _codes[source] = compile(module, filename, "exec")
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return code


_codes: dict[str, CodeType] = {}

"""Methods whose code is compiled when the first object of their class is made.

Compiling every method of every class would be half of what importing the sockets costs, and a program uses few of the classes.
The method is one function object from the beginning, with the name, the parameters and the lines of its handler, so that code
which keeps, patches or inspects it has the function that will run. Its `__code__` is set once, before there is an object to
call it on.
"""

from __future__ import annotations

import functools
import os
from _thread import RLock
from collections.abc import Callable, Mapping
from inspect import CO_VARARGS, CO_VARKEYWORDS
from itertools import islice
from types import CellType, CodeType, FunctionType
from typing import Any, cast

from lifecycle.engine.signatures import keywords_of, parameter_names

Make = Callable[[], FunctionType]
"""Compiles a method: a function with the same parameters, globals and free variables"""


class Deferred:
    """A method that is compiled later.

    name: of its code. handler: whose parameters and lines it has. make: compiles it. namespace: its globals. free: its free
    variables. awaited: whether it is a coroutine function.
    """

    __slots__ = ("_before", "_make", "_method")

    def __init__(
        self,
        name: str,
        handler: FunctionType,
        make: Make,
        namespace: dict[str, Any],
        free: Mapping[str, object],
        *,
        awaited: bool,
    ) -> None:
        names = tuple(sorted(free))
        self._make = make
        self._before = _with_parameters(_calling_first(names, awaited), name, handler.__code__, self)
        cells = tuple(CellType(free[each]) for each in names)
        self._method: Any = FunctionType(self._before, namespace, name, handler.__defaults__, cells)
        self._method.__kwdefaults__ = handler.__kwdefaults__

    @property
    def method(self) -> FunctionType:
        """The method, which stays the same object."""
        return cast(FunctionType, self._method)

    def compile(self) -> None:
        """Compile the method unless that was done; after an exception it can be tried again."""
        if self._method.__code__ is self._before:
            with _compiling[0]:
                if self._method.__code__ is self._before:
                    self._method.__code__ = own_code(self._make())

    def call(self, given: Mapping[str, Any]) -> Any:
        """Compile the method, which was called before there was an object of its class, and call it with what it was given."""
        self.compile()
        code = self._before
        names = iter(code.co_varnames)
        arguments = [given[name] for name in islice(names, code.co_argcount)]
        keywords = {name: given[name] for name in islice(names, code.co_kwonlyargcount)}
        if code.co_flags & CO_VARARGS:
            arguments += given[next(names)]
        if code.co_flags & CO_VARKEYWORDS:
            keywords |= given[next(names)]
        return self._method(*arguments, **keywords)


_compiling: list[Any] = [RLock()]
"""Holds the lock of the thread that compiles: `ast` raises SystemError now and then where two threads use it at once"""


def _forked() -> None:
    _compiling[0] = RLock()  # no thread that may hold the other one is left


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def own_code(method: FunctionType) -> CodeType:
    """A copy of a method's code: CPython keeps its inline caches in there, so that each class needs its own."""
    return method.__code__.replace()


def compile_methods(kind: type) -> None:
    """Compile what is deferred of the methods of a class and of its bases."""
    for base in kind.__mro__:
        for each in vars(base).get("_deferred", ()):
            each.compile()


_FIRST = """\
def around({names}):
    {async_}def method():
        return {await_}{first!r}.call(locals())
        {names}
"""
"""The code of a method until it is compiled; its second line never runs: it only makes the free variables the same"""

_DEFERRED = "the Deferred"


@functools.cache
def _calling_first(names: tuple[str, ...], awaited: bool) -> CodeType:
    """The code of a method without parameters that is not compiled, with these free variables."""
    source = _FIRST.format(names=", ".join(names), first=_DEFERRED, **keywords_of(awaited))
    around = next(each for each in compile(source, __file__, "exec").co_consts if isinstance(each, CodeType))
    return next(each for each in around.co_consts if isinstance(each, CodeType))


def _with_parameters(code: CodeType, name: str, own: CodeType, deferred: Deferred) -> CodeType:
    """`code`, which has no local variables, with the parameters and the first line of `own`."""
    parameters = parameter_names(own)
    return code.replace(
        co_name=name,
        co_qualname=own.co_qualname,
        co_filename=own.co_filename,
        co_firstlineno=own.co_firstlineno,
        co_argcount=own.co_argcount,
        co_posonlyargcount=own.co_posonlyargcount,
        co_kwonlyargcount=own.co_kwonlyargcount,
        co_varnames=parameters,
        co_nlocals=len(parameters),
        co_flags=code.co_flags | own.co_flags & (CO_VARARGS | CO_VARKEYWORDS),
        co_consts=tuple(deferred if constant == _DEFERRED else constant for constant in code.co_consts),
    )

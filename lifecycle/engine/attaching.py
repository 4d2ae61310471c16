"""Attaches a class's own methods to its role: each call's handler is replaced by a generated, checked method."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn, cast

from lifecycle.engine import performing, running
from lifecycle.engine.generate import Runtime, checked_method, overriding_method
from lifecycle.engine.role import Role
from lifecycle.engine.vocabulary import Call

if TYPE_CHECKING:
    from lifecycle.engine.governed import Lifecycle

_SETTLING: Runtime = {
    "_Settled": performing.Settled,
    "_settle": performing.settle,
    "_settle_error": performing.settle_error,
}
_PLAIN: Runtime = {
    **_SETTLING,
    "_perform": running.perform,
    "_perform_override": running.perform_override,
}
_AWAITED: Runtime = {
    **_SETTLING,
    "_perform": running.perform_awaited,
    "_perform_override": running.perform_override_awaited,
}


def attach(cls: type[Lifecycle], base: type[Lifecycle]) -> None:
    """Replace the handler of every call by its checked method; TypeError names the first call that cannot be."""
    for spec in cls.role.calls:
        name = spec.name
        handler = getattr(cls, name, None)
        if not name.isidentifier() or name.startswith("_"):
            raise TypeError(f"{cls.__name__}: {name!r} cannot be the name of a method, so its role cannot be attached")
        if hasattr(base, name):
            raise TypeError(f"{cls.__name__}: a call named {name!r} would hide {base.__name__}.{name}")
        if spec.fired_by is not None:
            continue
        handler = getattr(handler, "__handler__", handler)
        if handler is None and cls.role.never_legal(name):
            handler = _refusing_handler(cls.role, spec)
        if not isinstance(handler, FunctionType):
            raise TypeError(f"{cls.__name__} has no method {name}(), which its role {cls.role.name!r} declares")
        awaited = inspect.iscoroutinefunction(handler)
        _install(cls, name, handler, checked_method(cls.role, spec, handler, _AWAITED if awaited else _PLAIN, awaited=awaited))


def attach_overrides(cls: type[Lifecycle]) -> None:
    """Check a subclass's own methods for calls, wherever they come from; TypeError for one that is no plain method."""
    for name, spec in cls._specs.items():
        method = inspect.getattr_static(cls, name, None)
        if spec.fired_by is not None or hasattr(method, "__handler__"):
            continue
        if not isinstance(method, FunctionType):
            raise TypeError(f"{cls.__name__}.{name} overrides a call of role {cls.role.name!r}, and is no plain method")
        awaited = inspect.iscoroutinefunction(method) or _awaits(cls, name)
        _install(cls, name, method, overriding_method(spec, method, _AWAITED if awaited else _PLAIN, awaited=awaited))


def _awaits(cls: type[Lifecycle], name: str) -> bool:
    """Whether the method that a subclass overrides is awaited, so that a plain override hands an awaitable on."""
    return any(inspect.iscoroutinefunction(vars(base).get(name)) for base in cls.__mro__[1:])


def _install(cls: type[Lifecycle], name: str, handler: FunctionType, method: Any) -> None:
    method.__handler__ = handler
    method.__doc__ = handler.__doc__ or cls._specs[name].doc
    method.__qualname__ = f"{cls.__qualname__}.{name}"
    setattr(cls, name, method)


def _refusing_handler(role: Role, spec: Call) -> FunctionType:
    """The handler of a call that no state allows: it exists to be refused, with its reason, and is never run."""

    def never(self: Lifecycle, *arguments: object, **keywords: object) -> NoReturn:
        raise AssertionError(f"{role.name}.{spec.name} is legal nowhere, so its handler cannot be reached")

    never.__name__ = spec.name
    never.__doc__ = f"Never legal: {spec.reason or spec.doc}"
    return cast(FunctionType, never)
